"""Signatures of outgoing webhooks. Source: https://www.standardwebhooks.com, version 1.0."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime


def make_headers(
    message_id: str, body: bytes, *, secrets: Sequence[str], at: datetime
) -> dict[str, str]:
    """Return the headers of a webhook: its ID, the time of the attempt, a signature a secret."""
    timestamp = str(int(at.timestamp()))
    signatures = [_sign(f"{message_id}.{timestamp}.".encode() + body, each) for each in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(signatures),
    }


def _sign(content: bytes, secret: str) -> str:
    key = b64decode(secret.removeprefix("whsec_"))
    return "v1," + b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
