"""Gifts to somebody who is a member already, and how their membership stands at Stripe."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
import time_machine

from campaigns import actions, gifts, settlement, stripe_api
from campaigns.emails import links
from campaigns.models import Campaign, Gift, Member, Membership
from newsroom.sandbox.control import SandboxControl
from tests.settlement.test_settlement import order_membership
from tests.support.factories import at, make_gift, make_member

CARD = "4242424242424242"
REFUSED = "4000000000000341"  # is taken once and refuses every later charge
SUBSCRIBED = at("2026-11-10 12:00")


class Clock:
    """One time for us and for the sandbox."""

    def __init__(self, sandbox: SandboxControl, traveller: time_machine.Traveller) -> None:
        self._sandbox, self._traveller = sandbox, traveller

    def move_to(self, moment: datetime) -> None:
        self._traveller.move_to(moment)
        self._sandbox.freeze(int(moment.timestamp()))


@pytest.fixture
def clock(campaign: Campaign, sandbox: SandboxControl) -> Iterator[Clock]:
    with time_machine.travel(SUBSCRIBED, tick=False) as traveller:
        yield Clock(sandbox, traveller)


def subscribe(campaign: Campaign, sandbox: SandboxControl, kind: str = "month") -> Membership:
    checkout = order_membership(campaign, kind, "ben@example.org")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    return Membership.objects.get(checkout=checkout)


def give(campaign: Campaign, months: int = 12, paid_at: str = "2026-11-10 12:00") -> Gift:
    return make_gift(make_member("ada@example.org"), campaign, paid_at, months=months)


def claim(gift: Gift, email: str = "ben@example.org") -> Gift:
    """By somebody who is a member: asked at their address first, and confirmed from there."""
    with pytest.raises(gifts.ConfirmationRequired):
        actions.claim_gift(gift.code, email=email, name="Ben", language="en")
    gift.refresh_from_db()
    assert gift.status == Gift.Status.PAID
    token = links.confirmation_token(gift, Member.objects.get(email=email))
    return actions.confirm_claim(token, language="en")


def at_stripe(membership: Membership) -> dict[str, Any]:
    return stripe_api.fetch_subscription(str(membership.subscription_id))


def settle(membership: Membership) -> None:
    assert membership.checkout_id is not None
    settlement.settle_checkout(membership.checkout_id)


def next_charge(membership: Membership) -> datetime:
    subscription = at_stripe(membership)
    return stripe_api.moment(subscription["items"]["data"][0]["current_period_end"])


def give_alone(months: int) -> Gift:
    return make_gift(make_member("ada@example.org"), None, "2027-01-30 12:00", months=months)


def give_and_claim(months: int) -> Gift:
    return actions.claim_gift(
        give_alone(months).code, email="ben@example.org", name="Ben", language="en"
    )


def spans(*given: Gift) -> list[tuple[datetime, datetime | None]]:
    rows = [Membership.objects.get(gift=gift) for gift in given]
    return [(row.started_at, row.ends_at) for row in rows]
