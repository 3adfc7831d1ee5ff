"""The reader's IP address behind proxies: read from the entries that our own proxies add."""

import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import pytest
import requests
from django.conf import LazySettings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from newsroom.demo.processes import find_free_port
from newsroom.middleware import read_client_address, use_client_address
from tests.support.processes import is_listening, wait_until

pytestmark = pytest.mark.once


def answer_address(request: HttpRequest) -> HttpResponse:
    return HttpResponse(request.META["REMOTE_ADDR"])


@pytest.mark.parametrize(
    ("forwarded", "proxies", "address"),
    [
        ("192.0.2.1", 1, "192.0.2.1"),
        ("10.9.9.9, 192.0.2.1", 1, "192.0.2.1"),
        ("anything at all,  192.0.2.1 ", 1, "192.0.2.1"),
        ("10.9.9.9, 192.0.2.1, 198.51.100.1", 2, "192.0.2.1"),
        ("192.0.2.1", 2, "192.0.2.1"),
        ("7.7.7.7:40001", 1, "7.7.7.7"),
        ("[2001:db8::1]:40001", 1, "2001:db8::1"),
        ("[2001:db8::1]", 1, "2001:db8::1"),
        ("2001:DB8:0::1", 1, "2001:db8::1"),
        ('"[2001:db8::1]:443", 198.51.100.1', 2, "2001:db8::1"),
        ("", 1, ""),
        ("unknown", 1, ""),
        ("192.0.2.1, unknown", 1, ""),
        ("7.7.7.7:x", 1, ""),
    ],
)
def test_the_entry_of_the_first_proxy_is_used_without_its_port(
    forwarded: str, proxies: int, address: str
) -> None:
    assert read_client_address(forwarded, proxies=proxies) == address


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "unknown"}])
def test_without_a_usable_entry_the_connection_decides(
    settings: LazySettings, headers: dict[str, Any]
) -> None:
    settings.BEHIND_PROXY = 1
    request = RequestFactory().get("/", headers=headers)
    assert_address(use_client_address(answer_address)(request), "127.0.0.1")


def assert_address(response: Any, address: str) -> None:
    assert response.content.decode() == address


# Behind a real nginx


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def run_application() -> Iterator[int]:
    """Answer each request with the reader's address, and yield the port."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        response: Any = use_client_address(answer_address)(WSGIRequest(environ))
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [response.content]

    with WSGIServer(("127.0.0.1", 0), QuietHandler) as server:
        server.set_app(application)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def run_nginx(folder: Path, port: int, behind: int) -> Iterator[None]:
    """Run nginx as a proxy, on both families of addresses, until the block ends."""
    folder.mkdir()
    (folder / "nginx.conf").write_text(
        f"""
        daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes 1;
        events {{ worker_connections 64; }}
        http {{
            access_log off;
            server {{
                listen 127.0.0.1:{port}; listen [::1]:{port};
                location / {{
                    proxy_pass http://127.0.0.1:{behind};
                    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                }}
            }}
        }}
        """
    )
    nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")])
    try:
        wait_until(lambda: is_listening(port), seconds=10)
        yield
    finally:
        nginx.terminate()
        nginx.wait(10)


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")
@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@pytest.mark.enable_socket
@pytest.mark.parametrize("proxies", [1, 2])
def test_a_reader_behind_nginx_cannot_choose_the_address(
    settings: LazySettings, tmp_path: Path, proxies: int
) -> None:
    settings.BEHIND_PROXY = proxies
    with ExitStack() as stack:
        port = stack.enter_context(run_application())
        for number in range(proxies):
            behind, port = port, find_free_port()
            stack.enter_context(run_nginx(tmp_path / f"nginx{number}", port, behind))
        for host, address in (("127.0.0.1", "127.0.0.1"), ("[::1]", "::1")):
            for faked in ("7.7.7.7:40001", "7.7.7.7, 8.8.8.8", "unknown"):
                answer = requests.get(
                    f"http://{host}:{port}/", headers={"X-Forwarded-For": faked}, timeout=10
                )
                assert answer.text == address
