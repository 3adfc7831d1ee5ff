"""Publishing a campaign's files beside many payments, compared with few.

    python -m tests.bench.publishing [--sizes 1000,1000000] [--turns 41]

Needs PostgreSQL. Each size has a database and a process of its own, and they publish in turns. The
times are the fastest; the ratios are medians of the ratios of such turns. The goal for a campaign
of 1,000 payments: at most 1.05 times as long beside a million other payments as beside a thousand.
Readers' pages take the files, so they cost the same with any number of payments.
"""

import argparse
import statistics
import subprocess
import sys
from contextlib import ExitStack

from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_database,
)

WORKS = {
    "running": "of 1,000 payments, beside them",
    "large": "of all of them",
    "money": "of all of them, with a money goal",
}
_WARM_UP = 3


def start_publisher(stack: ExitStack, size: int) -> tuple[subprocess.Popen[str], str]:
    """Start a process with so many payments in its database; return it and the database's name."""
    folder, url, name = stack.enter_context(scratch_database("postgres"))
    environment = make_environment(
        folder,
        database_url=url,
        DEMO="true",
        LOG_LEVEL="WARNING",
        PUBLISH_DIR=str(folder / "published"),
    )
    publisher = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.publishing_measurement", str(size)],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    stack.callback(publisher.wait)
    stack.callback(publisher.terminate)
    assert publisher.stdout is not None
    while publisher.stdout.readline().strip() != "ready":
        assert publisher.poll() is None, "the child process has failed"
    return publisher, name


def publish(publisher: subprocess.Popen[str], work: str) -> float:
    """Publish a campaign of that process; return the milliseconds."""
    assert publisher.stdin is not None
    assert publisher.stdout is not None
    publisher.stdin.write(f"{work}\n")
    publisher.stdin.flush()
    return float(publisher.stdout.readline())


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--sizes", default="1000,1000000")
    parser.add_argument("--turns", type=int, default=41)
    given = parser.parse_args()
    few, many = map(int, given.sizes.split(","))
    end_cleanly()
    rows = []
    with ExitStack() as stack:
        (small, name), (large, _) = (start_publisher(stack, size) for size in (few, many))
        for work, label in WORKS.items():
            turns = [
                (publish(small, work), publish(large, work)) for _ in range(_WARM_UP + given.turns)
            ][_WARM_UP:]
            rows.append(
                [
                    label,
                    f"{min(ms for ms, _ in turns):.0f}",
                    f"{min(ms for _, ms in turns):.0f}",
                    f"{statistics.median(b / a for a, b in turns):.2f}",
                ]
            )
        print(describe_machine(name))
    print()
    columns = (f"{size:,} payments, ms" for size in (few, many))
    print(as_table(("publishing a campaign", *columns, "times"), rows))


if __name__ == "__main__":
    main()
