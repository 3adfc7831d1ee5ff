"""Requests to addresses that staff typed: webhooks of chats and of other systems.

Such an address must not lead into our own network, for example to a database or to the metadata of
a cloud machine. So a request goes through these steps, in this order:

1. `read_url` takes the URL apart and refuses what is no web address of another system.
2. `find_target` looks the host up, once, and refuses it if any of its addresses is private,
   loopback, link-local or otherwise not public. A name that has a public and a private address is
   refused, not narrowed.
3. `post` and `Lines` connect to the addresses that were checked, never to the name again, so that
   a name server can't give another answer in between. The certificate is still checked for the
   name. Redirects are not followed: they would lead around the check.

A newsroom whose chat runs in its own network lists that network in OUTGOING_NETWORKS. Only there
may an address be `http`. The address of a setting, such as GHOST_URL, is trusted: the people who
run the application may name any machine.
"""

import http.client
import math
import re
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from threading import Event, Thread
from typing import Any, Self
from urllib.parse import urlsplit

import idna
from django.conf import settings
from django.utils.translation import gettext as _

LONGEST_URL = 2000
# A whole request takes no longer than this, however slowly the server answers.
TIME_LIMIT_SECONDS = 10
# The start of an answer is enough to say why a server refused a request.
ANSWER_KEPT = 2000
_END_OF_HOST = re.compile("[/:?#]")
# How often late requests are looked for.
_WATCH_SECONDS = 0.1
_FAILURES = (OSError, http.client.HTTPException)
_SCHEMES = {"http": 80, "https": 443}
# https://www.rfc-editor.org/rfc/rfc6052: IPv6 addresses that a gateway translates to IPv4.
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))

Address = IPv4Address | IPv6Address


class RefusedAddress(Exception):
    """The address must not be called. Its text says why, in words for staff."""


class Unreachable(Exception):
    """The server can't be found, doesn't answer in time, or has no valid certificate.

    Its text says which, in words for staff.
    """


@dataclass(frozen=True)
class Url:
    """A web address taken apart; `host` is in ASCII and lower case, `path` has the query."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _SCHEMES[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True)
class Target:
    """A URL and the addresses of its host that were looked up and checked."""

    url: Url
    addresses: Sequence[Address]


@dataclass(frozen=True)
class Answer:
    """A server's answer, the start of its text, and after how many seconds to try again."""

    status: int
    text: str
    retry_after: int | None = None

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.status < 300


