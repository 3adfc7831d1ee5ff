"""Template tags for published banners, money, numbers and staff's texts."""

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
    """Return the published banner from its file, without the database. Never raises."""
    html = banners.read_banner(slug, placement, language=language or get_language() or "en")
    return mark_safe(html)  # noqa: S308 (made by our own templates, which escape)


@register.filter
def money(thing: Any) -> str:
    """Return the amount of an object with amount_minor and currency, in the reader's language."""
    return format_money(thing.amount_minor, thing.currency, language=get_language() or "en")


@register.filter
def minor(amount_minor: int, currency: str) -> str:
    """Return an amount in minor units of that currency, in the reader's language."""
    return format_money(amount_minor, currency, language=get_language() or "en")


@register.filter
def grouped(number: int) -> str:
    """Return a whole number with its digits grouped as in the reader's language: 1,000."""
    return str(number_format(number, force_grouping=True))


@register.filter
def wording(thing: Campaign | Plan) -> CampaignCopy | PlanCopy:
    """Return staff's texts for a campaign or a plan, in the reader's language or another one."""
    return thing.copy_for(get_language() or settings.LANGUAGE_CODE)
