"""Scheduled e-mails about a gift that are no longer needed when they are due."""

import pytest
from django.conf import LazySettings

from campaigns.models import Campaign, OutgoingMail
from tests.support.factories import at, make_campaign, make_member, record_claim
from tests.support.mails import PAID_AT, assert_no_longer_wanted, make_gift_of_ada, make_mail

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture(autouse=True)
def desk(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "desk@example.org"


GIFT_KINDS = [kind for kind in OutgoingMail.Kind.values if kind.startswith("gift_")]
KINDS_FOR_CLAIMED_GIFTS = {"gift_bought", "gift_delivered", "gift_claimed", "gift_ending"}


@pytest.mark.parametrize("kind", GIFT_KINDS)
def test_no_e_mail_is_sent_about_a_revoked_gift(kind: str, birthday: Campaign) -> None:
    gift = make_gift_of_ada(
        birthday,
        status="revoked",
        revoked_at=at("2026-11-11 12:00"),
        delivered_at=at(PAID_AT),
        bounced_at=at(PAID_AT),
    )
    assert_no_longer_wanted(make_mail(kind, gift=gift, member=make_member()))


@pytest.mark.parametrize("kind", sorted(set(GIFT_KINDS) - KINDS_FOR_CLAIMED_GIFTS))
def test_no_e_mail_invites_to_claim_a_claimed_or_expired_gift(
    kind: str, birthday: Campaign
) -> None:
    claimed = record_claim(make_gift_of_ada(birthday), make_member(), "2026-11-12 09:00")
    assert_no_longer_wanted(make_mail(kind, gift=claimed, member=make_member()))
    past_its_date = make_gift_of_ada(
        birthday, expires_at=at("2026-11-11 12:00"), bounced_at=at(PAID_AT)
    )
    assert_no_longer_wanted(make_mail(kind, gift=past_its_date, member=make_member()))
    expired = make_gift_of_ada(birthday, status="expired", bounced_at=at(PAID_AT))
    assert_no_longer_wanted(make_mail(kind, gift=expired, member=make_member()))


@pytest.mark.parametrize("kind", ["gift_invitation", "gift_reminder", "gift_delivered"])
def test_no_recipient_e_mail_is_sent_if_the_buyer_gives_the_gift(
    kind: str, birthday: Campaign
) -> None:
    gift = make_gift_of_ada(birthday, recipient_email="", delivered_at=at(PAID_AT))
    assert_no_longer_wanted(make_mail(kind, gift=gift))


def test_no_handover_e_mail_is_sent_for_a_gift_that_we_deliver(birthday: Campaign) -> None:
    assert_no_longer_wanted(make_mail("gift_to_pass_on", gift=make_gift_of_ada(birthday)))
