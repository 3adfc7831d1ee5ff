"""The money of a campaign, by currency: from its payments, refunds and disputes."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import models
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from campaigns.models import Campaign, Dispute, Payment, Refund
from campaigns.progress.quarters import Quarter
from campaigns.progress.tallies import select_counted_payments, select_window_payments


@dataclass(frozen=True)
class MoneyTotal:
    """The total of one currency, in minor units, over the payments that can count."""

    currency: str
    payments: int
    gross_minor: int
    refunded_minor: int
    lost_minor: int

    @property
    def net_minor(self) -> int:
        """The total after refunds and lost disputes, before Stripe's fees."""
        return self.gross_minor - self.refunded_minor - self.lost_minor


@dataclass
class PayoutTotal:
    """The total that Stripe pays out in one currency, in minor units, from its balance entries.

    Failed refunds and disputes that were won are added back. Converted money is listed under the
    currency into which Stripe converted it.
    """

    currency: str
    payments: int = 0
    gross_minor: int = 0
    fees_minor: int = 0
    refunded_minor: int = 0
    disputed_minor: int = 0
    dispute_fees_minor: int = 0

    @property
    def net_minor(self) -> int:
        taken = self.refunded_minor + self.disputed_minor + self.dispute_fees_minor
        return self.gross_minor - self.fees_minor - taken


@dataclass(frozen=True)
class HeldTotal:
    """The total of the held payments in one currency, in minor units.

    A payment is held if it arrived in an unexpected currency, until staff accept or decline it.
    """

    currency: str
    payments: int
    amount_minor: int


@dataclass(frozen=True)
class Loss:
    """The money of a lost dispute, without the part that had been refunded before."""

    dispute_id: str
    payment_id: int
    currency: str
    lost_at: datetime
    amount_minor: int


