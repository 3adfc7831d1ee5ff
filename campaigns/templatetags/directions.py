"""Template filters for texts that readers typed, in languages of either direction."""

from django import template
from django.template.defaultfilters import linebreaksbr, stringfilter
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import get_language_bidi

from campaigns.people import isolate_direction, runs_against

register = template.Library()


@register.filter(is_safe=True)
@stringfilter
def isolated(text: str) -> str:
    """Return a name or a line for a sentence, so that neither reorders the other."""
    return isolate_direction(text, rtl=get_language_bidi())


@register.filter
def isolated_names(names: list[str]) -> str:
    """Return names for a sentence, separated by commas."""
    return ", ".join(map(isolated, names))


@register.filter
@stringfilter
def typed_lines(text: str) -> SafeString:
    """Return the HTML of a text of several lines, each of them in its own direction."""
    if not runs_against(text, rtl=get_language_bidi()):
        return linebreaksbr(text)
    lines = ((line,) if line.strip() else ("\N{NO-BREAK SPACE}",) for line in text.splitlines())
    return format_html_join("", '<div dir="auto">{}</div>', lines)
