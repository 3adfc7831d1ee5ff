"""Balance transactions compared with our rows a second, beside only listing them.

    python -m tests.bench.reconciliation [--transactions 20000] [--rounds 3] [--on sqlite]

Both sides have the same charges, copies of one paid at the sandbox. Nothing differs, as on an
ordinary night; each difference would take several more calls. Listing reads the same pages and
drops them, which measures the sandbox and the parsing of its answers. Memory is the peak of the
process after listing and after reconciling. A round of 100,000 takes a few minutes.
"""

import argparse
import json
import subprocess
import sys
from contextlib import ExitStack
from typing import Any

from newsroom.sandbox.process import start_sandbox
from tests.bench.environment import (
    ROOT,
    as_table,
    describe_machine,
    end_cleanly,
    make_environment,
    scratch_database,
)

KEY = "sk_test_bench"
HEADER = (
    "transactions, database",
    "listed a second",
    "reconciled a second",
    "times listing",
    "memory listing, MB",
    "memory reconciling, MB",
)


def measure_on(database: str, transactions: int, rounds: int) -> tuple[str, list[str]]:
    """Return the database's name and its row of the table."""
    with ExitStack() as stack:
        folder, url, name = stack.enter_context(scratch_database(database))
        sandbox = stack.enter_context(start_sandbox(folder / "sandbox", secret_key=KEY))
        environment = make_environment(
            folder,
            database_url=url,
            LOG_LEVEL="WARNING",
            STRIPE_API_BASE=sandbox.url,
            STRIPE_SECRET_KEY=KEY,
        )
        database_file = folder / "sandbox" / "sandbox.sqlite3"
        _run(["fill", str(transactions), str(database_file)], environment)
        return name, _as_row(_run(["compare", str(rounds)], environment), name)


def _run(arguments: list[str], environment: dict[str, str]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.movements", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    print(done.stdout.strip(), file=sys.stderr)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def _as_row(took: dict[str, Any], name: str) -> list[str]:
    return [
        f"{took['movements']:,}, {name}",
        f"{took['movements'] / took['listing']:,.0f}",
        f"{took['movements'] / took['comparing']:,.0f}",
        f"{took['comparing'] / took['listing']:.2f}",
        f"{took['megabytes_listing']:.0f}",
        f"{took['megabytes']:.0f}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--transactions", type=int, default=20_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--on", default="sqlite", help="or sqlite,postgres")
    given = parser.parse_args()
    end_cleanly()
    names, table = [], []
    for database in given.on.split(","):
        name, row = measure_on(database, given.transactions, given.rounds)
        names.append(name)
        table.append(row)
    print(describe_machine(", ".join(names)))
    print(as_table(HEADER, table))


if __name__ == "__main__":
    main()
