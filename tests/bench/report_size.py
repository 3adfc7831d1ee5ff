"""A whole report over many payments, beside SQL by hand that computes the same figures.

    python -m tests.bench.report_size [--sizes 1000,1000000] [--rounds 5]

Needs PostgreSQL. Four of five payments are memberships and one is a gift; two in a hundred were
refunded. Every sale has an origin, a thousand articles sold. The figures of the report and of
`report.sql` are compared first; then the two are measured in turns, by the clock and by
the CPU seconds of one process without parallel workers, which other work doesn't disturb.
"""

import argparse
import json
import subprocess
import sys
from typing import Any

from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_database,
)


def measure(size: str, rounds: int) -> tuple[str, dict[str, Any]]:
    """Return the database's name, and what the child process measured in a database of its own."""
    with scratch_database("postgres") as (folder, url, name):
        measured = subprocess.run(
            [sys.executable, "-m", "tests.bench.report_measurement", size, str(rounds)],
            cwd=ROOT,
            env=make_environment(folder, database_url=url, LOG_LEVEL="WARNING"),
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return name, json.loads(measured.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,1000000")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    end_cleanly()
    found = {int(size): measure(size, given.rounds) for size in given.sizes.split(",")}
    print(describe_machine(next(iter(found.values()))[0]))
    print()
    head = (
        *("payments", "report, ms", "SQL by hand, ms", "times the SQL"),
        *("CPU seconds", "CPU seconds by hand", "times the SQL"),
        *("with its page, ms", "page again within a minute, ms"),
    )
    rows = [
        [
            f"{size:,}",
            *(f"{took[each]:,.0f}" for each in ("report", "by hand")),
            f"{took['ratio']:.2f}",
            *(f"{took[each]:.2f}" for each in ("cpu", "cpu by hand")),
            f"{took['cpu'] / took['cpu by hand']:.2f}",
            *(f"{took[each]:,.0f}" for each in ("page", "again")),
        ]
        for size, (_, took) in found.items()
    ]
    print(as_table(head, rows))
    print()
    names = list(next(iter(found.values()))[1]["figures"])
    heads = ("figure by itself, ms", *(f"{size:,} payments" for size in found))
    figures = [took["figures"] for _, took in found.values()]
    print(as_table(heads, [[name, *(f"{each[name]:,.0f}" for each in figures)] for name in names]))


if __name__ == "__main__":
    main()