def read_url(text: str) -> Url:
    """Take a web address apart, without looking it up. Raises RefusedAddress."""
    text = text.strip()
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise RefusedAddress(_("Enter a web address without spaces or special characters."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise RefusedAddress(_("Enter a web address that starts with https://.")) from None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise RefusedAddress(_("Enter a web address that starts with https://."))
    if parts.username is not None or parts.password is not None:
        raise RefusedAddress(_("Enter the address without a user name or password."))
    if port == 0:
        raise RefusedAddress(_("Enter a web address that starts with https://."))
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Url(parts.scheme, parts.hostname.rstrip("."), port or _SCHEMES[parts.scheme], path)


def write_url(text: str) -> str:
    """Return a typed address with its host in ASCII: https://chat.газета.example/ is allowed."""
    start, separator, rest = text.strip().partition("://")
    host = _END_OF_HOST.split(rest, maxsplit=1)[0]
    if not separator or host.isascii():
        return text.strip()
    try:
        return f"{start}://{idna.encode(host, uts46=True).decode()}{rest.removeprefix(host)}"
    except idna.IDNAError:
        raise RefusedAddress(_("Enter a web address that starts with https://.")) from None


def find_target(text: str, *, is_trusted: bool = False) -> Target:
    """Look an address up, once, and check it unless it is trusted.

    Raises RefusedAddress and Unreachable.
    """
    url = read_url(text)
    try:
        found = socket.getaddrinfo(url.host, url.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise Unreachable(
            _("No server was found at %(host)s. Check the spelling.") % {"host": url.host}
        ) from None
    # An address of a network card has its name after a "%".
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    addresses = list(dict.fromkeys(addresses))
    if is_trusted:
        return Target(url, addresses)
    ours = [_is_ours(address) for address in addresses]
    if not all(own or is_public(address) for own, address in zip(ours, addresses, strict=True)):
        raise RefusedAddress(
            _("%(host)s is in a private network. Enter the address of a public server.")
            % {"host": url.host}
        )
    if url.scheme == "http" and not all(ours):
        raise RefusedAddress(_("Enter a web address that starts with https://."))
    return Target(url, addresses)


def is_public(address: Address) -> bool:
    """Return whether everybody on the internet can reach the address, and it is one machine's.

    An IPv6 address that stands for an IPv4 address is as public as that one.
    """
    if isinstance(address, IPv6Address):
        inner = _find_inner(address)
        if inner is not None:
            return is_public(inner)
        if address.is_site_local:
            return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


def _find_inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that a mapped, 6to4, Teredo or translated address leads to."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _TRANSLATED):
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None


def _is_ours(address: Address) -> bool:
    networks = [ip_network(network) for network in settings.OUTGOING_NETWORKS]
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return any(address in network for network in networks)


def post(
    target: Target, body: bytes, *, headers: Mapping[str, str], seconds: float = TIME_LIMIT_SECONDS
) -> Answer:
    """Send a POST to a checked target and return its answer, whatever its status.

    Raises Unreachable.
    """
    return send(target, "POST", body, headers=headers, seconds=seconds)


def send(
    target: Target,
    method: str,
    body: bytes | None = None,
    *,
    headers: Mapping[str, str],
    seconds: float = TIME_LIMIT_SECONDS,
    most_bytes: int = ANSWER_KEPT,
) -> Answer:
    """Send a request to a checked target and return its answer, whatever its status.

    The text of the answer ends after `most_bytes`. Raises Unreachable.
    """
    with Lines(target, number=1, seconds=seconds, most_bytes=most_bytes) as lines:
        [(outcome, _taken)] = lines.send(method, [(body, {"Connection": "close", **headers})])
    if isinstance(outcome, Unreachable):
        raise outcome
    return outcome


class Lines:
    """Connections to a checked target that stay open, for several requests at the same time."""

    def __init__(
        self,
        target: Target,
        *,
        number: int,
        seconds: float = TIME_LIMIT_SECONDS,
        most_bytes: int = ANSWER_KEPT,
    ) -> None:
        self._lines = [_Line(target, seconds, most_bytes) for _ in range(number)]
        self._done = Event()

    def __enter__(self) -> Self:
        Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        for line in self._lines:
            line.close()

    def send(
        self, method: str, requests: Sequence[tuple[bytes | None, Mapping[str, str]]]
    ) -> list[tuple[Answer | Unreachable, float]]:
        """Send a request on each line, then read the answers; return them with their seconds.

        There are at most as many requests as lines.
        """
        lines = self._lines[: len(requests)]
        for line, (body, headers) in zip(lines, requests, strict=True):
            line.send(method, body, headers)
        return [line.receive() for line in lines]

    def _watch(self) -> None:
        """End requests that are late: each byte restarts a socket's timeout, so it isn't enough."""
        while not self._done.wait(_WATCH_SECONDS):
            for line in self._lines:
                line.end_late()


class _Line:
    """One connection of `Lines`, with the request that is on its way."""

    def __init__(self, target: Target, seconds: float, most_bytes: int) -> None:
        self._target, self._seconds, self._most_bytes = target, seconds, most_bytes
        self._connection = _Connection(target, seconds)
        self._sent_at = math.inf
        self._is_reused = False
        self._failure: Exception | None = None

    def send(self, method: str, body: bytes | None, headers: Mapping[str, str]) -> None:
        """Send a request. If that fails, `receive` says so."""
        self._method, self._body = method, body
        self._headers = {"Host": self._target.url.host_header, **headers}
        self._sent_at, self._failure = time.monotonic(), None
        try:
            self._send()
        except _FAILURES as error:
            self._failure = error

    def _send(self) -> None:
        self._is_reused = self._connection.sock is not None
        self._connection.request(
            self._method, self._target.url.path, body=self._body, headers=self._headers
        )

    def receive(self) -> tuple[Answer | Unreachable, float]:
        """Return the answer, or why there is none, and the seconds since the request."""
        outcome: Answer | Unreachable
        try:
            outcome = self._receive()
        except _FAILURES as error:
            outcome = Unreachable(self._explain(error))
        # An answer that was here in time may be read after it.
        if self._connection.is_aborted or isinstance(outcome, Unreachable):
            self.close()
            self._connection = _Connection(self._target, self._seconds)
        taken, self._sent_at = time.monotonic() - self._sent_at, math.inf
        return outcome, taken

    def _receive(self) -> Answer:
        try:
            return self._read()
        except ConnectionError:
            if not self._is_reused or self._connection.is_aborted:
                raise
            # The server had closed the connection, as servers do after a while.
            self._connection.close()
            self._failure = None
            self._send()
            return self._read()

    def _read(self) -> Answer:
        if self._failure is not None:
            raise self._failure
        response = self._connection.getresponse()
        text = b""
        with suppress(*_FAILURES):  # the status is here, so the server has done its work
            text = response.read(self._most_bytes)
        if not response.isclosed():  # the rest is not read
            self._connection.close()
        pause = _read_pause(response.headers.get("Retry-After", ""))
        return Answer(response.status, text.decode("utf-8", "replace"), pause)

    def _explain(self, error: Exception) -> str:
        if isinstance(error, ssl.SSLCertVerificationError):
            return _("The server has no valid certificate.")
        if isinstance(error, TimeoutError) or self._connection.is_aborted:
            return _("The server didn’t answer in time.")
        return _("The server didn’t answer.")

    def end_late(self) -> None:
        if time.monotonic() > self._sent_at + self._seconds:
            self._connection.abort()

    def close(self) -> None:
        self._connection.close()


def _read_pause(text: str) -> int | None:
    """Return the seconds of a Retry-After header; dates and nonsense are ignored."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


class _Connection(http.client.HTTPConnection):
    """A connection to the checked addresses of a target, with TLS for the name."""

    def __init__(self, target: Target, seconds: float) -> None:
        super().__init__(target.url.host, target.url.port, timeout=seconds)
        self.target, self.is_aborted = target, False
        # The one in use: while an answer is read, `self.sock` is None.
        self._open_socket: socket.socket | None = None
        self._parts: list[bytes] = []

    def request(self, *given: Any, **named: Any) -> None:
        """Send head and body together: in two packets, they would take both sides longer."""
        self._parts = []
        super().request(*given, **named)
        super().send(b"".join(self._parts))

    def send(self, data: Any) -> None:
        self._parts.append(data)

    def connect(self) -> None:
        self.sock = self._open_socket = self._open()
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.target.url.scheme == "https":
            # The handshake may hang, too, so `abort` has to find this socket before it.
            self.sock = self._open_socket = ssl.create_default_context().wrap_socket(
                self.sock, server_hostname=self.target.url.host, do_handshake_on_connect=False
            )
            self.sock.do_handshake()

    def _open(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in self.target.addresses:
            if self.is_aborted:
                raise TimeoutError
            try:
                return socket.create_connection((str(address), self.target.url.port), self.timeout)
            except OSError as error:
                failure = error
        raise failure

    def abort(self) -> None:
        """End the request from another thread: what waits for the server gets an error."""
        self.is_aborted = True
        if self._open_socket is not None:
            with suppress(OSError):
                # Not the TLS socket's own, which changes it while another thread reads from it.
                socket.socket.shutdown(self._open_socket, socket.SHUT_RDWR)
