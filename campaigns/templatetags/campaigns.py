"""Template tags for published banners, money, numbers and staff's texts."""

from datetime import datetime
from typing import Any

from django import template
from django.conf import settings
from django.template.context import Context
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from campaigns import banners, dates
from campaigns.errors import explain_error
from campaigns.models import Campaign, CampaignCopy, Plan, PlanCopy
from campaigns.money import format_money
from campaigns.progress import Progress
from campaigns.reports.charts import write_number
from campaigns.reports.headline import Headline, write_headline
from campaigns.zones import name_zone

register = template.Library()


@register.simple_tag(takes_context=True)
def banner(
    context: Context,
    slug: str,
    placement: str,
    language: str = "",
    *,
    title: str = "",
    scheme: str = "auto",
    member: bool = False,
) -> SafeString:
    """Return the published banner from its file, without the database. Never raises.

    `title` is the article's, for the newsroom's reports. `scheme` is light, dark or auto. For a
    `member`, the banner thanks instead of asking.
    """
    html = banners.read_banner(
        slug, placement, language=language or get_language() or "en", for_member=bool(member)
    )
    request = context.get("request")
    return banners.place_banner(
        html,
        article=banners.find_article(request, title=str(title)) if request else {},
        nonce=str(getattr(request, "csp_nonce", context.get("csp_nonce", ""))) if html else "",
        scheme=str(scheme),
    )


@register.simple_tag(takes_context=True)
def newsletters(
    context: Context,
    slug: str,
    placement: str = "signup",
    language: str = "",
    *,
    title: str = "",
    scheme: str = "auto",
) -> SafeString:
    """Return the published newsletter sign-up from its file, without the database. Never raises.

    `placement` is "signup", a block, or "signupcard", a card. The others are as for `banner`.
    """
    html = banners.read_sign_up(slug, placement, language=language or get_language() or "en")
    request = context.get("request")
    return banners.place_banner(
        html,
        article=banners.find_article(request, title=str(title)) if request else {},
        nonce=str(getattr(request, "csp_nonce", context.get("csp_nonce", ""))) if html else "",
        scheme=str(scheme),
    )


@register.filter
def money(thing: Any) -> str:
    """Return the amount of an object with amount_minor and currency, in the reader's language."""
    return format_money(thing.amount_minor, thing.currency, language=get_language() or "en")


@register.filter
def minor(amount_minor: int, currency: str) -> str:
    """Return an amount in minor units of that currency, in the reader's language."""
    return format_money(amount_minor, currency, language=get_language() or "en")


@register.filter(expects_localtime=True)
def moment(moment: datetime) -> str:
    """Return a time with its date and offset: 24 November 2026, 14:00 (UTC+2)."""
    return dates.write_moment(moment)


@register.filter(expects_localtime=True)
def short_moment(moment: datetime) -> str:
    """Return a time of this year with its offset: 24 November, 14:00 (UTC+2)."""
    return f"{date_format(moment, 'j E, H:i')} ({dates.write_offset(moment)})"


@register.filter(expects_localtime=True)
def isolated_moment(moment: datetime) -> str:
    """Return `short_moment` for a picture, where words around it may run the other way."""
    return f"\N{FIRST STRONG ISOLATE}{short_moment(moment)}\N{POP DIRECTIONAL ISOLATE}"


@register.filter(expects_localtime=True)
def clock(moment: datetime) -> str:
    """Return the time of day with its offset: 14:00 (UTC+2)."""
    return f"{date_format(moment, 'H:i')} ({dates.write_offset(moment)})"


@register.filter(expects_localtime=True)
def zone_offset(moment: datetime) -> str:
    """Return the offset of a time in brackets: (UTC+2)."""
    return f"({dates.write_offset(moment)})"


@register.filter
def end(campaign: Campaign) -> str:
    """Return the campaign's end as it reads after "until" or "by": the end of 24 December."""
    return dates.write_end(campaign.ends_at, zone=campaign.zone_info, at=timezone.now())


@register.filter
def past_end(campaign: Campaign) -> str:
    """Return the campaign's end as it reads after "ended on": 24 December 2026."""
    return dates.write_past_end(campaign.ends_at, zone=campaign.zone_info)


@register.filter
def zone_name(campaign: Campaign) -> str:
    """Return the campaign's time zone, with its offset at the start: Istanbul (UTC+3)."""
    language = get_language() or settings.LANGUAGE_CODE
    return name_zone(campaign.zone, language, at=campaign.starts_at)


@register.filter
def pace(per_day: float, goal: Progress | None) -> str:
    """Return a pace in the goal's unit: an amount of money, or a number with one decimal."""
    if goal is not None and goal.is_money:
        return minor(round(per_day), goal.currency)
    return write_number(round(per_day, 1))


@register.simple_tag
def linked(words: str, url: str) -> str:
    """Return a number as a link to the rows behind it, or by itself without an address."""
    return format_html('<a href="{}">{}</a>', url, words) if url else conditional_escape(words)


@register.filter
def amount(number: int, goal: Progress | None) -> str:
    """Return a number in the goal's unit: an amount of money, or a whole number."""
    if goal is not None and goal.is_money:
        return minor(number, goal.currency)
    return grouped(number)


@register.filter
def headline(goal: Progress) -> Headline:
    """Return the count of a goal in words, in the reader's language."""
    return write_headline(goal, get_language() or settings.LANGUAGE_CODE)


@register.filter
def grouped(number: int) -> str:
    """Return a whole number with its digits grouped as in the reader's language: 1,000."""
    return str(number_format(number, force_grouping=True))


@register.filter
def explained(noted: str) -> str:
    """Return a noted error in the reader's language."""
    return explain_error(noted)


@register.filter
def wording(thing: Campaign | Plan) -> CampaignCopy | PlanCopy:
    """Return staff's texts for a campaign or a plan, in the reader's language or another one."""
    return thing.copy_for(get_language() or settings.LANGUAGE_CODE)
