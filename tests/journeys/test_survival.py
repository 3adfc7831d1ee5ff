"""Payments are counted once although workers are killed and queues are lost."""

import json
import os
import random
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support.processes import Site, run_site, wait_until
from tests.support.site_sales import (
    ROWS,
    assert_counted_once,
    kill_parts,
    pay_all,
    read_counted,
    read_published,
    run_sign_ups,
)
from tests.support.webhooks import make_event, sign

pytestmark = [pytest.mark.xdist_group("survival"), pytest.mark.long, pytest.mark.both_databases]

SEED = int(os.environ.get("SURVIVAL_SEED", "0")) or random.randrange(1, 10**6)  # noqa: S311


def send_webhook(site: Site, event_id: str) -> tuple[int, float]:
    """Send a webhook; return the status of the answer and the seconds it took."""
    body = json.dumps(make_event(id=event_id))
    header = sign(body, secret=site.environment["STRIPE_WEBHOOK_SECRET"])
    request = urllib.request.Request(  # noqa: S310
        f"{site.url}/stripe/webhook/",
        body.encode(),
        {"Content-Type": "application/json", "Stripe-Signature": header},
    )
    start = time.monotonic()
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        return answer.status, time.monotonic() - start


@pytest.mark.thorough
def test_two_hundred_sign_ups_survive_killed_workers_and_a_lost_queue(tmp_path: Path) -> None:
    chance = random.Random(SEED)  # noqa: S311
    print(f"SURVIVAL_SEED={SEED}")  # noqa: T201 - shown if the test fails
    losses = dict.fromkeys(("worker", "queue"), 0)
    with run_site(tmp_path / "site", rows=ROWS) as site:
        with run_sign_ups(site, range(180), pause=0.2) as paying:
            while paying.is_alive():
                time.sleep(chance.uniform(2, 9))
                lost = min(losses, key=lambda kind: losses[kind] + chance.random())
                losses[lost] += 1
                if lost == "worker":
                    site.kill("worker")
                    time.sleep(chance.uniform(0, 2))
                    site.start_again("worker")
                else:
                    site.queue.lose_messages()
        site.kill("worker")
        pay_all(site, range(180, 200))  # no worker runs, so these are still unsettled
        site.queue.lose_messages()
        missing = 200 - read_counted(site)
        site.start_worker()
        took = wait_until(lambda: read_counted(site) >= 200, seconds=240)
        print(f"{losses}, {missing} still to count, counted after {took:.0f} s")  # noqa: T201
        assert missing >= 20, "everything was settled already, so this test shows nothing"
        assert min(losses.values()) > 0, losses
        due = "next_attempt_at IS NOT NULL"
        wait_until(lambda: site.count("stripeevent", due) == 0, seconds=60)
        assert_counted_once(site, 200)
        # A worker killed while publishing leaves a lease of 30 s, and the sweep runs every 15 s.
        wait_until(lambda: read_published(site)["counted"] == 200, seconds=60)
        assert not list(site.processes.list_stopped()), "beat or the web server stopped"


@pytest.mark.thorough
def test_sign_ups_survive_kills_of_every_process(tmp_path: Path) -> None:
    """The bench `tests.bench.faults kills` does this with 100 sign-ups and 40 kills."""
    print(f"SURVIVAL_SEED={SEED}")  # noqa: T201 - shown if the test fails
    with run_site(tmp_path / "site", rows=ROWS) as site:
        with run_sign_ups(site, range(50), pause=0.5) as paying:
            kills = kill_parts(site, times=20, chance=random.Random(SEED), pause=1.5)  # noqa: S311
            paying.join(120)
        took = wait_until(lambda: read_counted(site) >= 50, seconds=60)
        print(f"{kills}, counted {took:.0f} s after the last restart")  # noqa: T201
        assert min(kills.values()) > 0, kills
        assert_counted_once(site, 50)


@pytest.mark.thorough
def test_payments_without_webhook_or_worker_are_counted_later(tmp_path: Path) -> None:
    with run_site(tmp_path / "site", rows=ROWS, worker=False) as site:
        site.sandbox.add_fault("webhook", match="*", kind="drop", times=-1)
        pay_all(site, range(10))
        assert site.count("stripeevent") == 0
        site.sandbox.remove_faults()
        pay_all(site, range(10, 30))
        site.sandbox.wait_for_webhooks(seconds=30)
        events = site.count("stripeevent")
        assert events > 0
        assert read_counted(site) == 0
        site.queue.lose_messages()  # no message about them is left
        site.start_worker()
        site.start_beat()
        # A Checkout is due after 30 s, and the sweep runs every 15 s.
        wait_until(lambda: read_counted(site) >= 30, seconds=60)
        assert_counted_once(site, 30)
        assert site.count("stripeevent") == events


@pytest.mark.once
@pytest.mark.parametrize(
    "broker",
    [
        "redis://127.0.0.1:9/0",
        pytest.param("amqp://127.0.0.1:9", marks=pytest.mark.thorough),
    ],
)
def test_a_webhook_is_stored_and_answered_without_a_broker(tmp_path: Path, broker: str) -> None:
    with run_site(tmp_path / "site", worker=False, broker_url=broker) as site:
        for number in range(3):
            status, seconds = send_webhook(site, f"evt_{number}")
            assert status == 200
            assert seconds < 3
        assert site.count("stripeevent", "status = 'new'") == 3
