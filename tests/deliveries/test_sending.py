"""Deliveries to a receiver that checks, drops, delays and refuses."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction
from django.utils import timezone

from campaigns import deliveries, jobs
from campaigns.deliveries import sending
from campaigns.models import Member, OutgoingEvent, WebhookDelivery, WebhookEndpoint
from campaigns.reports.attention import CONCERNS
from tests.support.factories import make_member
from tests.support.receiver import LATE, LOST, Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


def write(member: Member, type_: str = "member.updated") -> OutgoingEvent:
    with transaction.atomic():
        event = deliveries.write_event(type_, {}, member=member)
    assert event is not None
    return event


def run() -> int:
    return jobs.run_due_jobs("webhooks")


def pass_time(clock: time_machine.Traveller, days: float) -> None:
    """Let jobs run often for some days."""
    until = timezone.now() + timedelta(days=days)
    while timezone.now() < until:
        run()
        clock.shift(timedelta(hours=1))


def concern_of(name: str) -> list[object]:
    return list(next(each for each in CONCERNS if each.name == name).rows())


def test_an_event_arrives_signed_and_once(receiver: Receiver) -> None:
    receiver.make_endpoint()
    event = write(make_member("ada@example.org"))
    run()
    run()
    assert receiver.ids == [event.message_id]
    assert (receiver.requests, receiver.forged) == (1, 0)
    [delivery] = WebhookDelivery.objects.all()
    assert (delivery.status, delivery.answer, delivery.due_at) == (200, "thanks", None)


def test_only_chosen_events_are_written(receiver: Receiver) -> None:
    receiver.make_endpoint("gift.bought")
    with transaction.atomic():
        assert deliveries.write_event("member.joined", {}, member=make_member()) is None
    assert not OutgoingEvent.objects.exists()


@pytest.mark.parametrize("batch", [2, 500])
def test_every_event_arrives_once_and_in_order_for_each_person(
    receiver: Receiver,
    clock: time_machine.Traveller,
    batch: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """At random, the receiver refuses, drops, delays or loses the answer to most requests."""
    receiver.make_endpoint()
    monkeypatch.setattr(sending, "_BATCH", batch)
    monkeypatch.setattr(sending, "TIME_LIMIT_SECONDS", 0.2)
    receiver.late = 0.4
    people = [make_member() for _ in range(5)]
    chance = random.Random(7)  # noqa: S311 - not a secret
    kinds = [200, 200, 200, 500, 400, 400, None, 429, LOST, LATE]
    receiver.answers = [chance.choice(kinds) for _ in range(70)]
    written: dict[int, list[str]] = {person.pk: [] for person in people}
    for number in range(30):
        person = people[number % 5]
        written[person.pk].append(write(person).message_id)
        if number % 4 == 0:
            run()
            clock.shift(timedelta(seconds=30))
    pass_time(clock, days=2.9)
    assert len(receiver.ids) == 30
    assert receiver.answers == []
    assert receiver.repeated > 3, "without an answer, the same event is sent again"
    assert not WebhookDelivery.objects.exclude(status=200, due_at=None)
    for person in people:
        of_person = [each for each in receiver.ids if each in written[person.pk]]
        assert of_person == written[person.pk]


def test_people_do_not_wait_for_one_another(receiver: Receiver) -> None:
    receiver.make_endpoint()
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    for person in (ada, ada, ben, ben):
        write(person)
    receiver.answers = [400]
    run()
    assert receiver.types_of(ben.pk) == ["member.updated"] * 2
    assert receiver.types_of(ada.pk) == []


def test_a_secret_is_rotated(receiver: Receiver, clock: time_machine.Traveller) -> None:
    endpoint = receiver.make_endpoint()
    old = endpoint.secret
    deliveries.rotate_secret(endpoint)
    write(make_member())
    run()
    assert len(receiver.ids) == 1, "the old secret signs for a day"
    new = WebhookEndpoint.objects.get().secret
    receiver.secrets = [new]
    write(make_member())
    run()
    assert len(receiver.ids) == 2, "so does the new one"
    clock.shift(timedelta(days=2))
    receiver.secrets = [old]
    write(make_member())
    run()
    assert receiver.forged == 1


def test_an_endpoint_that_keeps_failing_is_paused_and_resumed(
    receiver: Receiver, clock: time_machine.Traveller
) -> None:
    endpoint = receiver.make_endpoint()
    ada = make_member()
    ids = [write(ada).message_id for _ in range(3)]
    receiver.answers = [500] * 10_000
    pass_time(clock, days=2.9)
    assert concern_of("paused") == []
    attempts = receiver.requests
    assert 10 < attempts < 80, "growing pauses"
    pass_time(clock, days=0.5)
    assert concern_of("paused") == [endpoint]
    attempts = receiver.requests
    pass_time(clock, days=1)
    assert receiver.requests == attempts, "a paused endpoint is left alone"
    assert concern_of("given-up") == []
    receiver.answers = []
    assert deliveries.resume_endpoints([endpoint.pk]) == 1
    run()
    assert receiver.ids == ids
    assert concern_of("paused") == []


def test_an_event_that_is_refused_for_three_days_is_given_up_and_shown(
    receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.make_endpoint()
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    write(ada)
    later = write(ada)
    receiver.answers = [400]
    run()
    for _ in range(90):
        clock.shift(timedelta(hours=1))
        write(ben)
        receiver.answers = [400] if _refused_is_due() else []
        run()
    [given_up] = concern_of("given-up")
    assert isinstance(given_up, WebhookDelivery)
    assert given_up.status == 400
    assert later.message_id in receiver.ids, "later events of the person go on"
    assert concern_of("paused") == []
    assert deliveries.resend_deliveries([given_up.pk]) == 1
    run()
    assert concern_of("given-up") == []
    assert given_up.event.message_id in receiver.ids


def _refused_is_due() -> bool:
    first = WebhookDelivery.objects.order_by("pk").first()
    return first is not None and first.due_at is not None and first.due_at <= timezone.now()


def test_an_endpoint_that_is_gone_is_paused_at_once(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    endpoint = receiver.make_endpoint()
    receiver.answers = [410]
    write(make_member())
    run()
    assert concern_of("paused") == [endpoint]
    assert caplog.text.count("webhook_endpoint_paused") == 1


def test_redirects_are_not_followed(receiver: Receiver) -> None:
    receiver.make_endpoint()
    receiver.answers, receiver.headers = [302], {"Location": receiver.url}
    write(make_member())
    run()
    assert receiver.requests == 1
    assert WebhookDelivery.objects.get().status == 302


def test_an_endpoint_says_when_to_come_again(
    receiver: Receiver, clock: time_machine.Traveller
) -> None:
    receiver.make_endpoint()
    receiver.answers, receiver.headers = [429], {"Retry-After": "600"}
    for _ in range(3):
        write(make_member())
    run()
    clock.shift(timedelta(minutes=9))
    run()
    assert receiver.requests == 1
    clock.shift(timedelta(minutes=2))
    run()
    assert len(receiver.ids) == 3


def test_a_huge_answer_is_harmless(receiver: Receiver) -> None:
    receiver.make_endpoint()
    receiver.answer = b"x" * 100_000_000
    write(make_member())
    run()
    assert WebhookDelivery.objects.get().answer == "x" * 2000


def test_a_receiver_that_hangs_is_left(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    receiver.make_endpoint()
    monkeypatch.setattr(sending, "TIME_LIMIT_SECONDS", 0.2)
    receiver.pause = 3
    write(make_member())
    run()
    delivery = WebhookDelivery.objects.get()
    assert delivery.delivered_at is None
    assert "in time" in delivery.error
    assert delivery.milliseconds is not None
    assert delivery.milliseconds < 2000


def test_a_private_address_is_never_called(receiver: Receiver, settings: LazySettings) -> None:
    receiver.make_endpoint()
    settings.OUTGOING_NETWORKS = []
    write(make_member())
    run()
    assert receiver.requests == 0
    assert "private network" in WebhookDelivery.objects.get().error


def test_an_endpoint_that_is_off_gets_nothing(receiver: Receiver) -> None:
    endpoint = receiver.make_endpoint()
    write(make_member())
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(is_active=False)
    run()
    with transaction.atomic():
        assert deliveries.write_event("member.joined", {}, member=make_member()) is None
    assert receiver.requests == 0


def test_a_worker_that_died_is_replaced(receiver: Receiver, clock: time_machine.Traveller) -> None:
    endpoint = receiver.make_endpoint()
    write(make_member())
    busy = timezone.now() + timedelta(seconds=60)
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(busy_until=busy)
    run()
    assert receiver.requests == 0
    clock.shift(timedelta(seconds=61))
    run()
    assert receiver.requests == 1


def test_old_events_are_deleted(receiver: Receiver, clock: time_machine.Traveller) -> None:
    receiver.make_endpoint()
    write(make_member())
    run()
    jobs.run_due_jobs("old_rows")
    assert OutgoingEvent.objects.count() == 1
    clock.shift(timedelta(days=31))
    jobs.run_due_jobs("old_rows")
    assert not OutgoingEvent.objects.exists()
    assert not WebhookDelivery.objects.exists()
