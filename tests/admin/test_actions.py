"""Actions of lists: replay, resend, settle, publish, recount."""

import re
from datetime import timedelta

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import jobs
from campaigns.models import Campaign, Checkout, OutgoingMail, Price, StripeEvent, Tally
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_checkout
from tests.support.staff import (
    NOON,
    measure_primary_goal,
    read_messages,
    read_page,
    run_action,
    store_event,
)

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_a_replayed_event_is_due_again(client: Client) -> None:
    closed, due = store_event("evt_1"), store_event("evt_2", status="failed", due_at=NOON)
    response = run_action(client, StripeEvent, "replay", closed.pk, due.pk)
    assert "1 event will be replayed now." in read_messages(response)
    assert "1 event is already due" in read_messages(response)
    closed.refresh_from_db()
    assert closed.status == StripeEvent.Status.NEW
    assert closed.due_at is not None
    due.refresh_from_db()
    assert due.due_at == NOON


@pytest.mark.usefixtures("editor", "rows")
def test_an_email_is_resent(client: Client) -> None:
    mail = OutgoingMail.objects.get()
    OutgoingMail.objects.update(due_at=None, sent_at=NOON, attempts=1)
    assert "1 e-mail will be resent." in read_messages(
        run_action(client, OutgoingMail, "resend", mail.pk)
    )
    mail.refresh_from_db()
    assert mail.due_at is not None
    assert mail.due_at <= timezone.now()


@pytest.mark.usefixtures("editor", "rows")
def test_an_email_being_sent_is_not_sent_twice(client: Client) -> None:
    leased_until = timezone.now() + timedelta(seconds=30)
    OutgoingMail.objects.update(due_at=leased_until, attempts=1)
    mail = OutgoingMail.objects.get()
    assert "1 e-mail is already due or being sent." in read_messages(
        run_action(client, OutgoingMail, "resend", mail.pk)
    )
    mail.refresh_from_db()
    assert mail.due_at == leased_until


@pytest.mark.usefixtures("editor")
def test_settling_reports_that_stripe_does_not_answer(
    client: Client, birthday: Campaign, settings: LazySettings
) -> None:
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    checkout = make_checkout(birthday)
    response = run_action(client, Checkout, "settle", checkout.pk)
    assert response.status_code == 200
    assert "Stripe doesn’t answer" in read_messages(response)
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.OPEN


@pytest.mark.usefixtures("editor")
def test_a_checkout_without_a_session_has_nothing_to_settle(
    client: Client, birthday: Campaign
) -> None:
    checkout = make_checkout(birthday, status="starting", session_id=None)
    assert "no session at Stripe" in read_messages(
        run_action(client, Checkout, "settle", checkout.pk)
    )


@pytest.mark.django_db(transaction=True)
def test_settling_again_records_a_paid_checkout(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    user = User.objects.create_superuser("editor", "editor@example.org", "long-and-unguessed")
    client.force_login(user)
    price = Price.objects.get(kind="year")
    fields = {"price": str(price.pk), "name": "Ada Reader", "email": "ada@example.org"}
    form = client.get("/campaign/birthday/join/")
    hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', read_page(form))
    assert client.post("/campaign/birthday/join/", dict(hidden) | fields).status_code == 303
    checkout = Checkout.objects.get()
    assert checkout.session_id is not None
    sandbox.pay(checkout.session_id, card="4242424242424242")
    assert measure_primary_goal(campaign) == 0
    response = run_action(client, Checkout, "settle", checkout.pk)
    assert "1 Checkout settled." in read_messages(response)
    checkout.refresh_from_db()
    assert checkout.status == Checkout.Status.PAID
    assert measure_primary_goal(campaign) == 1


@pytest.mark.usefixtures("editor")
def test_banners_are_published_at_once(client: Client, rows: Campaign) -> None:
    assert "banners published with 2 of 1,000 new members" in read_messages(
        run_action(client, Campaign, "publish_now", rows.pk)
    )
    assert rows.published.order_by("-pk")[0].counted == 2


@pytest.mark.usefixtures("editor")
def test_a_recount_repairs_wrong_tallies(client: Client, rows: Campaign) -> None:
    Tally.objects.all().delete()
    assert measure_primary_goal(rows) == 0
    assert "recount started" in read_messages(run_action(client, Campaign, "recount", rows.pk))
    jobs.run_due_jobs("recounts")
    assert measure_primary_goal(rows) == 2
