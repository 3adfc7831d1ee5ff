"""Gifts that extend a membership, and that membership at Stripe."""

from collections.abc import Iterator
from datetime import datetime

import pytest
import time_machine

from campaigns import actions, gifts, stripe_api
from campaigns.emails import links
from campaigns.models import Campaign, Gift, Member, Membership
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at, make_gift, make_member

CARD = "4242424242424242"
BEN = "ben@example.org"  # who claims the gifts
REFUSED = "4000000000000341"  # accepted once, refused for every later charge
SUBSCRIBED = at("2026-11-10 12:00")


class Clock:
    """One clock for the application and the sandbox."""

    def __init__(self, sandbox: SandboxControl, traveller: time_machine.Traveller) -> None:
        self._sandbox, self._traveller = sandbox, traveller

    def move_to(self, moment: datetime) -> None:
        self._traveller.move_to(moment)
        self._sandbox.freeze(int(moment.timestamp()))


@pytest.fixture
def clock(campaign: Campaign, sandbox: SandboxControl) -> Iterator[Clock]:
    with time_machine.travel(SUBSCRIBED, tick=False) as traveller:
        yield Clock(sandbox, traveller)


def make_campaign_gift(
    campaign: Campaign, months: int = 12, paid_at: str = "2026-11-10 12:00"
) -> Gift:
    return make_gift(make_member("ada@example.org"), campaign, paid_at, months=months)


def claim_and_confirm(gift: Gift, email: str = BEN) -> Gift:
    """Claim as a member does: confirm it from the e-mail that is sent first."""
    with pytest.raises(gifts.ConfirmationRequired):
        actions.claim_gift(gift.code, email=email, name="Ben", language="en")
    gift.refresh_from_db()
    assert gift.status == Gift.Status.PAID
    token = links.make_confirmation_token(gift, Member.objects.get(email=email))
    return actions.confirm_claim(token, language="en")


def fetch_subscription_of(membership: Membership) -> stripe_api.Subscription:
    return stripe_api.fetch_subscription(str(membership.subscription_id))


def read_next_charge(membership: Membership) -> datetime:
    return fetch_subscription_of(membership).items[0].period_ends_at


def make_gift_without_campaign(months: int) -> Gift:
    return make_gift(make_member("ada@example.org"), None, "2027-01-30 12:00", months=months)


def make_claimed_gift(months: int) -> Gift:
    return actions.claim_gift(
        make_gift_without_campaign(months).code, email=BEN, name="Ben", language="en"
    )


def spans(*given: Gift) -> list[tuple[datetime, datetime | None]]:
    rows = [Membership.objects.get(gift=gift) for gift in given]
    return [(row.started_at, row.ends_at) for row in rows]
