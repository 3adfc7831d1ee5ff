"""Waves of readers use a bounded number of database connections."""

import os
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from newsroom.demo.processes import find_free_port
from tests.support.processes import Site, run_site, wait_until

pytestmark = [
    pytest.mark.xdist_group("survival"),
    pytest.mark.both_databases,
    pytest.mark.thorough,
]

READERS = 12
WAVES = 2
# Threads end when they were idle for this long, in seconds. Granian's default is 30.
IDLE = 5
THREADS = 4


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


@pytest.mark.skipif(
    not os.environ.get("DATABASE_URL", "").startswith("postgres"),
    reason="SQLite has no limit of connections",
)
def test_waves_of_readers_do_not_use_up_the_connections(tmp_path: Path) -> None:
    with run_site(tmp_path / "site", worker=False) as site:
        url = start_web(site, "before", settings="tests.support.persistent_connections")
        before = send_waves(site, url)
        web = site.processes.children.pop("before")
        web.terminate()
        web.wait(30)
        wait_until(lambda: count_connections(site) <= 1, seconds=30)
        url = start_web(
            site, "now", "--blocking-threads", str(THREADS), settings="newsroom.settings"
        )
        now = send_waves(site, url)
        assert max(now) <= THREADS
        assert before[-1] > READERS, "the control must keep connections of threads that ended"
