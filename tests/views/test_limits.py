"""Limits on requests and wrong guesses, and the cache that counts them."""

import multiprocessing
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from campaigns.views.limits import WrongGuesses, limited
from newsroom.cache import CountingFileCache

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
def test_simultaneous_requests_are_all_counted() -> None:
    barrier = threading.Barrier(16)

    def wait_and_send(_: int) -> int:
        barrier.wait()
        return send()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(wait_and_send, range(16)))
    assert answers.count(200) == TIMES


@pytest.mark.django_db
def test_the_real_forms_show_a_waiting_page(client: Client) -> None:
    answers = [client.post("/claim/", {"code": "x"}).status_code for _ in range(21)]
    assert answers == [422] * 20 + [429]


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


# The file cache of the demo and the tests


def make_cache(folder: Path) -> CountingFileCache:
    return CountingFileCache(str(folder / "cache"), {})


def add_many(folder: Path, times: int) -> None:
    counting = make_cache(folder)
    for _ in range(times):
        counting.incr("requests")


def test_processes_counting_together_lose_nothing(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    counting.set("requests", 0, None)  # no expiry: other processes use the real clock
    # Use spawn: a fork would copy this process's locks and connections.
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_many, args=(tmp_path, 100)) for _ in range(3)]
    for process in processes:
        process.start()
    add_many(tmp_path, 100)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert counting.get("requests") == 400


@pytest.mark.both_databases
def test_only_one_of_simultaneous_adds_succeeds(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    for turn in range(20):
        barrier = threading.Barrier(8)

        def add(number: int, turn: int = turn, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return counting.add(f"key{turn}", number, 60)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(add, range(8))) == 1


def test_counting_does_not_extend_the_window(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    began = time.monotonic()
    assert counting.add("requests", 1, 1)
    counted = []
    while time.monotonic() - began < 1.3:
        try:
            counted.append(counting.incr("requests"))
        except ValueError:
            break
        time.sleep(0.02)
    assert 0.9 < time.monotonic() - began < 1.3
    assert all(later == earlier + 1 for earlier, later in pairwise(counted))
    assert counting.add("requests", 1, 1), "the next window starts at zero"


def test_missing_and_unlimited_keys_behave_as_in_django(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    with pytest.raises(ValueError, match="not found"):
        counting.incr("requests")
    counting.set("forever", 1, None)
    assert counting.incr("forever", 4) == 5
    assert make_cache(tmp_path).get("forever") == 5


def test_the_demo_uses_the_counting_cache(settings: LazySettings) -> None:
    if "File" not in settings.CACHES["default"]["BACKEND"]:
        pytest.skip("CACHE_URL names a server, which counts by itself")
    cache.set("probe", 1)
    assert cache.incr("probe") == 2
    assert settings.CACHES["default"]["BACKEND"] == "newsroom.cache.CountingFileCache"


def test_without_the_cache_nobody_is_refused(settings: LazySettings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        }
    }
    for _ in range(4):
        assert send() == 200
        assert guess("192.0.2.1") == "wrong"
