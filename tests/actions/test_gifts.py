"""Staff decisions about a gift: each one recounts the people at once."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import translation
from django.utils.functional import Promise

from campaigns import actions, progress
from campaigns.models import Campaign, Gift, Member, Tally
from campaigns.models.moves import ForbiddenMove
from tests.support.factories import at, make_campaign, make_gift, make_member, make_payment

pytestmark = pytest.mark.django_db
LATER = at("2099-01-01 00:00")
WHY = "they wrote to us"


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def gift(campaign: Campaign) -> Gift:
    """A gift claimed by Ben, who also paid in the campaign: together they count once."""
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 12:00", expires_at=LATER)
    with transaction.atomic():
        progress.tally_gift(gift)
    return actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")


@pytest.fixture
def ben(gift: Gift, campaign: Campaign) -> Member:
    ben = Member.objects.get(email="ben@example.org")
    make_payment(ben, campaign, "2026-11-10 12:00")
    with transaction.atomic():
        progress.tally_members([ben])
    Campaign.objects.update(publish_at=None)
    return ben


def counted() -> int:
    return Tally.objects.counting_at(LATER).count()


def test_a_reassigned_gift_lets_the_first_person_count_again(
    gift: Gift, ben: Member, campaign: Campaign, admin_user: User
) -> None:
    assert counted() == 1
    actions.reassign_gift(gift, email="cleo@example.org", name="Cleo", by=admin_user, why=WHY)
    assert counted() == 2
    campaign.refresh_from_db()
    assert campaign.publish_at is not None


def test_a_revoked_gift_is_restored_to_the_same_member(
    gift: Gift, ben: Member, campaign: Campaign, admin_user: User
) -> None:
    actions.revoke_gift(gift, by=admin_user, why=WHY)
    gift.refresh_from_db()
    assert gift.status == Gift.Status.REVOKED
    campaign.refresh_from_db()
    assert campaign.publish_at is not None
    actions.restore_gift(gift, by=admin_user, why=WHY)
    gift.refresh_from_db()
    assert (gift.status, gift.claimed_by) == (Gift.Status.CLAIMED, ben)
    assert counted() == 1


def test_a_refusal_is_a_sentence_that_can_be_translated(gift: Gift, admin_user: User) -> None:
    with pytest.raises(ForbiddenMove) as restored:
        actions.restore_gift(gift, by=admin_user, why=WHY)
    with pytest.raises(ForbiddenMove) as pardoned:
        actions.pardon_gift(gift, by=admin_user, why=WHY)
    with pytest.raises(ForbiddenMove) as reassigned:
        actions.reassign_gift(gift, email="ben@example.org", name="", by=admin_user, why=WHY)
    for refused in (restored, pardoned, reassigned):
        assert isinstance(refused.value.args[0], Promise)
        with translation.override("en"):
            assert str(refused.value).endswith(".")