def sum_payments(
    campaign: Campaign,
    *,
    at: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[MoneyTotal]:
    """Return the totals by currency at a moment as known now, without renewals and changes.

    With `since` or `until`, only what moved in `[since, until)`: a refund or a lost dispute counts
    at its own time. Refunds and lost disputes together never exceed the payment: if it was
    refunded in part and then lost in full, only the rest is lost.
    """

    def within(name: str) -> Q:
        return moved_within(name, at=at, since=since, until=until)

    counted = select_counted_payments(campaign)
    gross = (
        counted.filter(within("paid_at"))
        .order_by()
        .values_list("currency")
        .annotate(models.Count("pk"), Sum("amount_minor"))
    )
    paid = {currency: (number, amount) for currency, number, amount in gross}
    refunds = select_refunds(campaign, at=at).filter(within("refunded_at"))
    refunded = Counter(
        dict(refunds.order_by().values_list("payment__currency").annotate(Sum("amount_minor")))
    )
    lost: Counter[str] = Counter()
    for loss in list_losses(campaign, at=at):
        if (since is None or loss.lost_at >= since) and (until is None or loss.lost_at < until):
            lost[loss.currency] += loss.amount_minor
    return [
        MoneyTotal(currency, *paid.get(currency, (0, 0)), refunded[currency], lost[currency])
        for currency in sorted({*paid, *refunded, *lost})
    ]


def moved_within(name: str, *, at: datetime, since: datetime | None, until: datetime | None) -> Q:
    """Return a filter for a column of times: by `at`, and in `[since, until)`."""
    moved = Q((f"{name}__lte", at))
    if since is not None:
        moved &= Q((f"{name}__gte", since))
    return moved if until is None else moved & Q((f"{name}__lt", until))


def select_refunds(campaign: Campaign, *, at: datetime) -> QuerySet[Refund]:
    """Return the succeeded refunds by `at` of payments that can count.

    Start from the refunds, which are few, not from the payments, which are many.
    """
    counted = select_counted_payments(campaign).filter(paid_at__lte=at)
    return Refund.objects.filter(
        models.Exists(counted.filter(pk=models.OuterRef("payment"))),
        status=Refund.Status.SUCCEEDED,
        refunded_at__lte=at,
    )


def select_losses(campaign: Campaign, *, at: datetime) -> QuerySet[Dispute]:
    """Return the disputes lost by `at`, in the order in which they were opened.

    Each has `lost_at`, and what was `refunded` of its payment by `at`.
    """
    counted = select_counted_payments(campaign).filter(paid_at__lte=at)
    refunded = (
        Refund.objects.filter(
            payment=models.OuterRef("payment"),
            status=Refund.Status.SUCCEEDED,
            refunded_at__lte=at,
        )
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    return (
        Dispute.objects.filter(
            models.Exists(counted.filter(pk=models.OuterRef("payment"))), status=Dispute.LOST
        )
        .annotate(
            lost_at=Coalesce("withdrawn_at", "opened_at"),
            refunded=Coalesce(models.Subquery(refunded), 0),
        )
        .filter(lost_at__lte=at)
        .order_by("opened_at", "pk")
    )


def list_losses(campaign: Campaign, *, at: datetime) -> list[Loss]:
    """Return what was lost by `at`, in the order in which the disputes were opened."""
    disputes = select_losses(campaign, at=at).values_list(
        *("dispute_id", "payment", "payment__currency", "payment__amount_minor"),
        *("refunded", "lost_at", "amount_minor"),
    )
    losses: list[Loss] = []
    left: dict[int, int] = {}
    for dispute_id, payment_id, currency, paid, returned, lost_at, amount in disputes:
        rest = left.get(payment_id, max(paid - returned, 0))
        losses.append(Loss(dispute_id, payment_id, currency, lost_at, min(amount, rest)))
        left[payment_id] = rest - losses[-1].amount_minor
    return losses


def sum_money_raised(campaign: Campaign, *, at: datetime) -> int:
    """Return the net total in the campaign's currency, in minor units, before fees."""
    totals = {total.currency: total for total in sum_payments(campaign, at=at)}
    total = totals.get(campaign.currency)
    return total.net_minor if total else 0


def sum_money_by_day(
    campaign: Campaign, *, at: datetime, since: datetime | None = None
) -> Counter[date]:
    """Return what `sum_money_raised` adds up, by the day of the campaign's zone on which it moved.

    A refund or a lost dispute counts on its own day, and never takes more than the payment's rest.
    """

    def sum_days(rows: QuerySet[Any], name: str) -> Counter[date]:
        rows = rows.filter(moved_within(name, at=at, since=since, until=None)).order_by()
        days: Counter[date] = Counter()
        for quarter, amount in rows.values_list(Quarter(name)).annotate(Sum("amount_minor")):
            days[quarter.astimezone(campaign.zone_info).date()] += amount
        return days

    counted = select_counted_payments(campaign).filter(currency=campaign.currency)
    refunds = select_refunds(campaign, at=at).filter(payment__currency=campaign.currency)
    raised = sum_days(counted, "paid_at")
    raised.subtract(sum_days(refunds, "refunded_at"))
    for loss in list_losses(campaign, at=at):
        if loss.currency == campaign.currency and (since is None or loss.lost_at >= since):
            raised[loss.lost_at.astimezone(campaign.zone_info).date()] -= loss.amount_minor
    return raised


@dataclass(frozen=True)
class PayoutRows:
    """The rows that a payout adds up: those that moved money of our balance at Stripe."""

    payments: QuerySet[Payment]
    refunds: QuerySet[Refund]
    withdrawn: QuerySet[Dispute]
    reinstated: QuerySet[Dispute]


def select_payout_rows(
    payments: QuerySet[Payment],
    *,
    at: datetime | None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> PayoutRows:
    """Return the rows that `sum_payouts` adds up."""

    def within(name: str) -> Q:
        return Q() if at is None else moved_within(name, at=at, since=since, until=until)

    succeeded = payments.filter(status=Payment.Status.SUCCEEDED)
    of_paid = models.Exists(succeeded.filter(pk=models.OuterRef("payment")))
    refunds = Refund.objects.filter(of_paid).exclude(settled_currency="")
    disputes = Dispute.objects.filter(of_paid).exclude(settled_currency="")
    return PayoutRows(
        succeeded.filter(within("paid_at")).exclude(settled_minor=None),
        refunds.filter(within("refunded_at")),
        disputes.filter(within("withdrawn_at")),
        disputes.filter(within("reinstated_at")),
    )


def sum_payouts(
    payments: QuerySet[Payment],
    *,
    at: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[PayoutTotal]:
    """Return what Stripe pays out for these payments, by currency: now, or up to `at`.

    With `since` or `until`, only what moved in `[since, until)`.

    Source: Stripe's balance entries, as they were when our rows were written. We don't store when
    a refund failed, so a failed refund never appears, at whatever time.
    """
    totals: defaultdict[str, PayoutTotal] = defaultdict(lambda: PayoutTotal(""))
    rows = select_payout_rows(payments, at=at, since=since, until=until)
    for currency, number, gross, fees in (
        rows.payments.values_list("settled_currency")
        .annotate(models.Count("pk"), Sum("settled_minor"), Sum("fee_minor"))
        .order_by()
    ):
        totals[currency].payments, totals[currency].gross_minor = number, gross
        totals[currency].fees_minor = fees or 0
    for currency, taken, returned, fees in _sum_balance_entries(rows.refunds):
        totals[currency].refunded_minor += taken - returned
        totals[currency].fees_minor += fees
    for currency, taken, _returned, fees in _sum_balance_entries(rows.withdrawn):
        totals[currency].disputed_minor += taken
        totals[currency].dispute_fees_minor += fees
    for currency, _taken, returned, _fees in _sum_balance_entries(rows.reinstated):
        totals[currency].disputed_minor -= returned
    for currency, total in totals.items():
        total.currency = currency
    return [totals[currency] for currency in sorted(totals)]


def _sum_balance_entries(
    rows: QuerySet[Refund] | QuerySet[Dispute],
) -> list[tuple[str, int, int, int]]:
    """Return the sums taken, returned and charged as fees, by payout currency."""
    return list(
        rows.values_list("settled_currency")
        .annotate(Sum("taken_minor"), Sum("returned_minor"), Sum("fee_minor"))
        .order_by()
    )


def sum_campaign_payouts(
    campaign: Campaign,
    *,
    at: datetime,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[PayoutTotal]:
    """Return what Stripe pays out for the payments of `sum_payments`."""
    return sum_payouts(select_counted_payments(campaign), at=at, since=since, until=until)


def sum_held_payments(campaign: Campaign, *, at: datetime) -> list[HeldTotal]:
    """Return the totals of held payments: `sum_payments` adds them once staff accept them."""
    held = select_held_payments(select_window_payments(campaign)).filter(paid_at__lte=at)
    sums = held.values_list("currency").annotate(models.Count("pk"), Sum("amount_minor"))
    return [HeldTotal(*row) for row in sums.order_by("currency")]


def select_held_payments(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Return the payments that staff have to accept or decline, except those refunded in full."""
    refunded = (
        Refund.objects.filter(payment=models.OuterRef("pk"), status=Refund.Status.SUCCEEDED)
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    held = payments.filter(hold=Payment.Hold.WAITING, status=Payment.Status.SUCCEEDED)
    return held.alias(refunded=Coalesce(models.Subquery(refunded), 0)).filter(
        refunded__lt=F("amount_minor")
    )
