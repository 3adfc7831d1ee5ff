"""Webhook deliveries beside bare HTTP posts, and the access question beside an empty page.

    python -m tests.bench.deliveries [--events 10000] [--members 1000000] [--rounds 3]

Deliveries: the job delivers events about as many people to a server on this machine, which reads
them and answers 200. Bare: the same number of posts with http.client, with the same body and
headers, signed, as many at once on connections that stay open, but with nothing read from or
written to a database. All of one follow all of the other. Access: questions
about random members, one after the other, to granian with the project's WSGI application, beside
an empty WSGI page on the same server, 25 of each in turns. The times are medians of the ratios of
such turns. `--events 0` or `--members 0` leaves one of the two out.
"""

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack

from tests.bench.banners import run_server
from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    name_postgres,
    scratch_folder,
    scratch_postgres,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--events", type=int, default=10_000)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    end_cleanly()
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        url = stack.enter_context(scratch_postgres())
        environment = make_environment(
            folder,
            database_url=url,
            DEMO="true",
            LOG_LEVEL="WARNING",
            OUTGOING_NETWORKS="127.0.0.0/8",
        )
        ours = stack.enter_context(run_server("newsroom.wsgi:application", environment))
        empty = stack.enter_context(run_server("tests.bench.empty:application", environment))
        sizes = [str(each) for each in (given.events, given.members, given.rounds)]
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.bench.delivery_measurement", *sizes),
                *(str(ours.port), str(empty.port)),
            ],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        name = name_postgres(url)
    took = json.loads(done.stdout)
    print(describe_machine(name))
    print()
    rows = []
    if given.events:
        rows.append((f"{given.events:,} deliveries", "bare posts", "delivery"))
        rows.append(("the same, CPU of the sender", "bare posts", "sender"))
    if given.members:
        rows.append((f"question, {given.members:,} members", "empty page", "access"))
    table = [
        (
            what,
            f"{took[name]:.2f}",
            f"{beside}: {took[f'{name}_least']:.2f}",
            f"{took[f'{name}_times']:.1f}",
        )
        for what, beside, name in rows
    ]
    print(as_table(("measured", "ms each", "beside, ms each", "times"), table))


if __name__ == "__main__":
    main()
