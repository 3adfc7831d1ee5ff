"""What is owed about a gift and no longer wanted when it would go out."""

import pytest
from django.conf import LazySettings

from campaigns.models import Campaign, OutgoingMail
from tests.support.factories import at, claim, make_campaign, make_member
from tests.support.mails import PAID_AT, assert_not_wanted, give, owe

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture(autouse=True)
def desk(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "desk@example.org"


ABOUT_A_GIFT = [kind for kind in OutgoingMail.Kind.values if kind.startswith("gift_")]
OF_A_CLAIMED_ONE = {"gift_bought", "gift_delivered", "gift_claimed", "gift_ending"}


@pytest.mark.parametrize("kind", ABOUT_A_GIFT)
def test_nothing_goes_out_about_a_gift_that_was_revoked(kind: str, birthday: Campaign) -> None:
    gift = give(
        birthday,
        status="revoked",
        revoked_at=at("2026-11-11 12:00"),
        delivered_at=at(PAID_AT),
        bounced_at=at(PAID_AT),
    )
    assert_not_wanted(owe(kind, gift=gift, member=make_member()))


@pytest.mark.parametrize("kind", sorted(set(ABOUT_A_GIFT) - OF_A_CLAIMED_ONE))
def test_nobody_is_told_to_claim_a_gift_that_is_claimed_already_or_has_expired(
    kind: str, birthday: Campaign
) -> None:
    claimed = claim(give(birthday), make_member(), "2026-11-12 09:00")
    assert_not_wanted(owe(kind, gift=claimed, member=make_member()))
    by_the_day = give(birthday, expires_at=at("2026-11-11 12:00"), bounced_at=at(PAID_AT))
    assert_not_wanted(owe(kind, gift=by_the_day, member=make_member()))
    noted = give(birthday, status="expired", bounced_at=at(PAID_AT))
    assert_not_wanted(owe(kind, gift=noted, member=make_member()))


@pytest.mark.parametrize("kind", ["gift_invitation", "gift_reminder", "gift_delivered"])
def test_no_recipient_is_written_to_for_a_gift_that_its_buyer_hands_over(
    kind: str, birthday: Campaign
) -> None:
    gift = give(birthday, recipient_email="", delivered_at=at(PAID_AT))
    assert_not_wanted(owe(kind, gift=gift))


def test_nothing_is_passed_on_that_we_send_ourselves(birthday: Campaign) -> None:
    assert_not_wanted(owe("gift_to_pass_on", gift=give(birthday)))
