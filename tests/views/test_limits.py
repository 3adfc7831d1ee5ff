"""Limits on requests and wrong guesses."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from campaigns import attempts
from campaigns.models import AttemptCount
from campaigns.views.limits import WrongGuesses, limited

pytestmark = pytest.mark.django_db

TIMES = 5


@limited("limited", times=TIMES, seconds=60)
def limited_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("OK")


@limited("other", times=TIMES, seconds=60)
def other_view(request: HttpRequest) -> HttpResponse:
    return HttpResponse("OK")


def send(address: str = "192.0.2.1", *, method: str = "POST", at: object = limited_view) -> int:
    request = RequestFactory().generic(method, "/", REMOTE_ADDR=address)
    assert callable(at)
    return int(at(request).status_code)


def test_a_client_is_asked_to_wait_beyond_the_limit() -> None:
    assert [send() for _ in range(TIMES + 2)] == [200] * TIMES + [429] * 2
    refused = limited_view(RequestFactory().post("/", REMOTE_ADDR="192.0.2.1"))
    assert refused.headers["Retry-After"] == "60"


def test_clients_and_views_are_counted_separately() -> None:
    for _ in range(TIMES + 1):
        send()
    assert send() == 429
    assert send("192.0.2.2") == 200
    assert send(at=other_view) == 200


def test_get_requests_are_not_counted() -> None:
    assert {send(method="GET") for _ in range(TIMES * 3)} == {200}
    assert send() == 200


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_are_all_counted() -> None:
    barrier = threading.Barrier(16)

    def wait_and_send(_: int) -> int:
        barrier.wait()
        try:
            return send()
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(wait_and_send, range(16)))
    assert answers.count(200) == TIMES


def test_the_real_forms_show_a_waiting_page(client: Client) -> None:
    answers = [client.post("/claim/", {"code": "x"}).status_code for _ in range(21)]
    assert answers == [422] * 20 + [429]


@pytest.mark.both_databases
def test_the_time_of_a_limit_begins_with_the_first_attempt() -> None:
    with time_machine.travel("2026-11-24 12:00Z", tick=False) as clock:
        assert [send() for _ in range(TIMES)] == [200] * TIMES
        clock.shift(timedelta(seconds=59))
        assert send() == 429
        clock.shift(timedelta(seconds=1))
        assert [send() for _ in range(TIMES + 1)] == [200] * TIMES + [429]


def test_counts_are_deleted_after_their_time() -> None:
    with time_machine.travel("2026-11-24 12:00Z", tick=False) as clock:
        send()
        clock.shift(timedelta(seconds=30))
        send("192.0.2.2")
        clock.shift(timedelta(seconds=30))
        attempts.delete_old_counts(at=timezone.now())
    assert AttemptCount.objects.count() == 1


# Wrong guesses

WRONG = WrongGuesses("safe", times=3, overall=10, seconds=60)


def guess(address: str, *, right: bool = False) -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    if WRONG.must_wait(request):
        return "refused"
    if right:
        return "right"
    return "limited" if WRONG.count_guess(request) else "wrong"


def test_only_wrong_guesses_of_a_client_are_limited() -> None:
    assert [guess("192.0.2.1", right=True) for _ in range(9)] == ["right"] * 9
    assert [guess("192.0.2.1") for _ in range(4)] == ["wrong"] * 3 + ["refused"]
    assert guess("192.0.2.1", right=True) == "refused"
    assert guess("192.0.2.2", right=True) == "right"


def test_beyond_the_overall_limit_each_client_has_one_guess() -> None:
    assert {guess(f"192.0.2.{number}") for number in range(10)} == {"wrong"}
    assert [guess("192.0.2.77") for _ in range(2)] == ["limited", "refused"]
    assert guess("192.0.2.1", right=True) == "refused", "its only guess is used up"
    assert guess("192.0.2.78", right=True) == "right"


def test_an_ipv6_network_is_one_client() -> None:
    assert [guess(f"2001:db8::{number}") for number in range(1, 5)] == ["wrong"] * 3 + ["refused"]
    assert guess("2001:db8:0:1::1") == "wrong"


def test_a_blocked_guesser_stays_blocked_among_many_clients() -> None:
    """A cache that dropped entries gave a blocked guesser more attempts."""
    assert [guess("192.0.2.1") for _ in range(4)] == ["wrong"] * 3 + ["refused"]
    for number in range(400):
        send(f"198.51.{number // 250}.{number % 250}")
    assert guess("192.0.2.1") == "refused"


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_clients_are_counted_by_their_network(address: str, network: str) -> None:
    assert attempts.find_network(RequestFactory().get("/", REMOTE_ADDR=address)) == network
