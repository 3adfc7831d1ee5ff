"""The HTTP server: one thread for each kept connection, and a way to cut a connection."""

import socket
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

_SOCKET_KEY = "newsroom.sandbox.socket"


class QuietHandler(WSGIRequestHandler):
    # Send each answer in one piece: in several, Nagle and delayed ACK would cost 40 ms.
    wbufsize = 65536
    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[_SOCKET_KEY] = self.connection
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Log nothing: paths contain ids, and tests make thousands of requests."""


class LoopbackServer(ThreadedWSGIServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore clients that disconnect; real faults are logged where they happen."""


def cut_connection(environ: dict[str, Any]) -> None:
    """Close the connection, so that the client never gets an answer to its request."""
    connection = environ.get(_SOCKET_KEY)
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)


def make_server(port: int, application: Any) -> LoopbackServer:
    """Return a server on the loopback address; port 0 chooses a free port."""
    server = LoopbackServer(("127.0.0.1", port), QuietHandler)
    server.set_app(application)
    return server
