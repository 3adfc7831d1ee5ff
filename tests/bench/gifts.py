"""Delivery of scheduled gifts that are due at the same time, by two workers.

    python -m tests.bench.gifts [--gifts 10000] [--on sqlite,postgres]

Each worker delivers due e-mails as the sweep does, until none is left. Each e-mail is written to a
file instead of a provider, so that all can be counted. The rate is compared with rendering the same
e-mails alone, in the same run, because every delivery costs at least that.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack
from email import message_from_bytes

from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_database,
)

WORKERS = 2
BUYER = "ada@example.org"  # gets an e-mail about each delivery
HEADER = (
    "gifts, database",
    "delivered a second",
    "of rendering alone",
    "MB a worker, peak",
    "delivered",
    "more than once",
)


def measure_on(database: str, gifts: int) -> tuple[str, list[str]]:
    """Return the database's name and its row of the table."""
    with ExitStack() as stack:
        folder, url, name = stack.enter_context(scratch_database(database))
        mails = folder / "mails"
        environment = make_environment(
            folder, database_url=url, LOG_LEVEL="WARNING", MAIL_DIR=str(mails)
        )

        def start(*arguments: str) -> "subprocess.Popen[str]":
            return stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "tests.bench.delivery", *arguments],
                    cwd=ROOT,
                    env=environment,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )

        alone = _answer(start("prepare", str(gifts)))
        workers = [start("deliver") for _ in range(WORKERS)]
        answers = [_answer(worker) for worker in workers]
        times = Counter(
            to
            for mail in mails.glob("*.eml")
            if (to := message_from_bytes(mail.read_bytes())["To"]) != BUYER
        )
        seconds = max(each["until"] for each in answers) - min(each["since"] for each in answers)
        rate = len(times) / seconds
        return name, [
            f"{gifts:,}, {name}",
            f"{rate:.0f}",
            f"{100 * rate / (alone['rendered_a_second'] * WORKERS):.0f} %",
            f"{max(each['megabytes'] for each in answers):.0f}",
            f"{len(times):,}",
            f"{sum(number > 1 for number in times.values()):,}",
        ]


def _answer(process: "subprocess.Popen[str]") -> dict[str, float]:
    assert process.stdout is not None
    lines = process.stdout.read().splitlines()
    if process.wait():
        raise RuntimeError("A worker failed; its error is above.")
    answer: dict[str, float] = json.loads(lines[-1])
    return answer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gifts", type=int, default=10_000)
    parser.add_argument("--on", default="sqlite,postgres")
    given = parser.parse_args()
    end_cleanly()
    measured = [measure_on(database, given.gifts) for database in given.on.split(",")]
    print(describe_machine(", ".join(name for name, _ in measured)))
    print()
    print(as_table(HEADER, [row for _, row in measured]))


if __name__ == "__main__":
    main()
