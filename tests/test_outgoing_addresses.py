"""Addresses that staff typed never lead into our own network, and no server holds us up."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any

import pytest
from django.conf import LazySettings

from campaigns.outgoing_addresses import (
    RefusedAddress,
    Target,
    Unreachable,
    find_target,
    is_public,
    post,
    read_url,
    write_url,
)
from tests.support.chat_server import ChatServer, run_chat_server

pytestmark = pytest.mark.once

PUBLIC = ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
NOT_PUBLIC = [
    *("127.0.0.1", "127.8.8.8", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
    *("100.64.0.1", "224.0.0.2", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1"),
    "0.0.0.0",  # noqa: S104 - it is refused
    *("::", "::1", "::7f00:1", "fe80::1", "fd00::1", "fec0::1", "ff02::1", "2001:db8::1"),
    # An IPv4 address of our network, written as an IPv6 address in four ways.
    *("::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b:1::a00:1"),
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
]
REFUSED = [
    *("", "chat", "//chat.example", "ftp://chat.example/", "file:///etc/passwd", "https://"),
    *("https://a b.example/", "https://chat.example/\r\nHost: x", "https://chat.example/\x00"),
    *("https://ada:secret@chat.example/", "https://chat.example:port/", "https://chat.example:0/"),
    *("https://[::1", "https://chat.example/" + "a" * 2000, "javascript:alert(1)"),
]


@pytest.fixture
def chat(settings: LazySettings) -> Iterator[ChatServer]:
    settings.OUTGOING_NETWORKS = ["127.0.0.0/8"]
    with run_chat_server() as server:
        yield server


def answer_lookups(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """Make name servers give these answers, one after the other; return the names asked for."""
    asked: list[str] = []
    left = list(answers)

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(0, 0, 0, "", (address, port)) for address in left.pop(0)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_no_other_address_is_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("text", REFUSED)
def test_text_that_is_no_web_address_is_refused(text: str) -> None:
    with pytest.raises(RefusedAddress, match=r"^Enter "):
        read_url(text)


def test_a_web_address_is_taken_apart() -> None:
    url = read_url(" https://Chat.Example.:8443/a/b?c=d#e ")
    assert (url.scheme, url.host, url.port, url.path) == ("https", "chat.example", 8443, "/a/b?c=d")
    assert url.host_header == "chat.example:8443"
    assert read_url("https://chat.example").path == "/"
    assert read_url("https://[2606:4700::1111]/").host_header == "[2606:4700::1111]"


def test_a_host_in_other_letters_is_written_in_ascii() -> None:
    assert write_url("https://чат.example/a") == "https://xn--80a0bn.example/a"
    assert write_url("https://чат.example:8443?b=/") == "https://xn--80a0bn.example:8443?b=/"
    assert write_url("https://chat.example/a") == "https://chat.example/a"
    with pytest.raises(RefusedAddress):
        write_url("https://\u2028.example/")


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]", "[::ffff:10.0.0.1]", "10.0.0.1"],
)
def test_an_address_of_our_own_network_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises((RefusedAddress, Unreachable)) as refused:
        find_target(f"https://{host}/")
    if host not in {"2130706433", "0x7f.1"}:  # some systems don't know these spellings
        assert refused.type is RefusedAddress


def test_a_name_with_a_public_and_a_private_address_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answer_lookups(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(RefusedAddress, match=r"chat\.example is in a private network"):
        find_target("https://chat.example/")


def test_a_name_is_looked_up_once_and_its_address_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = answer_lookups(monkeypatch, ["8.8.8.8"], ["127.0.0.1"])
    opened: list[Any] = []

    def refuse(address: Any, *_: Any, **__: Any) -> socket.socket:
        opened.append(address)
        raise OSError("no network in tests")

    monkeypatch.setattr(socket, "create_connection", refuse)
    target = find_target("https://chat.example/")
    with pytest.raises(Unreachable):
        post(target, b"{}", headers={})
    assert asked == ["chat.example"]
    assert opened == [("8.8.8.8", 443)]


def test_an_unknown_name_is_unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> list[Any]:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(Unreachable, match=r"No server was found at chat\.example"):
        find_target("https://chat.example/")


def test_only_listed_networks_may_be_private_and_only_they_may_be_http(
    settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.OUTGOING_NETWORKS = ["10.1.0.0/16"]
    assert find_target("http://10.1.2.3/").addresses == [ip_address("10.1.2.3")]
    with pytest.raises(RefusedAddress):
        find_target("http://10.2.0.1/")
    answer_lookups(monkeypatch, ["8.8.8.8"], ["8.8.8.8"])
    with pytest.raises(RefusedAddress, match="https"):
        find_target("http://chat.example/")
    assert find_target("https://chat.example/").url.scheme == "https"


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
