"""A system of the newspaper that gets our webhooks: it checks, drops, delays and repeats."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jsonschema_rs
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from campaigns.deliveries.event_types import TEST_EVENT
from campaigns.models import WebhookEndpoint

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "webhooks"
LOOPBACK = ["127.0.0.0/8"]
LOST, LATE = -1, -2
ACCEPTED = {200, LOST, LATE}


def list_faults(body: dict[str, Any]) -> list[str]:
    """Return how the body of a webhook differs from its schema."""
    common = json.loads((SCHEMAS / "common.json").read_text("utf-8"))
    schema = json.loads((SCHEMAS / f"{body['type']}.json").read_text("utf-8"))
    validator = jsonschema_rs.validator_for(
        schema,
        registry=jsonschema_rs.Registry([(common["$id"], common)]),
        validate_formats=True,
    )
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(body)]


@dataclass
class Receiver:
    """Its address, what it accepted, and how it misbehaves.

    `answers` are the statuses of the next answers, 200 after them; None drops the connection.
    LOST accepts the webhook and drops the connection, LATE accepts it and answers after `late`
    seconds: in both cases the sender can't know it.
    """

    url: str = ""
    secrets: list[str] = field(default_factory=list)
    answers: list[int | None] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b"thanks"
    echoes: bool = False
    pause: float = 0
    late: float = 0
    # Whether it closes a connection after an answer without saying so.
    hangs_up: bool = False
    connections: int = 0
    # The person of each request, and from when to when it was on its way.
    spans: list[tuple[int, float, float]] = field(default_factory=list)
    requests: int = 0
    repeated: int = 0  # of webhooks that were accepted before
    forged: int = 0
    ids: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)

    @property
    def types(self) -> list[str]:
        return [body["type"] for body in self.bodies]

    def types_of(self, member_id: int) -> list[str]:
        return [body["type"] for body in self.bodies if body["data"]["member"]["id"] == member_id]

    def take(self, raw: bytes, headers: dict[str, str]) -> int | None:
        """Check one webhook as the documentation tells receivers to; return the status."""
        self.requests += 1
        status = self.answers.pop(0) if self.answers else 200
        if not any(_is_signed(raw, headers, secret) for secret in self.secrets):
            self.forged += 1
            return 400
        if status in ACCEPTED:
            if headers["webhook-id"] in self.ids:
                self.repeated += 1
            else:
                self.ids.append(headers["webhook-id"])
                self.bodies.append(json.loads(raw))
        return status

    def make_endpoint(self, *events: str, **changes: Any) -> WebhookEndpoint:
        """Make an endpoint that leads here, for these events or all."""
        endpoint = WebhookEndpoint.objects.create(
            **{"name": f"CRM {self.url}", "url": self.url, "events": list(events) or list_names()}
            | changes
        )
        self.secrets.append(endpoint.secret)
        return endpoint


def list_names() -> list[str]:
    """Return the events with a schema that endpoints can choose."""
    return sorted({path.stem for path in SCHEMAS.glob("*.*.json")} - {TEST_EVENT})


def _is_signed(raw: bytes, headers: dict[str, str], secret: str) -> bool:
    try:
        Webhook(secret).verify(raw, headers)
    except WebhookVerificationError:
        return False
    return True


@contextmanager
def run_receiver() -> Iterator[Receiver]:
    """Run the receiver for the block."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            receiver.connections += 1

        def do_POST(self) -> None:
            started = time.monotonic()
            raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status = receiver.take(raw, headers)
            time.sleep(receiver.pause)
            person = json.loads(raw)["data"].get("member", {}).get("id", 0)
            receiver.spans.append((person, started, time.monotonic()))
            if status is None or status == LOST:
                self.close_connection = True
                return
            if status == LATE:
                time.sleep(receiver.late)
            self.send_response(200 if status == LATE else status)
            for name, value in receiver.headers.items():
                self.send_header(name, value)
            answer = raw if receiver.echoes else receiver.answer
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.close_connection = self.close_connection or receiver.hangs_up

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the other side hung up

    server = Server(("127.0.0.1", 0), Handler)
    receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
