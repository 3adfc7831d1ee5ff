"""Addresses that staff typed never lead into our own network."""

import socket
from ipaddress import ip_address
from typing import Any

import pytest
from django.conf import LazySettings

from campaigns.outgoing_addresses import (
    RefusedAddress,
    Unreachable,
    find_target,
    is_public,
    read_url,
    write_url,
)
from campaigns.outgoing_requests import post

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
