from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_noop

from campaigns.models import Campaign
from campaigns.progress import (
    HeldTotal,
    MoneyTotal,
    PayoutTotal,
    sum_campaign_payouts,
    sum_held_payments,
    sum_payments,
)
from campaigns.reports.periods import Period

__doc__ = DEFINITION = gettext_noop(
    "First membership payments, gift payments and contributions made in the campaign, even by "
    "people who don’t count, less refunds and lost disputes, each on the day when it happened. "
    "Renewals are not included. Payouts are what Stripe pays out for the same payments, in the "
    "currency of the payout: after its fees, with failed refunds and won disputes added back. "
    "Currencies are never added."
)


@dataclass(frozen=True)
class Money:
    """The money that moved in a period, by currency, in minor units."""

    totals: tuple[MoneyTotal, ...]
    # The same payments in the currencies in which Stripe pays out, after its fees.
    payouts: tuple[PayoutTotal, ...]
    # Payments that staff have yet to accept; they are in no total, whatever the period.
    held: tuple[HeldTotal, ...]


def sum_money(campaign: Campaign, period: Period, *, at: datetime) -> Money:
    """Return the money that moved in the period by a moment, as known now."""
    span = {"since": period.since, "until": period.until}
    return Money(
        totals=tuple(sum_payments(campaign, at=at, **span)),
        payouts=tuple(sum_campaign_payouts(campaign, at=at, **span)),
        held=tuple(sum_held_payments(campaign, at=at)),
    )
