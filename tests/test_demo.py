"""`bin/demo` as a stranger runs it: a real terminal's command, its processes and its end."""

import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from newsroom.demo.processes import find_free_port

ROOT = Path(__file__).resolve().parent.parent
DEMO = [sys.executable, str(ROOT / "bin" / "demo")]

pytestmark = pytest.mark.xdist_group("demo")


def run_demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*DEMO, *arguments], capture_output=True, text=True, timeout=180, check=False
    )


def processes_of(folder: Path) -> list[int]:
    """Every process that has the demo's folder in its environment, on its command line or not."""
    wanted = f"DATA_DIR={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # gone by now, or somebody else's
            continue
    return found


def wait_until_gone(folder: Path, *, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := processes_of(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def test_the_journey_is_taken_without_a_browser_and_its_data_are_kept(tmp_path: Path) -> None:
    port = str(find_free_port())
    first = run_demo("--once", "--empty", "--port", port, "--data", str(tmp_path / "demo"))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "count  0 -> 2" in first.stdout
    for step in ("article", "join", "pay", "thanks", "gift", "mail", "claim"):
        assert re.search(rf"^{step} ", first.stdout, re.MULTILINE), first.stdout
    assert wait_until_gone(tmp_path / "demo", seconds=5) == []
    second = run_demo("--once", "--port", port, "--data", str(tmp_path / "demo"))
    assert second.returncode == 0, second.stdout + second.stderr
    assert "count  2 -> 4" in second.stdout


def test_it_opens_on_a_living_drive_and_leaves_nothing_behind_if_it_is_killed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    demo = subprocess.Popen(
        [*DEMO, "--port", str(find_free_port()), "--data", str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with demo:
        assert demo.stdout is not None
        addresses = {}
        for line in demo.stdout:
            name, address = line.split(maxsplit=2)[:2]
            addresses[name] = address
            if name == "stripe":
                break
        assert {"article", "join", "gift", "admin", "report"} <= set(addresses)
        with urllib.request.urlopen(addresses["article"]) as answer:  # noqa: S310
            article = answer.read().decode()
        assert re.search(r"312\b.{0,80}of 1,000 new members", article, re.DOTALL)
        assert len(processes_of(folder)) >= 4
        demo.send_signal(signal.SIGKILL)
    assert wait_until_gone(folder, seconds=5) == []


def test_a_taken_port_is_named_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as squatter:
        squatter.bind(("127.0.0.1", 0))
        squatter.listen()
        port = squatter.getsockname()[1]
        done = run_demo("--port", str(port), "--data", str(tmp_path / "demo"))
    assert done.returncode == 1
    assert f"Port {port} is taken." in done.stderr
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("option", ["--fresh", "--empty"])
def test_a_folder_of_somebody_elses_is_never_touched(tmp_path: Path, option: str) -> None:
    (tmp_path / "thesis.txt").write_text("five years of work")
    done = run_demo(option, "--port", str(find_free_port()), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "not the demo's" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "five years of work"
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]
