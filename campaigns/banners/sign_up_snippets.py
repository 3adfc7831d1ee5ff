"""The ways to embed newsletter sign-ups, as one table: for each host, where to paste what."""

from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _

from campaigns.banners.embeddings import HEIGHT, Embedding, Way, write_include
from campaigns.banners.files import FRAME, SIGN_UP_COMPONENT
from campaigns.banners.reading import read_sign_up
from campaigns.forms import write_consent
from campaigns.models import Newsletter


def _write_sign_up_component(embedding: Embedding) -> str:
    return format_html(
        "{}\n"
        '<campaign-newsletters campaign="{}" placement="{}" lang="{}">\n'
        '  <a href="{}?{}">{}</a>\n'
        "</campaign-newsletters>",
        _write_sign_up_script(),
        embedding.campaign.slug,
        embedding.placement,
        embedding.language,
        _find_sign_up_url(),
        urlencode({"from": embedding.placement, "language": embedding.language}),
        _name_sign_up(embedding),
    )


def _write_sign_up_frame(embedding: Embedding) -> str:
    return format_html(
        '<iframe src="{}{}{}"\n'
        '  title="{}" width="100%" height="{}" loading="lazy" allow="" frameborder="0"\n'
        '  referrerpolicy="no-referrer-when-downgrade"></iframe>',
        embedding.folder,
        embedding.placement,
        FRAME,
        _name_sign_up(embedding),
        HEIGHT,
    )


def _write_sign_up_form(embedding: Embedding) -> str:
    """Return a form of plain HTML, which the page around it styles."""
    with override(embedding.language):
        boxes = [
            format_html(
                '  <p><label><input type="checkbox" name="newsletters" value="{}">'
                " {}</label></p>\n",
                each.slug,
                each.name,
            )
            for each in Newsletter.objects.offered()
        ]
        return format_html(
            '<form method="post" action="{}?from={}">\n'
            '  <input type="hidden" name="campaign" value="{}">\n'
            '  <input type="hidden" name="language" value="{}">\n'
            "{}"
            '  <p><label>{} <input type="email" name="email" required autocomplete="email">'
            "</label></p>\n"
            "  <p><small>{}</small></p>\n"
            '  <p><button type="submit">{}</button></p>\n'
            "</form>",
            _find_sign_up_url(),
            embedding.placement,
            embedding.campaign.slug,
            embedding.language,
            format_html_join("", "{}", ((box,) for box in boxes)),
            gettext("Your e-mail"),
            write_consent(),
            gettext("Sign up"),
        )


def _write_sign_up_tag(embedding: Embedding) -> str:
    return (
        "{% load campaigns %}\n"
        f'{{% newsletters "{embedding.campaign.slug}" "{embedding.placement}" '
        f'language="{embedding.language}" %}}\n{_write_sign_up_script()}'
    )


def _write_sign_up_include(embedding: Embedding) -> str:
    return f"{write_include(embedding)}\n{_write_sign_up_script()}"


def _write_sign_up_script() -> str:
    return format_html(
        '<script type="module" src="{}/campaign/{}"></script>', settings.SITE_URL, SIGN_UP_COMPONENT
    )


def _read_sign_up(embedding: Embedding) -> str:
    return read_sign_up(embedding.campaign.slug, embedding.placement, language=embedding.language)


def _name_sign_up(embedding: Embedding) -> str:
    with override(embedding.language):
        return gettext("Newsletters")


def _find_sign_up_url() -> str:
    return str(settings.SITE_URL) + reverse("campaigns:newsletters")


SIGN_UP_WAYS: dict[str, Way] = {
    "html": Way(
        _("Any page, by script"),
        _(
            "Paste this where the newsletters should appear. In Ghost, use the HTML card. If the "
            "page has a Content Security Policy, allow this site in script-src and frame-src."
        ),
        _write_sign_up_component,
    ),
    "drupal": Way(
        _("Iframe"),
        _("For systems that allow no script, such as Drupal and Contentful."),
        _write_sign_up_frame,
    ),
    "form": Way(
        _("Plain form"),
        _(
            "It takes on your site’s own style and needs no script. Readers get the answer on a "
            "page of this site. Paste it again when you offer other newsletters."
        ),
        _write_sign_up_form,
    ),
    "django": Way(
        _("Django template"),
        _(
            "Put this into the article’s template. It works on sites that run this application. "
            "The script is optional. With it, the answer appears in the article."
        ),
        _write_sign_up_tag,
        show=_read_sign_up,
    ),
    "nginx": Way(
        _("nginx, server-side include"),
        _(
            "Add the first part to the server’s configuration and the second to the page. "
            "The script is optional. With it, the answer appears in the article."
        ),
        _write_sign_up_include,
        show=_read_sign_up,
    ),
}
