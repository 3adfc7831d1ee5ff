"""Logging in to the admin: limits by network and by name that lock nobody out for long."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns.admin.logins import TIMES_BY_NAME, TIMES_BY_NETWORK
from tests.support.staff import read_page

pytestmark = pytest.mark.django_db
LOGIN = "/admin/login/"
PASSWORD = "long-and-unguessed"
WAIT = "Too many attempts to sign in. Wait ten minutes and try again."


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada", password=PASSWORD)


def log_in(client: Client, name: str = "ada", password: str = PASSWORD) -> int:
    return client.post(LOGIN, {"login": name, "password": password}).status_code


def test_one_network_cannot_try_many_names(ada: User) -> None:
    networks = [Client(REMOTE_ADDR=f"2001:db8::{number}") for number in range(1, 5)]
    answers = [log_in(networks[number % 4], f"name{number}", "x") for number in range(32)]
    assert answers == [200] * TIMES_BY_NETWORK + [429] * (32 - TIMES_BY_NETWORK)
    refused = networks[0].post(LOGIN, {"login": "ada", "password": PASSWORD})
    assert (refused.status_code, refused["Retry-After"]) == (429, "600")
    assert WAIT in read_page(refused)
    assert log_in(Client(REMOTE_ADDR="2001:db8:0:1::1")) == 302


def test_many_networks_cannot_try_one_name(ada: User) -> None:
    answers = [
        log_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), name, "wrong")
        for number, name in enumerate(["ada", "ADA"] * 7)
    ]
    assert answers == [200] * TIMES_BY_NAME + [429] * 4
    assert log_in(Client(REMOTE_ADDR="192.0.2.99")) == 429, "even with the right password"


def test_a_browser_that_has_logged_in_before_is_not_locked_out(ada: User, client: Client) -> None:
    assert log_in(client) == 302
    client.post("/admin/logout/")
    for number in range(TIMES_BY_NETWORK + TIMES_BY_NAME):
        log_in(Client(), "ada" if number < TIMES_BY_NAME else "ben", "wrong")
    assert log_in(Client()) == 429, "its network and its name have no attempts left"
    assert log_in(client) == 302


def test_a_known_browser_has_a_limit_of_its_own(ada: User, client: Client) -> None:
    log_in(client)
    client.post("/admin/logout/")
    answers = [log_in(client, "ada", "wrong") for _ in range(TIMES_BY_NAME + 2)]
    assert answers == [200] * TIMES_BY_NAME + [429] * 2
    assert log_in(client) == 429, "even with the right password"
    assert log_in(Client()) == 302, "other browsers are not affected"


def test_a_browser_is_known_only_for_the_name_that_has_logged_in(ada: User, client: Client) -> None:
    log_in(client)
    client.post("/admin/logout/")
    stolen = client.cookies["known_browser"].value
    for number in range(TIMES_BY_NAME):
        log_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "ben", "wrong")
    assert log_in(client, "ben", "wrong") == 429
    client.cookies["known_browser"] = stolen[:-1] + "_"
    for number in range(TIMES_BY_NAME):
        log_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "ada", "wrong")
    assert log_in(client) == 429, "a changed cookie is no cookie"


def test_a_limit_ends_after_ten_minutes(ada: User) -> None:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        for _ in range(TIMES_BY_NAME + 1):
            log_in(Client(), "ada", "wrong")
        assert log_in(Client()) == 429
        clock.shift(timedelta(minutes=10))
        assert log_in(Client()) == 302


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_simultaneous_attempts_are_all_counted() -> None:
    barrier = threading.Barrier(16)

    def attempt(number: int) -> int:
        barrier.wait()
        try:
            return log_in(Client(REMOTE_ADDR=f"192.0.2.{number}"), "ada", "wrong")
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(attempt, range(16)))
    assert sorted(answers) == [200] * TIMES_BY_NAME + [429] * 6
