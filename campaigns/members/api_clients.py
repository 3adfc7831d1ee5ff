"""Clients of the access question: other systems, each with a token of its own."""

import hashlib
import secrets
import time

from django.utils import timezone

from campaigns.models import ApiClient

# Shows secret scanners and people what it is.
_PREFIX = "nra_"
# Each process keeps the clients that it found, so a revoked token may work for this long.
KEPT_SECONDS = 5.0
_found: dict[str, tuple[ApiClient, float]] = {}


def make_token(client: ApiClient) -> str:
    """Give a new client its token and return it. It can't be shown again. The caller saves."""
    token = _PREFIX + secrets.token_urlsafe(32)
    client.token_hash, client.token_hint = _hash(token), token[: ApiClient.HINT_LENGTH]
    return token


def find_client(token: str) -> ApiClient | None:
    """Return the client with this token, unless it was revoked more than KEPT_SECONDS ago."""
    hashed, now = _hash(token), time.monotonic()
    client, until = _found.get(hashed, (None, now))
    if until <= now:
        client = ApiClient.objects.filter(token_hash=hashed, revoked_at=None).first()
        _found.pop(hashed, None)
        if client is not None:
            _found[hashed] = (client, now + KEPT_SECONDS)
    return client


def revoke_client(client: ApiClient) -> bool:
    """Refuse the client within KEPT_SECONDS; return whether it was not revoked before."""
    _found.pop(client.token_hash, None)
    active = ApiClient.objects.filter(pk=client.pk, revoked_at=None)
    return bool(active.update(revoked_at=timezone.now()))


def _hash(token: str) -> str:
    """Hash a token. It is random and long, so a fast hash is safe."""
    return hashlib.sha256(token.encode()).hexdigest()
