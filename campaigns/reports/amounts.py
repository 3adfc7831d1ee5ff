from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Sum
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django_stubs_ext import StrOrPromise

from campaigns.models import Campaign, Dispute, Membership, Payment, Price, Refund
from campaigns.progress import select_counted_payments
from campaigns.reports.periods import Period

__doc__ = DEFINITION = gettext_noop(
    "Valid payments are first membership payments, gift payments and contributions made in the "
    "period that weren’t refunded in full or lost in a dispute. At least half of them are at most "
    "the median. For the mean, the highest 5 percent of the amounts are capped at the next lower "
    "one, so that one large payment doesn’t move it. “Worth a year” counts a monthly payment "
    "twelve times and any other payment once. The first time means no membership and no payment "
    "before the campaign began."
)

MOST_BARS = 12
_MONTHS = 12
_CAP = (95, 100)  # the share of amounts that aren't capped
_OFFLINE = "offline"
_KINDS: dict[str, StrOrPromise] = {
    Price.Kind.MONTH: _("monthly"),
    Price.Kind.YEAR: _("yearly"),
    Price.Kind.ONCE: _("once"),
    Price.Kind.GIFT: _("gift"),
    Price.Kind.CONTRIBUTION: _("contribution"),
    _OFFLINE: _("offline and others"),
}


@dataclass(frozen=True)
class Bar:
    """The payments of at least `from_minor` and below `to_minor`; None: without an upper limit."""

    from_minor: int
    to_minor: int | None
    payments: int


@dataclass(frozen=True)
class KindTotal:
    """The payments of one kind of price; `label` is in the report's language."""

    name: str
    label: str
    payments: int
    paid_minor: int
    year_minor: int


@dataclass(frozen=True)
class Amounts:
    """The amounts paid in one currency, in minor units."""

    currency: str
    payments: int
    median_minor: int
    mean_minor: int
    bars: tuple[Bar, ...]
    kinds: tuple[KindTotal, ...]

    @property
    def paid_minor(self) -> int:
        return sum(kind.paid_minor for kind in self.kinds)

    @property
    def year_minor(self) -> int:
        """The amount that the same payments are worth in a year."""
        return sum(kind.year_minor for kind in self.kinds)


@dataclass(frozen=True)
class Paid:
    """Payments by currency, and the people who made them."""

    amounts: tuple[Amounts, ...]
    people: int
    returning: int

    @property
    def first_time(self) -> int:
        return self.people - self.returning


def describe_amounts(campaign: Campaign, period: Period, *, at: datetime) -> Paid:
    """Return the amounts of the period's payments that are valid at a moment, as known now."""
    made = select_made(campaign, period, at=at)
    counts = _count_valid(made, at=at)
    by_currency: defaultdict[str, dict[str, Counter[int]]] = defaultdict(dict)
    for (currency, kind, amount), number in counts.items():
        by_currency[currency].setdefault(kind, Counter())[amount] += number
    people, returning = _count_people(made, before=campaign.starts_at)
    amounts = [_describe(currency, by_currency[currency]) for currency in sorted(by_currency)]
    return Paid(tuple(amounts), people=people, returning=returning)


def select_made(campaign: Campaign, period: Period, *, at: datetime) -> QuerySet[Payment]:
    """Return the payments made in the period by a moment, valid or not."""
    return select_counted_payments(campaign).filter(period.contains("paid_at"), paid_at__lte=at)


def select_valid(
    campaign: Campaign, period: Period, *, at: datetime, currency: str, kind: str = ""
) -> QuerySet[Payment]:
    """Return the payments of a currency, and of one kind of price, that Amounts adds up."""
    made = select_made(campaign, period, at=at).filter(currency=currency)
    if kind:
        offline = Q(checkout__isnull=True)
        made = made.filter(offline if kind == _OFFLINE else Q(checkout__price__kind=kind))
    refunded, lost = _select_reversed(made, at=at)
    return made.exclude(pk__in=refunded.values("payment")).exclude(pk__in=lost.values("payment"))


def was_here(before: datetime) -> tuple[Exists, Exists]:
    """Return the conditions for payments of people who had a membership, or had paid, before."""
    had_membership = Exists(
        Membership.objects.filter(member=OuterRef("member"), started_at__lt=before).exclude(
            status=Membership.Status.PENDING
        )
    )
    had_paid = Exists(
        Payment.objects.filter(
            member=OuterRef("member"), status=Payment.Status.SUCCEEDED, paid_at__lt=before
        )
    )
    return had_membership, had_paid


def _count_people(made: QuerySet[Payment], *, before: datetime) -> tuple[int, int]:
    """Return how many people paid, and how many of them had a membership or had paid before.

    The second number has two parts, because a database joins with one table after the other
    quickly, and looks into two of them for each payment slowly.
    """
    had_membership, had_paid = was_here(before)
    people = made.order_by().values("member").distinct()
    members = people.filter(had_membership).count()
    return people.count(), members + people.filter(~had_membership, had_paid).count()


