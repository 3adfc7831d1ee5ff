"""Several webhooks on their way at once, on connections that stay open, one of each person."""

from itertools import combinations

import pytest
from django.db import transaction

from campaigns import deliveries, jobs
from campaigns.deliveries import sending
from campaigns.deliveries.sending import AT_ONCE
from campaigns.models import Member, WebhookDelivery
from tests.support.factories import make_member
from tests.support.receiver import LATE, Receiver

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def write(*people: Member) -> None:
    with transaction.atomic():
        for person in people:
            deliveries.write_event("member.updated", {}, member=person)


def test_other_people_do_not_wait_for_a_slow_answer(receiver: Receiver) -> None:
    receiver.make_endpoint()
    receiver.pause = 0.1
    people = [make_member() for _ in range(5)]
    write(*people, *people)
    jobs.run_due_jobs("webhooks")
    assert len(receiver.ids) == 10
    together = [
        (first[0], second[0])
        for first, second in combinations(sorted(receiver.spans, key=lambda span: span[1]), 2)
        if second[1] < first[2]
    ]
    assert len(together) > 5, "several are on their way at once"
    assert all(one != another for one, another in together), "but one of each person"
    for person in people:
        assert len(receiver.types_of(person.pk)) == 2


def test_connections_stay_open(receiver: Receiver) -> None:
    receiver.make_endpoint()
    write(*(make_member() for _ in range(20)))
    jobs.run_due_jobs("webhooks")
    assert (len(receiver.ids), receiver.requests) == (20, 20)
    assert 1 < receiver.connections <= AT_ONCE


def test_a_connection_that_the_server_closed_is_opened_again(receiver: Receiver) -> None:
    receiver.make_endpoint()
    receiver.hangs_up = True
    write(*(make_member() for _ in range(20)))
    jobs.run_due_jobs("webhooks")
    assert len(receiver.ids) == 20
    assert set(WebhookDelivery.objects.values_list("attempts", "status")) == {(1, 200)}
    assert receiver.connections == 20


def test_an_endpoint_that_fails_gets_one_at_a_time(receiver: Receiver) -> None:
    receiver.make_endpoint()
    receiver.answers = [500] * 9
    write(*(make_member() for _ in range(9)))
    jobs.run_due_jobs("webhooks")
    assert receiver.requests == 3, "then it rests"


def test_answers_that_were_read_late_count(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They came in time, and were read after that of another person that did not."""
    monkeypatch.setattr(sending, "TIME_LIMIT_SECONDS", 1.0)
    receiver.make_endpoint()
    receiver.answers, receiver.late = [200, LATE], 2.0
    write(*(make_member() for _ in range(12)))
    jobs.run_due_jobs("webhooks")
    assert len(receiver.ids) == 12
    assert WebhookDelivery.objects.filter(attempts=1, status=200).count() == 11
