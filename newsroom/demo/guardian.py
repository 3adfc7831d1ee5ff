"""Stops the demo's processes when the demo ends, even by kill -9.

It reads process groups from its standard input, one per line. The input closes when the demo is
gone, and then it stops them. It does not import Django, so it starts quickly.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 2.5  # seconds between SIGTERM and SIGKILL


def is_alive(group: int) -> bool:
    """Return whether a process group still has processes."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_groups(groups: "list[int]") -> None:
    """Terminate every group, and kill those that are still running after GRACE seconds."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        for group in groups:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
        deadline = time.monotonic() + GRACE
        while time.monotonic() < deadline:
            _reap()
            if not any(is_alive(group) for group in groups):
                return
            time.sleep(0.05)


def _reap() -> None:
    """Reap orphans of the demo, which may have become children of this process."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_groups([int(line) for line in sys.stdin if line.strip()])


if __name__ == "__main__":
    main()
