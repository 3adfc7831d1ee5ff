"""The HTTP server: a thread a connection, connections kept, and a way to cut one without an
answer.
"""

import socket
from typing import Any

from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler

_SOCKET_KEY = "newsroom.sandbox.socket"


class QuietHandler(WSGIRequestHandler):
    # An answer goes out in one piece: in several, Nagle and delayed ACK would cost 40 ms each time.
    wbufsize = 65536
    disable_nagle_algorithm = True

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[_SOCKET_KEY] = self.connection
        return environ

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: paths carry ids, and tests make thousands of requests."""


class LoopbackServer(ThreadedWSGIServer):
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is everyday life here; real faults are logged where they
        happen.
        """


def cut_connection(environ: dict[str, Any]) -> None:
    """Ends the connection at once, so that the client never learns what became of its request."""
    connection = environ.get(_SOCKET_KEY)
    if isinstance(connection, socket.socket):
        connection.shutdown(socket.SHUT_RDWR)


def make_server(port: int, application: Any) -> LoopbackServer:
    """Bound to the loopback address alone; port 0 takes a free one."""
    server = LoopbackServer(("127.0.0.1", port), QuietHandler)
    server.set_app(application)
    return server
