"""The contents of a report: key numbers, the forecast in words, and the curve. No names.

A content has these keys, which the plain JSON of webhooks has as well (without `curve`):

    kind       daily, weekly, milestone or test
    title      one line
    url        the page to open
    campaigns  a list, each with
        slug, name, url
        headline   "812 of 1,000 new members (81%)"
        verdict    the forecast in words
        facts      a list of {label, value}, in the language of the receiver
        numbers    the same as numbers; money in minor units of `currency`
        curve      a PNG in base64
        sentence   what the curve shows
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from campaigns.dates import write_end
from campaigns.languages import list_weekdays
from campaigns.models import Campaign, Phase, ReportMessage, read_look
from campaigns.money import format_money
from campaigns.progress import Progress, find_goal_kind, measure_campaign
from campaigns.reports.charts import NARROW, draw_curve, draw_png, write_number
from campaigns.reports.charts.standalone import Palette
from campaigns.reports.days import Day, list_days
from campaigns.reports.outlook import Outlook
from campaigns.reports.pace import Pace, measure_pace
from campaigns.reports.page import look_ahead, write_unit

Content = dict[str, Any]
DAYS = {ReportMessage.Kind.DAILY: 1, ReportMessage.Kind.WEEKLY: 7}


@dataclass(frozen=True)
class Totals:
    """The sums of some days."""

    joined: int
    left: int
    raised_minor: int


@dataclass(frozen=True)
class Situation:
    """A campaign at a moment, with what happened on the days of a report and on those before.

    `latest` and `before` are None in a milestone, which is about no days.
    """

    campaign: Campaign
    goal: Progress | None
    pace: Pace
    outlook: Outlook | None
    language: str
    at: datetime
    latest: Totals | None = None
    before: Totals | None = None
    length: int = 1  # the days of each


def list_campaigns_of(moment: datetime, kind: ReportMessage.Kind) -> list[Campaign]:
    """Return the campaigns that ran on the days before `moment` that a report is about."""
    since = moment - timedelta(days=DAYS[kind])
    running = Campaign.objects.filter(starts_at__lt=moment, ends_at__gt=since)
    return list(running.prefetch_related("copies").order_by("-priority", "starts_at", "pk"))


def describe_period(
    campaigns: Sequence[Campaign],
    kind: ReportMessage.Kind,
    *,
    moment: datetime,
    at: datetime,
    language: str,
) -> Content:
    """Return the daily or weekly report, in the active language; `moment` is when it was due."""
    described = []
    for campaign in campaigns:
        last = moment.astimezone(campaign.zone_info).date() - timedelta(days=1)
        first = last - timedelta(days=DAYS[kind] - 1)
        situation = _load_situation(campaign, at=at, language=language, first=first, last=last)
        described.append(_describe(situation, _write_span(kind, first, last)))
    first_one = described[0]
    title = f"{first_one['name']}: {first_one['headline']}"
    return _build(kind, title, described)


def describe_milestone(
    campaign: Campaign, sentence: str, *, at: datetime, language: str
) -> Content:
    """Return the sentence about a milestone for staff, in the active language."""
    described = _describe(_load_situation(campaign, at=at, language=language))
    title = f"{described['name']}: {sentence}"
    return _build(ReportMessage.Kind.MILESTONE, title, [described])


def describe_test() -> Content:
    """Return what a test says, in the active language."""
    return _build(ReportMessage.Kind.TEST, _("This is a test. Reports will arrive here."), [])


def _build(kind: ReportMessage.Kind, title: str, campaigns: list[Content]) -> Content:
    url = campaigns[0]["url"] if campaigns else settings.SITE_URL + reverse("admin:index")
    return {"kind": str(kind), "title": title, "url": url, "campaigns": campaigns}


def _load_situation(
    campaign: Campaign,
    *,
    at: datetime,
    language: str,
    first: date | None = None,
    last: date | None = None,
) -> Situation:
    goal = next(iter(measure_campaign(campaign, at=at)), None)
    days = list_days(campaign, at=at)
    latest = before = None
    if first is not None and last is not None:
        earlier = first - (last - first) - timedelta(days=1)
        latest = _add_up(days, first, last)
        # The first days of a campaign have none before them to compare with.
        if days and earlier >= days[0].day:
            before = _add_up(days, earlier, first - timedelta(days=1))
    return Situation(
        campaign=campaign,
        goal=goal,
        pace=measure_pace(campaign, goal, days, at=at),
        outlook=look_ahead(campaign, goal, at=at, language=language) if goal else None,
        language=language,
        at=at,
        latest=latest,
        before=before,
        length=(last - first).days + 1 if first and last else 1,
    )


def _add_up(days: Sequence[Day], first: date, last: date) -> Totals:
    chosen = [day for day in days if first <= day.day <= last]
    return Totals(
        joined=sum(day.joined for day in chosen),
        left=sum(day.stopped for day in chosen),
        raised_minor=sum(day.raised_minor for day in chosen),
    )


def _write_span(kind: ReportMessage.Kind, first: date, last: date) -> str:
    if kind is ReportMessage.Kind.DAILY:
        names = list_weekdays(get_language() or settings.LANGUAGE_CODE)
        return f"{names[last.weekday()]}, {date_format(last, 'j E')}"
    return _("%(first)s to %(last)s") % {
        "first": date_format(first, "j E"),
        "last": date_format(last, "j E"),
    }


def _describe(now: Situation, span: str = "") -> Content:
    campaign, outlook = now.campaign, now.outlook
    path = reverse("admin:campaigns_campaign_progress", args=[campaign.pk])
    return {
        "slug": campaign.slug,
        "name": campaign.copy_for(now.language).name,
        "url": settings.SITE_URL + path,
        "headline": _write_count(now.goal, now.language) if now.goal else _("no goal yet"),
        "verdict": outlook.verdict if outlook else "",
        "facts": [
            {"label": label, "value": value}
            for label, value in [*_list_latest(now, span), *_list_ahead(now)]
        ],
        "numbers": _list_numbers(now),
        "curve": _draw(outlook) if outlook else "",
        "sentence": outlook.curve.sentence if outlook else "",
    }


def _write_count(goal: Progress, language: str) -> str:
    """Return "812 of 1,000 new members (81%)" in the active language."""
    kind = find_goal_kind(goal.kind)
    target = goal.shown_target
    pattern = kind.get_total_pattern if goal.starts_from else kind.get_count_pattern
    write = write_unit(goal, language)
    words = pattern(target).format(counted=write(goal.shown), target=write(target))
    return f"{words} ({goal.percent}%)"


def _list_latest(now: Situation, span: str) -> list[tuple[str, str]]:
    """Return what happened on the days of the report, beside the days before."""
    if now.latest is None:
        return []

    def money(minor: int) -> str:
        return format_money(minor, now.campaign.currency, language=now.language)

    latest, before = now.latest, now.before
    joined, raised = write_number(latest.joined), money(latest.raised_minor)
    if before is not None:
        words = ngettext(
            "%(now)s (the day before: %(before)s)",
            "%(now)s (the %(days)d days before: %(before)s)",
            now.length,
        )
        about = {"days": now.length}
        joined = words % (about | {"now": joined, "before": write_number(before.joined)})
        raised = words % (about | {"now": raised, "before": money(before.raised_minor)})
    facts = [(_("Joined, %(days)s") % {"days": span}, joined)]
    if latest.left:
        facts.append((_("Left"), write_number(latest.left)))
    return [*facts, (_("Money"), raised)]


def _list_ahead(now: Situation) -> list[tuple[str, str]]:
    """Return what is missing, the pace had and needed, and the end."""
    goal, outlook, facts = now.goal, now.outlook, []
    if goal is None:
        return []
    write = write_unit(goal, now.language)
    if not goal.is_reached:
        facts.append((_("To go"), write(goal.left)))
        if now.pace.expected_by_now is not None and goal.phase is Phase.RUNNING:
            ahead = now.pace.ahead or 0
            words = _("%(number)s ahead") if ahead >= 0 else _("%(number)s behind")
            beside = words % {"number": write(abs(ahead))}
            expected = f"{write(now.pace.expected_by_now)} ({beside})"
            facts.append((_("Expected by now at an even pace"), expected))
    if now.pace.recent_per_day is not None:
        label = ngettext(
            "Pace on the last full day",
            "Pace over the last %(days)s full days",
            now.pace.recent_days,
        ) % {"days": now.pace.recent_days}
        facts.append((label, _write_pace(now.pace.recent_per_day, now)))
    if now.pace.needed_per_day is not None and not goal.is_reached:
        facts.append(
            (_("Pace that would reach the goal"), _write_pace(now.pace.needed_per_day, now))
        )
    if outlook and outlook.low is not None and outlook.high is not None:
        words = _("%(low)s to %(high)s")
        facts.append(
            (
                _("Likely at the end"),
                words % {"low": write(outlook.low), "high": write(outlook.high)},
            )
        )
    if goal.pending:
        facts.append((_("Pending payments"), write_number(goal.pending)))
    if goal.phase is Phase.RUNNING:
        campaign = now.campaign
        facts.append(
            (_("Runs until"), write_end(campaign.ends_at, zone=campaign.zone_info, at=now.at))
        )
    return facts


def _write_pace(per_day: float, now: Situation) -> str:
    goal = now.goal
    if goal is not None and goal.is_money:
        number = write_unit(goal, now.language)(per_day)
    else:
        number = write_number(round(per_day, 1))
    return _("%(number)s a day") % {"number": number}


def _list_numbers(now: Situation) -> dict[str, Any]:
    goal, outlook = now.goal, now.outlook
    numbers: dict[str, Any] = {"as_of": now.at.isoformat(), "currency": now.campaign.currency}
    if goal is not None:
        numbers |= {
            "goal": goal.kind,
            "counted": goal.shown,
            "target": goal.shown_target,
            "percent": goal.percent,
            "pending": goal.pending,
            "recent_per_day": now.pace.recent_per_day,
            "needed_per_day": now.pace.needed_per_day,
            "likely_low": outlook.low if outlook else None,
            "likely_high": outlook.high if outlook else None,
        }
    for name, totals in (("period", now.latest), ("period_before", now.before)):
        if totals is not None:
            numbers[name] = vars(totals)
    return numbers


def _draw(outlook: Outlook) -> str:
    light = read_look().light
    palette = Palette(light.ink, light.paper, light.line, light.accent, light.glow)
    # Most staff read it on a phone, where the wide curve's words would be too small.
    return b64encode(draw_png(draw_curve(outlook.curve, NARROW), palette, zoom=3)).decode()
