"""Answers from Stripe that never arrive."""

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import LazySettings

SESSIONS = "/v1/checkout/sessions"


class LossyProxy(http.server.BaseHTTPRequestHandler):
    """Forward requests to Stripe, but drop the first answers that create a session."""

    protocol_version = "HTTP/1.1"
    target = ""
    answers_to_lose = 0

    def log_message(self, *args: object) -> None:
        """Log nothing."""

    def forward(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.target)
        connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
        connection.request(self.command, self.path, self.rfile.read(length), dict(self.headers))
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if self.command == "POST" and self.path == SESSIONS and type(self).answers_to_lose > 0:
            type(self).answers_to_lose -= 1
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = forward  # noqa: N815 - named by http.server


@contextmanager
def lose_answers(settings: LazySettings, *, times: int) -> Iterator[None]:
    """Lose Stripe's answers to the next requests that create a session."""
    target = settings.STRIPE_API_BASE

    class Proxy(LossyProxy):
        answers_to_lose = times

    Proxy.target = target
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        settings.STRIPE_API_BASE = target
        server.shutdown()
        server.server_close()
        thread.join()
