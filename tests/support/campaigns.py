"""Three overlapping campaigns with their prices, and the ways in which readers pay."""

import io
from datetime import timedelta
from typing import Any

from django.core.management import call_command

from campaigns.models import Campaign, Goal
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at, make_campaign, make_price

Json = dict[str, Any]

BEGINS = at("2026-10-20 08:00")
ENDS = at("2028-10-20 08:00")
# Campaigns start and end at midnight in their zones, two of them on days with 23 or 25 hours.
CAMPAIGNS = {
    "birthday": ("Europe/Kyiv", "eur", "2026-10-25T00:00+03:00", "2027-03-29T00:00+03:00"),
    "spring": ("America/New_York", "usd", "2026-11-01T00:00-04:00", "2027-11-08T00:00-05:00"),
    "letters": ("Asia/Tokyo", "jpy", "2027-06-01T00:00+09:00", "2028-03-01T00:00+09:00"),
}
# Amounts in minor units. The yen has no smaller unit.
PRICES = {
    "eur": {"month": 600, "year": 6000, "once": 6100, "gift": 6200},
    "usd": {"month": 700, "year": 7000, "once": 7100, "gift": 7200},
    "jpy": {"month": 900, "year": 9000, "once": 9100, "gift": 9200},
}
KINDS = ("month", "year", "once", "gift")
GOOD = "4242424242424242"
DECLINED = "4000000000000002"
REFUNDS_FAIL = "refunds fail"
# Ways to pay. Bank debits work in euros only.
MEANS: dict[str, Json] = {
    "card": {"card": GOOD},
    "a second card": {"card": GOOD},
    REFUNDS_FAIL: {"card": "4000000000005126"},
    "renewals fail": {"card": "4000000000000341"},
    "disputed at once": {"card": "4000000000000259"},
    "debit": {"iban": "DE89370400440532013000"},
    "failing debit": {"iban": "DE62370400440532013001"},
    "nothing": {},
}
BANK_DAYS = timedelta(days=3)
REFUND_FAILS_AFTER = timedelta(days=1)
# Stripe keeps events for 30 days. The simulated reconciliation runs before they expire.
EVENTS_KEPT = timedelta(days=30)
NIGHTS = timedelta(days=25)


def open_campaigns(sandbox: SandboxControl) -> dict[str, Campaign]:
    """Create three campaigns with their goals and prices, at an empty sandbox."""
    sandbox.reset()
    sandbox.freeze(int(BEGINS.timestamp()))
    sandbox.set_rates(jpy="eur 0.0061")
    campaigns = {}
    for slug, (zone, currency, starts_at, ends_at) in CAMPAIGNS.items():
        campaigns[slug] = make_campaign(
            slug=slug, zone=zone, currency=currency, starts_at=at(starts_at), ends_at=at(ends_at)
        )
        for goal in (Goal.Kind.GIFTS, Goal.Kind.MONEY):
            Goal.objects.create(campaign=campaigns[slug], kind=goal, target=1000)
    for currency, amounts in PRICES.items():
        for kind, minor in amounts.items():
            make_price(kind, currency=currency, amount_minor=minor, stripe_price_id="")
    call_command("stripe_setup", "--no-webhook", stdout=io.StringIO())
    return campaigns
