"""Claims and confirmations through their actions: each person counts once."""

import pytest
from django.conf import LazySettings
from django.db import transaction

from campaigns import actions, gifts, progress
from campaigns.emails import links
from campaigns.gifts import claims
from campaigns.models import Campaign, Gift, Member, Tally
from tests.support.factories import at, make_campaign, make_gift, make_member, make_payment

pytestmark = pytest.mark.django_db
LATER = at("2099-01-01 00:00")


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def ben(campaign: Campaign) -> Member:
    """A member who paid in the campaign and counts in it."""
    member = make_member("ben@example.org")
    make_payment(member, campaign, "2026-11-10 12:00")
    with transaction.atomic():
        progress.tally_members([member])
    return member


@pytest.fixture
def gift(campaign: Campaign) -> Gift:
    """A gift that counts, since it was paid in the campaign."""
    ada = make_member("ada@example.org")
    gift = make_gift(ada, campaign, "2026-11-10 12:00", expires_at=LATER)
    with transaction.atomic():
        progress.tally_gift(gift)
    return gift


def counted() -> int:
    return Tally.objects.counting_at(LATER).count()


def test_a_member_who_confirms_a_gift_counts_once(ben: Member, gift: Gift) -> None:
    assert counted() == 2
    token = links.make_confirmation_token(gift, ben)
    assert actions.confirm_claim(token, language="en").claimed_by == ben
    assert counted() == 1
    actions.confirm_claim(token, language="en")  # a second click changes nothing
    assert counted() == 1


def test_the_inner_step_alone_counts_a_person_twice(ben: Member, gift: Gift) -> None:
    """Control: this is why `apply_confirmation` is private to the action."""
    claims.apply_confirmation(links.make_confirmation_token(gift, ben), language="en")
    assert counted() == 2


def test_a_former_member_who_claims_a_gift_counts_once(campaign: Campaign, gift: Gift) -> None:
    ben = make_member("ben@example.org")
    payment = make_payment(ben, campaign, "2026-11-10 12:00")
    ben.memberships.update(status="ended", ended_at=at("2026-11-11 12:00"))
    with transaction.atomic():
        progress.tally_members([ben])
    assert payment.member_id == ben.pk
    assert counted() == 2
    actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
    assert counted() == 1


def test_a_claim_publishes_the_campaign(campaign: Campaign, gift: Gift) -> None:
    assert campaign.publish_at is None
    actions.claim_gift(gift.code, email="cleo@example.org", name="Cleo", language="en")
    campaign.refresh_from_db()
    assert campaign.publish_at is not None


def test_a_confirmation_link_needs_no_code_key(
    ben: Member, gift: Gift, settings: LazySettings
) -> None:
    """The link is signed; the key of the claim code may have been removed."""
    token = links.make_confirmation_token(gift, ben)
    settings.GIFT_CODE_KEY, settings.GIFT_CODE_KEY_FALLBACKS = "a-new-key", []
    assert actions.confirm_claim(token, language="en").claimed_by == ben


def test_a_confirmation_link_is_refused_if_the_code_is_replaced_after_it_was_read(
    ben: Member, gift: Gift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The buyer asks for a new code between the reading of the link and the lock."""
    token = links.make_confirmation_token(gift, ben)
    read = gifts.read_confirmation

    def read_then_replace(token: str) -> tuple[Gift, Member]:
        found = read(token)
        gifts.resend_gift(gift, with_new_code=True)
        return found

    monkeypatch.setattr(claims, "read_confirmation", read_then_replace)
    with pytest.raises(gifts.GiftNotClaimable, match="replaced"):
        actions.confirm_claim(token, language="en")
    assert not ben.gifts_claimed.exists()
