"""What tests rely on: clicks wait for whole pages, and packages are installed once."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from playwright.sync_api import Locator

from tests.support import browser
from tests.support.browser import open_reader, run_chromium

# Fails if another one runs in the same folder, as unpacking the same files does.
NPM = """#!/bin/sh
mkdir running || exit 1
sleep 0.5
echo installed >> installations
rmdir running
"""
INSTALL = """
from pathlib import Path
from tests.support.npm import install_packages
install_packages("example", folder=Path({folder!r}))
"""
ROOT = Path(__file__).resolve().parents[1]
FIRST = b"<!doctype html><title>Halves</title><main><a href=/next>Next page</a>"


class Halves(BaseHTTPRequestHandler):
    """Sends a page in two halves, the second one a while later."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(FIRST + b" " * 4096)
        self.wfile.flush()
        time.sleep(0.5)
        self.wfile.write(b"<p>The end</main>")

    def log_message(self, *_: object) -> None:  # keeps the output of the tests clean
        pass


@pytest.fixture
def site() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Halves)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("waits", [True, False])
def test_a_click_waits_for_the_whole_page(
    site: str, waits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_chromium() as chromium, open_reader(chromium) as reader:
        if not waits:  # the control: as the library does it
            monkeypatch.setattr(Locator, "click", browser._click)
        reader.page.goto(site)
        reader.page.get_by_role("link", name="Next page").click()
        assert reader.page.url.endswith("/next")
        assert ("The end" in reader.page.inner_text("main")) is waits


def test_processes_that_need_a_package_at_once_install_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    npm = tmp_path / "npm"
    npm.write_text(NPM)
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    command = [sys.executable, "-c", INSTALL.format(folder=str(tmp_path))]
    together = [subprocess.Popen(command, cwd=ROOT) for _ in range(3)]
    assert [process.wait(60) for process in together] == [0, 0, 0]
    assert (tmp_path / "installations").read_text() == "installed\n"
