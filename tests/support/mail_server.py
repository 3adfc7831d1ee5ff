"""A mail server on this machine that keeps what it is sent. It can be stopped and started."""

import email
import email.policy
import socketserver
import threading
from email.message import EmailMessage

from newsroom.demo.processes import find_free_port

OK = b"250 OK"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    login: bytes
    messages: list[EmailMessage]


class _Session(socketserver.StreamRequestHandler):
    server: _Server

    def handle(self) -> None:
        answers = {
            b"EHLO": b"250-mail.example\r\n250 AUTH PLAIN LOGIN",
            b"AUTH": self.server.login,
            b"DATA": b"354 Go on",
            b"QUIT": b"221 Bye",
        }
        self.say(b"220 mail.example")
        for line in self.rfile:
            command = line[:4].upper()
            self.say(answers.get(command, OK))
            if command == b"QUIT":
                return
            if command == b"DATA":
                self.keep_message()

    def keep_message(self) -> None:
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        self.server.messages.append(message)
        self.say(OK)

    def say(self, line: bytes) -> None:
        self.wfile.write(line + b"\r\n")


class MailServer:
    """Listens from `start()` to `stop()` at the same port; `messages` holds all it was sent.

    `login` is its answer to a log-in.
    """

    def __init__(self, *, login: bytes = b"235 OK") -> None:
        self.port, self.login = find_free_port(), login
        self.messages: list[EmailMessage] = []

    def __enter__(self) -> "MailServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._server = _Server(("127.0.0.1", self.port), _Session)
        self._server.login, self._server.messages = self.login, self.messages
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def find_text(self, address: str, words: str) -> str:
        """Return the text of the first message to an address that contains the words, or ""."""
        for message in self.messages:
            body = message.get_body(("plain",))
            text = body.get_content() if body else ""
            if address in str(message["To"]) and words in text:
                return str(text)
        return ""
