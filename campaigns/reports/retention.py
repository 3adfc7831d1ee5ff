from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, DateTimeField, Exists, ExpressionWrapper, OuterRef, Q, QuerySet
from django.utils.translation import get_language, gettext, gettext_noop

from campaigns.memberships import giving_access
from campaigns.models import Campaign, Membership, Tally
from campaigns.reports.periods import Period, whole_campaign
from campaigns.reports.rates import Rate

__doc__ = DEFINITION = gettext_noop(
    "Of the people who started to count in the period: those who have access to a membership 1, 3, "
    "6 and 12 months later. Only people who joined that long ago are included, plus one "
    "week, so that late renewals are in. Gifts are not included. “Stopped” are people "
    "whose payment was refunded or lost in a dispute. “Cancelled” are subscriptions that "
    "won’t renew or have ended, with the reason if the member gave one."
)

# Months, and the days after which a member is asked about: a week after the month is over.
MONTHS = {1: 37, 3: 98, 6: 190, 12: 372}
EARLIER_CAMPAIGNS = 2


@dataclass(frozen=True)
class Reason:
    """Why subscriptions were cancelled; `label` is in the report's language."""

    name: str
    label: str
    cancelled: int


@dataclass(frozen=True)
class Kept:
    """The share of a campaign's members who were still members after some months."""

    slug: str
    name: str
    rates: tuple[tuple[int, Rate], ...]  # months, rate


@dataclass(frozen=True)
class Retention:
    """The number of new members who stayed, beside earlier campaigns."""

    won: int
    stopped: int
    cancelled: int
    reasons: tuple[Reason, ...]
    kept: Kept
    earlier: tuple[Kept, ...]  # the latest campaign first


def measure_retention(campaign: Campaign, period: Period, *, at: datetime) -> Retention:
    """Return how many of the people won in the period stayed members, as known now."""
    won = select_won(campaign, period, at=at)
    numbers = won.aggregate(
        won=Count("member", distinct=True),
        again=Count("member", distinct=True, filter=~Q(counted_until__lte=at)),
    )
    reasons = _count_reasons(won)
    return Retention(
        won=numbers["won"],
        stopped=numbers["won"] - numbers["again"],  # some stopped and started again
        cancelled=sum(reason.cancelled for reason in reasons),
        reasons=reasons,
        kept=measure_kept(campaign, period, at=at),
        earlier=tuple(
            measure_kept(each, whole_campaign(each, at=at), at=at)
            for each in Campaign.objects.filter(ends_at__lte=campaign.starts_at)
            .prefetch_related("copies")
            .order_by("-starts_at", "-pk")[:EARLIER_CAMPAIGNS]
        ),
    )


def measure_kept(campaign: Campaign, period: Period, *, at: datetime) -> Kept:
    """Return the shares of people who were still members after 1, 3, 6 and 12 months."""
    won = select_won(campaign, period, at=at)
    ripe = {months: _is_ripe(months, at) for months in MONTHS}
    asked = won.aggregate(
        **{f"m{months}": Count("member", distinct=True, filter=ripe[months]) for months in MONTHS}
    )
    rates = [
        (
            months,
            Rate(
                _count_kept(won, months, at=at) if asked[f"m{months}"] else 0,
                asked[f"m{months}"],
                gettext("Nobody joined that long ago."),
            ),
        )
        for months in MONTHS
    ]
    name = campaign.copy_for(get_language() or "en").name
    return Kept(campaign.slug, name, tuple(rates))


def select_won(campaign: Campaign, period: Period, *, at: datetime) -> QuerySet[Tally]:
    """Return the rows of the people who started to count in the period by a moment."""
    return campaign.tallies.filter(
        period.contains("counted_from"), member__isnull=False, counted_from__lte=at
    ).order_by()


def select_stopped(won: QuerySet[Tally], *, at: datetime) -> QuerySet[Tally]:
    """Return those who had stopped by a moment, and hadn't started again."""
    return won.exclude(member__in=won.filter(~Q(counted_until__lte=at)).values("member"))


def _is_ripe(months: int, at: datetime) -> Q:
    return Q(counted_from__lte=at - timedelta(days=MONTHS[months]))


def _count_kept(won: QuerySet[Tally], months: int, *, at: datetime) -> int:
    return select_kept(won, months, at=at).values("member").distinct().count()


def select_kept(won: QuerySet[Tally], months: int, *, at: datetime) -> QuerySet[Tally]:
    """Return those who had access so many months later, and joined long enough before `at`."""
    moment: Any = ExpressionWrapper(
        OuterRef("counted_from") + timedelta(days=MONTHS[months]), output_field=DateTimeField()
    )
    access = Membership.objects.filter(giving_access(moment), member=OuterRef("member"))
    return won.filter(_is_ripe(months, at), Exists(access))


def select_cancelled(won: QuerySet[Tally]) -> QuerySet[Tally]:
    """Return those whose subscription was cancelled and whose payment still counts."""
    of_membership = "payment__membership__"
    is_over = Q(**{f"{of_membership}is_cancelling": True}) | Q(
        **{
            f"{of_membership}status": Membership.Status.ENDED,
            f"{of_membership}source": Membership.Source.SUBSCRIPTION,
        }
    )
    return won.filter(is_over, counted_until__isnull=True)


def _count_reasons(won: QuerySet[Tally]) -> tuple[Reason, ...]:
    reason = "payment__membership__cancel_reason"
    counted = (
        select_cancelled(won)
        .values_list(reason)
        .annotate(number=Count("pk"))
        .order_by("-number", reason)
    )
    labels = dict(Membership.CancelReason.choices)
    return tuple(
        Reason(name or "none", str(labels.get(name, name) or gettext("no reason given")), number)
        for name, number in counted
    )
