"""Shared parts of the benchmarks: scratch databases, a production-like environment, tables.

Compare figures of the same run only, because machines differ and are noisy. A benchmark measures
the things it compares in turns and reports the median.
"""

import os
import platform
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.support.servers import run_postgres

ROOT = Path(__file__).resolve().parents[2]
WEBHOOK_SECRET = "whsec_bench_0123456789"


def end_cleanly() -> None:
    """Exit on SIGTERM through the context managers, so that child processes end as well."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))


@contextmanager
def scratch_postgres() -> Iterator[str]:
    """Yield the URL of an empty database at DATABASE_URL's server, or at a temporary one.

    The temporary server is as durable as one in production.
    """
    with ExitStack() as stack:
        url = os.environ.get("DATABASE_URL", "")
        if not url.startswith("postgres"):
            url = stack.enter_context(run_postgres(is_durable=True))
        name = f"bench_{os.getpid()}"
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            with (
                suppress(psycopg.OperationalError),  # the server has stopped already
                psycopg.connect(url, autocommit=True) as connection,
            ):
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextmanager
def scratch_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        yield Path(name)


@contextmanager
def scratch_database(database: str) -> Iterator[tuple[Path, str, str]]:
    """Yield a folder, and the URL and the name of an empty database: sqlite or postgres."""
    with ExitStack() as stack:
        folder = stack.enter_context(scratch_folder())
        if database == "postgres":
            url = stack.enter_context(scratch_postgres())
            yield folder, url, name_postgres(url)
        else:
            yield folder, f"sqlite:///{folder}/bench.sqlite3", "SQLite"


def make_environment(folder: Path, *, database_url: str, **changes: str) -> dict[str, str]:
    """Return the environment of a child process, as in production, with made-up secrets."""
    kept = ("PATH", "HOME", "LANG", "TMPDIR")
    (folder / "published").mkdir(parents=True, exist_ok=True)
    return {
        **{name: os.environ[name] for name in kept if name in os.environ},
        "DJANGO_SETTINGS_MODULE": "newsroom.settings",
        "PYTHONPATH": str(ROOT),
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(folder),
        "DATABASE_URL": database_url,
        "SECRET_KEY": "made-up-for-the-bench-0123456789-abcdefghijklmnopqrstuvwxyz",
        "GIFT_CODE_KEY": "made-up-for-the-bench-abcdefghijklmnopqrstuvwxyz",
        "STRIPE_SECRET_KEY": "sk_test_bench",
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
        **changes,
    }


def describe_machine(database: str) -> str:
    return (
        f"{os.cpu_count()} CPUs ({platform.machine()}), Python {platform.python_version()}, "
        f"{database}"
    )


def name_postgres(url: str) -> str:
    with psycopg.connect(url) as connection:
        return f"PostgreSQL {connection.info.server_version // 10000}" + (
            "" if _is_durable(connection) else " without fsync"
        )


def _is_durable(connection: "psycopg.Connection[tuple[str, ...]]") -> bool:
    row = connection.execute("SHOW fsync").fetchone()
    return row is not None and row[0] == "on"


def as_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table. All columns but the first are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
