"""A server on this machine that keeps the requests of webhooks and answers as it is told."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class ChatServer:
    """Its address, the requests that it got, and its answer. It waits between parts of the text."""

    url: str = ""
    port: int = 0
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    status: int = 200
    answer: bytes = b"ok"
    answer_headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0

    @property
    def messages(self) -> list[Any]:
        return [json.loads(body) for body in self.bodies]


@contextmanager
def run_chat_server() -> Iterator[ChatServer]:
    """Run the server for the block."""
    chat = ChatServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            chat.paths.append(self.path)
            chat.headers.append({name.lower(): value for name, value in self.headers.items()})
            chat.bodies.append(body)
            self.send_response(chat.status)
            for name, value in chat.answer_headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(chat.answer)))
            self.end_headers()
            for byte in chat.answer if chat.pause else ():
                time.sleep(chat.pause)
                self.wfile.write(bytes([byte]))
            if not chat.pause:
                self.wfile.write(chat.answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the other side hung up

    server = Server(("127.0.0.1", 0), Handler)
    chat.port = server.server_port
    chat.url = f"http://127.0.0.1:{chat.port}/hook?key=1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield chat
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
