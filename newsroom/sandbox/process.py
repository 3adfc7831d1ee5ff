"""Starts and stops a sandbox from tests, the demo or a benchmark. Needs no Django."""

import contextlib
import os
import selectors
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

SECRET_KEY = "sk_test_newsroom_sandbox"  # noqa: S105
WEBHOOK_SECRET = "whsec_newsroom_sandbox"  # noqa: S105
START_SECONDS = 20.0
STOP_SECONDS = 5.0
_ROOT = Path(__file__).resolve().parents[2]


@dataclass
class SandboxProcess:
    """A running sandbox. Stop it with `stop()` or by leaving its `with` block."""

    url: str
    secret_key: str
    webhook_secret: str
    process: "subprocess.Popen[str]"

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self.process.stdout is not None:
            self.process.stdout.close()

    def __enter__(self) -> "SandboxProcess":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def start_sandbox(
    data_dir: Path | str,
    *,
    port: int = 0,
    webhook_url: str = "",
    webhook_secret: str = WEBHOOK_SECRET,
    secret_key: str = SECRET_KEY,
) -> SandboxProcess:
    """Start a sandbox and wait until it answers. Raise RuntimeError if it doesn't."""
    command = [
        *(sys.executable, "-m", "newsroom.sandbox", "--port", str(port), "--data", str(data_dir)),
        *("--webhook-url", webhook_url, "--webhook-secret", webhook_secret),
        *("--secret-key", secret_key),
    ]
    environ = {**os.environ, "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(  # noqa: S603
        command, cwd=_ROOT, env=environ, stdout=subprocess.PIPE, text=True
    )
    line = _read_line(process)
    if not line.startswith("sandbox"):
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
        raise RuntimeError(f"The sandbox did not start (exit {process.returncode}): {line!r}")
    return SandboxProcess(
        url=line.split()[-1],
        secret_key=secret_key,
        webhook_secret=webhook_secret,
        process=process,
    )


def _read_line(process: "subprocess.Popen[str]") -> str:
    if process.stdout is None:
        return ""
    deadline = time.monotonic() + START_SECONDS
    with contextlib.closing(selectors.DefaultSelector()) as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while time.monotonic() < deadline:
            if selector.select(timeout=0.2):
                return process.stdout.readline()
            if process.poll() is not None:
                break
    return ""
