"""What templates ask of the drive: a published banner, and money in words."""

from typing import Any

from django import template
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from campaigns import banners
from campaigns.money import format_money

register = template.Library()


@register.simple_tag
def banner(slug: str, placement: str, language: str = "") -> SafeString:
    """The banner as published ahead, straight from its file: no database, and never an error."""
    html = banners.read_banner(slug, placement, language=language or get_language() or "en")
    return mark_safe(html)  # noqa: S308 (made by our own templates, which escape)


@register.filter
def money(thing: Any) -> str:
    """The amount of anything that has amount_minor and currency, in the reader's language."""
    return format_money(thing.amount_minor, thing.currency, language=get_language() or "en")


@register.filter
def minor(amount_minor: int, currency: str) -> str:
    """An amount in minor units of that currency, in the reader's language."""
    return format_money(amount_minor, currency, language=get_language() or "en")
