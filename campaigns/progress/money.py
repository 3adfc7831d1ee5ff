"""The money of a campaign, from its payments, refunds and disputes; currencies are never added."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from campaigns.models import Campaign, Dispute, Payment, Refund
from campaigns.progress.tallies import select_counted_payments, select_window_payments


@dataclass(frozen=True)
class MoneyTotal:
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


@dataclass
class PayoutTotal:
    """What Stripe pays out in one currency, in minor units, as its balance has it.

    A refund that failed and a dispute that was won count back; whatever Stripe converted stands
    under the currency into which it did.
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
    """Money in another currency than was asked for, of which staff have yet to decide."""

    currency: str
    payments: int
    amount_minor: int


def sum_payments(campaign: Campaign, *, at: datetime) -> list[MoneyTotal]:
    """First payments and gifts, and what was taken back of them by that moment, as known now.

    Nothing can be lost twice: what a payment takes back is capped by what it brought, so of one
    that was refunded in part and then lost whole, only the rest is lost.
    """
    payments = select_counted_payments(campaign).filter(paid_at__lte=at)
    # Asked of each refund and dispute, which are few, and not of the payments, which are many.
    of_those = models.Exists(payments.filter(pk=models.OuterRef("payment")))
    refunds = Refund.objects.filter(of_those, status=Refund.Status.SUCCEEDED, refunded_at__lte=at)
    disputes = Dispute.objects.filter(of_those, status=Dispute.LOST).filter(
        Q(withdrawn_at__lte=at) | Q(withdrawn_at__isnull=True, opened_at__lte=at)
    )
    refunded: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    left: dict[int, int] = {}
    for rows, taken in ((refunds, refunded), (disputes, lost)):
        for payment_id, currency, amount, back in rows.values_list(
            "payment", "payment__currency", "payment__amount_minor"
        ).annotate(Sum("amount_minor")):
            capped = min(back, left.get(payment_id, amount))
            left[payment_id] = left.get(payment_id, amount) - capped
            taken[currency] += capped
    gross = payments.values_list("currency").annotate(models.Count("pk"), Sum("amount_minor"))
    return [
        MoneyTotal(currency, number, total, refunded[currency], lost[currency])
        for currency, number, total in gross.order_by("currency")
    ]


def money_raised(campaign: Campaign, *, at: datetime) -> int:
    """What is left of the money in the campaign's own currency, in minor units, before fees."""
    of_currency = {money.currency: money for money in sum_payments(campaign, at=at)}
    own = of_currency.get(campaign.currency)
    return own.net_minor if own else 0


def sum_payouts(payments: QuerySet[Payment], *, at: datetime | None = None) -> list[PayoutTotal]:
    """What is paid out of these payments, by currency: as known now, or what moved until `at`.

    From what Stripe's balance entries said when the rows were written. When a refund failed is
    not kept, so one that did has moved nothing at any time.
    """
    of: defaultdict[str, PayoutTotal] = defaultdict(lambda: PayoutTotal(""))

    def until(name: str) -> Q:
        return Q() if at is None else Q((f"{name}__lte", at))

    paid = payments.filter(until("paid_at"), status=Payment.Status.SUCCEEDED)
    for currency, number, gross, fees in (
        paid.exclude(settled_minor=None)
        .values_list("settled_currency")
        .annotate(models.Count("pk"), Sum("settled_minor"), Sum("fee_minor"))
        .order_by()
    ):
        of[currency].payments, of[currency].gross_minor = number, gross
        of[currency].fees_minor = fees or 0
    of_those = models.Exists(paid.filter(pk=models.OuterRef("payment")))
    refunds = Refund.objects.filter(of_those, until("refunded_at"))
    for currency, taken, returned, fees in _moved_by(refunds):
        of[currency].refunded_minor += taken - returned
        of[currency].fees_minor += fees
    disputes = Dispute.objects.filter(of_those)
    for currency, taken, _returned, fees in _moved_by(disputes.filter(until("withdrawn_at"))):
        of[currency].disputed_minor += taken
        of[currency].dispute_fees_minor += fees
    for currency, _taken, returned, _fees in _moved_by(disputes.filter(until("reinstated_at"))):
        of[currency].disputed_minor -= returned
    for currency, paid_out in of.items():
        paid_out.currency = currency
    return [of[currency] for currency in sorted(of)]


def _moved_by(rows: QuerySet[Refund] | QuerySet[Dispute]) -> list[tuple[str, int, int, int]]:
    """Taken, given back and the fee, by the payout's currency; nothing of what moved nothing."""
    return list(
        rows.exclude(settled_currency="")
        .values_list("settled_currency")
        .annotate(Sum("taken_minor"), Sum("returned_minor"), Sum("fee_minor"))
        .order_by()
    )


def sum_campaign_payouts(campaign: Campaign, *, at: datetime) -> list[PayoutTotal]:
    """Of the payments of `sum_payments`, what Stripe pays out."""
    return sum_payouts(select_counted_payments(campaign), at=at)


def sum_held_payments(campaign: Campaign, *, at: datetime) -> list[HeldTotal]:
    """Payments that would be of `sum_payments`, but wait for staff to say whether they are."""
    held = select_held_payments(select_window_payments(campaign)).filter(paid_at__lte=at)
    sums = held.values_list("currency").annotate(models.Count("pk"), Sum("amount_minor"))
    return [HeldTotal(*each) for each in sums.order_by("currency")]


def select_held_payments(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Those that wait for staff; of what was given back whole there is nothing to say."""
    returned = (
        Refund.objects.filter(payment=models.OuterRef("pk"), status=Refund.Status.SUCCEEDED)
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    held = payments.filter(hold=Payment.Hold.WAITING, status=Payment.Status.SUCCEEDED)
    return held.alias(returned=Coalesce(models.Subquery(returned), 0)).filter(
        returned__lt=F("amount_minor")
    )
