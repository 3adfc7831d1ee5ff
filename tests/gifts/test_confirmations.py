"""A member confirms, by an e-mail to their own address, that a gift is added to a membership."""

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


def test_three_claims_send_one_confirmation_mail(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    subscribe(campaign=campaign, sandbox=sandbox, email="ben@example.org")
    gift = make_campaign_gift(campaign)
    for _ in range(3):
        with pytest.raises(gifts.ConfirmationRequired):
            actions.claim_gift(gift.code, email="ben@example.org", name="x", language="en")
    assert OutgoingMail.objects.filter(kind="gift_confirm").count() == 1


def test_a_confirmation_link_ends_when_the_code_is_replaced(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    subscribe(campaign=campaign, sandbox=sandbox, email="ben@example.org")
    gift = make_campaign_gift(campaign)
    token = links.make_confirmation_token(gift, Member.objects.get(email="ben@example.org"))
    gifts.resend_gift(gift, with_new_code=True)
    with pytest.raises(gifts.GiftNotClaimable, match="replaced"):
        actions.confirm_claim(token, language="en")
    assert not Membership.objects.filter(source="gift").exists()


def test_a_failed_confirmation_mail_is_sent_again_on_the_next_claim(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscribe(campaign, sandbox, email="ben@example.org")
    gift = make_campaign_gift(campaign)
    for _ in range(2):
        with pytest.raises(gifts.ConfirmationRequired):
            actions.claim_gift(gift.code, email="ben@example.org", name="B", language="en")
        mail = OutgoingMail.objects.get(kind="gift_confirm")
        assert (mail.due_at, mail.failed_at, mail.attempts) == (SUBSCRIBED, None, 0)
        OutgoingMail.objects.update(failed_at=SUBSCRIBED, due_at=None, attempts=16)


def test_a_claim_does_not_write_the_name_that_a_stranger_typed(
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
