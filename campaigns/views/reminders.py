"""Reminders of gifts and unfinished payments: stop them with one click, or start them again."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.emails import links
from campaigns.models import OptOut
from campaigns.views.pages import redirect_after_post, show_page
from campaigns.views.private import private, show_bad_link


# One-click unsubscribe in e-mail programs (RFC 8058) has no cookie and no CSRF token, and many
# readers share the IP address of their provider. The signed link is proof enough.
@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def change_reminders(request: HttpRequest, token: str) -> HttpResponseBase:
    """Stop or start reminders; only a POST does, since e-mail scanners open every link."""
    try:
        address_hash = links.read_opt_out_token(token)
    except links.BadLink:
        return show_bad_link(request, about="reminders")
    if request.method == "POST":
        if request.POST.get("want") == "again":
            OptOut.objects.filter(address_hash=address_hash).delete()
        else:
            OptOut.objects.get_or_create(address_hash=address_hash)
        if "List-Unsubscribe" in request.POST:  # e-mail programs don't follow redirects
            return HttpResponse("OK", content_type="text/plain")
        return redirect_after_post("campaigns:opt_out", token=token)
    context = {"is_out": OptOut.objects.filter(address_hash=address_hash).exists()}
    return show_page(request, "campaigns/readers/reminders/opt_out.html", context)
