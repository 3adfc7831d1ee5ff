"""`bin/demo`: run the campaign, a pretend Stripe and all processes until Ctrl-C."""

import argparse
import fcntl
import shutil
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import IO, NoReturn

from newsroom.demo.processes import (
    NotStarted,
    Processes,
    find_free_port,
    is_taken,
    make_environment,
)
from newsroom.sandbox.control import SandboxControl

ROOT = Path(__file__).resolve().parents[2]
# Files in the demo's folder: the first marks it as the demo's, the second says it is set up.
MARKER, COMPLETE = ".newsroom-demo", ".complete"


class Refused(Exception):
    """The demo cannot start; the message says why and what to do."""


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="Run the membership campaign with a pretend Stripe. No real money moves.",
    )
    parser.add_argument(
        "--port", type=read_port, default=8000, help="port of the website (default: 8000)"
    )
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".demo", help="folder for its data (default: .demo)"
    )
    parser.add_argument(
        "--empty", action="store_true", help="start at 0 of 1,000 new members instead of 312"
    )
    parser.add_argument(
        "--fresh", action="store_true", help="delete the demo's old data and start again"
    )
    parser.add_argument(
        "--once", action="store_true", help="test the whole journey without a browser, then stop"
    )
    return parser.parse_args(arguments)


def read_port(typed: str) -> int:
    """Parse a port number."""
    port = int(typed) if typed.isascii() and typed.isdigit() else 0
    if not 1024 <= port <= 65535:
        raise argparse.ArgumentTypeError("choose a port number from 1024 to 65535")
    return port


def main(arguments: list[str]) -> int:
    """Run the demo until it is stopped and return the exit code."""
    options = read_arguments(arguments)
    # Shells start background jobs with SIGINT ignored; the demo stops on it anyway.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return run(options)
    except (Refused, NotStarted) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nDemo stopped.")
        return 130 if options.once else 0


def run(options: argparse.Namespace) -> int:
    """Check the port and the folder, then run the demo in it."""
    folder = options.data.resolve()
    refuse_taken_port(options.port)
    refuse_other_folder(folder)
    with lock_folder(folder):
        return run_in(folder, options)


def run_in(folder: Path, options: argparse.Namespace) -> int:
    """Set up the campaign if needed and run all processes."""
    clear_folder(folder, fresh=options.fresh)
    sandbox_port = choose_sandbox_port(folder)
    environment = make_environment(folder, port=options.port, sandbox_port=sandbox_port)
    with Processes(folder, environment) as processes:
        processes.start_sandbox(folder / "sandbox", port=sandbox_port)
        if not (folder / COMPLETE).exists():
            say("Setting up the campaign ...")
            processes.run("django", "set_up_demo", *(["--empty"] if options.empty else []))
            (folder / COMPLETE).touch()
        else:
            processes.run("django", "set_up_demo", "--again")
        start_site(processes, folder, port=options.port)
        if options.once:
            return processes.run("django", "take_journey", may_fail=True)
        print_addresses(environment)
        return watch(processes)


def start_site(processes: Processes, folder: Path, *, port: int) -> None:
    """Start web server, worker and beat, and have the sandbox send its webhooks to them."""
    processes.start_web(port)
    processes.start_worker()
    processes.start_beat(folder)
    control = SandboxControl(processes.environment["STRIPE_API_BASE"])
    control.set_webhook(
        f"{processes.environment['SITE_URL']}/stripe/webhook/",
        secret=processes.environment["STRIPE_WEBHOOK_SECRET"],
    )
    control.close()


def refuse_taken_port(port: int) -> None:
    """Raise Refused if another process listens on the port."""
    if is_taken(port):
        raise Refused(
            f"Port {port} is already in use. If another demo is running, stop it. Or choose "
            f"another port: bin/demo --port {port + 1}"
        )


def refuse_other_folder(folder: Path) -> None:
    """Raise Refused if the folder has files that the demo did not create."""
    ours = (folder / MARKER).exists()
    if folder.exists() and not ours and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(
            f"{folder} contains files that the demo did not create. Choose another --data."
        )


def lock_folder(folder: Path) -> IO[str]:
    """Lock the folder for this demo until the returned file is closed. Raises Refused."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / MARKER).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise Refused(
            f"Another demo is using {folder}. Stop it, or choose another --data."
        ) from error
    return lock


def clear_folder(folder: Path, *, fresh: bool) -> None:
    """Delete old data if `fresh`, or if an earlier set-up was not completed."""
    if (folder / COMPLETE).exists() and not fresh:
        return
    (folder / COMPLETE).unlink(missing_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARKER:
            entry.unlink()


def choose_sandbox_port(folder: Path) -> int:
    """Return the same port as last time if it is free: rows contain the sandbox's URLs."""
    file = folder / "sandbox-port"
    port = int(file.read_text()) if file.exists() else find_free_port()
    if is_taken(port):
        port = find_free_port()
    file.write_text(str(port))
    return port


def print_addresses(environment: Mapping[str, str]) -> None:
    """Print where to find each page."""
    site = environment["SITE_URL"]
    lines = {
        "article": f"{site}/",
        "campaign": f"{site}/campaign/birthday/",
        "join": f"{site}/campaign/birthday/join/",
        "gift": f"{site}/campaign/birthday/gift/",
        "claim": f"{site}/claim/",
        "mails": f"{site}/mails/",
        "admin": f"{site}/admin/  (user: editor, password: third-birthday)",
        "report": f"{site}/admin/campaigns/campaign/1/progress/",
        "stripe": f"{environment['STRIPE_API_BASE']}/",
    }
    for name, address in lines.items():
        sys.stdout.write(f"{name:<9} {address}\n")
    sys.stdout.flush()
    say("Press Ctrl-C to stop the demo.")


def watch(processes: Processes) -> int:
    """Wait for Ctrl-C, or until a process stops unexpectedly."""
    while True:
        for name in processes.list_stopped():
            say(f"The {name} process stopped. See its log: {processes.get_log(name)}")
            return 1
        time.sleep(0.5)


def say(line: str) -> None:
    """Print a line to standard error."""
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
