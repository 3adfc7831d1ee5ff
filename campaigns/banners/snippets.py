"""The ways to embed a banner, as one table: for each host, where to paste what."""

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, override
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.banners.embeddings import COLUMN, HEIGHT, Embedding, Way, write_include
from campaigns.banners.files import COMPONENT, FRAME, NEWSLETTER, SIGN_UPS
from campaigns.banners.placements import PLACEMENTS
from campaigns.banners.reading import read_banner
from campaigns.banners.sign_up_snippets import SIGN_UP_WAYS
from campaigns.banners.texts import write_count
from campaigns.dates import write_offset
from campaigns.models import Banner


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
        write_include,
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

# Where a banner that isn't a block inside the article goes. An address on a line of its own becomes
# that block in WordPress, and no other banner.
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
        "html": _(
            "Paste this at the end of the page, before </body>. Inside an element with a "
            "transform, a filter or containment, browsers would place the card in that element. If "
            "the page has a Content Security Policy, allow this site in script-src and connect-src."
        ),
    },
    Banner.Placement.END: {
        "wordpress": _(
            "In the editor, add a Custom HTML block and paste this. You need the role Editor or "
            "Administrator: WordPress removes the scripts of other roles."
        ),
    },
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
