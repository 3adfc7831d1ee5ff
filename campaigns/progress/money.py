"""The money of a campaign, from its payments, refunds and disputes; currencies are never added."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.db.models import Q, Sum

from campaigns.models import Campaign, Dispute, Refund
from campaigns.progress.tallies import counted_payments


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


def money_by_currency(campaign: Campaign, *, at: datetime) -> list[MoneyOf]:
    """First payments and gifts, and what was taken back of them by that moment, as known now.

    Nothing can be lost twice: what a payment takes back is capped by what it brought, so of one
    that was refunded in part and then lost whole, only the rest is lost.
    """
    payments = counted_payments(campaign).filter(paid_at__lte=at)
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
        MoneyOf(currency, number, total, refunded[currency], lost[currency])
        for currency, number, total in gross.order_by("currency")
    ]


def money_raised(campaign: Campaign, *, at: datetime) -> int:
    """What is left of the money in the campaign's own currency, in minor units, before fees."""
    of_currency = {money.currency: money for money in money_by_currency(campaign, at=at)}
    own = of_currency.get(campaign.currency)
    return own.net_minor if own else 0
