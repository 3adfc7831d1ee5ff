"""How often one address may knock, and the cache that counts it."""

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


@limited("door", times=TIMES, seconds=60)
def door(request: HttpRequest) -> HttpResponse:
    return HttpResponse("come in")


@limited("other", times=TIMES, seconds=60)
def other_door(request: HttpRequest) -> HttpResponse:
    return HttpResponse("come in")


def knock(address: str = "192.0.2.1", *, method: str = "POST", at: object = door) -> int:
    request = RequestFactory().generic(method, "/", REMOTE_ADDR=address)
    assert callable(at)
    return int(at(request).status_code)


def test_an_address_may_knock_so_often_and_is_then_asked_to_wait() -> None:
    assert [knock() for _ in range(TIMES + 2)] == [200] * TIMES + [429] * 2
    refused = door(RequestFactory().post("/", REMOTE_ADDR="192.0.2.1"))
    assert refused.headers["Retry-After"] == "60"


def test_other_addresses_and_other_doors_are_counted_for_themselves() -> None:
    for _ in range(TIMES + 1):
        knock()
    assert knock() == 429
    assert knock("192.0.2.2") == 200
    assert knock(at=other_door) == 200


def test_looking_is_not_counted() -> None:
    assert {knock(method="GET") for _ in range(TIMES * 3)} == {200}
    assert knock() == 200


def test_threads_that_knock_at_once_are_each_counted() -> None:
    barrier = threading.Barrier(16)

    def wait_and_knock(_: int) -> int:
        barrier.wait()
        return knock()

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(wait_and_knock, range(16)))
    assert answers.count(200) == TIMES


@pytest.mark.django_db
def test_the_real_forms_refuse_with_a_page_and_not_a_fault(client: Client) -> None:
    answers = [client.post("/claim/", {"code": "x"}).status_code for _ in range(21)]
    assert answers == [422] * 20 + [429]


# What may be guessed: only what was wrong is counted

WRONG = WrongGuesses("safe", times=3, overall=10, seconds=60)


def guess(address: str, *, right: bool = False) -> str:
    request = RequestFactory().get("/", REMOTE_ADDR=address)
    if WRONG.refuse_guesses(request):
        return "kept out"
    if right:
        return "in"
    return "told to wait" if WRONG.note(request) else "wrong"


def test_an_address_has_so_many_wrong_guesses_and_as_many_right_ones_as_it_likes() -> None:
    assert [guess("192.0.2.1", right=True) for _ in range(9)] == ["in"] * 9
    assert [guess("192.0.2.1") for _ in range(4)] == ["wrong"] * 3 + ["kept out"]
    assert guess("192.0.2.1", right=True) == "kept out"
    assert guess("192.0.2.2", right=True) == "in"


def test_over_all_each_address_has_one_guess_and_who_is_right_gets_through() -> None:
    assert {guess(f"192.0.2.{number}") for number in range(10)} == {"wrong"}
    assert [guess("192.0.2.77") for _ in range(2)] == ["told to wait", "kept out"]
    assert guess("192.0.2.1", right=True) == "kept out", "it has had its guess"
    assert guess("192.0.2.78", right=True) == "in"


def test_a_network_of_ipv6_is_one_address() -> None:
    assert [guess(f"2001:db8::{number}") for number in range(1, 5)] == ["wrong"] * 3 + ["kept out"]
    assert guess("2001:db8:0:1::1") == "wrong"


# The cache in files, which the demo and the tests count with


def make_cache(folder: Path) -> CountingFileCache:
    return CountingFileCache(str(folder / "cache"), {})


def add_many(folder: Path, times: int) -> None:
    counting = make_cache(folder)
    for _ in range(times):
        counting.incr("knocks")


def test_processes_that_count_together_lose_nothing(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    counting.set("knocks", 0, None)  # the others live by the machine's clock
    # Fresh interpreters: a fork would bring this process's locks and connections along.
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_many, args=(tmp_path, 100)) for _ in range(3)]
    for process in processes:
        process.start()
    add_many(tmp_path, 100)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    assert counting.get("knocks") == 400


def test_of_those_who_add_at_once_one_succeeds(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    for turn in range(20):
        barrier = threading.Barrier(8)

        def add(number: int, turn: int = turn, barrier: threading.Barrier = barrier) -> bool:
            barrier.wait()
            return counting.add(f"key{turn}", number, 60)

        with ThreadPoolExecutor(8) as pool:
            assert sum(pool.map(add, range(8))) == 1


def test_counting_does_not_prolong_the_window(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    began = time.monotonic()
    assert counting.add("knocks", 1, 1)
    counted = []
    while time.monotonic() - began < 1.3:
        try:
            counted.append(counting.incr("knocks"))
        except ValueError:
            break
        time.sleep(0.02)
    assert 0.9 < time.monotonic() - began < 1.3
    assert all(later == earlier + 1 for earlier, later in pairwise(counted))
    assert counting.add("knocks", 1, 1), "the next window begins anew"


def test_what_is_not_there_or_never_ends_is_counted_as_django_says(tmp_path: Path) -> None:
    counting = make_cache(tmp_path)
    with pytest.raises(ValueError, match="not found"):
        counting.incr("knocks")
    counting.set("forever", 1, None)
    assert counting.incr("forever", 4) == 5
    assert make_cache(tmp_path).get("forever") == 5


def test_the_demos_cache_is_the_one_that_counts(settings: LazySettings) -> None:
    if "File" not in settings.CACHES["default"]["BACKEND"]:
        pytest.skip("CACHE_URL names a server, which counts by itself")
    cache.set("probe", 1)
    assert cache.incr("probe") == 2
    assert settings.CACHES["default"]["BACKEND"] == "newsroom.cache.CountingFileCache"


def test_without_the_cache_nobody_is_kept_out(settings: LazySettings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:9/0",
        }
    }
    for _ in range(4):
        assert knock() == 200
        assert guess("192.0.2.1") == "wrong"
