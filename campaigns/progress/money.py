"""The money of a campaign, by currency: from its payments, refunds and disputes."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date, datetime

from django.db import models
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from campaigns.models import Campaign, Dispute, Payment, Refund
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


def sum_payments(campaign: Campaign, *, at: datetime) -> list[MoneyTotal]:
    """Return the totals of first payments and gifts, by currency, at a moment as known now.

    Refunds and lost disputes together never exceed the payment: if it was refunded in part and
    then lost in full, only the rest is lost.
    """
    payments = select_counted_payments(campaign).filter(paid_at__lte=at)
    # Look from the refunds and disputes, which are few, not from the payments, which are many.
    of_counted_payment = models.Exists(payments.filter(pk=models.OuterRef("payment")))
    refunds = Refund.objects.filter(
        of_counted_payment, status=Refund.Status.SUCCEEDED, refunded_at__lte=at
    )
    disputes = Dispute.objects.filter(of_counted_payment, status=Dispute.LOST).filter(
        Q(withdrawn_at__lte=at) | Q(withdrawn_at__isnull=True, opened_at__lte=at)
    )
    refunded: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    left: dict[int, int] = {}
    for rows, total in ((refunds, refunded), (disputes, lost)):
        for payment_id, currency, amount, deducted in rows.values_list(
            "payment", "payment__currency", "payment__amount_minor"
        ).annotate(Sum("amount_minor")):
            capped = min(deducted, left.get(payment_id, amount))
            left[payment_id] = left.get(payment_id, amount) - capped
            total[currency] += capped
    gross = payments.values_list("currency").annotate(models.Count("pk"), Sum("amount_minor"))
    return [
        MoneyTotal(currency, number, amount, refunded[currency], lost[currency])
        for currency, number, amount in gross.order_by("currency")
    ]


def sum_money_raised(campaign: Campaign, *, at: datetime) -> int:
    """Return the net total in the campaign's currency, in minor units, before fees."""
    totals = {total.currency: total for total in sum_payments(campaign, at=at)}
    total = totals.get(campaign.currency)
    return total.net_minor if total else 0


def sum_money_by_day(campaign: Campaign, *, at: datetime) -> Counter[date]:
    """Return what `sum_money_raised` adds up, by the day of the campaign's zone on which it moved.

    A refund or a lost dispute counts on its own day, and never takes more than the payment's rest.
    """
    zone, raised = campaign.zone_info, Counter[date]()
    payments = select_counted_payments(campaign).filter(paid_at__lte=at, currency=campaign.currency)
    left: dict[int, int] = {}
    for payment_id, paid_at, amount in payments.values_list("pk", "paid_at", "amount_minor"):
        left[payment_id] = amount
        raised[paid_at.astimezone(zone).date()] += amount
    refunds = Refund.objects.filter(
        payment__in=payments, status=Refund.Status.SUCCEEDED, refunded_at__lte=at
    ).values_list("payment", "refunded_at", "amount_minor")
    disputes = (
        Dispute.objects.filter(payment__in=payments, status=Dispute.LOST)
        .annotate(lost_at=Coalesce("withdrawn_at", "opened_at"))
        .filter(lost_at__lte=at)
        .values_list("payment", "lost_at", "amount_minor")
    )
    for rows in (refunds, disputes):  # in this order, as in `sum_payments`
        for payment_id, moment, amount in rows:
            taken = min(amount, left[payment_id])
            left[payment_id] -= taken
            raised[moment.astimezone(zone).date()] -= taken
    return raised


def sum_payouts(payments: QuerySet[Payment], *, at: datetime | None = None) -> list[PayoutTotal]:
    """Return what Stripe pays out for these payments, by currency: now, or up to `at`.

    Source: Stripe's balance entries, as they were when our rows were written. We don't store when
    a refund failed, so a failed refund never appears, at whatever time.
    """
    totals: defaultdict[str, PayoutTotal] = defaultdict(lambda: PayoutTotal(""))

    def until(name: str) -> Q:
        return Q() if at is None else Q((f"{name}__lte", at))

    paid = payments.filter(until("paid_at"), status=Payment.Status.SUCCEEDED)
    for currency, number, gross, fees in (
        paid.exclude(settled_minor=None)
        .values_list("settled_currency")
        .annotate(models.Count("pk"), Sum("settled_minor"), Sum("fee_minor"))
        .order_by()
    ):
        totals[currency].payments, totals[currency].gross_minor = number, gross
        totals[currency].fees_minor = fees or 0
    of_paid = models.Exists(paid.filter(pk=models.OuterRef("payment")))
    refunds = Refund.objects.filter(of_paid, until("refunded_at"))
    for currency, taken, returned, fees in _sum_balance_entries(refunds):
        totals[currency].refunded_minor += taken - returned
        totals[currency].fees_minor += fees
    disputes = Dispute.objects.filter(of_paid)
    for currency, taken, _returned, fees in _sum_balance_entries(
        disputes.filter(until("withdrawn_at"))
    ):
        totals[currency].disputed_minor += taken
        totals[currency].dispute_fees_minor += fees
    for currency, _taken, returned, _fees in _sum_balance_entries(
        disputes.filter(until("reinstated_at"))
    ):
        totals[currency].disputed_minor -= returned
    for currency, total in totals.items():
        total.currency = currency
    return [totals[currency] for currency in sorted(totals)]


def _sum_balance_entries(
    rows: QuerySet[Refund] | QuerySet[Dispute],
) -> list[tuple[str, int, int, int]]:
    """Return the sums taken, returned and charged as fees, by payout currency.

    Rows that moved no money are left out.
    """
    return list(
        rows.exclude(settled_currency="")
        .values_list("settled_currency")
        .annotate(Sum("taken_minor"), Sum("returned_minor"), Sum("fee_minor"))
        .order_by()
    )


def sum_campaign_payouts(campaign: Campaign, *, at: datetime) -> list[PayoutTotal]:
    """Return what Stripe pays out for the payments of `sum_payments`."""
    return sum_payouts(select_counted_payments(campaign), at=at)


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
