"""Workers that are killed between any two steps: no webhook is lost, and the order holds."""

import itertools
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsroom.demo.processes import ROOT
from tests.support.processes import Site, run_site
from tests.support.receiver import Receiver, list_names, run_receiver

pytestmark = [
    pytest.mark.thorough,
    pytest.mark.long,
    pytest.mark.both_databases,
    pytest.mark.xdist_group("killed_deliveries"),
]
PEOPLE, EVENTS = 40, 4000
# Prints the endpoint's secret. Each event has its number, and all are due.
ROWS = """
from django.db import transaction
from campaigns import deliveries
from campaigns.models import WebhookEndpoint
from tests.support.factories import make_member
endpoint = WebhookEndpoint.objects.create(name="CRM", url="{url}", events={events})
people = [make_member() for _ in range({people})]
with transaction.atomic():
    for number in range({number}):
        deliveries.write_event(
            "member.updated", {{"number": number}}, member=people[number % {people}]
        )
print("SECRET=" + endpoint.secret)
"""
# As the worker does it, without Celery's own restarts.
WORK = """
import django
django.setup()
from campaigns import jobs
while True:
    jobs.run_due_jobs("webhooks")
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with run_receiver() as receiver:
        yield receiver


def test_no_event_is_lost_or_overtaken_when_workers_are_killed(
    tmp_path: Path, receiver: Receiver
) -> None:
    rows = ROWS.format(url=receiver.url, events=list_names(), people=PEOPLE, number=EVENTS)
    chance = random.Random(3)  # noqa: S311 - not a secret
    options = {"OUTGOING_NETWORKS": "127.0.0.0/8"}
    with run_site(tmp_path / "site", worker=False, **options) as site:
        printed = site.manage("shell", "-c", rows)
        receiver.secrets = [printed.partition("SECRET=")[2].split()[0]]
        kills = 0
        while site.count("webhookdelivery", "due_at IS NOT NULL"):
            let_lease_end(site)
            kills += kill_one_worker(site, receiver, after=chance.randint(1, 700))
    assert kills > 5, kills
    assert receiver.forged == 0
    assert receiver.repeated > 0, "what a killed worker had not written down is sent again"
    assert len(receiver.ids) == EVENTS
    numbers = [body["data"]["number"] for body in receiver.bodies]
    for person in range(PEOPLE):
        of_person = [number for number in numbers if number % PEOPLE == person]
        assert of_person == sorted(of_person)


def kill_one_worker(site: Site, receiver: Receiver, *, after: int) -> int:
    """Kill a worker with SIGKILL once so many more requests came; return 0 if it had done all."""
    wanted = receiver.requests + after
    worker = subprocess.Popen([sys.executable, "-c", WORK], cwd=ROOT, env=site.environment)
    try:
        for tick in itertools.count():
            if receiver.requests >= wanted:
                return 1
            if tick % 50 == 49 and not site.count("webhookdelivery", "due_at IS NOT NULL"):
                return 0
            assert worker.poll() is None
            time.sleep(0.01)
    finally:
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
    raise AssertionError("unreachable")


def let_lease_end(site: Site) -> None:
    """Take the lease of the killed worker, which would last a minute."""
    code = "from campaigns.models import WebhookEndpoint as E; E.objects.update(busy_until=None)"
    site.manage("shell", "-c", code)
