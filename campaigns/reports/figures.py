"""The figures of a campaign, gathered once; every format shows these and no others."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override
from django_stubs_ext import StrOrPromise

from campaigns.models import Banner, Campaign, Gift, Goal, Payment, Plan, Tally
from campaigns.progress import (
    RULE,
    HeldTotal,
    MoneyTotal,
    PayoutTotal,
    Progress,
    measure_campaign,
    sum_campaign_payouts,
    sum_held_payments,
    sum_payments,
)

RECENT_DAYS = 7


@dataclass(frozen=True)
class Day:
    """What began and what stopped counting on a day of the campaign's zone; `total` at its end."""

    day: date
    people: int
    gifts: int
    stopped: int
    total: int


@dataclass(frozen=True)
class Group:
    """How many of those that count came that way; `label` says it in the report's language."""

    name: str
    label: str
    counted: int


@dataclass(frozen=True)
class Figures:
    slug: str
    name: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    # Once staff closed it the goals hold the kept numbers; all else here is as known now.
    closed_at: datetime | None
    closed_by: str
    goals: list[Progress]
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
    # People who claimed one of these gifts and paid for a membership of their own later.
    gifts_converted: int
    rule: str

    @property
    def primary(self) -> Progress | None:
        return self.goals[0] if self.goals else None


def gather_figures(campaign: Campaign, *, at: datetime, language: str = "en") -> Figures:
    """Everything a report tells of a campaign at a moment, as known now."""
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
        needed_per_day=_needed_per_day(campaign, goals, at=at),
        recent_per_day=_per_day(recent, kind=goals[0].kind if goals else ""),
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
        gifts_converted=_converted(gifts, at=at),
        rule=str(RULE),
    )


def _converted(gifts: QuerySet[Gift], *, at: datetime) -> int:
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
    last = max([last_moment.astimezone(zone).date(), *people, *gifts, *ended], default=first)
    days, total, day = [], 0, first
    while day <= last:
        total += people[day] + gifts[day] - ended[day]
        days.append(Day(day, people[day], gifts[day], ended[day], total))
        day += timedelta(days=1)
    return days


def _needed_per_day(campaign: Campaign, goals: list[Progress], *, at: datetime) -> float | None:
    """How many a day the primary goal still needs; None before, after, or without a goal."""
    if not goals or not campaign.holds(at) or goals[0].is_money:
        return None
    return goals[0].left / max((campaign.ends_at - at) / timedelta(days=1), 1 / 24)


def _recent_days(campaign: Campaign, days: list[Day], *, at: datetime) -> list[Day]:
    """The last full days of a running campaign, today left out; at most a week of them."""
    if not campaign.holds(at):
        return []
    today = at.astimezone(campaign.zone_info).date()
    return [day for day in days if day.day < today][-RECENT_DAYS:]


def _per_day(days: list[Day], *, kind: str) -> float | None:
    """What began to count a day, on average; None without a day."""
    if not days:
        return None
    people = 0 if kind == Goal.Kind.GIFTS else sum(day.people for day in days)
    return (people + sum(day.gifts for day in days)) / len(days)


def _by_source(tallies: QuerySet[Tally]) -> list[Group]:
    labels = {
        "subscription": _("subscriptions"),
        "once": _("paid once"),
        "offline": _("paid offline"),
        "gift": _("gift memberships"),
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
    # It came in an address, so anybody can have made it up.
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
        nameless=_("from no banner"),
    )


def _grouped(
    tallies: QuerySet[Tally],
    way: Case | Coalesce,
    *,
    labels: Mapping[str, StrOrPromise],
    nameless: StrOrPromise,
) -> list[Group]:
    found = tallies.annotate(way=way).values_list("way").annotate(n=Count("pk"))
    return [
        Group(name or "none", str(labels.get(name, name) if name else nameless), counted)
        for name, counted in found.order_by("-n", "way")
    ]
