"""Days on which something goes wrong, and what readers notice of it.

    python -m tests.bench.faults [slow] [foreign] [kills]

slow: 50 sales are paid while every answer of Stripe's takes 2 seconds. foreign: 1,200 webhooks
about another product's invoices arrive at once, and Stripe answers after 250 ms. Both measure how
long other readers wait for a sign-in e-mail meanwhile, and how old the published banners become.
kills: while 100 readers sign up, web server, worker, beat and queue are killed 40 times. Each
figure is printed beside its goal.
"""

import argparse
import json
import random
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from threading import Event, Thread

from stripe import WebhookSignature

from tests.bench.environment import ROOT, as_table, describe_machine, end_cleanly
from tests.bench.site import run_bench_site, slow_down_stripe
from tests.support.processes import Site, wait_until
from tests.support.site_sales import (
    CARD,
    assert_counted_once,
    kill_parts,
    make_orders,
    read_counted,
    read_published,
    run_sign_ups,
)

SALES, FOREIGN, SIGN_UPS, KILLS = 50, 1200, 100, 40
LONGEST = 600.0  # seconds
Row = tuple[str, str, str]  # what was measured, the figure, its goal


class Watch:
    """The longest wait of other readers for an e-mail, and the greatest age of the banners."""

    def __init__(self) -> None:
        self.mails: list[float] = []
        self.age = 0.0

    def as_rows(self) -> list[Row]:
        longest = f"{max(self.mails):.1f} s of {len(self.mails)}" if self.mails else "none sent"
        return [
            ("other readers' slowest e-mail", longest, "5 s"),
            ("oldest banners", f"{self.age:.0f} s", "60 s"),
        ]


@contextmanager
def watch_readers(site: Site) -> Iterator[Watch]:
    """Measure what other readers notice during the block."""
    watch, is_over = Watch(), Event()
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.readers", str(LONGEST)],
        cwd=ROOT,
        env=site.environment | {"LOG_LEVEL": "WARNING"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    lines = child.stdout
    lines.readline()  # the first one shows that the workers have started

    def look_at_banners() -> None:
        while not is_over.wait(0.25):
            as_of = datetime.fromisoformat(read_published(site)["as_of"])
            watch.age = max(watch.age, (datetime.now(UTC) - as_of).total_seconds())

    threads = [
        Thread(target=lambda: watch.mails.extend(float(line) for line in lines)),
        Thread(target=look_at_banners),
    ]
    for thread in threads:
        thread.start()
    try:
        yield watch
        sent = len(watch.mails)
        wait_until(lambda: len(watch.mails) > sent, seconds=LONGEST)  # one that is waiting now
    finally:
        is_over.set()
        child.terminate()
        child.wait()
        for thread in threads:
            thread.join()


def measure_slow_stripe() -> list[Row]:
    with run_bench_site() as (site, _):
        sessions = make_orders(site, range(SALES))
        slow_down_stripe(site, 2.0)
        with watch_readers(site) as watch:
            for session in sessions:
                site.sandbox.pay(session, card=CARD)
            took = wait_until(lambda: read_counted(site) >= SALES, seconds=LONGEST)
        return [(f"{SALES} sales counted", f"{took:.0f} s", "60 s"), *watch.as_rows()]


def measure_foreign_events() -> list[Row]:
    with run_bench_site() as (site, _):
        slow_down_stripe(site, 0.25)
        with watch_readers(site) as watch:
            began = time.monotonic()
            with ThreadPoolExecutor(8) as senders:
                statuses = set(senders.map(lambda n: send_foreign(site, n), range(FOREIGN)))
            assert statuses == {200}, statuses
            stored = time.monotonic() - began
            due = "next_attempt_at IS NOT NULL"
            wait_until(lambda: site.count("stripeevent", due) == 0, seconds=LONGEST)
            took = time.monotonic() - began
        return [
            (f"{FOREIGN:,} webhooks answered", f"{stored:.0f} s", ""),
            (f"{FOREIGN:,} events worked on", f"{took:.0f} s", ""),
            *watch.as_rows(),
        ]


def send_foreign(site: Site, number: int) -> int:
    """Send a webhook about the paid invoice of another product; return the answer's status."""
    subscription = {"subscription_details": {"subscription": f"sub_foreign{number}"}}
    invoice = {"object": "invoice", "id": f"in_foreign{number}", "parent": subscription}
    event = {
        "id": f"evt_foreign{number}",
        "object": "event",
        "type": "invoice.paid",
        "created": int(time.time()),
        "livemode": False,
        "data": {"object": invoice},
    }
    body = json.dumps(event)
    secret = site.environment["STRIPE_WEBHOOK_SECRET"]
    header = WebhookSignature.generate_signature_header(body, secret, int(time.time()))
    request = urllib.request.Request(  # noqa: S310
        f"{site.url}/stripe/webhook/",
        body.encode(),
        {"Content-Type": "application/json", "Stripe-Signature": str(header)},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return int(answer.status)


def measure_kills() -> list[Row]:
    seed = random.randrange(1, 10**6)  # noqa: S311
    with run_bench_site(workers=False) as (site, _):
        site.start_worker()
        site.start_beat()
        with run_sign_ups(site, range(SIGN_UPS), pause=0.5) as paying:
            kills = kill_parts(site, times=KILLS, chance=random.Random(seed), pause=1.5)  # noqa: S311
            paying.join(120)
        took = wait_until(lambda: read_counted(site) >= SIGN_UPS, seconds=LONGEST)
        assert_counted_once(site, SIGN_UPS)
        parts = ", ".join(f"{name} {times}" for name, times in kills.items())
        return [
            (f"kills (seed {seed})", parts, f"{KILLS}"),
            (f"{SIGN_UPS} counted once after the last restart", f"{took:.0f} s", "60 s"),
        ]


BENCHES: dict[str, Callable[[], list[Row]]] = {
    "slow": measure_slow_stripe,
    "foreign": measure_foreign_events,
    "kills": measure_kills,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", choices=BENCHES, default=list(BENCHES))
    given = parser.parse_args()
    end_cleanly()
    print(describe_machine("PostgreSQL"))
    for name in given.names:
        print(as_table([name, "measured", "goal"], BENCHES[name]()), flush=True)


if __name__ == "__main__":
    main()
