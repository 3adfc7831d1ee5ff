"""The number at a thousand, a hundred thousand and a million memberships.

    python -m tests.bench.progress [--sizes 1000,100000,1000000] [--on sqlite,postgres]

Progress is that of three goals: new members, gifts and money. Beside it stands the time of one
`SELECT count(*)` of the tallies that count at that moment, in the same run: what any answer costs
at least. The figures of a report, and a recount of the campaign, are measured up to 100,000.
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
    name_postgres,
    scratch_folder,
    scratch_postgres,
)

HEADER = (
    "memberships, database",
    "count(*), ms",
    "progress, ms",
    "times count(*)",
    "figures of a report, ms",
    "counted anew a second",
)


def measure_on(database: str, sizes: str) -> tuple[str, list[list[str]]]:
    """What the database is called, and a row of the table for each size."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        if database == "postgres":
            url = stack.enter_context(scratch_postgres())
            name = name_postgres(url)
        else:
            url, name = f"sqlite:///{folder}/bench.sqlite3", "SQLite"
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
            raise RuntimeError("The measuring failed; its error is above.")
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
