"""The newspaper's pages. Articles make no database queries: their banners are files."""

from csp.constants import NONCE, NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

from newsroom.demo.articles import ARTICLES, LEAD
from newsroom.demo.mails import list_mails, read_mail


@csp_update(
    # The banners bring their styles and scripts along.
    {"style-src": [SELF, NONCE], "script-src": [SELF, NONCE]}
)
@never_cache
@require_safe
def show_article(request: HttpRequest, slug: str = LEAD) -> HttpResponse:
    if slug not in ARTICLES:
        raise Http404
    others = [article for article in ARTICLES.values() if article.slug != slug]
    context = {
        "article": ARTICLES[slug],
        "others": others,
        "newsroom_name": settings.NEWSROOM_NAME,  # the name in the admin would need a query
    }
    return render(request, "demo/article.html", context)


@never_cache
@require_safe
def list_all_mails(request: HttpRequest) -> HttpResponse:
    return render(request, "demo/mails.html", {"mails": list_mails()})


@never_cache
@require_safe
def show_mail(request: HttpRequest, name: str) -> HttpResponse:
    mail = read_mail(name)
    if mail is None:
        raise Http404
    return render(request, "demo/mail.html", {"mail": mail})


@csp(  # type: ignore[arg-type]  # its types allow only views without arguments
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],  # an e-mail's own style
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-top-navigation-by-user-activation"],
    }
)
@never_cache
@require_safe
@xframe_options_sameorigin
def show_mail_body(request: HttpRequest, name: str) -> HttpResponse:
    """Show the e-mail's HTML, for a frame in which no script can run."""
    mail = read_mail(name)
    if mail is None:
        raise Http404
    # Links open outside the frame, as they would in a mail program.
    return HttpResponse(mail.html.replace("<head>", '<head><base target="_top">', 1))
