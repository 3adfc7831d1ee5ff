"""The ways to embed a banner, as one table: for each host, where to paste what."""

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.banners.files import (
    COMPONENT,
    FRAME,
    NEWSLETTER,
    SIGN_UP_COMPONENT,
    SIGN_UPS,
    name_banner,
)
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.reading import read_banner, read_sign_up
from campaigns.banners.texts import write_count
from campaigns.dates import write_offset
from campaigns.forms import write_consent
from campaigns.models import Banner, Campaign, Newsletter
from campaigns.progress import Progress

# The height in px that a frame has before it reports its own: in a column as wide as most articles.
HEIGHT = 420
COLUMN = 576


@dataclass(frozen=True)
class Embedding:
    """A banner to embed: whose, which, in which language, with which number."""

    campaign: Campaign
    placement: str
    language: str
    progress: Progress | None

    @property
    def name(self) -> str:
        return self.campaign.copy_for(self.language).name

    @property
    def folder(self) -> str:
        """The address of the published files in this language; it is the campaign page, too."""
        return f"{settings.SITE_URL}/campaign/{self.campaign.slug}/{self.language}/"


@dataclass(frozen=True)
class Way:
    """One way to embed a banner. `show` returns what readers get, if it isn't the snippet."""

    label: StrOrPromise
    steps: StrOrPromise
    write: Callable[[Embedding], str]
    show: Callable[[Embedding], str] | None = None

    def write_preview(self, embedding: Embedding) -> str:
        return (self.show or self.write)(embedding)


def write_reserve(placement: str) -> SafeString:
    """Return the rules with which a page keeps room for a banner until the script draws it."""
    element = f'campaign-banner[placement="{placement}"]'
    heights = PLACEMENTS[placement].heights
    if not heights:
        return SafeString("")
    lines = [f"{element} {{ display: block; min-height: var(--campaign-reserve) }}"]
    for width, height in heights.items():
        rule = f"{element} {{ --campaign-reserve: {height}px }}"
        lines.append(f"@media (min-width: {width}px) {{ {rule} }}" if width else rule)
    rules = "".join(f"  {line}\n" for line in lines)
    return mark_safe(f"<style>\n{rules}</style>\n")  # noqa: S308 - numbers and names of ours


def _find_height(placement: str) -> int:
    heights = PLACEMENTS[placement].heights
    return heights[max(least for least in heights if least <= COLUMN)] if heights else HEIGHT


def _write_component(embedding: Embedding) -> str:
    return write_reserve(embedding.placement) + format_html(
        '<script type="module" src="{}/campaign/{}"></script>\n'
        '<campaign-banner campaign="{}" placement="{}" lang="{}">\n'
        '  <a href="{}?from={}">{}</a>\n'
        "</campaign-banner>",
        settings.SITE_URL,
        COMPONENT,
        embedding.campaign.slug,
        embedding.placement,
        embedding.language,
        embedding.folder,
        embedding.placement,
        embedding.name,
    )


def _write_frame(embedding: Embedding) -> str:
    return format_html(
        '<iframe src="{}{}{}"\n'
        '  title="{}" width="100%" height="{}" loading="lazy" allow="" frameborder="0"\n'
        '  referrerpolicy="no-referrer-when-downgrade"></iframe>\n'
        '<script type="module" src="{}/campaign/{}"></script>',
        embedding.folder,
        embedding.placement,
        FRAME,
        embedding.name,
        _find_height(embedding.placement),
        settings.SITE_URL,
        COMPONENT,
    )


def _write_tag(embedding: Embedding) -> str:
    return (
        "{% load campaigns %}\n"
        f'{{% banner "{embedding.campaign.slug}" "{embedding.placement}" '
        f'language="{embedding.language}" %}}'
    )


def _write_include(embedding: Embedding) -> str:
    """Return an include that leaves the page whole if the banner can't be fetched in time.

    nginx would pass on the browser's Accept-Encoding and include compressed bytes, and the error
    page of a failed request.
    """
    folder = f"/campaign/{embedding.campaign.slug}/"
    file = f"{folder}{embedding.language}/{name_banner(embedding.placement)}"
    return (
        "# In the server block:\n"
        f"location {folder} {{\n"
        "  internal;\n"
        f"  proxy_pass {settings.SITE_URL};\n"
        "  proxy_ssl_server_name on;\n"
        '  proxy_set_header Accept-Encoding "";\n'
        "  proxy_connect_timeout 2s;\n"
        "  proxy_read_timeout 2s;\n"
        "  proxy_intercept_errors on;\n"
        "  error_page 400 403 404 429 500 502 503 504 = @no_banner;\n"
        "}\n"
        "location @no_banner { return 204; }\n"
        "ssi on;\n\n"
        "<!-- In the page: -->\n"
        f'<!--# include virtual="{file}" -->'
    )


