"""Readers over HTTP: they open pages, order memberships and gifts, and pay."""

import json
import re
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from newsroom.demo.journey import Page
from tests.rehearsal.machine import Failed, Machine

CARD = "4242424242424242"
PAGE = "/campaign/birthday/"
TIMEOUT = 60  # seconds


class OwnAddress(HTTPAdapter):
    """Sends from one of the many loopback addresses, because limits count by address."""

    def __init__(self, address: str) -> None:
        self.address = address
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> Any:
        return super().init_poolmanager(*args, **options, source_address=(self.address, 0))


class Reader:
    """A reader with a number, an address of its own and a cookie jar."""

    def __init__(self, machine: Machine, number: int) -> None:
        self.machine, self.number = machine, number
        self.email = f"reader{number}@example.org"
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(machine.certificate) if machine.has_nginx else None
        for scheme in ("http://", "https://"):
            self.http.mount(scheme, OwnAddress(f"127.0.{number // 250 + 1}.{number % 250 + 1}"))

    def open(self, path: str) -> Page:
        answer = self.http.get(self.machine.url + path, timeout=TIMEOUT)
        if answer.status_code != 200:
            raise Failed(f"{path} answered {answer.status_code}.")
        return Page(answer)

    def order(self, kind: str, **typed: str) -> str:
        """Send the form of a membership or a gift; return the session's id at Stripe."""
        form = self.open(f"{PAGE}{kind}/?from=top")
        price = {"price": form.choices["price"][0]} if "price" in form.choices else {}
        answer = self.http.post(
            form.url,
            form.fields | price | {"name": "Ada Reader", "email": self.email} | typed,
            headers={"Referer": form.url},
            allow_redirects=False,
            timeout=TIMEOUT,
        )
        session = re.search(r"/c/pay/([^/?#]+)", answer.headers.get("Location", ""))
        if session is None:
            raise Failed(f"The {kind} form answered {answer.status_code}: {Page(answer).text}")
        return session[1]

    def pay(self, session_id: str) -> None:
        self.machine.sandbox.pay(session_id, card=CARD)

    def join(self) -> None:
        self.pay(self.order("join"))

    def give(self, friend: str) -> None:
        self.pay(self.order("gift", recipient_name="Ben", recipient_email=friend, message="Read!"))


class Crowd:
    """All readers so far, and how many of them have to be counted; `sales` come first."""

    def __init__(self, machine: Machine, *, sales: int) -> None:
        self.machine, self.sales = machine, sales
        self.paid = 0
        self._number = 0
        self._lock = threading.Lock()

    def next(self) -> Reader:
        with self._lock:
            self._number += 1
            return Reader(self.machine, self._number)

    def join(self, count: int, *, at_once: int = 4) -> Reader:
        """Let readers order and pay, some of them at the same time; return the last of them."""
        readers = [self.next() for _ in range(count)]
        with ThreadPoolExecutor(at_once) as pool:
            for done in [pool.submit(reader.join) for reader in readers]:
                done.result()
        self.paid += count
        return readers[-1]

    def wait_until_counted(self, *, seconds: float) -> float:
        """Wait until the published count is what was paid; return the seconds it took."""
        start = time.monotonic()
        while (counted := self.read_count()) != self.paid:
            if counted > self.paid or time.monotonic() - start > seconds:
                raise Failed(
                    f"{counted} counted, {self.paid} paid, after {time.monotonic() - start:.0f} s."
                )
            time.sleep(0.3)
        return time.monotonic() - start

    def read_count(self) -> int:
        """Return the published count, as nginx hands it out; without nginx, from its file."""
        if self.machine.has_nginx:
            url = f"{self.machine.url}/published/birthday/progress.json"
            text = Reader(self.machine, 0).http.get(url, timeout=TIMEOUT).text
        else:
            text = (self.machine.published / "birthday" / "progress.json").read_text()
        return int(json.loads(text)[0]["counted"])

    def send_wave(self, size: int) -> float:
        """Let readers open the campaign page at the same time; return the slowest's seconds."""

        def read(reader: Reader) -> float:
            start = time.monotonic()
            reader.open(PAGE)
            return time.monotonic() - start

        with ThreadPoolExecutor(size) as pool:
            return max(pool.map(read, [self.next() for _ in range(size)]))

    @contextmanager
    def keep_reading(self) -> Iterator[list[str]]:
        """Open the campaign page all the time during the block; yield the failures."""
        failures: list[str] = []
        stopping = threading.Event()

        def read() -> None:
            reader = self.next()
            while not stopping.wait(0.05):
                try:
                    reader.open(PAGE)
                except (Failed, requests.RequestException) as error:
                    failures.append(f"{type(error).__name__}: {error}"[:200])

        threads = [threading.Thread(target=read) for _ in range(4)]
        for thread in threads:
            thread.start()
        try:
            yield failures
        finally:
            stopping.set()
            for thread in threads:
                thread.join()
