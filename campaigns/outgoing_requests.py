"""Requests to the checked targets of `outgoing_addresses`, one or several at the same time."""

import http.client
import math
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from threading import Event, Thread
from typing import Self

from django.utils.translation import gettext as _

from campaigns.outgoing_addresses import Target, Unreachable, Url

# A whole request takes no longer than this, however slowly the server answers.
TIME_LIMIT_SECONDS = 10
# The start of an answer is enough to say why a server refused a request.
ANSWER_KEPT = 2000
# How often late requests are looked for.
_WATCH_SECONDS = 0.1
_FAILURES = (OSError, http.client.HTTPException)


@dataclass(frozen=True)
class Answer:
    """A server's answer, the start of its text, and after how many seconds to try again."""

    status: int
    text: str
    retry_after: int | None = None

    @property
    def is_accepted(self) -> bool:
        return 200 <= self.status < 300


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
        self._method = method
        # Head and body together: in two packets, they would take both sides longer.
        self._request = _write_head(self._target.url, method, body, headers) + (body or b"")
        self._sent_at, self._failure = time.monotonic(), None
        try:
            self._send()
        except _FAILURES as error:
            self._failure = error

    def _send(self) -> None:
        self._is_reused = self._connection.is_open
        self._connection.send(self._request)

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
        response = self._connection.read_response(self._method)
        text = b""
        with suppress(*_FAILURES):  # the status is here, so the server has done its work
            text = response.read(self._most_bytes)
        if response.will_close or not response.isclosed():  # the rest is not read
            response.close()
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


def _write_head(url: Url, method: str, body: bytes | None, headers: Mapping[str, str]) -> bytes:
    """Return the head of a request. Raises ValueError for a header of several lines.

    http.client takes twice as long for it, which is much for thousands of small requests.
    """
    fields = {"Host": url.host_header, "Accept-Encoding": "identity", **headers}
    if method != "GET":
        fields["Content-Length"] = str(len(body or b""))
    lines = [f"{name}: {value}\r\n" for name, value in fields.items()]
    head = f"{method} {url.path} HTTP/1.1\r\n{''.join(lines)}\r\n"
    if not head.count("\r") == head.count("\n") == len(lines) + 2:
        raise ValueError("a header has several lines")
    return head.encode("latin-1")


def _read_pause(text: str) -> int | None:
    """Return the seconds of a Retry-After header; dates and nonsense are ignored."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


class _Connection:
    """A connection to the checked addresses of a target, with TLS for the name."""

    def __init__(self, target: Target, seconds: float) -> None:
        self._target, self._seconds = target, seconds
        self._socket: socket.socket | None = None
        self.is_aborted = False

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    def send(self, request: bytes) -> None:
        if self._socket is None:
            self._connect()
        assert self._socket is not None
        self._socket.sendall(request)

    def read_response(self, method: str) -> http.client.HTTPResponse:
        """Return the response, of which only status and headers are read."""
        if self._socket is None:
            raise ConnectionError
        response = http.client.HTTPResponse(self._socket, method=method)
        response.begin()
        return response

    def _connect(self) -> None:
        self._socket = self._open()
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._target.url.scheme == "https":
            # The handshake may hang, too, so `abort` has to find this socket before it.
            secure = ssl.create_default_context().wrap_socket(
                self._socket,
                server_hostname=self._target.url.host,
                do_handshake_on_connect=False,
            )
            self._socket = secure
            secure.do_handshake()

    def _open(self) -> socket.socket:
        failure: OSError = OSError("no address")
        for address in self._target.addresses:
            if self.is_aborted:
                raise TimeoutError
            try:
                address_and_port = (str(address), self._target.url.port)
                return socket.create_connection(address_and_port, self._seconds)
            except OSError as error:
                failure = error
        raise failure

    def abort(self) -> None:
        """End the request from another thread: what waits for the server gets an error."""
        self.is_aborted = True
        if self._socket is not None:
            with suppress(OSError):
                # Not the TLS socket's own, which changes it while another thread reads from it.
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
