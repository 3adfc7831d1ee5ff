"""A mail that came back, told by the provider's own webhook through anymail."""

import base64
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import emails, gifts, tasks
from campaigns.models import Campaign, Gift, OptOut, OutgoingMail
from tests.support.factories import make_campaign, make_gift, make_member

pytestmark = pytest.mark.django_db

SECRET = "newsroom:a-long-password"


@pytest.fixture(autouse=True)
def provider(settings: LazySettings) -> None:
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
    settings.STAFF_EMAIL = "staff@example.org"


@pytest.fixture
def invitation() -> OutgoingMail:
    """One that the provider took, and told its own id of."""
    campaign: Campaign = make_campaign()
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 12:00")
    mail = OutgoingMail.objects.create(
        key="invitation",
        kind="gift_invitation",
        gift=gift,
        sent_at=timezone.now(),
        next_attempt_at=None,
        provider_id="0000-provider",
    )
    gifts.record_deliveries()
    return mail


def tell(client: Client, *, secret: str = SECRET, **event: Any) -> int:
    whole = {
        "RecordType": "Bounce",
        "Type": "HardBounce",
        "MessageID": "0000-provider",
        "Email": "ben@example.org",
        "BouncedAt": "2026-11-10T12:30:00Z",
        "ID": 4323372036854775807,
    } | event
    credentials = base64.b64encode(secret.encode()).decode()
    response = client.post(
        "/mail/postmark/tracking/",
        json.dumps(whole),
        content_type="application/json",
        headers={"Authorization": f"Basic {credentials}"},
    )
    return response.status_code


def kinds() -> list[str]:
    mails = OutgoingMail.objects.filter(kind__startswith="gift_bounced")
    return sorted(mails.values_list("kind", flat=True))


def test_a_bounce_tells_the_buyer_and_the_staff_once(
    client: Client, invitation: OutgoingMail, mailoutbox: list[Any]
) -> None:
    for _ in range(3):
        assert tell(client) == 200
        gifts.record_bounces()
    gift = Gift.objects.get()
    assert gift.bounced_at is not None
    assert gift.status == Gift.Status.DELIVERED  # it can still be claimed, by its link
    assert kinds() == ["gift_bounced", "gift_bounced_staff"]
    tasks.do_what_followed()
    told = {mail.to[0]: mail for mail in mailoutbox}
    assert set(told) == {"ada@example.org", "staff@example.org"}
    assert gift.code not in told["staff@example.org"].body


def test_a_bounce_that_names_our_own_id_is_known_by_it(
    client: Client, invitation: OutgoingMail
) -> None:
    OutgoingMail.objects.update(provider_id="")
    assert tell(client, MessageID="another", Metadata={"mail": str(invitation.pk)}) == 200
    invitation.refresh_from_db()
    assert invitation.bounced_at is not None
    assert invitation.error == "bounced"


@pytest.mark.parametrize("named", ["", "9" * 5, "1 OR 1=1", "-1", "²"])
def test_a_bounce_of_somebody_elses_mail_changes_nothing(
    client: Client, invitation: OutgoingMail, named: str
) -> None:
    assert tell(client, MessageID="another", Metadata={"mail": named}) == 200
    invitation.refresh_from_db()
    assert invitation.bounced_at is None


def test_without_the_secret_nobody_tells_us_anything(
    client: Client, invitation: OutgoingMail
) -> None:
    assert tell(client, secret="newsroom:guess") == 400
    invitation.refresh_from_db()
    assert invitation.bounced_at is None


@pytest.mark.parametrize("event", [{"RecordType": "Delivery"}, {"Type": "Transient"}])
def test_what_may_still_arrive_is_no_bounce(
    client: Client, invitation: OutgoingMail, event: dict[str, str]
) -> None:
    assert tell(client, **event) == 200
    invitation.refresh_from_db()
    assert invitation.bounced_at is None


def test_whoever_calls_it_spam_gets_no_more_reminders(
    client: Client, invitation: OutgoingMail
) -> None:
    assert tell(client, Type="SpamComplaint", RecordType="SpamComplaint") == 200
    assert OptOut.objects.holds("Ben@example.org")
    assert OptOut.objects.count() == 1


def test_a_mended_address_gets_a_new_code_and_a_new_mail(
    client: Client, invitation: OutgoingMail, mailoutbox: list[Any]
) -> None:
    tell(client)
    gifts.record_bounces()
    gift = Gift.objects.get()
    old = gift.code
    gifts.change_recipient(gift, name="Ben", email="ben@example.com")
    tasks.do_what_followed()
    gift.refresh_from_db()
    assert (gift.bounced_at, gifts.find_gift(old)) == (None, None)
    [sent] = [mail for mail in mailoutbox if mail.to == ["ben@example.com"]]
    assert gift.code in sent.body
    # The old bounce is told already, and is no news of the new address.
    tell(client)
    assert gifts.record_bounces() == 0


def test_only_the_providers_own_tracking_can_be_knocked_at(client: Client) -> None:
    for path in ("/mail/postmark/inbound/", "/mail/mailgun/tracking/"):
        assert client.post(path).status_code == 404


def test_the_providers_id_of_a_mail_is_kept(invitation: OutgoingMail, mailoutbox: Any) -> None:
    emails.reschedule_mail([invitation.pk])
    assert emails.deliver_mail(invitation.pk)
    [sent] = mailoutbox
    assert sent.metadata == {"mail": str(invitation.pk)}


def test_a_late_bounce_of_the_old_address_is_no_news_of_the_new_one(
    client: Client, invitation: OutgoingMail
) -> None:
    gift = Gift.objects.get()
    gifts.change_recipient(gift, name="Ben", email="ben@example.com")
    tasks.do_what_followed()
    tell(client)
    assert gifts.record_bounces() == 0
    gift.refresh_from_db()
    assert gift.bounced_at is None