def _count_valid(made: QuerySet[Payment], *, at: datetime) -> Counter[tuple[str, str, int]]:
    """Count the valid payments by currency, kind of price and amount.

    Counts all, then takes off the reversed ones, which are few and found from their refunds and
    disputes.
    """
    kinds: dict[int | None, str] = dict(Price.objects.values_list("pk", "kind"))
    counts: Counter[tuple[str, str, int]] = Counter()
    groups = made.order_by().values_list("currency", "checkout__price", "amount_minor")
    for currency, price_id, amount, number in groups.annotate(Count("pk")):
        counts[currency, kinds.get(price_id, _OFFLINE), amount] += number
    for currency, price_id, amount in _list_reversed(made, at=at).values():
        counts[currency, kinds.get(price_id, _OFFLINE), amount] -= 1
    return +counts


def _list_reversed(made: QuerySet[Payment], *, at: datetime) -> dict[int, tuple[str, int, int]]:
    """Return the currency, price and amount of the payments refunded in full or lost, by id."""
    columns = ("payment", "payment__currency", "payment__checkout__price", "payment__amount_minor")
    refunded, lost = _select_reversed(made, at=at)
    rows = chain(refunded.values_list(*columns).iterator(), lost.values_list(*columns))
    return {row[0]: row[1:4] for row in rows}


def _select_reversed(
    made: QuerySet[Payment], *, at: datetime
) -> tuple[QuerySet[Refund, Any], QuerySet[Dispute]]:
    """Return the refunds, grouped by payment, of those refunded in full, and the lost disputes."""
    of_made = Exists(made.filter(pk=OuterRef("payment")))
    refunded = (
        Refund.objects.filter(of_made, status=Refund.Status.SUCCEEDED, refunded_at__lte=at)
        .order_by()
        .values("payment", "payment__currency", "payment__checkout__price", "payment__amount_minor")
        .annotate(total=Sum("amount_minor"))
        .filter(total__gte=F("payment__amount_minor"))
    )
    lost = Dispute.objects.filter(of_made, status=Dispute.LOST).filter(
        Q(withdrawn_at__lte=at) | Q(withdrawn_at__isnull=True, opened_at__lte=at)
    )
    return refunded, lost


def _describe(currency: str, by_kind: Mapping[str, Counter[int]]) -> Amounts:
    amounts = sum(by_kind.values(), Counter[int]())
    return Amounts(
        currency=currency,
        payments=amounts.total(),
        median_minor=find_median(amounts),
        mean_minor=find_capped_mean(amounts),
        bars=make_bars(amounts),
        kinds=tuple(
            _total(kind, label, by_kind[kind]) for kind, label in _KINDS.items() if kind in by_kind
        ),
    )


def _total(kind: str, label: StrOrPromise, amounts: Counter[int]) -> KindTotal:
    paid = sum(amount * number for amount, number in amounts.items())
    year = paid * _MONTHS if kind == Price.Kind.MONTH else paid
    return KindTotal(kind, str(label), amounts.total(), paid, year)


def find_median(amounts: Counter[int]) -> int:
    """Return the median; of two amounts in the middle, their mean, rounded up from a half."""
    number = amounts.total()
    middle = find_rank(amounts, (number + 1) // 2) + find_rank(amounts, number // 2 + 1)
    return (middle + 1) // 2


def find_capped_mean(amounts: Counter[int]) -> int:
    """Return the mean, rounded up from a half, with the top 5 % capped."""
    number = amounts.total()
    part, whole = _CAP
    cap = find_rank(amounts, -(-number * part // whole))
    total = sum(min(amount, cap) * times for amount, times in amounts.items())
    return (2 * total + number) // (2 * number)


def find_rank(amounts: Counter[int], rank: int) -> int:
    """Return the amount at that place, from 1, if all were in ascending order."""
    seen = 0
    for amount in sorted(amounts):
        seen += amounts[amount]
        if seen >= rank:
            return amount
    raise ValueError("There are fewer amounts than that.")


def make_bars(amounts: Counter[int]) -> tuple[Bar, ...]:
    """Return the histogram: a bar for each amount, or bars of one round width if there are many.

    The last bar also has everything above the cap of the mean.
    """
    if len(amounts) <= MOST_BARS:
        return tuple(Bar(each, each + 1, amounts[each]) for each in sorted(amounts))
    part, whole = _CAP
    cap = find_rank(amounts, -(-amounts.total() * part // whole))
    width = _round_width(cap // (MOST_BARS - 1) + 1)
    bins = Counter[int]()
    for amount, number in amounts.items():
        bins[min(amount, cap) // width] += number
    last = max(bins)
    has_more = max(amounts) >= (last + 1) * width
    return tuple(
        Bar(
            place * width,
            None if place == last and has_more else (place + 1) * width,
            bins[place],
        )
        for place in range(min(bins), last + 1)
    )


def _round_width(least: int) -> int:
    """Return the lowest of 1, 2, 5, 10, 20, 50 … that is at least that."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= least:
                return step * power
        power *= 10
