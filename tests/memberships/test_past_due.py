"""A failed renewal: the member gets one email and can pay."""

from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import stripe_api
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Payment
from campaigns.stripe_api import snapshots
from campaigns.stripe_api.snapshots import read_subscription
from newsroom.sandbox.control import SandboxControl
from tests.conftest import deliver_events
from tests.support.factories import make_campaign
from tests.support.mails import (
    assert_no_longer_wanted,
    find_link,
    make_past_due_mail,
    read_both_parts,
    send_mail,
)
from tests.support.renewals import DECLINED_LATER
from tests.support.sales import settle, subscribe

DAY = 86_400


@pytest.fixture
def subscribed(campaign: Campaign, sandbox: SandboxControl) -> Membership:
    membership = subscribe(campaign, sandbox)
    sandbox.advance(DAY)
    return membership


def fail(membership: Membership, sandbox: SandboxControl) -> dict[str, Any]:
    """Let the next renewal fail now; returns its invoice."""
    invoice = sandbox.renew(str(membership.subscription_id), outcome="failed")
    sandbox.advance(60)
    return invoice


def past_due_mails() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(kind=OutgoingMail.Kind.PAST_DUE).order_by("pk"))


def test_a_failed_renewal_sends_one_email_however_often_its_events_arrive(
    subscribed: Membership, sandbox: SandboxControl, client: Client
) -> None:
    before = len(sandbox.events())
    invoice = fail(subscribed, sandbox)
    event_ids = [event["id"] for event in sandbox.events()[before:]]
    deliver_events(sandbox, client, [*event_ids, *reversed(event_ids)])
    subscribed.refresh_from_db()
    assert subscribed.status == Membership.Status.PAST_DUE
    assert [mail.key for mail in past_due_mails()] == [f"past_due:{invoice['id']}"]


def test_the_email_says_what_failed_and_how_to_fix_it(
    subscribed: Membership, sandbox: SandboxControl, client: Client
) -> None:
    fail(subscribed, sandbox)
    settle(subscribed)
    sent = send_mail(past_due_mails()[0])
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your payment to The Meridian Post didn’t go through"
    for part in read_both_parts(sent):
        for words in (
            "Hello Ada Reader,",
            "We couldn’t collect the payment for your membership of The Meridian Post.",
            "You haven’t been charged.",
            "€6",
            "11 November 2026, 14:00 (UTC+2)",
            "Your membership stays active until 24 December 2026.",
        ):
            assert words in part
    answer = client.get(urlsplit(find_link(sent, "/membership/manage/")).path)
    assert answer.status_code in {200, 302}


def test_the_email_is_in_the_members_language(
    subscribed: Membership, sandbox: SandboxControl
) -> None:
    Member.objects.update(language="uk")
    fail(subscribed, sandbox)
    settle(subscribed)
    assert past_due_mails()[0].language == "uk"


def test_no_email_is_sent_once_the_invoice_is_paid(
    subscribed: Membership, sandbox: SandboxControl
) -> None:
    invoice = fail(subscribed, sandbox)
    assert settle(subscribed) == Membership.Status.PAST_DUE
    stripe_api.client().v1.invoices.pay(invoice["id"])
    assert settle(subscribed) == Membership.Status.ACTIVE
    assert_no_longer_wanted(past_due_mails()[0])
    settle(subscribed)
    assert len(past_due_mails()) == 1
    # The payment has a receipt like any other.
    renewal = Payment.objects.get(role=Payment.Role.RENEWAL)
    assert OutgoingMail.objects.filter(key=f"receipt:{renewal.intent_id}").exists()


def test_each_failed_period_sends_an_email(subscribed: Membership, sandbox: SandboxControl) -> None:
    for _ in range(2):
        invoice = fail(subscribed, sandbox)
        settle(subscribed)
        stripe_api.client().v1.invoices.pay(invoice["id"])
        settle(subscribed)
    assert len({mail.key for mail in past_due_mails()}) == 2


@pytest.mark.thorough
def test_further_attempts_and_the_end_send_no_email(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    membership = subscribe(campaign, sandbox, card=DECLINED_LATER)
    sandbox.advance(DAY)
    sandbox.advance(days=31)
    assert settle(membership) == Membership.Status.PAST_DUE
    while settle(membership) == Membership.Status.PAST_DUE:
        sandbox.advance(days=2)
    assert membership.status == Membership.Status.ENDED
    assert_no_longer_wanted(past_due_mails()[0])
    assert len(past_due_mails()) == 1


def test_no_email_is_sent_once_stripe_has_stopped_retrying(
    subscribed: Membership, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(subscribed, sandbox)
    monkeypatch.setattr(
        snapshots, "read_subscription", lambda raw: replace(read_subscription(raw), status="unpaid")
    )
    assert settle(subscribed) == Membership.Status.PAST_DUE
    assert past_due_mails() == []


@pytest.mark.thorough
@pytest.mark.parametrize("latest", ["expanded", "missing"])
def test_a_period_is_identified_by_its_invoice_or_its_end(
    subscribed: Membership,
    sandbox: SandboxControl,
    monkeypatch: pytest.MonkeyPatch,
    latest: str,
) -> None:
    invoice = fail(subscribed, sandbox)
    shown = {"expanded": {"id": invoice["id"]}, "missing": None}[latest]
    monkeypatch.setattr(
        snapshots,
        "read_subscription",
        lambda raw: read_subscription(raw | {"latest_invoice": shown}),
    )
    for _ in range(2):
        settle(subscribed)
    by_end = f"{subscribed.subscription_id}:{subscribed.ends_at}"
    name = invoice["id"] if latest == "expanded" else by_end
    assert [mail.key for mail in past_due_mails()] == [f"past_due:{name}"]


@pytest.mark.django_db
def test_a_failure_without_a_charge_is_reported_without_an_amount() -> None:
    """There is no failed charge, for example if the bank asks for a confirmation first."""
    mail = make_past_due_mail(make_campaign())
    Payment.objects.filter(role=Payment.Role.RENEWAL).delete()
    for part in read_both_parts(send_mail(mail)):
        assert "Membership" in part
        for left_out in ("Amount", "€", "Attempted on", "None"):
            assert left_out not in part


@pytest.mark.django_db
def test_no_email_is_sent_after_the_grace_period() -> None:
    mail = make_past_due_mail(make_campaign())
    Membership.objects.update(access_until=timezone.now())
    assert_no_longer_wanted(mail)


@pytest.mark.django_db
def test_the_amount_is_that_of_the_failed_invoice() -> None:
    mail = make_past_due_mail(make_campaign())
    Payment.objects.filter(role=Payment.Role.RENEWAL).update(invoice_id="in_of_last_year")
    for part in read_both_parts(send_mail(mail)):
        assert "Amount" not in part
