"""`bin/demo` as a newcomer runs it, and the newspaper's pages."""

import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.test import Client
from django.utils import timezone

from newsroom.demo import running
from newsroom.demo.articles import ARTICLES
from newsroom.demo.processes import find_free_port, make_environment
from newsroom.sandbox.control import SandboxControl
from tests.test_settings_documented import read_settings

ROOT = Path(__file__).resolve().parents[2]
COUNT = r"\b{}\b.{{0,80}}of 1,000 new members"
DEMO = [sys.executable, str(ROOT / "bin" / "demo")]

pytestmark = [pytest.mark.xdist_group("demo"), pytest.mark.long, pytest.mark.once]


def run_demo(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*DEMO, *arguments], capture_output=True, text=True, timeout=180, check=False
    )


@contextmanager
def run_until_ended(
    *arguments: str,
) -> "Iterator[tuple[subprocess.Popen[str], dict[str, str]]]":
    """Start the demo and yield it with the addresses that it printed."""
    demo = subprocess.Popen(
        [*DEMO, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with demo:
        try:
            yield demo, dict(_read_addresses(demo))
        finally:
            demo.kill()


def _read_addresses(demo: "subprocess.Popen[str]") -> Iterator[tuple[str, str]]:
    assert demo.stdout is not None
    for line in demo.stdout:
        name, address = line.split(maxsplit=2)[:2]
        yield name, address
        if name == "stripe":
            return


def read(address: str) -> str:
    with urllib.request.urlopen(address) as answer:  # noqa: S310 - an address of the demo's
        return str(answer.read().decode())


def list_processes(folder: Path) -> list[int]:
    """Return every process whose environment names the demo's folder."""
    setting = f"DATA_DIR={folder}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and setting in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:  # it has ended, or belongs to another user
            continue
    return found


def wait_until_stopped(folder: Path, *, seconds: float) -> list[int]:
    deadline = time.monotonic() + seconds
    while (left := list_processes(folder)) and time.monotonic() < deadline:
        time.sleep(0.1)
    return left


def read_row(folder: Path, sql: str) -> tuple[Any, ...]:
    with closing(sqlite3.connect(folder / "db.sqlite3", timeout=20)) as database:
        row: tuple[Any, ...] = database.execute(sql).fetchone()
        return row


@pytest.mark.thorough
def test_the_journey_works_without_a_browser_and_its_data_are_kept(tmp_path: Path) -> None:
    port = str(find_free_port())
    first = run_demo("--once", "--empty", "--port", port, "--data", str(tmp_path / "demo"))
    assert first.returncode == 0, first.stdout + first.stderr
    assert "count    0 -> 2" in first.stdout
    for step in ("article", "join", "pay", "thanks", "gift", "mail", "claim"):
        assert re.search(rf"^{step} ", first.stdout, re.MULTILINE), first.stdout
    assert wait_until_stopped(tmp_path / "demo", seconds=5) == []
    with run_until_ended("--port", port, "--data", str(tmp_path / "demo")) as (second, addresses):
        assert re.search(COUNT.format(2), read(addresses["article"]), re.DOTALL)
        second.send_signal(signal.SIGINT)
        assert second.wait(timeout=10) == 0
    assert wait_until_stopped(tmp_path / "demo", seconds=1) == []


@pytest.mark.thorough
def test_the_demo_starts_with_sales_and_leaves_no_processes_if_it_is_killed(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "demo"
    port = str(find_free_port())
    with run_until_ended("--port", port, "--data", str(folder)) as (demo, addresses):
        assert {"article", "join", "gift", "admin", "report"} <= set(addresses)
        for name in ("article", "campaign", "join", "gift", "admin", "report", "mails", "stripe"):
            assert read(addresses[name]), name
        assert re.search(COUNT.format(312), read(addresses["article"]), re.DOTALL)
        check_history_against_sandbox(folder, addresses["stripe"])
        rival = run_demo("--fresh", "--port", str(find_free_port()), "--data", str(folder))
        assert rival.returncode == 1
        assert f"Another demo is using {folder}." in rival.stderr
        assert len(list_processes(folder)) >= 4
        demo.send_signal(signal.SIGKILL)
    assert wait_until_stopped(folder, seconds=5) == []


def check_history_against_sandbox(folder: Path, stripe: str) -> None:
    """Assert that the database agrees with the sandbox's books, but for the earlier campaigns."""
    sandbox = SandboxControl(stripe)
    books = sandbox.books()["currencies"]["eur"]
    sandbox.close()
    payments = (
        "SELECT sum(amount_minor), count(*) FROM campaigns_payment "
        "WHERE status='succeeded' AND substr(intent_id, 1, 8) <> 'pi_made_'"
    )
    assert read_row(folder, payments) == (books["gross_minor"], books["counts"]["charge"])
    refunds = (
        "SELECT sum(amount_minor), count(*) FROM campaigns_refund "
        "WHERE substr(refund_id, 1, 8) <> 're_made_'"
    )
    assert read_row(folder, refunds) == (books["refunded_minor"], books["counts"]["refund"])
    assert books["counts"]["refund"] > 3
    assert books["counts"]["dispute"] == 1
    # Every sale is in the past, no e-mail is due, and gifts were claimed after their payment.
    assert read_row(
        folder, "SELECT count(*) FROM campaigns_outgoingmail WHERE sent_at IS NULL"
    ) == (0,)
    assert not list((folder / "mails").glob("*"))
    claimed = "SELECT count(*) FROM campaigns_gift WHERE status='claimed' AND claimed_at > paid_at"
    assert read_row(folder, claimed)[0] > 10
    # The events of these sales are stored, dated back, and none is due.
    events = "SELECT count(*), sum(next_attempt_at IS NULL) FROM campaigns_stripeevent"
    stored, closed = read_row(folder, events)
    assert stored == closed > 1000
    days = "SELECT count(DISTINCT date(created_at)) FROM campaigns_checkout"
    assert read_row(folder, days)[0] >= 19


def test_a_port_in_use_is_reported_before_anything_starts(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        done = run_demo("--port", str(port), "--data", str(tmp_path / "demo"))
    assert done.returncode == 1
    assert f"Port {port} is already in use." in done.stderr
    assert not (tmp_path / "demo").exists()


@pytest.mark.parametrize("option", ["--fresh", "--empty"])
def test_a_folder_with_other_files_is_never_touched(tmp_path: Path, option: str) -> None:
    (tmp_path / "thesis.txt").write_text("five years of work")
    done = run_demo(option, "--port", str(find_free_port()), "--data", str(tmp_path))
    assert done.returncode == 1
    assert "files that the demo did not create" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "five years of work"
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.parametrize("port", ["0", "80", "65536", "eighty"])
def test_an_invalid_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        running.read_arguments(["--port", port])
    assert "choose a port number from 1024 to 65535" in capsys.readouterr().err


def test_a_fresh_start_deletes_only_the_demos_files(tmp_path: Path) -> None:
    with running.lock_folder(tmp_path):
        (tmp_path / "mails").mkdir()
        (tmp_path / "mails" / "1.eml").write_text("old")
        (tmp_path / running.COMPLETE).touch()
        running.clear_folder(tmp_path, fresh=False)
        assert (tmp_path / "mails" / "1.eml").exists()
        running.clear_folder(tmp_path, fresh=True)
        assert [each.name for each in tmp_path.iterdir()] == [running.MARKER]
        # An incomplete set-up is deleted even without --fresh.
        (tmp_path / "db.sqlite3").write_text("half of it")
        running.clear_folder(tmp_path, fresh=False)
        assert [each.name for each in tmp_path.iterdir()] == [running.MARKER]


def test_no_shell_setting_reaches_the_demo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = read_settings()
    for name in names:
        monkeypatch.setenv(name, "production")
    environment = make_environment(tmp_path, port=8000, sandbox_port=8001)
    assert {name for name in names if environment.get(name) == "production"} == set()


# The newspaper. Without the `db` fixture, a database query fails the test.


@pytest.mark.parametrize("slug", ARTICLES)
def test_an_article_makes_no_database_queries(
    client: Client, settings: LazySettings, slug: str
) -> None:
    folder = Path(settings.PUBLISH_DIR) / "birthday" / "en"
    folder.mkdir(parents=True)
    for placement in ("top", "inline", "end"):
        (folder / f"{placement}.html").write_text(f"<aside>at the {placement}</aside>")
    answer = client.get(f"/articles/{slug}/")
    page = answer.content.decode()
    assert answer.status_code == 200
    places = [page.index(f"at the {placement}") for placement in ("top", "inline", "end")]
    paragraphs = ARTICLES[slug].paragraphs
    assert places == sorted(places)
    assert page.index(paragraphs[2][:20]) < places[1] < page.index(paragraphs[3][:20]) < places[2]
    assert ARTICLES[slug].published_on <= timezone.localdate()


def test_an_article_works_without_its_banners(client: Client) -> None:
    answer = client.get("/")
    assert answer.status_code == 200
    assert "More stories" in answer.content.decode()


@pytest.mark.django_db
def test_e_mails_are_listed_and_their_scripts_cannot_run(
    client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.MAIL_DIR = tmp_path / "mails"
    assert "No e-mails yet" in client.get("/mails/").content.decode()
    connection = get_connection("newsroom.demo.mails.FolderBackend")
    for subject in ("The older", "The <newer>"):
        mail = EmailMultiAlternatives(subject, "plain words", to=["ada@example.org"])
        mail.attach_alternative("<html><head></head><script>bad()</script></html>", "text/html")
        connection.send_messages([mail])
    page = client.get("/mails/").content.decode()
    assert page.index("The &lt;newer&gt;") < page.index("The older")
    address = re.findall(r'href="(/mails/[^/"]+/)"', page)[0]
    shown = client.get(address).content.decode()
    assert "plain words" in shown
    assert f'src="{address}body/"' in shown
    body = client.get(f"{address}body/")
    assert body.headers["X-Frame-Options"] == "SAMEORIGIN"
    policy = body.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script" not in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "unsafe-inline" not in client.get(address).headers["Content-Security-Policy"]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["nothing", "1-2", "..%2Fdb"])
def test_an_unknown_e_mail_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/mails/{name}/").status_code == 404
    assert client.get(f"/mails/{name}/body/").status_code == 404
