"""Sales that are counted and published within 5 seconds, while Stripe answers slowly.

    python -m tests.bench.sales [--delay 0.25] [--rates 1,2,3,5] [--seconds 20]

A whole site on PostgreSQL and a Redis-compatible server: web server, two workers (one for Stripe,
one for e-mails and banners), beat, and the sandbox in place of Stripe, all on this machine. Every
answer of the sandbox takes `--delay` seconds. Sales are paid at a steady rate; the time of each
runs from its payment until the published count has reached its number. Prints for each rate the
median, the 99th percentile, the calls to Stripe a sale, and the CPU seconds a sale of the workers,
the web server and the sandbox.
"""

import argparse
import os
import statistics
import threading
import time
from pathlib import Path

from tests.bench.environment import as_table, describe_machine, end_cleanly
from tests.bench.site import run_bench_site, slow_down_stripe
from tests.support.processes import Site
from tests.support.site_sales import CARD, make_orders, read_published

LIMIT = 5.0  # seconds
LONGEST = 120.0
_TICKS = os.sysconf("SC_CLK_TCK")


def pay_steadily(site: Site, sessions: list[str], *, rate: float, start: int) -> list[float]:
    """Pay the sessions at `rate` a second; return the seconds until each was published."""
    paid_at: list[float] = []
    published_at: list[float] = []

    def watch() -> None:
        deadline = time.monotonic() + len(sessions) / rate + LONGEST
        while len(published_at) < len(sessions) and time.monotonic() < deadline:
            published_at.extend(
                [time.monotonic()] * (read_published(site)["counted"] - start - len(published_at))
            )
            time.sleep(0.05)

    watching = threading.Thread(target=watch)
    watching.start()
    begin = time.monotonic()
    for number, session_id in enumerate(sessions):
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        paid_at.append(time.monotonic())
        site.sandbox.pay(session_id, card=CARD)
    watching.join()
    missing = [LONGEST] * (len(sessions) - len(published_at))
    return [end - begun for begun, end in zip(paid_at, published_at, strict=False)] + missing


def read_cpu(site: Site) -> dict[str, float]:
    """Return the CPU seconds that each process and its children have used."""
    return {
        name: sum(_cpu_of(pid) for pid in _group_of(child.pid))
        for name, child in site.processes.children.items()
    }


def _group_of(leader: int) -> list[int]:
    members = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == leader:
            members.append(int(folder.name))
    return members


def _cpu_of(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS


def count_calls(site: Site) -> int:
    """Return how many requests to Stripe the web server and the workers have logged."""
    return sum(site.log(name).count("Request to Stripe api") for name in site.processes.children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--delay", type=float, default=0.25, help="seconds for each answer")
    parser.add_argument("--rates", default="1,2,3,5", help="sales a second")
    parser.add_argument("--seconds", type=float, default=20, help="how long each rate lasts")
    options = parser.parse_args()
    end_cleanly()
    rates = [float(rate) for rate in options.rates.split(",")]
    rows = []
    with run_bench_site() as (site, database):
        number = 0
        for rate in rates:
            sales = max(5, round(rate * options.seconds))
            site.sandbox.remove_faults()
            sessions = make_orders(site, range(number, number + sales))
            slow_down_stripe(site, options.delay)
            cpu, calls = read_cpu(site), count_calls(site)
            took = sorted(pay_steadily(site, sessions, rate=rate, start=number))
            number += sales
            spent = {name: seconds - cpu[name] for name, seconds in read_cpu(site).items()}
            p99 = took[min(len(took) - 1, round(0.99 * len(took)))]
            rows.append(
                [
                    f"{rate:g}",
                    f"{sales}",
                    f"{statistics.median(took):.1f} s",
                    f"{p99:.1f} s",
                    "yes" if p99 <= LIMIT else "no",
                    f"{(count_calls(site) - calls) / sales:.1f}",
                    *(
                        f"{1000 * sum(s for n, s in spent.items() if n in names) / sales:.0f} ms"
                        for names in (("stripe", "effects"), ("web",), ("sandbox",))
                    ),
                ]
            )
            if p99 >= LONGEST:
                break
    print(describe_machine(database))
    print(f"Every answer of Stripe's took {options.delay:g} s.")
    head = ["a second", "sales", "median", "99 %", "within 5 s", "calls a sale"]
    print(as_table([*head, "CPU: workers", "web", "sandbox"], rows))


if __name__ == "__main__":
    main()
