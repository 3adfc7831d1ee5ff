"""The access question is limited, cheap, and takes the same steps for each address."""

import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns import members
from campaigns.attempts import Allowance
from campaigns.members import api_clients
from campaigns.models import ApiClient, Member
from campaigns.views import clients
from tests.support.factories import make_member
from tests.support.sales import make_subscription
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

ADA, UNKNOWN = "ada@example.org", "nobody@example.org"


@pytest.fixture
def token() -> str:
    """The token of a client."""
    client = ApiClient(name="Paywall")
    token = members.make_token(client)
    client.save()
    return token


@pytest.fixture
def ada() -> Member:
    member = make_member(ADA)
    make_subscription(member=member)
    return member


def ask(client: Client, token: str, email: str = ADA) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    return client.get("/api/access", {"email": email}, headers=headers)


def test_questions_are_limited_for_each_client(
    client: Client, token: str, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST_QUESTIONS", 3)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        assert [ask(client, token).status_code for _ in range(4)] == [200, 200, 200, 429]
        assert ask(client, token)["Retry-After"] == "60"
        clock.shift(timedelta(seconds=61))
        assert ask(client, token).status_code == 200


def test_all_processes_share_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    processes = [Allowance(seconds=60, batch=20) for _ in range(4)]
    with time_machine.travel(timezone.now(), tick=False) as clock:
        taken: list[bool] = []

        def take_many(process: Allowance) -> None:
            taken.extend(process.take("x", most=100) for _ in range(60))

        assert race(*(partial(take_many, each) for each in processes)) == [None] * 4
        allowed = sum(taken)
        assert 100 - 19 * (len(processes) - 1) <= allowed <= 100
        assert not any(each.take("x", most=100) for each in processes)
        assert processes[0].take("y", most=100), "each client has a limit of its own"
        clock.shift(timedelta(seconds=61))
        assert all(each.take("x", most=100) for each in processes)


def test_most_questions_are_one_query(client: Client, token: str, ada: Member) -> None:
    ask(client, token)
    with CaptureQueriesContext(connection) as queries:
        statuses = {ask(client, token).status_code for _ in range(40)}
    assert statuses == {200}
    assert len(queries) == 40 + 2


def test_questions_over_the_limit_cost_no_query(
    client: Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clients, "MOST_QUESTIONS", 1)
    assert [ask(client, token).status_code for _ in range(2)] == [200, 429]
    with CaptureQueriesContext(connection) as queries:
        assert ask(client, token).status_code == 429
    assert len(queries) == 0


def test_other_processes_refuse_a_revoked_token_within_seconds(
    client: Client, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert api_clients.KEPT_SECONDS <= 5
    monkeypatch.setattr(api_clients, "KEPT_SECONDS", 0.5)
    assert ask(client, token).status_code == 200
    ApiClient.objects.update(revoked_at=timezone.now())  # as another process does
    assert ask(client, token).status_code == 200
    time.sleep(0.5)
    assert ask(client, token).status_code == 401


def test_wrong_tokens_are_limited(client: Client, token: str) -> None:
    statuses = [ask(client, f"wrong-{number}").status_code for number in range(32)]
    assert statuses == [401] * 30 + [429] * 2
    assert ask(client, token).status_code == 200, "one system can't lock out the others"


def test_known_and_unknown_addresses_take_the_same_steps(
    client: Client, token: str, ada: Member
) -> None:
    def count(email: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            ask(client, token, email)
        return len(queries)

    ask(client, token)
    assert count(ADA) == count(UNKNOWN) == 1
    times: dict[str, list[float]] = {ADA: [], UNKNOWN: []}
    for _ in range(60):
        for email, taken in times.items():
            started = time.perf_counter()
            ask(client, token, email)
            taken.append(time.perf_counter() - started)
    known, unknown = (sorted(taken)[len(taken) // 2] for taken in times.values())
    assert abs(known - unknown) < 0.3 * unknown