def _write_picture(embedding: Embedding) -> str:
    today = timezone.localdate(timezone=embedding.campaign.zone_info)
    return format_html(
        '<a href="{}?from=newsletter">\n'
        '  <img src="{}{}-{}.png"\n'
        '    width="600" height="300" alt="{}">\n'
        "</a>",
        embedding.folder,
        embedding.folder,
        NEWSLETTER,
        today.isoformat(),
        describe_number(embedding),
    )


def describe_number(embedding: Embedding) -> str:
    """Return the campaign's name and its number with its time, as one line of text."""
    progress = embedding.progress
    if progress is None or not progress.shows_count:
        return embedding.name
    with override(embedding.language):
        as_of = progress.as_of.astimezone(embedding.campaign.zone_info)
        return gettext("%(name)s: %(count)s, as of %(when)s") % {
            "name": embedding.name,
            "count": write_count(progress, language=embedding.language).words,
            "when": f"{date_format(as_of, 'j E, H:i')} ({write_offset(as_of)})",
        }


def _read_fragment(embedding: Embedding) -> str:
    return read_banner(embedding.campaign.slug, embedding.placement, language=embedding.language)


WAYS: dict[str, Way] = {
    "ghost": Way(
        _("Ghost"),
        _("In the editor, type /html, choose the HTML card and paste this."),
        _write_component,
    ),
    "wordpress": Way(
        _("WordPress"),
        _(
            "Paste this address on a line of its own in the article. WordPress turns it "
            "into the banner."
        ),
        lambda embedding: embedding.folder,
        show=_write_frame,
    ),
    "drupal": Way(
        _("Drupal, Arc XP, Contentful"),
        _(
            "Paste this into an HTML block. In Drupal, its text format has to allow iframes. The "
            "script gives the frame the banner’s height; leave it out where scripts aren’t allowed."
        ),
        _write_frame,
    ),
    "html": Way(
        _("Any page, by script"),
        _(
            "Paste this where the banner should appear. The styles keep room for it, so that the "
            "text doesn’t move; you can put them into the page’s own stylesheet. If the page has a "
            "Content Security Policy, allow this site in script-src and connect-src."
        ),
        _write_component,
    ),
    "django": Way(
        _("Django template"),
        _("Put this into the article’s template. It works on sites that run this application."),
        _write_tag,
        show=_read_fragment,
    ),
    "nginx": Way(
        _("nginx, server-side include"),
        _("Add the first part to the server’s configuration and the second to the page."),
        _write_include,
        show=_read_fragment,
    ),
    "newsletter": Way(
        _("Newsletter"),
        _(
            "Paste this into the e-mail. The date in the address makes mail programs load a new "
            "picture for each mailing. The picture shows the time of its count."
        ),
        _write_picture,
    ),
}

# Where a banner that isn't a block inside the article goes in Ghost and in WordPress. An address on
# a line of its own becomes that block, and no other banner.
_OTHER_STEPS: dict[str, dict[str, StrOrPromise]] = {
    Banner.Placement.TOP: {
        "ghost": _(
            "Paste this in Settings → Code injection → Site header. The bar is then at the top of "
            "every page."
        ),
        "wordpress": _(
            "In Appearance → Editor, open the header of your theme, add a Custom HTML block above "
            "everything else and paste this. The bar is then at the top of every page."
        ),
    },
    Banner.Placement.CORNER: {
        "ghost": _(
            "Paste this in Settings → Code injection → Site footer. The card is then on every page."
        ),
        "wordpress": _(
            "In Appearance → Editor, open the footer of your theme, add a Custom HTML block and "
            "paste this. The card is then on every page."
        ),
    },
    Banner.Placement.END: {
        "wordpress": _(
            "In the editor, add a Custom HTML block and paste this. You need the role Editor or "
            "Administrator: WordPress removes the scripts of other roles."
        ),
    },
}


# Newsletter sign-ups


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
    return f"{_write_include(embedding)}\n{_write_sign_up_script()}"


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


def find_ways(placement: str) -> dict[str, Way]:
    """Return the ways to embed a banner, or a newsletter sign-up."""
    if placement in SIGN_UPS:
        return SIGN_UP_WAYS
    others = {
        name: Way(WAYS[name].label, steps, _write_component)
        for name, steps in _OTHER_STEPS.get(placement, {}).items()
    }
    return WAYS | others
