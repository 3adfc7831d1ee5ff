"""Connections to PostgreSQL: few, used again, and replaced after the database has restarted."""

import os
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import connection

from newsroom.database import base
from newsroom.demo.processes import find_free_port
from tests.support.processes import Site, run_site, wait_until
from tests.support.servers import PostgresServer
from tests.support.site_sales import CARD, ROWS, assert_counted_once, make_orders, read_counted
from tests.support.threads import race

on_postgres = pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="SQLite has no connections to share",
)
with_processes = pytest.mark.xdist_group("survival")

READERS = 12
WAVES = 2
# Threads end when they were idle for this long, in seconds. Granian's default is 30.
IDLE = 5
THREADS = 4


def read_backend() -> int:
    """Return the id of the server's process that serves this thread."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def close_at_server(backends: list[int]) -> None:
    """Close connections as a restart of the server does."""
    running = "SELECT count(*) FROM pg_stat_activity WHERE pid = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM unnest(%s) pid", [backends])
        cursor.execute(running, [backends])
        while cursor.fetchone() != (0,):
            cursor.execute(running, [backends])


def use_together(threads: int) -> list[int]:
    """Use the database in so many threads at the same time, and return their backends."""
    together = threading.Barrier(threads)
    read_backend()  # so that this thread has its own

    def use() -> int:
        backend = read_backend()
        together.wait(20)
        return backend

    backends = race(*[use] * threads)
    assert all(isinstance(backend, int) for backend in backends), backends
    return [int(str(backend)) for backend in backends]


@on_postgres
@pytest.mark.both_databases
@pytest.mark.usefixtures("transactional_db")
def test_a_thread_takes_a_connection_that_another_one_has_left() -> None:
    first = use_together(3)
    assert len(set(first)) == 3
    assert set(use_together(3)) == set(first)
    [single] = use_together(1)
    assert single in first


@on_postgres
@pytest.mark.both_databases
@pytest.mark.usefixtures("transactional_db")
def test_connections_that_the_server_has_closed_are_replaced_without_an_error() -> None:
    closed = use_together(4)
    close_at_server(closed)
    for _ in range(2):
        assert not set(use_together(4)) & set(closed)


@on_postgres
@pytest.mark.both_databases
@pytest.mark.usefixtures("transactional_db")
def test_an_old_connection_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    [old] = use_together(1)
    monkeypatch.setattr(base, "LIFETIME", -1.0)
    assert use_together(1) != [old]


@on_postgres
@pytest.mark.both_databases
@pytest.mark.usefixtures("transactional_db")
def test_a_connection_with_an_open_transaction_is_not_passed_on() -> None:
    def leave_open() -> int:
        connection.set_autocommit(False)
        return read_backend()

    [left] = race(leave_open)
    assert left not in use_together(2)


def count_connections(site: Site) -> int:
    rows = site.query(
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return int(rows[0][0])


def start_web(site: Site, name: str, *options: str, settings: str) -> str:
    """Start another web server of the site, with the documented command, and return its URL."""
    port = find_free_port()
    site.processes.environment["DJANGO_SETTINGS_MODULE"] = settings
    site.processes.start(
        name,
        *("granian", "--interface", "wsgi", "newsroom.wsgi:application", "--port", str(port)),
        *("--workers", "1", "--blocking-threads-idle-timeout", str(IDLE), *options),
    )
    url = f"http://127.0.0.1:{port}/campaign/birthday/join/"  # not a published file
    site.processes.wait_for(name, url)
    return url


def read(url: str) -> int:
    with urllib.request.urlopen(url, timeout=60) as answer:  # noqa: S310
        return int(answer.status)


def send_waves(site: Site, url: str) -> list[int]:
    """Send waves of readers, and return the open connections after each wave."""
    open_after = []
    with ThreadPoolExecutor(READERS) as readers:
        for _ in range(WAVES):
            assert set(readers.map(read, [url] * READERS)) == {200}
            open_after.append(count_connections(site))
            time.sleep(IDLE + 2)
    return open_after


@on_postgres
@with_processes
@pytest.mark.both_databases
@pytest.mark.thorough
def test_waves_of_readers_do_not_use_up_the_connections(tmp_path: Path) -> None:
    with run_site(tmp_path / "site", worker=False) as site:
        at_rest = count_connections(site)
        url = start_web(site, "before", settings="tests.support.persistent_connections")
        before = send_waves(site, url)
        web = site.processes.children.pop("before")
        web.terminate()
        web.wait(30)
        wait_until(lambda: count_connections(site) <= at_rest, seconds=30)
        url = start_web(
            site, "now", "--blocking-threads", str(THREADS), settings="newsroom.settings"
        )
        now = send_waves(site, url)
        assert max(now) <= at_rest + THREADS
        assert before[-1] > READERS, "the control must keep connections of threads that ended"


@with_processes
@pytest.mark.once  # it has a server of its own
@pytest.mark.thorough
def test_a_restart_of_the_database_loses_no_sale_and_needs_no_help(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        server = PostgresServer(Path(folder))
        monkeypatch.setenv("DATABASE_URL", server.url)
        try:
            with run_site(tmp_path / "site", rows=ROWS) as site:
                sessions = make_orders(site, range(20))
                for session in sessions[:10]:
                    site.sandbox.pay(session, card=CARD)
                server.stop()
                for session in sessions[10:]:
                    site.sandbox.pay(session, card=CARD)
                time.sleep(3)
                server.start()
                page = f"{site.url}/campaign/birthday/join/"
                assert [read(page) for _ in range(5)] == [200] * 5
                # A Checkout is due after 30 s, and its job runs every 15 s.
                wait_until(lambda: read_counted(site) >= 20, seconds=90)
                assert_counted_once(site, 20)
                assert not list(site.processes.list_stopped())
        finally:
            server.stop()
