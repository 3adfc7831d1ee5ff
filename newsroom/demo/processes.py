"""The demo's processes: web server, worker, beat and sandbox, each in a process group of its own.

Each tells the guardian of itself before it becomes what it is; closing the guardian's input ends
them all, and the kernel closes it if we are killed.
"""

import contextlib
import os
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
END_SECONDS = 6.0
# What a shell may hold that the demo must not inherit: it never touches anybody's real data.
FOREIGN = (
    "ANYMAIL",
    "CACHE_URL",
    "CELERY_BROKER_URL",
    "CSRF_TRUSTED_ORIGINS",
    "DATABASE_URL",
    "DEFAULT_FROM_EMAIL",
    "DJANGO_SETTINGS_MODULE",
    "EMAIL_URL",
    "EVENT_RETENTION_DAYS",
    "GIFT_CODE_KEY",
    "GIFT_CODE_KEY_FALLBACKS",
    "GRACE_DAYS",
    "MAIL_DIR",
    "MAIL_PROVIDER",
    "NEWSROOM_NAME",
    "PUBLISH_DIR",
    "SECRET_KEY",
    "SECURE_HSTS_INCLUDE_SUBDOMAINS",
    "SECURE_HSTS_PRELOAD",
    "SECURE_HSTS_SECONDS",
    "SECURE_SSL_REDIRECT",
    "STAFF_EMAIL",
)
# All that the demo asks is on this machine, whatever proxy leads out of it.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class NotStarted(Exception):
    """A process did not come up; the message says which, and where its log is."""


def make_environment(folder: Path, *, port: int, sandbox_port: int) -> dict[str, str]:
    """Everything that the demo's processes have to know, on top of the shell's own."""
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return kept | {
        "DJANGO_SETTINGS_MODULE": "newsroom.settings",
        "ENV_FILE": os.devnull,
        "DEMO": "true",
        "DEBUG": "false",
        "LOG_LEVEL": "WARNING",
        "PYTHONUNBUFFERED": "1",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "BEHIND_PROXY": "false",
        "DATA_DIR": str(folder),
        "NO_PROXY": "127.0.0.1,localhost",
        "no_proxy": "127.0.0.1,localhost",
        "SITE_URL": f"http://127.0.0.1:{port}",
        "STRIPE_API_BASE": f"http://127.0.0.1:{sandbox_port}",
        "STRIPE_SECRET_KEY": SECRET_KEY,
        "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    }


def is_taken(port: int) -> bool:
    with socket.socket() as probe:
        # As a server would: a port that only lingers after a restart is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Processes:
    """The children by name. Leave its `with` block, or die: they end."""

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
        self.end()

    def start(self, name: str, *command: str) -> "subprocess.Popen[bytes]":
        """Start a Python module with its arguments; what it says goes to its log."""
        with (self.logs / f"{name}.log").open("ab") as log:
            self.children[name] = self._spawn(*command, output=log)
        return self.children[name]

    def run(self, *command: str, may_fail: bool = False) -> int:
        """Run one to its end, in sight; its exit code.

        Raises NotStarted if it failed, or if one that should stay ended meanwhile.
        """
        child = self._spawn(*command)
        while (code := child.poll()) is None:
            for name in self.ended():
                raise NotStarted(f"The {name} process ended; its log is {self.log_of(name)}.")
            time.sleep(0.05)
        if code and not may_fail:
            raise NotStarted(f"{' '.join(command)} ended with exit code {code}.")
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
            preexec_fn=self._tell_guardian,  # noqa: PLW1509 - one system call, and no lock
        )

    def _tell_guardian(self) -> None:
        """In the child, before it runs anything: there is no moment at which nobody knows of it."""
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
            *("--blocking-threads", "8", "--log-level", "warning", "newsroom.wsgi:application"),
        )
        self.wait_for("web", f"http://127.0.0.1:{port}/")

    def start_worker(self) -> None:
        self.start(
            "worker",
            *("celery", "-A", "newsroom", "worker", "--concurrency", "2"),
            *("--loglevel", "warning", "--without-gossip", "--without-mingle"),
        )

    def start_beat(self, folder: Path) -> None:
        self.start(
            "beat",
            *("celery", "-A", "newsroom", "beat", "--loglevel", "warning"),
            *("--schedule", str(folder / "beat"), "--pidfile", ""),
        )

    def wait_for(self, name: str, url: str) -> None:
        """Until it answers. Raises NotStarted if it ends, or says nothing in time."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.children[name].poll() is None:
            with contextlib.suppress(OSError), _direct.open(url, timeout=5):
                return
            time.sleep(0.1)
        raise NotStarted(f"The {name} process did not start; its log is {self.log_of(name)}.")

    def log_of(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def ended(self) -> Iterator[str]:
        """The names of those that ended by themselves."""
        return (name for name, child in self.children.items() if child.poll() is not None)

    def end(self) -> None:
        """End them all, within seconds."""
        if self._guardian.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._guardian.stdin.close()
        deadline = time.monotonic() + END_SECONDS
        while self._guardian.poll() is None and time.monotonic() < deadline:
            # Reaped here, since they are our children: a dead one must not look alive to it.
            for child in self.children.values():
                child.poll()
            time.sleep(0.05)
