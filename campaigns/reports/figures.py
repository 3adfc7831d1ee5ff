"""The figures of a campaign's report. Every format shows these figures."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django_stubs_ext import StrOrPromise

from campaigns.models import Banner, Campaign, Gift, Payment, Plan, Tally
from campaigns.progress import (
    RULE,
    HeldTotal,
    MoneyTotal,
    PayoutTotal,
    Progress,
    find_goal_kind,
    measure_campaign,
    sum_campaign_payouts,
    sum_held_payments,
    sum_money_by_day,
    sum_payments,
)

RECENT_DAYS = 7


@dataclass(frozen=True)
class Day:
    """The people and gifts that started or stopped counting on a day of the campaign's time zone.

    `total` is the count at the end of the day. Money is in minor units of the campaign's currency:
    what came in that day less what was refunded or lost, and the total at its end.
    """

    day: date
    people: int
    gifts: int
    stopped: int
    total: int
    raised_minor: int = 0
    raised_total_minor: int = 0


@dataclass(frozen=True)
class Group:
    """One row of a breakdown; `label` is in the report's language."""

    name: str
    label: str
    counted: int


@dataclass(frozen=True)
class Figures:
    """Everything a report shows."""

    slug: str
    name: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    # In a closed campaign the goals hold the final counts; everything else is as known now.
    closed_at: datetime | None
    closed_by: str
    goals: list[Progress]
    currency: str
    # In the unit of the primary goal: members, gifts, or minor units of the currency.
    needed_per_day: float | None
    recent_per_day: float | None
    recent_days: int
    days: list[Day]
    by_source: list[Group]
    by_plan: list[Group]
    by_placement: list[Group]
    money: list[MoneyTotal]
    # The same payments in the currencies in which Stripe pays out, after its fees.
    paid_out: list[PayoutTotal]
    held: list[HeldTotal]
    pending: int
    gifts_claimed: int
    gifts_unclaimed: int
    gifts_expired: int
    # People who claimed one of these gifts and later paid for a membership of their own.
    gifts_converted: int
    rule: str

    @property
    def primary(self) -> Progress | None:
        return self.goals[0] if self.goals else None


def gather_figures(campaign: Campaign, *, at: datetime, language: str = "en") -> Figures:
    """Return the figures of a campaign at a moment, as known now."""
    with override(language):
        return _gather(campaign, at=at, language=language)


def _gather(campaign: Campaign, *, at: datetime, language: str) -> Figures:
    goals = measure_campaign(campaign, at=at)
    days = _days(campaign, at=at)
    tallies = campaign.tallies.counting_at(at)
    gifts = Gift.objects.filter(tallies__in=tallies)
    recent = _recent_days(campaign, days, at=at)
    return Figures(
        slug=campaign.slug,
        name=campaign.copy_for(language).name,
        zone=campaign.zone,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        as_of=at,
        closed_at=campaign.closed_at,
        closed_by=campaign.closed_by,
        goals=goals,
        currency=campaign.currency,
        needed_per_day=_needed_per_day(campaign, goals, at=at),
        recent_per_day=_per_day(recent, goal=goals[0] if goals else None),
        recent_days=len(recent),
        days=days,
        by_source=_by_source(tallies),
        by_plan=_by_plan(tallies, language=language),
        by_placement=_by_placement(tallies),
        money=sum_payments(campaign, at=at),
        paid_out=sum_campaign_payouts(campaign, at=at),
        held=sum_held_payments(campaign, at=at),
        pending=goals[0].pending if goals else 0,
        gifts_claimed=gifts.filter(claimed_at__lte=at).count(),
        gifts_unclaimed=gifts.exclude(claimed_at__lte=at).count(),
        gifts_expired=gifts.filter(status=Gift.Status.EXPIRED, expires_at__lte=at).count(),
        gifts_converted=_count_converted(gifts, at=at),
        rule=str(RULE),
    )


def _count_converted(gifts: QuerySet[Gift], *, at: datetime) -> int:
    """Return how many people claimed one of the gifts and later paid for themselves."""
    paid_later = Payment.objects.filter(
        member=OuterRef("claimed_by"),
        status=Payment.Status.SUCCEEDED,
        role=Payment.Role.FIRST,
        paid_at__gt=OuterRef("claimed_at"),
        paid_at__lte=at,
    )
    claimed = gifts.filter(Exists(paid_later), claimed_at__lte=at)
    return claimed.values("claimed_by").distinct().count()


