"""Bounces, as the mail provider's webhook reports them through anymail."""

import base64
import json
from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import emails, gifts, jobs
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
    """A sent invitation with the provider's id."""
    campaign: Campaign = make_campaign()
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 12:00")
    mail = OutgoingMail.objects.create(
        key="invitation",
        kind="gift_invitation",
        gift=gift,
        sent_at=timezone.now(),
        due_at=None,
        provider_id="0000-provider",
    )
    gifts.record_deliveries()
    return mail


def post_event(client: Client, *, secret: str = SECRET, **event: Any) -> int:
    body = {
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
        json.dumps(body),
        content_type="application/json",
        headers={"Authorization": f"Basic {credentials}"},
    )
    return response.status_code


def list_notices() -> list[str]:
    mails = OutgoingMail.objects.filter(kind__startswith="gift_bounced")
    return sorted(mails.values_list("kind", flat=True))


def test_a_bounce_notifies_the_buyer_and_staff_once(
    client: Client, invitation: OutgoingMail, mailoutbox: list[Any]
) -> None:
    for _ in range(3):
        assert post_event(client) == 200
        gifts.record_bounces()
    gift = Gift.objects.get()
    assert gift.bounced_at is not None
    assert gift.status == Gift.Status.DELIVERED  # it can still be claimed with its link
    assert list_notices() == ["gift_bounced", "gift_bounced_staff"]
    jobs.run_due_jobs("mails", "deliveries", "banners")
    notices = {mail.to[0]: mail for mail in mailoutbox}
    assert set(notices) == {"ada@example.org", "staff@example.org"}
    assert gift.code not in notices["staff@example.org"].body


def test_a_bounce_is_matched_by_our_own_id(client: Client, invitation: OutgoingMail) -> None:
    OutgoingMail.objects.update(provider_id="")
    assert post_event(client, MessageID="another", Metadata={"mail": str(invitation.pk)}) == 200
    invitation.refresh_from_db()
    assert invitation.bounced_at is not None
    assert invitation.error == "bounced"


@pytest.mark.parametrize("named", ["", "9" * 5, "1 OR 1=1", "-1", "²"])
def test_a_bounce_of_an_unknown_mail_changes_nothing(
    client: Client, invitation: OutgoingMail, named: str
) -> None:
    assert post_event(client, MessageID="another", Metadata={"mail": named}) == 200
    invitation.refresh_from_db()
    assert invitation.bounced_at is None


def test_an_event_without_the_secret_is_refused(client: Client, invitation: OutgoingMail) -> None:
    assert post_event(client, secret="newsroom:guess") == 400
    invitation.refresh_from_db()
    assert invitation.bounced_at is None


@pytest.mark.parametrize("event", [{"RecordType": "Delivery"}, {"Type": "Transient"}])
def test_other_events_are_not_bounces(
    client: Client, invitation: OutgoingMail, event: dict[str, str]
) -> None:
    assert post_event(client, **event) == 200
    invitation.refresh_from_db()
    assert invitation.bounced_at is None


def test_a_spam_complaint_stops_reminders(client: Client, invitation: OutgoingMail) -> None:
    assert post_event(client, Type="SpamComplaint", RecordType="SpamComplaint") == 200
    assert OptOut.objects.holds("Ben@example.org")
    assert OptOut.objects.count() == 1


def test_a_corrected_address_gets_a_new_claim_code_and_e_mail(
    client: Client, invitation: OutgoingMail, mailoutbox: list[Any]
) -> None:
    post_event(client)
    gifts.record_bounces()
    gift = Gift.objects.get()
    old_code = gift.code
    gifts.change_recipient(gift, name="Ben", email="ben@example.com")
    jobs.run_due_jobs("mails", "deliveries", "banners")
    gift.refresh_from_db()
    assert (gift.bounced_at, gifts.find_gift(old_code)) == (None, None)
    [sent] = [mail for mail in mailoutbox if mail.to == ["ben@example.com"]]
    assert gift.code in sent.body
    # A repeated bounce of the old address says nothing about the new one.
    post_event(client)
    assert gifts.record_bounces() == 0


def test_only_the_configured_providers_tracking_webhook_exists(client: Client) -> None:
    for path in ("/mail/postmark/inbound/", "/mail/mailgun/tracking/"):
        assert client.post(path).status_code == 404


def test_a_mail_carries_our_id_as_metadata(invitation: OutgoingMail, mailoutbox: Any) -> None:
    emails.reschedule_mail([invitation.pk])
    assert emails.deliver_mail(invitation.pk)
    [sent] = mailoutbox
    assert sent.metadata == {"mail": str(invitation.pk)}


def test_a_late_bounce_of_the_old_address_does_not_affect_the_new_one(
    client: Client, invitation: OutgoingMail
) -> None:
    gift = Gift.objects.get()
    gifts.change_recipient(gift, name="Ben", email="ben@example.com")
    jobs.run_due_jobs("mails", "deliveries", "banners")
    post_event(client)
    assert gifts.record_bounces() == 0
    gift.refresh_from_db()
    assert gift.bounced_at is None
