"""Newsletter sign-ups for articles: a block and a card, as fragments and as pages for frames.

They are published with a campaign's banners, so that no article waits for the database. The form
is plain HTML: it works without a script and on any site.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info, gettext, ngettext, override

from campaigns.banners.assets import (
    hash_source,
    read_sign_up_script,
    read_sign_up_style,
)
from campaigns.banners.files import FRAME, SIGN_UPS
from campaigns.banners.rendering import squeeze
from campaigns.emails.links import NEWSLETTER_LASTS
from campaigns.forms import write_consent
from campaigns.models import Newsletter, read_look

PAGE_STYLE = "body{margin:0}.campaign-banner{--campaign-margin:0}:root{color-scheme:light}"


@dataclass(frozen=True)
class TypedSignUp:
    """A form that a reader sent in a frame, with its errors by the field's name, or "form"."""

    email: str = ""
    slugs: Collection[str] = ()
    query: str = ""  # of the form's address: where the reader came from
    asked: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


def render_sign_ups(campaign: str, *, language: str) -> dict[str, bytes]:
    """Return the files of a campaign in one language, by name; empty ones without newsletters.

    All characters are ASCII, so that no page shows them in a wrong charset.
    """
    offered = list(Newsletter.objects.offered())
    files = {}
    for placement in SIGN_UPS:
        html = _render(campaign, placement, language, offered) if offered else SafeString("")
        files[f"{placement}.html"] = _wrap_fragment(placement, html) if offered else ""
        files[f"{placement}{FRAME}"] = _wrap_frame(html, language)
    return {
        f"{language}/{name}": text.encode("ascii", "xmlcharrefreplace")
        for name, text in files.items()
    }


def render_frame(
    campaign: str,
    placement: str,
    *,
    language: str,
    typed: TypedSignUp | None = None,
) -> str:
    """Return the page of a frame after a reader sent the form: with errors, or with thanks."""
    known = placement if placement in SIGN_UPS else SIGN_UPS[0]
    offered = list(Newsletter.objects.offered())
    return _wrap_frame(
        _render(campaign, known, language, offered, typed, is_sent=not typed), language
    )


def _render(
    campaign: str,
    placement: str,
    language: str,
    offered: list[Newsletter],
    typed: TypedSignUp | None = None,
    *,
    is_sent: bool = False,
) -> SafeString:
    typed = typed or TypedSignUp()
    days = NEWSLETTER_LASTS.days
    with override(language):
        context = {
            "campaign": campaign,
            "placement": placement,
            "language": language,
            "direction": "rtl" if get_language_info(language)["bidi"] else "ltr",
            "letters": [(each, each.slug in typed.slugs) for each in offered],
            "only": offered[0] if len(offered) == 1 else None,
            "typed": typed,
            "action": settings.SITE_URL + reverse("campaigns:newsletters"),
            "consent": write_consent(),
            "privacy_url": settings.PRIVACY_URL,
            "is_sent": is_sent,
            "sent_words": ngettext(
                "We’ve sent you an e-mail. Open the link in it within %(days)s day to confirm your "
                "newsletters.",
                "We’ve sent you an e-mail. Open the link in it within %(days)s days to confirm "
                "your newsletters.",
                days,
            )
            % {"days": days},
        }
        return squeeze(render_to_string("campaigns/embed/signup.html", context))


def _wrap_fragment(placement: str, html: SafeString) -> str:
    context = {"style": read_sign_up_style(read_look()), "html": html, "placement": placement}
    return squeeze(render_to_string("campaigns/embed/signup_fragment.html", context))


def _wrap_frame(html: SafeString, language: str) -> str:
    """Return a page for an iframe. Its policy allows exactly its own styles and script."""
    script, style = read_sign_up_script(), read_sign_up_style(read_look())
    styles = " ".join(map(hash_source, (PAGE_STYLE, style)))
    policy = f"default-src 'none'; style-src {styles}; script-src {hash_source(script)}"
    # In the frame, the answer comes in the frame.
    page, frame = (
        f'action="{settings.SITE_URL}{reverse(f"campaigns:{name}")}?'
        for name in ("newsletters", "newsletters_frame")
    )
    with override(language):
        title = gettext("Newsletters")
    context = {
        "language": language,
        "title": strip_tags(title),
        "policy": mark_safe(policy),  # noqa: S308 (hashes)
        "page_style": mark_safe(PAGE_STYLE),  # noqa: S308 (our own)
        "style": style,
        "html": mark_safe(html.replace(page, frame)),  # noqa: S308 (as it was)
        "script": script,
    }
    return render_to_string("campaigns/embed/signup_frame.html", context)
