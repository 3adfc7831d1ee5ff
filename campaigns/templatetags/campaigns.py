"""What templates ask of the campaign: a published banner, money and numbers, staff's wording."""

from typing import Any

from django import template
from django.conf import settings
from django.utils.formats import number_format
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from campaigns import banners
from campaigns.models import Campaign, CampaignCopy, Plan, PlanCopy
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


@register.filter
def grouped(number: int) -> str:
    """A whole number as the reader's language groups its digits: 1,000."""
    return str(number_format(number, force_grouping=True))


@register.filter
def wording(thing: Campaign | Plan) -> CampaignCopy | PlanCopy:
    """What staff wrote of a campaign or a plan, in the reader's language or the nearest."""
    return thing.copy_for(get_language() or settings.LANGUAGE_CODE)
