"""Databases on the MariaDB server of this machine, for applications that need one."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest

from tests.support.processes import is_listening

PORT = 3306
CLIENT = ("-h127.0.0.1", "-uroot")  # without a password


@contextmanager
def make_database(name: str) -> Iterator[str]:
    """Yield the name of an empty database, and drop it. Skip the test where no server answers."""
    program = shutil.which("mariadb") or shutil.which("mysql")
    if program is None or not is_listening(PORT):
        pytest.skip("No MariaDB answers on port 3306")
    database = f"{name}_{uuid4().hex[:12]}"
    run = [program, *CLIENT, "-e"]
    subprocess.run([*run, f"CREATE DATABASE {database} CHARACTER SET utf8mb4"], check=True)
    try:
        yield database
    finally:
        subprocess.run([*run, f"DROP DATABASE {database}"], check=True)


def execute(database: str, statements: str) -> None:
    """Execute SQL statements in a database that `make_database` made."""
    program = shutil.which("mariadb") or shutil.which("mysql")
    assert program is not None
    subprocess.run([program, *CLIENT, database, "-e", statements], check=True)
