"""Progress with a thousand, a hundred thousand and a million memberships.

    python -m tests.bench.progress [--sizes 1000,100000,1000000] [--on sqlite,postgres]

Progress is measured for three goals: new members, gifts and money. It is compared with one
`SELECT count(*)` of the counted tallies in the same run, because every answer costs at least that.
The figures of a report and a recount of the campaign are measured up to 100,000 memberships.
"""

import argparse
import json
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

HEADER = (
    "memberships, database",
    "count(*), ms",
    "progress, ms",
    "times count(*)",
    "figures of a report, ms",
    "recounted a second",
)


def measure_on(database: str, sizes: str) -> tuple[str, list[list[str]]]:
    """Return the database's name and a row of the table for each size."""
    with ExitStack() as stack:
        folder, url, name = stack.enter_context(scratch_database(database))
        environment = make_environment(folder, database_url=url, LOG_LEVEL="WARNING")
        rows = []
        with subprocess.Popen(
            [sys.executable, "-m", "tests.bench.measurement", sizes],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        ) as measuring:
            assert measuring.stdout is not None
            for line in measuring.stdout:
                print(line.strip(), file=sys.stderr)
                rows.append(_as_row(json.loads(line), name))
        if measuring.returncode:
            raise RuntimeError("The measurement failed. Its error is above.")
    return name, rows


def _as_row(took: dict[str, float], name: str) -> list[str]:
    return [
        f"{took['memberships']:,}, {name}",
        f"{took['count']:.2f}",
        f"{took['progress']:.2f}",
        f"{took['progress'] / took['count']:.1f}",
        f"{took['figures']:.0f}" if took["figures"] else "",
        f"{took['recount']:.0f}" if took["recount"] else "",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,100000,1000000")
    parser.add_argument("--on", default="sqlite,postgres")
    given = parser.parse_args()
    end_cleanly()
    names, table = [], []
    for database in given.on.split(","):
        name, rows = measure_on(database, given.sizes)
        names.append(name)
        table += rows
    print(describe_machine(", ".join(names)))
    print()
    print(as_table(HEADER, table))


if __name__ == "__main__":
    main()
