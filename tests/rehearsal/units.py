"""Runs systemd units as processes: what `systemctl` does, as far as a rehearsal needs it."""

import contextlib
import os
import shlex
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path


class Unit:
    """One service, started as its unit file says, and restarted when it ends."""

    def __init__(
        self, name: str, folder: Path, *, log: Path, translate: Callable[[str], str]
    ) -> None:
        self.name, self.log = name, log
        template, separator, instance = name.partition("@")
        file = folder / f"{template}{separator}.service"
        self.lines = [
            (key, translate(value.replace("%i", instance)))
            for key, found, value in (
                line.partition("=") for line in file.read_text().splitlines() if line[:1] != "#"
            )
            if found
        ]
        self.process: subprocess.Popen[bytes] | None = None
        self.is_wanted = False

    def get(self, key: str, default: str = "") -> str:
        return next((value for found, value in self.lines if found == key), default)

    def start(self) -> None:
        self.is_wanted = True
        if self.process is not None and self.process.poll() is None:
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                shlex.split(self.get("ExecStart")),
                cwd=Path(self.get("WorkingDirectory")).resolve(),
                env=self._read_environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        self.is_wanted = False
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(float(self.get("TimeoutStopSec", "30")))
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the service with SIGKILL; it is still wanted, so it is started again."""
        assert self.process is not None
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: int) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    def _read_environment(self) -> dict[str, str]:
        """Return PATH and what the unit and its files set; later lines win."""
        variables = {"PATH": os.environ["PATH"]}
        for key, value in self.lines:
            if key == "Environment":
                variables.update(split_pair(word) for word in shlex.split(value))
            elif key == "EnvironmentFile":
                variables |= read_environment_file(Path(value))
        return variables


class Units:
    """All services, with a thread that restarts those that ended."""

    def __init__(self, load: Callable[[str], Unit]) -> None:
        self._load = load
        self._units: dict[str, Unit] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def __getitem__(self, name: str) -> Unit:
        if name not in self._units:
            self._units[name] = self._load(name)
        return self._units[name]

    def control(self, verb: str, *names: str) -> None:
        """Do what `systemctl VERB NAME ...` does."""
        for name in names:
            with self._lock:
                if verb in {"stop", "restart"}:
                    self[name].stop()
                if verb in {"start", "restart", "enable"}:
                    self[name].start()

    def stop(self) -> None:
        self._stopping.set()
        for unit in self._units.values():
            unit.stop()

    def _watch(self) -> None:
        while not self._stopping.wait(0.2):
            with self._lock:
                ended = [
                    unit
                    for unit in self._units.values()
                    if unit.is_wanted and unit.process and unit.process.poll() is not None
                ]
            if ended:
                time.sleep(2)  # RestartSec
            with self._lock:
                for unit in ended:
                    if unit.is_wanted and not self._stopping.is_set():
                        unit.start()


def split_pair(text: str) -> tuple[str, str]:
    name, _, value = text.strip().partition("=")
    return name, value.strip("\"'")


def read_environment_file(path: Path) -> Mapping[str, str]:
    lines = path.read_text().splitlines()
    return dict(split_pair(line) for line in lines if "=" in line and line[:1] != "#")
