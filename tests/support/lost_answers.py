"""Answers of Stripe's that are lost on their way to us."""

import http.client
import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import LazySettings

SESSIONS = "/v1/checkout/sessions"


class AnswerThief(http.server.BaseHTTPRequestHandler):
    """Passes a request on to Stripe; cuts the line instead of the first answers to a creation."""

    protocol_version = "HTTP/1.1"
    there = ""
    answers_to_lose = 0

    def log_message(self, *args: object) -> None:
        """Nothing."""

    def pass_on(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        parts = urlsplit(self.there)
        onward = http.client.HTTPConnection(parts.hostname or "", parts.port)
        onward.request(self.command, self.path, self.rfile.read(length), dict(self.headers))
        answer = onward.getresponse()
        body = answer.read()
        onward.close()
        if self.command == "POST" and self.path == SESSIONS and type(self).answers_to_lose > 0:
            type(self).answers_to_lose -= 1
            self.close_connection = True
            return
        self.send_response(answer.status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = pass_on  # noqa: N815 - named by http.server


@contextmanager
def steal_answers(settings: LazySettings, *, times: int) -> Iterator[None]:
    """Between us and Stripe somebody loses the answers to the next creations of a session."""
    there = settings.STRIPE_API_BASE

    class Thief(AnswerThief):
        answers_to_lose = times

    Thief.there = there
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Thief)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    settings.STRIPE_API_BASE = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield
    finally:
        settings.STRIPE_API_BASE = there
        server.shutdown()
        server.server_close()
        thread.join()
