"""Newsletters in webhooks: order for each person, also before they join, and erasures."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.test import Client
from django.utils import timezone

from campaigns import actions, deliveries, erasures, jobs, newsletters
from campaigns.members import set_address
from campaigns.models import Member, Newsletter, OutgoingEvent, Subscription, WebhookDelivery
from tests.support.erasures import dump_everything
from tests.support.factories import make_campaign, make_member
from tests.support.newsletters import (
    ADA,
    make_newsletter,
    make_subscription,
    path_of,
    sign_up,
)
from tests.support.receiver import Receiver, list_faults

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]
CONFIRMED, UNSUBSCRIBED = "newsletter.confirmed", "newsletter.unsubscribed"


@pytest.fixture
def morning() -> Newsletter:
    return make_newsletter("morning")


def run(receiver: Receiver) -> list[dict[str, Any]]:
    """Deliver what is due, and return it once each body was checked against its schema."""
    receiver.bodies = []
    jobs.run_due_jobs("webhooks")
    assert [fault for body in receiver.bodies for fault in list_faults(body)] == []
    return receiver.bodies


def confirm(newsletter: Newsletter, address: str = ADA) -> Subscription:
    asked = make_subscription(newsletter, address, status="pending")
    assert newsletters.confirm_subscription(asked, proof=Subscription.Proof.LINK, at=timezone.now())
    return asked


def end(subscription: Subscription) -> None:
    cause = Subscription.Cause.READER
    assert newsletters.end_subscription(subscription, cause=cause, at=timezone.now())


def test_a_confirmation_is_told_with_the_proof_of_consent(
    client: Client, receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    make_campaign()
    article = "https://www.example.org/story"
    sign_up(client, "morning", campaign="birthday", origin=f"from=article&page_url={article}")
    assert run(receiver) == [], "nobody is told of an address that is not confirmed"
    asked = Subscription.objects.get()
    client.post(path_of(asked, "confirm"), {"newsletters": "morning"})
    [body] = run(receiver)
    data = body["data"]
    assert (body["type"], data["subscriber"]["email"]) == (CONFIRMED, ADA)
    assert data["newsletter"]["slug"] == "morning"
    assert data["consent"]["wording"] == asked.consent_wording != ""
    assert data["consent"]["form_url"] == asked.form_url != ""
    assert data["consent"]["confirmed_by"] == "link"
    assert data["origin"]["campaign"] == "birthday"
    assert data["origin"]["placement"] == asked.placement
    assert "member" not in data
    path = data["links"]["unsubscribe_url"].removeprefix("http://127.0.0.1:8000")
    client.post(path, {"List-Unsubscribe": "One-Click"})
    [body] = run(receiver)
    assert (body["type"], body["data"]["reason"]) == (UNSUBSCRIBED, "reader")
    assert body["data"]["consent"]["wording"] == asked.consent_wording


def test_a_dropped_request_is_told_to_nobody(receiver: Receiver, morning: Newsletter) -> None:
    receiver.make_endpoint()
    end(make_subscription(morning, status="pending"))
    assert run(receiver) == []


def test_a_subscription_of_a_member_names_the_member(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    ada = make_member(ADA)
    confirm(morning)
    [body] = run(receiver)
    assert body["data"]["member"]["id"] == ada.pk
    assert WebhookDelivery.objects.get().member == ada


def test_events_of_a_subscriber_wait_for_each_other(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        receiver.answers = [400]
        ada = confirm(morning)
        end(ada)
        confirm(morning, "ben@example.org")
        first = run(receiver)
        assert [body["data"]["subscriber"]["email"] for body in first] == ["ben@example.org"]
        clock.shift(timedelta(minutes=1))
        assert [body["type"] for body in run(receiver)] == [CONFIRMED, UNSUBSCRIBED]


def test_the_order_holds_when_a_subscriber_becomes_a_member(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    with time_machine.travel(timezone.now(), tick=False) as clock:
        receiver.answers = [400]
        confirm(morning)
        assert run(receiver) == []
        with transaction.atomic():
            deliveries.write_event("member.updated", {}, member=make_member(ADA))
            deliveries.write_event("member.updated", {}, member=make_member("ben@example.org"))
        receiver.bodies = []
        jobs.run_due_jobs("webhooks")
        told = [body["data"]["member"]["email"] for body in receiver.bodies]
        assert told == ["ben@example.org"], "Ada's waits for what she was told before"
        clock.shift(timedelta(minutes=1))
        receiver.bodies = []
        jobs.run_due_jobs("webhooks")
        assert receiver.types == [CONFIRMED, "member.updated"]


def test_an_erased_subscriber_is_told_of_and_then_forgotten(
    client: Client, receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    receiver.echoes = True
    ada = confirm(morning)
    confirm(morning, "ben@example.org")
    run(receiver)
    assert ADA in dump_everything()
    page = path_of(ada, "erase")
    assert "Erase your address?" in client.get(page).content.decode()
    assert client.post(page).status_code == 422, "it has to be confirmed"
    assert client.post(page, {"is_sure": "on"})["Location"] == "/newsletters/erased/"
    assert client.get("/newsletters/erased/").status_code == 200
    [body] = run(receiver)
    assert (body["type"], body["data"]["reason"]) == (UNSUBSCRIBED, "erased")
    assert body["data"]["subscriber"]["email"] == ADA
    assert ADA not in dump_everything()
    assert deliveries.hash_subscriber(ADA) not in dump_everything()
    assert "ben@example.org" in dump_everything()
    assert client.get(page).status_code == 410


def test_what_was_not_delivered_is_dropped_and_the_end_is_told(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    confirm(morning)
    assert actions.erase_subscriber(" Ada@Example.org ") == 1
    assert [body["type"] for body in run(receiver)] == [UNSUBSCRIBED]
    assert ADA not in dump_everything()


def test_an_address_is_forgotten_after_a_day_though_the_endpoint_is_down(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    confirm(morning)
    now = timezone.now()
    with time_machine.travel(now, tick=False) as clock:
        actions.erase_subscriber(ADA)
        receiver.answers = [500] * 50
        for _ in range(23):
            jobs.run_due_jobs("webhooks", "old_rows")
            clock.shift(timedelta(hours=1))
        assert ADA in dump_everything(), "the endpoint may still get it"
        clock.shift(timedelta(hours=2))
        jobs.run_due_jobs("webhooks", "old_rows")
        assert ADA not in dump_everything()
    [event] = OutgoingEvent.objects.all()
    assert list_faults(event.payload) == []


def test_an_erased_member_leaves_no_subscriber_behind(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    confirm(morning)  # before she was a member
    ada = make_member(ADA)
    run(receiver)
    erasures.request_erasure(ada)
    assert [body["type"] for body in run(receiver)] == [UNSUBSCRIBED, "member.erased"]
    with time_machine.travel(timezone.now() + timedelta(minutes=1)):
        jobs.run_due_jobs("mails", "erasures")
    assert Member.objects.get().erased_at
    assert ADA not in dump_everything()


def test_a_subscription_that_the_new_address_had_ended_ends_in_other_systems_too(
    receiver: Receiver, morning: Newsletter
) -> None:
    """They still send to the old address, and would go on with the new one."""
    receiver.make_endpoint()
    ada, new = make_member(ADA), "ada@new.example"
    confirm(morning)
    end(confirm(morning, new))
    run(receiver)
    with transaction.atomic():
        set_address(ada, new, at=timezone.now())
    ended, moved = run(receiver)
    assert (ended["type"], ended["data"]["subscriber"]["email"]) == (UNSUBSCRIBED, ADA)
    assert moved["type"] == "member.address_changed"
    assert [(each.email, each.status) for each in Subscription.objects.all()] == [
        (new, "unsubscribed")
    ]


def test_nothing_but_the_erasure_is_resent_about_who_is_being_erased(
    receiver: Receiver, morning: Newsletter
) -> None:
    receiver.make_endpoint()
    ada = make_member(ADA)
    confirm(morning)
    confirm(morning, "ben@example.org")
    run(receiver)
    erasures.request_erasure(ada)
    assert [body["type"] for body in run(receiver)] == [UNSUBSCRIBED, "member.erased"]
    everything = [each.pk for each in WebhookDelivery.objects.all()]
    assert deliveries.resend_deliveries(everything) == len(everything) - 1
    assert [body["type"] for body in run(receiver)] == []
    assert receiver.repeated == len(everything) - 1


def test_a_member_is_not_erased_as_a_subscriber(client: Client, morning: Newsletter) -> None:
    ada = confirm(morning)
    make_member(ADA)
    page = client.post(path_of(ada, "erase"), {"is_sure": "on"}).content.decode()
    assert "Go to your account page" in page
    assert Subscription.objects.exists()
    with pytest.raises(actions.IsMember):
        actions.erase_subscriber(ADA)
