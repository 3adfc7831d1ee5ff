"""Databases of tests: copies of one that is migrated once, and emptied after each test.

Migrating takes six seconds of a processor, and one run needs about ten databases. So the first
process that needs one migrates a template, in the run's folder or on its server.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from django.db import connection, transaction

ROOT = Path(__file__).resolve().parents[2]
KEPT = {"django_content_type", "auth_permission", "auth_group", "auth_group_permissions"}


# Migrated databases


@contextmanager
def make_test_database() -> Iterator[None]:
    """Create the database of this process, whose name tests/settings.py sets."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite":
        copy_file(Path(name))
        yield
    else:
        with copy_database(os.environ["DATABASE_URL"], name):
            yield
            connection.close()


def copy_file(file: Path) -> None:
    """Make `file` a migrated SQLite database without rows."""
    template = Path(os.environ["TEST_DIR"]) / "template.sqlite3"
    with _lock_template():
        if not template.exists():
            incomplete = template.with_suffix(".incomplete")
            _migrate(f"sqlite:///{incomplete}")
            incomplete.rename(template)
    shutil.copyfile(template, file)


@contextmanager
def copy_database(server_url: str, name: str) -> Iterator[str]:
    """Yield the URL of a migrated PostgreSQL database without rows. Drop it afterwards."""
    template = _name_template()
    with psycopg.connect(server_url, autocommit=True) as server, _lock_template():
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [template])
        if not found.fetchone():
            incomplete = f"{template}_incomplete"
            server.execute(f"CREATE DATABASE {incomplete}".encode())
            _migrate(_change_name(server_url, incomplete))
            server.execute(f"ALTER DATABASE {incomplete} RENAME TO {template}".encode())
        server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())
        server.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
    try:
        yield _change_name(server_url, name)
    finally:
        with psycopg.connect(server_url, autocommit=True) as server:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def drop_template() -> None:
    """Drop the template at the end of a run, because the server may be used by other runs."""
    server_url = os.environ.get("DATABASE_URL", "")
    if server_url.startswith("postgres"):
        with psycopg.connect(server_url, autocommit=True) as server:
            for name in (_name_template(), f"{_name_template()}_incomplete"):
                server.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)".encode())


def _migrate(url: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--verbosity", "0"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "newsroom.settings"},
        stdin=subprocess.DEVNULL,
        check=True,
    )


@contextmanager
def _lock_template() -> Iterator[None]:
    with (Path(os.environ["TEST_DIR"]) / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _name_template() -> str:
    return "template_" + re.sub(r"\W", "_", Path(os.environ["TEST_DIR"]).name).lower()


def _change_name(server_url: str, name: str) -> str:
    return urlsplit(server_url)._replace(path=f"/{name}").geturl()


# Emptying, ten times faster than Django's flush


@cache
def _tables() -> list[str]:
    return sorted(set(connection.introspection.django_table_names(only_existing=True)) - KEPT)


def empty_tables(*_: object) -> None:
    """Delete all rows after a test that commits. Replaces `TransactionTestCase._fixture_teardown`.

    Django empties every table and creates content types and permissions again. This deletes only
    rows of tables that aren't empty, and keeps those and the roles, because no test changes them.
    """
    quoted = {table: connection.ops.quote_name(table) for table in _tables()}
    queries = [f"SELECT '{table}' WHERE EXISTS (SELECT 1 FROM {quoted[table]})" for table in quoted]  # noqa: S608
    # In one transaction, because the database checks references when it ends.
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(queries))
        for (table,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quoted[table]}")  # noqa: S608
