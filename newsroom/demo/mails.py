"""The demo's e-mails: kept in a folder, one file each, instead of being sent."""

import contextlib
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage as OutgoingMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone


class FolderBackend(BaseEmailBackend):
    """Mail backend that writes each message to a file as it would be sent; names sort by time."""

    def send_messages(self, messages: Sequence[OutgoingMessage]) -> int:
        folder = Path(settings.MAIL_DIR)
        folder.mkdir(parents=True, exist_ok=True)
        for message in messages:
            name = f"{time.time_ns()}-{os.getpid()}"
            unfinished = folder / f".{name}"
            unfinished.write_bytes(message.message().as_bytes())
            unfinished.replace(folder / f"{name}.eml")
        return len(messages)


@dataclass(frozen=True)
class Mail:
    """An e-mail read back from its file."""

    name: str
    sent_at: datetime
    subject: str
    sender: str
    recipient: str
    text: str
    html: str


def list_mails(limit: int = 200) -> list[Mail]:
    """Return the e-mails, newest first."""
    with contextlib.suppress(FileNotFoundError):
        paths = sorted(Path(settings.MAIL_DIR).glob("*.eml"), reverse=True)[:limit]
        return [_read(path) for path in paths]
    return []


def read_mail(name: str) -> Mail | None:
    """Return the e-mail with that name, or None."""
    path = Path(settings.MAIL_DIR) / f"{name}.eml"
    return _read(path) if path.is_file() else None


def _read(path: Path) -> Mail:
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return Mail(
        name=path.stem,
        sent_at=datetime.fromtimestamp(
            int(path.stem.partition("-")[0]) / 1e9, tz=timezone.get_current_timezone()
        ),
        subject=str(message["Subject"]),
        sender=str(message["From"]),
        recipient=str(message["To"]),
        text=_content(message, "plain"),
        html=_show_pictures(message, _content(message, "html")),
    )


def _content(message: EmailMessage, kind: str) -> str:
    part: Any = message.get_body(preferencelist=(kind,))
    return str(part.get_content()) if part is not None else ""


def _show_pictures(message: EmailMessage, html: str) -> str:
    """Put the pictures that the e-mail carries into its HTML, as mail programs do."""
    for part in message.walk():
        name = str(part["Content-ID"] or "").strip("<>")
        if name and part.get_content_maintype() == "image":
            data = "".join(str(part.get_payload()).split())
            html = html.replace(f"cid:{name}", f"data:{part.get_content_type()};base64,{data}")
    return html
