"""The rows behind a report as CSV and XLSX: CPU time and peak memory.

    python -m tests.bench.rows [--size 1000000] [--rows payments,members]

Needs PostgreSQL. Each file is written by `manage.py campaign_report`, whose peak memory is that of
the whole process. It is compared with the same command for days without rows, whose CPU time is
taken off.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_database,
)

HEAD = (
    "rows",
    "format",
    "written",
    "CPU seconds",
    "rows a CPU second",
    "MB",
    "peak MB",
    "more than without rows",
)


EMPTY_DAY = "2000-01-01"


class Cost(NamedTuple):
    seconds: float  # of CPU
    peak_mb: float


def run_command(environment: dict[str, str], *arguments: str) -> Cost:
    """Run a command of manage.py in a process of its own, and return what it cost."""
    process = subprocess.Popen([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{arguments} failed.")
    return Cost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=1_000_000, help="payments")
    parser.add_argument("--rows", default="payments,members")
    given = parser.parse_args()
    end_cleanly()
    lines = []
    with scratch_database("postgres") as (folder, url, name):
        environment = make_environment(folder, database_url=url, LOG_LEVEL="WARNING")
        filled = json.loads(
            subprocess.run(
                [sys.executable, "-m", "tests.bench.rows_measurement", str(given.size)],
                cwd=ROOT,
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout
        )
        for rows in given.rows.split(","):
            for kind in ("csv", "xlsx"):
                path = Path(folder) / f"{rows}.{kind}"
                command = (
                    *("campaign_report", filled["slug"], "--rows", rows, "--format", kind),
                    *("--output", str(path)),
                )
                days = ("--from", EMPTY_DAY, "--to", EMPTY_DAY)
                empty = run_command(environment, *command, *days)
                took = run_command(environment, *command)
                number, seconds = filled["rows"][rows], took.seconds - empty.seconds
                lines.append(
                    [
                        rows,
                        kind.upper(),
                        f"{number:,}",
                        f"{seconds:.0f}",
                        f"{number / seconds:,.0f}",
                        f"{path.stat().st_size / 1e6:.0f}",
                        f"{took.peak_mb:.0f}",
                        f"{took.peak_mb - empty.peak_mb:.0f}",
                    ]
                )
    print(describe_machine(name))
    print()
    print(as_table(HEAD, lines))


if __name__ == "__main__":
    main()
