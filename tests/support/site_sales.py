"""Sales on a running site: readers order and pay, processes are killed, and the rows are compared.

It needs no settings of Django's, so that tests and benchmarks can use it.
"""

import json
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from newsroom.demo.processes import ROOT
from tests.support.processes import CAMPAIGN, Site

CARD = "4242424242424242"
# One-off memberships cause the fewest events, so two hundred of them fit into a minute.
ROWS = f"""{CAMPAIGN}
from campaigns.models import Plan, Price
Price.objects.create(
    plan=Plan.objects.get(slug="member"), kind="once", months=12, amount_minor=6000, currency="eur"
)
"""


def start_orders(site: Site, people: range, *, pause: float = 0) -> "subprocess.Popen[str]":
    """Start a process that orders as the join form does, and prints the session of each order."""
    arguments = (str(people.start), str(people.stop), str(pause))
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.sign_ups", *arguments],
        cwd=ROOT,
        env=site.environment | {"LOG_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        text=True,
    )


def make_orders(site: Site, people: range) -> list[str]:
    """Order for these readers; return their sessions, which are not paid yet."""
    with start_orders(site, people) as child:
        assert child.stdout is not None
        sessions = child.stdout.read().split()
    assert child.returncode == 0
    return sessions


@contextmanager
def run_sign_ups(site: Site, people: range, *, pause: float = 0) -> Iterator[threading.Thread]:
    """Let these readers sign up and pay, one after the other, while the block runs."""
    child = start_orders(site, people, pause=pause)
    assert child.stdout is not None
    lines = child.stdout

    def pay() -> None:
        for line in lines:
            site.sandbox.pay(line.strip(), card=CARD)

    thread = threading.Thread(target=pay)
    thread.start()
    try:
        yield thread
        thread.join(120)
        assert child.wait(10) == 0
        assert not thread.is_alive()
    finally:
        child.kill()
        child.wait()
        lines.close()


def pay_all(site: Site, people: range) -> None:
    with run_sign_ups(site, people) as thread:
        thread.join(120)


def kill_parts(site: Site, *, times: int, chance: random.Random, pause: float) -> dict[str, int]:
    """Kill the web server, the worker, beat and the queue in turns, and start each again.

    `pause` is the longest time in seconds between two. Returns how often each was killed.
    """
    kills = dict.fromkeys(("web", "worker", "beat", "queue"), 0)
    for _ in range(times):
        time.sleep(chance.uniform(0, pause))
        part = min(kills, key=lambda kind: kills[kind] + chance.random())
        kills[part] += 1
        if part == "queue":
            site.queue.lose_messages()
        else:
            site.kill(part)
            time.sleep(chance.uniform(0, pause))
            site.start_again(part)
    return kills


def read_counted(site: Site) -> int:
    return site.count("tally", "counted_until IS NULL")


def assert_counted_once(site: Site, people: int) -> None:
    assert site.count("tally") == read_counted(site) == people
    assert site.query("SELECT count(DISTINCT member_id) FROM campaigns_tally") == [(people,)]
    for table in ("payment", "membership", "member"):
        assert site.count(table) == people
    assert site.count("checkout", "status = 'paid'") == people
    assert site.count("outgoingmail", "kind = 'receipt'") == people


def read_published(site: Site) -> dict[str, Any]:
    """Return the published number, from the file that a CDN would hand out."""
    path = Path(site.environment["DATA_DIR"]) / "published" / "birthday" / "progress.json"
    goals = json.loads(path.read_text())
    number: dict[str, Any] = (goals if isinstance(goals, list) else goals["goals"])[0]
    return number
