"""Requests to checked addresses: whole, bounded in time, and never led elsewhere."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from django.conf import LazySettings

from campaigns.outgoing_addresses import Target, Unreachable, find_target, read_url
from campaigns.outgoing_requests import post
from tests.support.chat_server import ChatServer, run_chat_server

pytestmark = pytest.mark.once


@pytest.fixture
def chat(settings: LazySettings) -> Iterator[ChatServer]:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with run_chat_server() as server:
        yield server


def test_a_request_arrives_with_its_name_and_body(chat: ChatServer) -> None:
    target = find_target(chat.url)
    answer = post(target, b'{"a": 1}', headers={"Content-Type": "application/json"})
    assert (answer.status, answer.text, answer.is_accepted) == (200, "ok", True)
    assert chat.paths == ["/hook?key=1"]
    assert chat.messages == [{"a": 1}]
    assert chat.headers[0]["host"] == f"127.0.0.1:{chat.port}"
    assert chat.headers[0]["content-type"] == "application/json"


def test_a_redirect_is_not_followed(chat: ChatServer) -> None:
    chat.status, chat.answer_headers = 302, {"Location": chat.url}
    answer = post(find_target(chat.url), b"{}", headers={})
    assert (answer.status, answer.is_accepted) == (302, False)
    assert len(chat.paths) == 1


@pytest.mark.parametrize(("header", "pause"), [("120", 120), ("-1", None), ("9" * 9, None)])
def test_the_pause_that_a_server_asks_for_is_read(
    chat: ChatServer, header: str, pause: int | None
) -> None:
    chat.status, chat.answer_headers = 429, {"Retry-After": header}
    assert post(find_target(chat.url), b"{}", headers={}).retry_after == pause


def test_only_the_start_of_a_long_answer_is_read(chat: ChatServer) -> None:
    chat.answer = b"a" * 1_000_000
    assert len(post(find_target(chat.url), b"{}", headers={}).text) == 2000


def test_a_server_that_answers_byte_by_byte_is_left(chat: ChatServer) -> None:
    chat.pause, chat.answer = 0.1, b"a" * 1000
    started = time.monotonic()
    post(find_target(chat.url), b"{}", headers={}, seconds=0.5)
    assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    ("rest", "is_ended"),
    [
        (b"Content-Length: 9\r\n\r\nabc", True),
        (b"Content-Length: 9\r\n\r\n", False),
        (b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc", True),
        (b"Transfer-Encoding: chunked\r\n\r\n9\r\nabc", False),
        (b"Transfer-Encoding: chunked\r\n\r\nnonsense", True),
    ],
)
def test_a_status_counts_though_the_text_is_cut_off_or_late(
    settings: LazySettings, rest: bytes, is_ended: bool
) -> None:
    """The server has done its work: sending the request again would do it twice."""
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        is_done = threading.Event()

        def answer() -> None:
            client, _ = server.accept()
            with client:
                client.recv(65536)
                client.sendall(b"HTTP/1.1 200 OK\r\n" + rest)
                if not is_ended:
                    is_done.wait(10)

        thread = threading.Thread(target=answer)
        thread.start()
        target = find_target(f"http://127.0.0.1:{server.getsockname()[1]}/")
        assert post(target, b"{}", headers={}, seconds=0.5).is_accepted
        is_done.set()
        thread.join()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_says_nothing_is_left(settings: LazySettings, scheme: str) -> None:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        target = find_target(f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/")
        with pytest.raises(Unreachable, match="in time"):
            post(target, b"{}", headers={}, seconds=0.3)


def test_a_server_that_has_stopped_is_unreachable(settings: LazySettings) -> None:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with socket.create_server(("127.0.0.1", 0)) as server:
        target = find_target(f"http://127.0.0.1:{server.getsockname()[1]}/")
    with pytest.raises(Unreachable, match="didn’t answer"):
        post(target, b"{}", headers={})


def test_the_certificate_is_checked_for_the_name(
    monkeypatch: pytest.MonkeyPatch, settings: LazySettings
) -> None:
    """The name goes into the handshake, although we connect to an address."""
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    context = ssl.create_default_context()
    assert context.check_hostname
    assert context.verify_mode == ssl.CERT_REQUIRED
    hello = bytearray()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def read_hello() -> None:
            client, _ = server.accept()
            with client:
                hello.extend(client.recv(4096))

        thread = threading.Thread(target=read_hello)
        thread.start()
        url = read_url(f"https://chat.example:{server.getsockname()[1]}/")
        with pytest.raises(Unreachable):
            post(Target(url, [ip_address("127.0.0.1")]), b"{}", headers={}, seconds=5)
        thread.join()
    assert b"chat.example" in hello


def test_a_header_of_several_lines_is_never_sent(chat: ChatServer) -> None:
    target = find_target(chat.url)
    for value in ("1\r\nX-Other: 2", "1\nX-Other: 2", "1\r", "1\r\n\r\n"):
        with pytest.raises(ValueError, match="several lines"):
            post(target, b"{}", headers={"X-Made-Up": value})
    assert not chat.messages
