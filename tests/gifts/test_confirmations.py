"""A member is asked before a gift is added to what they have: once, and at their own address."""

import pytest

from campaigns import actions, gifts
from campaigns.emails import links
from campaigns.models import Campaign, Member, Membership, OutgoingMail
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import (
    SUBSCRIBED,
    Clock,
    make_campaign_gift,
)
from tests.support.extensions import clock as _clock
from tests.support.sales import subscribe

clock = _clock  # a fixture


def test_whoever_clicks_again_is_asked_once(campaign: Campaign, sandbox: SandboxControl) -> None:
    subscribe(campaign, sandbox, email="ben@example.org")
    gift = make_campaign_gift(campaign)
    for _ in range(3):
        with pytest.raises(gifts.ConfirmationRequired):
            actions.claim_gift(gift.code, email="ben@example.org", name="x", language="en")
    assert OutgoingMail.objects.filter(kind="gift_confirm").count() == 1


def test_a_confirmation_says_nothing_once_the_code_is_a_new_one(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    subscribe(campaign, sandbox, email="ben@example.org")
    gift = make_campaign_gift(campaign)
    token = links.confirmation_token(gift, Member.objects.get(email="ben@example.org"))
    gifts.resend_gift(gift, with_new_code=True)
    with pytest.raises(gifts.GiftNotClaimable, match="replaced"):
        actions.confirm_claim(token, language="en")
    assert not Membership.objects.filter(source="gift").exists()


def test_a_confirmation_that_was_given_up_can_be_asked_for_again(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscribe(campaign, sandbox, email="ben@example.org")
    gift = make_campaign_gift(campaign)
    for _ in range(2):
        with pytest.raises(gifts.ConfirmationRequired):
            actions.claim_gift(gift.code, email="ben@example.org", name="B", language="en")
        owed = OutgoingMail.objects.get(kind="gift_confirm")
        assert (owed.next_attempt_at, owed.failed_at, owed.attempts) == (SUBSCRIBED, None, 0)
        OutgoingMail.objects.update(failed_at=SUBSCRIBED, next_attempt_at=None, attempts=16)


def test_a_claim_tells_nobody_the_name_that_a_stranger_typed(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    subscribe(campaign, sandbox, email="ben@example.org")
    Member.objects.update(name="")
    with pytest.raises(gifts.ConfirmationRequired):
        actions.claim_gift(
            make_campaign_gift(campaign).code,
            email="ben@example.org",
            name="Buy at example.com",
            language="en",
        )
    assert Member.objects.get(email="ben@example.org").name == ""
