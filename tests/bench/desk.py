"""The staff's pages over many payments, beside the same pages over few.

    python -m tests.bench.desk [--sizes 1000,1000000] [--cpu] [--only search]

Needs PostgreSQL. Each page is opened as an administrator, with its templates, and the fastest of 15
times is reported. `--cpu` reports the processor's time instead, of this process and of its one
database process, which other work on the machine hardly changes; the database then uses no parallel
workers. `--only` takes a part of the pages' names. The goal: at most 1.5 times as long with a
million payments as with a thousand.
"""

import argparse
import json
import subprocess
import sys

from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_database,
)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--sizes", default="1000,1000000")
    parser.add_argument("--cpu", action="store_true", help="processor time, for busy machines")
    parser.add_argument("--only", default="", help="pages with these words in their name")
    given = parser.parse_args()
    unit = "CPU ms" if given.cpu else "ms"
    end_cleanly()
    columns: dict[str, dict[str, float]] = {}
    with scratch_database("postgres") as (folder, url, name):
        environment = make_environment(
            folder,
            database_url=url,
            DEMO="true",
            LOG_LEVEL="WARNING",
            PUBLISH_DIR=str(folder / "published"),
        )
        for size in given.sizes.split(","):
            measured = subprocess.run(
                [
                    *(sys.executable, "-m", "tests.bench.desk_measurement", size, given.only),
                    *(["--cpu"] if given.cpu else []),
                ],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            columns[f"{int(size):,} payments, {unit}"] = json.loads(measured.stdout)
    first, *_, last = columns.values()
    rows = [
        [
            page,
            *(f"{took[page]:.0f}" for took in columns.values()),
            f"{last[page] / took:.1f}",
        ]
        for page, took in first.items()
    ]
    print(describe_machine(name))
    print()
    print(as_table(("page", *columns, "times"), rows))


if __name__ == "__main__":
    main()
