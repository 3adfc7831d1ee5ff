"""Campaigns at a glance, for the admin's home page.

What took long to measure is kept, and measured again by a job: the page says as of when it is.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, time, timedelta
from functools import partial
from hashlib import sha256
from math import ceil
from typing import Any

from django.conf import settings
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, override

from campaigns.models import Campaign, Phase
from campaigns.progress import MoneyTotal, Progress, measure_campaign, sum_payments
from campaigns.reports import kept
from campaigns.reports.charts import Size, draw_both, draw_curve
from campaigns.reports.days import Day
from campaigns.reports.outlook import Past, describe_outlook
from campaigns.reports.page import list_earlier, read_days, write_unit

SHOWN = 6
# Lower than in the report.
_SIZES = {False: Size(600, 250, text=14), True: Size(340, 220, text=12)}


@dataclass(frozen=True)
class Glance:
    """A campaign at a glance. All but its progress is empty unless it is running."""

    phase: Phase
    progress: Progress | None
    days: list[tuple[str, int]] = field(default_factory=list)
    money: list[MoneyTotal] = field(default_factory=list)
    verdict: str = ""
    curve: SafeString = field(default_factory=SafeString)  # as SVG


@dataclass(frozen=True)
class _Numbers:
    """The results of all queries, which are the same in all languages."""

    phase: Phase
    progress: Progress | None
    midnights: Sequence[int] = ()  # the counts of the last two, today's first
    money: Sequence[MoneyTotal] = ()
    days: Sequence[Day] = ()
    earlier: Sequence[Past] = ()


def list_shown_campaigns() -> list[Campaign]:
    """Return the campaigns of the home page, the newest first."""
    newest = Campaign.objects.prefetch_related("copies", "goals").order_by("-starts_at")
    return list(newest[:SHOWN])


def load_glances(campaigns: Sequence[Campaign], *, at: datetime, language: str) -> list[Glance]:
    """Return campaigns at a glance at a moment, or as a job measured them shortly before."""
    keys = [make_key(campaign, at=at) for campaign in campaigns]
    values = kept.find_kept(keys, at=at)
    return [
        _read(values.get(key), language) or measure_glance(campaign, key, at=at, language=language)
        for campaign, key in zip(campaigns, keys, strict=True)
    ]


def make_key(campaign: Campaign, *, at: datetime) -> str:
    """Return the key of a kept glance: of everything that it depends on but the rows it counts."""
    facts = [campaign.phase(at=at), campaign.starts_at, campaign.ends_at, campaign.closed_at]
    for goal in sorted(campaign.goals.all(), key=lambda goal: goal.pk):
        facts += [goal.kind, goal.target, goal.starts_from, goal.stretch_target, goal.is_primary]
    return f"glance:{campaign.pk}:{sha256(repr(facts).encode()).hexdigest()[:16]}"


def measure_glance(campaign: Campaign, key: str, *, at: datetime, language: str) -> Glance:
    """Return a campaign at a glance now. It is kept in all languages if that takes long."""
    numbers = kept.measure_and_keep(
        key,
        partial(_count, campaign, at=at),
        at=at,
        as_json=lambda numbers: {
            each: asdict(_describe(campaign, numbers, at=at, language=each))
            for each, _name in settings.LANGUAGES
        },
    )
    return _describe(campaign, numbers, at=at, language=language)


def _read(value: Any, language: str) -> Glance | None:
    """Return a kept glance in a language, unless another release has kept it in another form."""
    try:
        glance = value[language]
        progress = glance["progress"]
        return Glance(
            **glance
            | {
                "phase": Phase(glance["phase"]),
                "progress": progress and _read_progress(progress),
                "days": [(label, number) for label, number in glance["days"]],
                "money": [MoneyTotal(**total) for total in glance["money"]],
                "curve": mark_safe(glance["curve"]),  # noqa: S308 - as we drew it
            }
        )
    except (KeyError, TypeError, ValueError):
        return None


def _read_progress(progress: dict[str, Any]) -> Progress:
    moment = datetime.fromisoformat(progress["as_of"])
    return Progress(**progress | {"as_of": moment, "phase": Phase(progress["phase"])})


def _count(campaign: Campaign, *, at: datetime) -> _Numbers:
    goals = measure_campaign(campaign, at=at)
    phase = campaign.phase(at=at)
    if not goals or phase is not Phase.RUNNING:
        return _Numbers(phase, goals[0] if goals else None)
    today = at.astimezone(campaign.zone_info).date()
    midnights = [
        datetime.combine(today - timedelta(days=ago), time.min, tzinfo=campaign.zone_info)
        for ago in (0, 1)
    ]
    return _Numbers(
        phase,
        goals[0],
        midnights=[measure_campaign(campaign, at=moment)[0].counted for moment in midnights],
        money=sum_payments(campaign, at=at),
        days=read_days(campaign, goals[0], at=at),
        earlier=list_earlier(campaign, goals[0], at=at, language=settings.LANGUAGE_CODE),
    )


def _describe(campaign: Campaign, numbers: _Numbers, *, at: datetime, language: str) -> Glance:
    glance = Glance(numbers.phase, numbers.progress)
    if numbers.progress is None or numbers.phase is not Phase.RUNNING:
        return glance
    with override(language):
        outlook = describe_outlook(
            Past(campaign, campaign.copy_for(language).name, numbers.days),
            numbers.progress,
            at=at,
            notes=(),
            shown=(),
            earlier=numbers.earlier,
            write=write_unit(numbers.progress, language),
        )
        return replace(
            glance,
            days=_compare_days(campaign, numbers.progress, numbers.midnights, at=at),
            money=list(numbers.money),
            verdict=outlook.verdict,
            curve=draw_both(lambda size: draw_curve(outlook.curve, _SIZES[size.is_narrow])),
        )


def _compare_days(
    campaign: Campaign, progress: Progress, midnights: Sequence[int], *, at: datetime
) -> list[tuple[str, int]]:
    """Return by how much the primary goal grew today and yesterday, and what is left a day."""
    today, yesterday = midnights
    days_left = max((campaign.ends_at - at) / timedelta(days=1), 1)
    return [
        (gettext("Today"), progress.counted - today),
        (gettext("Yesterday"), today - yesterday),
        (gettext("Needed per day"), ceil(progress.left / days_left)),
    ]
