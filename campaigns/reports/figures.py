"""The figures of a campaign, gathered once; every format shows these and no others."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Count, Q, Sum

from campaigns.models import Campaign, Dispute, Gift, Refund, Tally
from campaigns.progress import Progress, counted_payments, measure_campaign

RULE = (
    "A person counts once, from the first standing first payment of a membership begun in the "
    "drive, if it was made in the window and the person had no active membership when the drive "
    "began and has redeemed no gift that counts. A gift counts once, when paid, while its payment "
    "stands. Renewals, changes of plan, grants and imports never count."
)


@dataclass(frozen=True)
class Day:
    """What began to count on a day of the campaign's zone, and how many counted at its end."""

    day: date
    people: int
    gifts: int
    total: int


@dataclass(frozen=True)
class Group:
    """How many of those that count now came that way."""

    name: str
    counted: int


@dataclass(frozen=True)
class MoneyOf:
    """One currency, in minor units, over the payments that can count; never added to another."""

    currency: str
    payments: int
    gross_minor: int
    refunded_minor: int
    lost_minor: int

    @property
    def net_minor(self) -> int:
        """What is left after refunds and lost disputes, before Stripe's fees."""
        return self.gross_minor - self.refunded_minor - self.lost_minor


@dataclass(frozen=True)
class Figures:
    slug: str
    name: str
    zone: str
    starts_at: datetime
    ends_at: datetime
    as_of: datetime
    goals: list[Progress]
    needed_per_day: float | None
    recent_per_day: float
    days: list[Day]
    by_source: list[Group]
    by_plan: list[Group]
    by_placement: list[Group]
    money: list[MoneyOf]
    pending: int
    gifts_claimed: int
    gifts_unclaimed: int
    rule: str = RULE

    @property
    def primary(self) -> Progress | None:
        return self.goals[0] if self.goals else None


def gather_figures(campaign: Campaign, *, at: datetime, language: str = "en") -> Figures:
    """Everything a report tells of a campaign at a moment, as known now."""
    goals = measure_campaign(campaign, at=at)
    days = _days(campaign, at=at)
    tallies = campaign.tallies.counting_at(at)
    gifts = Gift.objects.filter(tallies__in=tallies)
    return Figures(
        slug=campaign.slug,
        name=campaign.copy_for(language).name,
        zone=campaign.zone,
        starts_at=campaign.starts_at,
        ends_at=campaign.ends_at,
        as_of=at,
        goals=goals,
        needed_per_day=_needed_per_day(campaign, goals, at=at),
        recent_per_day=_recent_per_day(days),
        days=days,
        by_source=_by_source(campaign, at=at),
        by_plan=_grouped(campaign, "payment__checkout__price__plan__slug", at=at),
        by_placement=_grouped(campaign, "payment__checkout__placement", at=at),
        money=_money(campaign, at=at),
        pending=goals[0].pending if goals else 0,
        gifts_claimed=gifts.filter(claimed_at__lte=at).count(),
        gifts_unclaimed=gifts.exclude(claimed_at__lte=at).count(),
    )


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
        days.append(Day(day, people[day], gifts[day], total))
        day += timedelta(days=1)
    return days


def _needed_per_day(campaign: Campaign, goals: list[Progress], *, at: datetime) -> float | None:
    """How many a day the primary goal still needs; None before, after, or without a goal."""
    if not goals or not campaign.holds(at) or goals[0].is_money:
        return None
    return goals[0].left / max((campaign.ends_at - at) / timedelta(days=1), 1 / 24)


def _recent_per_day(days: list[Day]) -> float:
    """What began to count a day over the last seven days, today left out unless it is the first."""
    recent = days[-8:-1] or days[-1:]
    return sum(day.people + day.gifts for day in recent) / len(recent) if recent else 0.0


def _grouped(campaign: Campaign, field: str, *, at: datetime) -> list[Group]:
    rows = (
        campaign.tallies.counting_at(at).values_list(field).annotate(n=Count("pk")).order_by("-n")
    )
    return [Group(str(name or "none"), n) for name, n in rows]


def _by_source(campaign: Campaign, *, at: datetime) -> list[Group]:
    rows = (
        Tally.objects.counting_at(at)
        .filter(campaign=campaign)
        .aggregate(
            subscriptions=Count("pk", filter=Q(payment__membership__source="subscription")),
            once=Count(
                "pk",
                filter=Q(payment__membership__source="once", payment__intent_id__isnull=False),
            ),
            offline=Count("pk", filter=Q(payment__intent_id__isnull=True)),
            gifts=Count("pk", filter=Q(gift__isnull=False)),
        )
    )
    return [Group(name, counted) for name, counted in rows.items() if counted]


def _money(campaign: Campaign, *, at: datetime) -> list[MoneyOf]:
    payments = counted_payments(campaign).filter(paid_at__lte=at)
    gross = payments.values("currency").annotate(n=Count("pk"), total=Sum("amount_minor"))
    refunds = Refund.objects.filter(
        payment__in=payments, status=Refund.Status.SUCCEEDED, refunded_at__lte=at
    )
    lost = Dispute.objects.filter(payment__in=payments, status=Dispute.LOST, opened_at__lte=at)
    refunded_of = dict(refunds.values_list("payment__currency").annotate(Sum("amount_minor")))
    lost_of = dict(lost.values_list("payment__currency").annotate(Sum("amount_minor")))
    return [
        MoneyOf(
            currency=row["currency"],
            payments=row["n"],
            gross_minor=row["total"],
            refunded_minor=refunded_of.get(row["currency"], 0),
            lost_minor=lost_of.get(row["currency"], 0),
        )
        for row in gross.order_by("currency")
    ]
