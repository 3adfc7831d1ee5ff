"""The demo's processes: web server, worker, beat and sandbox, each in its own process group.

Each process registers with the guardian before it starts. The guardian stops them all when its
input closes, which the kernel does if this process is killed.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

from newsroom.sandbox.process import SECRET_KEY, WEBHOOK_SECRET

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 6.0
# The demo inherits none of these from the shell, so that it never touches real data.
SETTINGS = frozenset(
    re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
)
# The demo's own servers are on this machine, so requests to them never use a proxy.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotStarted(Exception):
    """A process did not start; the message says which one and where its log is."""


def make_environment(folder: Path, *, port: int, sandbox_port: int) -> dict[str, str]:
    """Return the environment of the demo's processes: the shell's, with the demo's settings."""
    kept = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "newsroom.settings",
        "ENV_FILE": os.devnull,
        "DEMO": "true",
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "DATA_DIR": str(folder),
        "NEWSROOM_TIME_ZONE": "Europe/Kyiv",
        "READERS_PER_SUPPORTER": "10000",
        # The demo's newspaper gets webhooks, and members who return to it.
        "OUTGOING_NETWORKS": "127.0.0.0/8",
        "ACCESS_RETURN_URLS": f"http://127.0.0.1:{port}/hello/",
        # Some wait for the pretend Stripe, and the others show pages.
        "GRANIAN_BLOCKING_THREADS": "32",
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


def is_taken(port: int) -> bool:
    """Return whether another process listens on a port."""
    with socket.socket() as probe:
        # Servers set this too: a port that only lingers after a restart counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def find_free_port() -> int:
    """Return a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """The child processes by name. They stop when the `with` block or this process ends."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        self.logs = folder / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.environment = dict(environment)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._guardian = subprocess.Popen(
            [sys.executable, "-m", "newsroom.demo.guardian"],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.PIPE,
            start_new_session=True,
        )

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        """Start a Python module with arguments; its output goes to its log."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.children[name] = self._spawn(*command, output=log)
        return self.children[name]

    def run(self, *command: str, may_fail: bool = False) -> int:
        """Run a Python module in the foreground and return its exit code.

        Raises NotStarted if it fails, or if another process stops meanwhile.
        """
        child = self._spawn(*command)
        while (code := child.poll()) is None:
            for name in self.list_stopped():
                raise NotStarted(f"The {name} process stopped. See its log: {self.get_log(name)}")
            time.sleep(0.05)
        if code and not may_fail:
            raise NotStarted(f"{' '.join(command)} failed with exit code {code}.")
        return code

    def _spawn(self, *command: str, output: IO[bytes] | None = None) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=None if output is None else subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=self._register,  # noqa: PLW1509 - one system call, and no lock
        )

    def _register(self) -> None:
        """Register with the guardian. Runs in the child, so no process starts unregistered."""
        assert self._guardian.stdin is not None
        os.write(self._guardian.stdin.fileno(), b"%d\n" % os.getpid())

    def start_sandbox(self, folder: Path, *, port: int) -> None:
        self.start("sandbox", "newsroom.sandbox", "--port", str(port), "--data", str(folder))
        self.wait_for("sandbox", f"http://127.0.0.1:{port}/")

    def start_web(self, port: int) -> None:
        self.start(
            "web",
            "granian",
            *("--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--no-ws"),
            *("--log-level", "warning", "newsroom.wsgi:application"),
        )
        self.wait_for("web", f"http://127.0.0.1:{port}/")

    def start_worker(
        self, name: str = "worker", *, queues: str = "stripe,mail,publish,slow", threads: int = 4
    ) -> None:
        """Start a worker for some queues. It has threads, because most work waits for Stripe."""
        self.start(
            name,
            *("celery", "-A", "newsroom", "worker", "--queues", queues, "--hostname", f"{name}@%h"),
            *("--pool", "threads", "--concurrency", str(threads)),
            *("--loglevel", "warning", "--without-gossip", "--without-mingle"),
        )

    def start_beat(self, folder: Path) -> None:
        self.start(
            "beat",
            *("celery", "-A", "newsroom", "beat", "--loglevel", "warning"),
            *("--schedule", str(folder / "beat"), "--pidfile", ""),
        )

    def wait_for(self, name: str, url: str) -> None:
        """Wait until a process answers. Raises NotStarted if it stops or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.children[name].poll() is None:
            with contextlib.suppress(OSError), _direct.open(url, timeout=5):
                return
            time.sleep(0.1)
        raise NotStarted(f"The {name} process did not start. See its log: {self.get_log(name)}")

    def get_log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def list_stopped(self) -> Iterator[str]:
        """Return the names of the processes that stopped unexpectedly."""
        return (name for name, child in self.children.items() if child.poll() is not None)

    def stop(self) -> None:
        """Stop all processes, within seconds."""
        if self._guardian.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.close()
        deadline = time.monotonic() + STOP_SECONDS
        while self._guardian.poll() is None and time.monotonic() < deadline:
            # Reap our children, so that the guardian does not take a dead one for a live one.
            for child in self.children.values():
                child.poll()
            time.sleep(0.05)