def _days(campaign: Campaign, *, at: datetime) -> list[Day]:
    zone = campaign.zone_info
    people: Counter[date] = Counter()
    gifts: Counter[date] = Counter()
    ended: Counter[date] = Counter()
    rows = campaign.tallies.filter(counted_from__lte=at).values_list(
        "counted_from", "counted_until", "gift_id"
    )
    for counted_from, counted_until, gift_id in rows.iterator():
        (gifts if gift_id else people)[counted_from.astimezone(zone).date()] += 1
        if counted_until is not None and counted_until <= at:
            ended[counted_until.astimezone(zone).date()] += 1
    first = campaign.starts_at.astimezone(zone).date()
    last_moment = min(at, campaign.ends_at - timedelta(microseconds=1))
    raised = sum_money_by_day(campaign, at=at)
    last = max(
        [last_moment.astimezone(zone).date(), *people, *gifts, *ended, *raised], default=first
    )
    days, total, raised_total, day = [], 0, 0, first
    while day <= last:
        total += people[day] + gifts[day] - ended[day]
        raised_total += raised[day]
        counts = (people[day], gifts[day], ended[day], total)
        days.append(Day(day, *counts, raised_minor=raised[day], raised_total_minor=raised_total))
        day += timedelta(days=1)
    return days


def _needed_per_day(campaign: Campaign, goals: list[Progress], *, at: datetime) -> float | None:
    """Return how much a day the primary goal still needs.

    None before and after the campaign, and without a goal.
    """
    if not goals or not campaign.holds(at):
        return None
    return goals[0].left / max((campaign.ends_at - at) / timedelta(days=1), 1 / 24)


def _recent_days(campaign: Campaign, days: list[Day], *, at: datetime) -> list[Day]:
    """Return the last full days of a running campaign, without today; at most a week."""
    if not campaign.holds(at):
        return []
    today = at.astimezone(campaign.zone_info).date()
    return [day for day in days if day.day < today][-RECENT_DAYS:]


def _per_day(days: list[Day], *, goal: Progress | None) -> float | None:
    """Return how many started to count, or how much was raised, per day; None without days."""
    if not days:
        return None
    if goal is not None and goal.is_money:
        return sum(day.raised_minor for day in days) / len(days)
    has_people = goal is None or find_goal_kind(goal.kind).includes_people
    people = sum(day.people for day in days) if has_people else 0
    return (people + sum(day.gifts for day in days)) / len(days)


def _by_source(tallies: QuerySet[Tally]) -> list[Group]:
    labels = {
        "subscription": _("subscription"),
        "once": _("one-time payment"),
        "offline": _("offline payment"),
        "gift": _("gift membership"),
    }
    source = Case(
        When(gift__isnull=False, then=Value("gift")),
        When(payment__intent_id__isnull=True, then=Value("offline")),
        default=F("payment__membership__source"),
    )
    return _grouped(tallies, source, labels=labels, nameless=_("unknown"))


def _by_plan(tallies: QuerySet[Tally], *, language: str) -> list[Group]:
    plan = Coalesce("gift__price__plan__slug", "payment__membership__plan__slug")
    labels = {
        plan.slug: plan.copy_for(language).name for plan in Plan.objects.prefetch_related("copies")
    }
    return _grouped(tallies, plan, labels=labels, nameless=_("no plan"))


def _by_placement(tallies: QuerySet[Tally]) -> list[Group]:
    # The placement came in a URL, so anyone could have invented it.
    placement = Case(
        When(
            payment__checkout__placement__in=Banner.Placement.values,
            then=F("payment__checkout__placement"),
        ),
        default=Value(""),
    )
    return _grouped(
        tallies,
        placement,
        labels=dict(Banner.Placement.choices),
        nameless=_("no banner"),
    )


def _grouped(
    tallies: QuerySet[Tally],
    key: Case | Coalesce,
    *,
    labels: Mapping[str, StrOrPromise],
    nameless: StrOrPromise,
) -> list[Group]:
    found = tallies.annotate(key=key).values_list("key").annotate(n=Count("pk"))
    return [
        Group(name or "none", str(labels.get(name, name) if name else nameless), counted)
        for name, counted in found.order_by("-n", "key")
    ]
