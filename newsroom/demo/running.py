"""`bin/demo`: the campaign, a pretend Stripe and all processes on this machine. Ctrl-C ends them."""

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
# In the folder from the first moment on, and once its rows are complete.
MARKER, COMPLETE = ".newsroom-demo", ".complete"


class Refused(Exception):
    """The demo will not start; the message says why and what to do."""


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bin/demo",
        description="The membership campaign with a pretend Stripe; no money moves.",
    )
    parser.add_argument("--port", type=read_port, default=8000, help="where it listens (8000)")
    parser.add_argument(
        "--data", type=Path, default=ROOT / ".demo", help="where its data live (.demo)"
    )
    parser.add_argument("--empty", action="store_true", help="begin at 0 of 1,000, not at 312")
    parser.add_argument("--fresh", action="store_true", help="begin anew: its old data are deleted")
    parser.add_argument(
        "--once", action="store_true", help="take the whole journey without a browser, and end"
    )
    return parser.parse_args(arguments)


def read_port(typed: str) -> int:
    port = int(typed) if typed.isascii() and typed.isdigit() else 0
    if not 1024 <= port <= 65535:
        raise argparse.ArgumentTypeError("a port is a number from 1024 to 65535")
    return port


def main(arguments: list[str]) -> int:
    """Run the demo until it is ended; the exit code."""
    options = read_arguments(arguments)
    # A shell's background job comes with SIGINT ignored; whoever sends it means it all the same.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        return run(options)
    except (Refused, NotStarted) as error:
        say(str(error))
        return 1
    except KeyboardInterrupt:
        say("\nEnded.")
        return 130 if options.once else 0


def run(options: argparse.Namespace) -> int:
    folder = options.data.resolve()
    refuse_taken_port(options.port)
    refuse_foreign_folder(folder)
    with lock_folder(folder):
        return run_in(folder, options)


def run_in(folder: Path, options: argparse.Namespace) -> int:
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
            processes.run("django", "migrate", "--verbosity", "0")
        start_site(processes, folder, port=options.port)
        if options.once:
            return processes.run("django", "take_journey", may_fail=True)
        print_addresses(environment)
        return watch(processes)


def start_site(processes: Processes, folder: Path, *, port: int) -> None:
    """Web server, worker and beat, and the sandbox's webhooks on their way to them."""
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
    if is_taken(port):
        raise Refused(
            f"Port {port} is taken. If another demo is running, end it; or choose another port, "
            f"such as bin/demo --port {port + 1}"
        )


def refuse_foreign_folder(folder: Path) -> None:
    """Only what the demo made itself is ever written to or deleted."""
    ours = (folder / MARKER).exists()
    if folder.exists() and not ours and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(f"{folder} holds something that is not the demo's. Choose another --data.")


def lock_folder(folder: Path) -> IO[str]:
    """Keep the folder for this demo alone, until what is returned is closed or we are gone."""
    folder.mkdir(parents=True, exist_ok=True)
    lock = (folder / MARKER).open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise Refused(
            f"Another demo runs on {folder}. End it, or choose another --data."
        ) from error
    return lock


def clear_folder(folder: Path, *, fresh: bool) -> None:
    """Begin anew if that is wanted, or if an earlier setting up was broken off."""
    if (folder / COMPLETE).exists() and not fresh:
        return
    (folder / COMPLETE).unlink(missing_ok=True)
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != MARKER:
            entry.unlink()


def choose_sandbox_port(folder: Path) -> int:
    """The same at every start if it is free, since Stripe's addresses stand in the rows."""
    kept = folder / "sandbox-port"
    port = int(kept.read_text()) if kept.exists() else find_free_port()
    if is_taken(port):
        port = find_free_port()
    kept.write_text(str(port))
    return port


def print_addresses(environment: Mapping[str, str]) -> None:
    site = environment["SITE_URL"]
    lines = {
        "article": f"{site}/",
        "campaign": f"{site}/campaign/birthday/",
        "join": f"{site}/campaign/birthday/join/",
        "gift": f"{site}/campaign/birthday/gift/",
        "claim": f"{site}/claim/",
        "mails": f"{site}/mails/",
        "admin": f"{site}/admin/  (editor, third-birthday)",
        "report": f"{site}/admin/campaigns/campaign/1/progress/",
        "stripe": f"{environment['STRIPE_API_BASE']}/",
    }
    for name, address in lines.items():
        sys.stdout.write(f"{name:<9} {address}\n")
    sys.stdout.flush()
    say("Ctrl-C ends everything.")


def watch(processes: Processes) -> int:
    """Until Ctrl-C, or until a process ends that should not."""
    while True:
        for name in processes.ended():
            say(f"The {name} process ended by itself; its log is {processes.log_of(name)}.")
            return 1
        time.sleep(0.5)


def say(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt
