"""The Embed page of a campaign: what to paste where, with a preview of each, and an article to try.

Previews are pages of their own, in frames without an origin: neither a snippet nor the HTML that
staff paste can reach the admin.
"""

import re
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.safestring import mark_safe
from django.utils.translation import get_language, get_language_info, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import progress
from campaigns.admin.pages import ActionPages, Page
from campaigns.banners.assets import hash_source, read_closing_script
from campaigns.banners.embeddings import Embedding
from campaigns.banners.files import COMPONENT, SIGN_UP_COMPONENT, SIGN_UPS
from campaigns.banners.placements import EMBEDDED
from campaigns.banners.sign_up_snippets import SIGN_UP_WAYS
from campaigns.banners.snippets import WAYS, find_ways
from campaigns.models import Banner, Campaign, Newsletter
from campaigns.reports.titles import isolate

LONGEST_ARTICLE = 200_000  # characters
TRIED_WAY = "html"


def _list_placements() -> list[tuple[str, Any]]:
    sign_ups = (_("newsletters, block in the article"), _("newsletters, card at its end"))
    embedded = [(name, label) for name, label in Banner.Placement.choices if name in EMBEDDED]
    return [*embedded, *zip(SIGN_UPS, sign_ups, strict=True)]


class ChoiceForm(forms.Form):
    """Chooses the banner, or the newsletter sign-up, on the Embed page."""

    placement = forms.ChoiceField(label=_("Placement"), choices=_list_placements)
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)


class PreviewForm(ChoiceForm):
    """Asks for a snippet's preview, or for an article with the banner inside."""

    way = forms.ChoiceField(
        choices=[(name, way.label) for name, way in {**SIGN_UP_WAYS, **WAYS}.items()]
    )
    html = forms.CharField(
        label=_("HTML of an article"),
        required=False,
        max_length=LONGEST_ARTICLE,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
        help_text=_(
            "The banner appears in place of <!-- banner -->, otherwise after the second paragraph. "
            "Scripts don’t run."
        ),
    )
    css = forms.CharField(
        label=_("CSS of the site"),
        required=False,
        max_length=LONGEST_ARTICLE,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false"}),
    )


@dataclass(frozen=True)
class ShownWay:
    name: str
    label: str
    steps: str
    snippet: str
    rows: int


def _show_embed_page(pages: ActionPages, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show every way to embed the chosen banner."""
    usual = {"placement": Banner.Placement.INLINE, "language": get_language() or "en"}
    choice = ChoiceForm(usual | {name: request.GET[name] for name in usual if name in request.GET})
    chosen = choice.cleaned_data if choice.is_valid() else usual
    embedding = _describe_embedding(campaign, chosen)
    ways = []
    for name, way in find_ways(chosen["placement"]).items():
        snippet = way.write(embedding)
        ways.append(
            ShownWay(name, str(way.label), str(way.steps), snippet, snippet.count("\n") + 1)
        )
    return TemplateResponse(
        request,
        "campaigns/staff/embed.html",
        {
            **pages.admin_site.each_context(request),
            "title": gettext("Embed %(campaign)s") % {"campaign": isolate(embedding.name)},
            "opts": pages.opts,
            "campaign": campaign,
            "name": embedding.name,
            "chosen": chosen,
            "choice": choice,
            "trial": PreviewForm(initial=chosen | {"way": TRIED_WAY}),
            "tried_way": TRIED_WAY,
            "ways": ways,
            "preview_url": pages.url_of(campaign, "embed_preview"),
            "is_published": campaign.published_at is not None,
            "is_without_newsletters": chosen["placement"] in SIGN_UPS
            and not Newsletter.objects.offered().exists(),
        },
    )


_SCRIPTS = (COMPONENT, SIGN_UP_COMPONENT)
# Of previews: pages without an origin, also when someone opens a preview itself.
POLICY = "; ".join(
    (
        "sandbox allow-scripts",
        "default-src 'none'",
        " ".join(
            [
                "script-src",
                *(f"{settings.SITE_URL}/campaign/{name}" for name in _SCRIPTS),
                hash_source(read_closing_script()),  # of a banner that readers can hide
            ]
        ),
        f"connect-src {settings.SITE_URL}/campaign/",
        f"img-src https: data: {settings.SITE_URL}",
        "font-src https: data:",
        f"frame-src {settings.SITE_URL}",
        "style-src 'unsafe-inline' https:",
        "frame-ancestors 'self'",
        "form-action 'none'",
        "base-uri 'none'",
    )
)


def _show_preview(pages: ActionPages, request: HttpRequest, campaign: Campaign) -> HttpResponse:
    """Show one snippet in an article, for a frame without an origin."""
    form = PreviewForm(request.POST if request.method == "POST" else request.GET)
    if not form.is_valid():
        raise BadRequest
    chosen: dict[str, Any] = form.cleaned_data
    way = find_ways(chosen["placement"]).get(chosen["way"])
    if way is None:
        raise BadRequest
    banner = way.write_preview(_describe_embedding(campaign, chosen))
    response = TemplateResponse(
        request,
        "campaigns/staff/embed_preview.html",
        {
            "language": chosen["language"],
            "direction": "rtl" if get_language_info(chosen["language"])["bidi"] else "ltr",
            # Markup of staff and of banners alike: the policy above keeps it in its frame.
            "css": mark_safe(chosen["css"]),  # noqa: S308
            "article": mark_safe(_place(banner, in_article=chosen["html"])),  # noqa: S308
            "has_own_style": bool(chosen["css"] or chosen["html"]),
        },
    )
    response["Content-Security-Policy"] = POLICY
    response["X-Frame-Options"] = "SAMEORIGIN"
    return response


def _place(banner: str, *, in_article: str) -> str:
    """Return the article's HTML with the banner in it."""
    marked = re.compile(r"<!--\s*banner\s*-->", re.IGNORECASE)
    if marked.search(in_article):
        return marked.sub(lambda _found: banner, in_article, count=1)
    paragraphs = list(re.finditer(r"</p\s*>", in_article, re.IGNORECASE))
    at = paragraphs[min(1, len(paragraphs) - 1)].end() if paragraphs else len(in_article)
    return f"{in_article[:at]}\n{banner}\n{in_article[at:]}"


def _describe_embedding(campaign: Campaign, chosen: dict[str, Any]) -> Embedding:
    goals = progress.measure_campaign(campaign, at=timezone.now())
    return Embedding(campaign, chosen["placement"], chosen["language"], goals[0] if goals else None)


EMBED = Page(name="embed", path="embed/", view=_show_embed_page, label=_("Embed banners"))
EMBED_PREVIEW = Page(name="embed_preview", path="embed/preview/", view=_show_preview)
