"""Scheduled gifts that fall due at one moment, delivered by two workers.

    python -m tests.bench.gifts [--gifts 10000] [--on sqlite,postgres]

Each worker does what a sweep does with owed mails, until none is left; a mail provider stands in
that writes each message into a file, so that every one can be counted. Beside the rate stands that
of writing the same letters alone, in the same run: what any delivery costs at least.
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
    name_postgres,
    scratch_folder,
    scratch_postgres,
)

WORKERS = 2
BUYER = "ada@example.org"  # who is told of the deliveries
HEADER = (
    "gifts, database",
    "delivered a second",
    "of letters written alone",
    "MB a worker, at most",
    "delivered",
    "more than once",
)


def measure_on(database: str, gifts: int) -> tuple[str, list[str]]:
    """What the database is called, and its row of the table."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        if database == "postgres":
            url = stack.enter_context(scratch_postgres())
            name = name_postgres(url)
        else:
            url, name = f"sqlite:///{folder}/bench.sqlite3", "SQLite"
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
        told = [_answer(worker) for worker in workers]
        times = Counter(
            to
            for mail in mails.glob("*.eml")
            if (to := message_from_bytes(mail.read_bytes())["To"]) != BUYER
        )
        seconds = max(each["until"] for each in told) - min(each["since"] for each in told)
        rate = len(times) / seconds
        return name, [
            f"{gifts:,}, {name}",
            f"{rate:.0f}",
            f"{100 * rate / (alone['letters_a_second'] * WORKERS):.0f} %",
            f"{max(each['megabytes'] for each in told):.0f}",
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
