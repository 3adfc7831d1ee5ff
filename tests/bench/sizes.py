"""The same work over few payments and over many, each in a process of its own on PostgreSQL."""

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


def compare_sizes(
    measurement: str, what: str, description: str, *, decimals: int = 1, has_cpu: bool = False
) -> None:
    """Run a measurement for each size of the command line, and print milliseconds and ratios.

    `measurement` is a module that takes a size and prints {name of the work: milliseconds}. `what`
    heads the first column. With `has_cpu`, the measurement can take the processor's time instead,
    which hardly depends on what else the machine does.
    """
    parser = argparse.ArgumentParser(description=description.partition("\n")[0])
    parser.add_argument("--sizes", default="1000,1000000")
    if has_cpu:
        parser.add_argument("--cpu", action="store_true", help="processor time, for busy machines")
    given = parser.parse_args()
    unit = "CPU ms" if has_cpu and given.cpu else "ms"
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
                [sys.executable, "-m", measurement, size, *(["--cpu"] if unit != "ms" else [])],
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
            work,
            *(f"{took[work]:.0f}" for took in columns.values()),
            f"{last[work] / took:.{decimals}f}",
        ]
        for work, took in first.items()
    ]
    print(describe_machine(name))
    print()
    print(as_table((what, *columns, "times"), rows))
