"""Balance transactions a second that are held against our rows, beside merely listing them.

    python -m tests.bench.reconciliation [--transactions 20000] [--rounds 3] [--on sqlite]

Both sides hold as many charges as asked for, copies of one that was really paid at the sandbox.
Nothing differs, as in any ordinary night: each differing movement would cost several calls more.
Listing is the same list read page by page and thrown away: the sandbox's time and our reading of
its answers. Memory is the peak of the process, after listing and after reconciling. A round of
100,000 takes a few minutes, so the default is a fifth of that.
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
    name_postgres,
    scratch_folder,
    scratch_postgres,
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
    """What the database is called, and its row of the table."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        if database == "postgres":
            url = stack.enter_context(scratch_postgres())
            name = name_postgres(url)
        else:
            url, name = f"sqlite:///{folder}/bench.sqlite3", "SQLite"
        sandbox = stack.enter_context(start_sandbox(folder / "sandbox", secret_key=KEY))
        environment = make_environment(
            folder,
            database_url=url,
            LOG_LEVEL="WARNING",
            STRIPE_API_BASE=sandbox.url,
            STRIPE_SECRET_KEY=KEY,
        )
        kept = folder / "sandbox" / "sandbox.sqlite3"
        _run(["fill", str(transactions), str(kept)], environment)
        return name, _as_row(_run(["hold", str(rounds)], environment), name)


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
        f"{took['movements'] / took['holding']:,.0f}",
        f"{took['holding'] / took['listing']:.2f}",
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
