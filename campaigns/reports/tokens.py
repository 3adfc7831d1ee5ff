"""Report tokens: made, found and revoked. The secret is known only when it is made."""

import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from campaigns.models import ReportToken

PERMISSION = "campaigns.view_campaign"
_BYTES = 24
_USE_NOTED_EVERY = timedelta(minutes=5)


def issue_token(token: ReportToken, *, user: User) -> str:
    """Save a new token of this user and return its secret, which nobody can read again."""
    secret = secrets.token_urlsafe(_BYTES)
    token.user, token.secret_hash = user, _hash(secret)
    token.save()
    return secret


def find_token(secret: str) -> ReportToken | None:
    """Return the token with this secret if it is valid and its user may still see reports."""
    token = (
        ReportToken.objects.filter(secret_hash=_hash(secret), revoked_at=None)
        .select_related("user")
        .first()
    )
    if token is None:
        return None
    user = token.user
    may_see = user.is_active and user.is_staff and user.has_perm(PERMISSION)
    return token if may_see else None


def note_use(token: ReportToken, *, at: datetime) -> None:
    """Record that the token was used, to within a few minutes."""
    long_ago = Q(used_at=None) | Q(used_at__lt=at - _USE_NOTED_EVERY)
    ReportToken.objects.filter(long_ago, pk=token.pk).update(used_at=at)


def revoke_token(token: ReportToken) -> bool:
    """Revoke the token; return whether it was valid until now."""
    valid = ReportToken.objects.filter(pk=token.pk, revoked_at=None)
    return bool(valid.update(revoked_at=timezone.now()))


def _hash(secret: str) -> str:
    # The secret is random, so a fast hash is enough.
    return sha256(secret.encode()).hexdigest()
