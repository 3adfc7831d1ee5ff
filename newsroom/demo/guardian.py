"""Ends the demo's processes however the demo itself ends, by kill -9 too.

It reads process groups from its standard input, one a line, and waits: the input closes when the
demo is gone, whatever took it. Knows nothing of Django, so that it starts at once.
"""

import contextlib
import os
import signal
import sys
import time

GRACE = 2.5  # seconds between asking and ending


def is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def end_groups(groups: "list[int]") -> None:
    """Ask every group to end, and end those that have not done so within the grace."""
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
    """Orphans of the demo may be ours by now."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass


def main() -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    end_groups([int(line) for line in sys.stdin if line.strip()])


if __name__ == "__main__":
    main()
