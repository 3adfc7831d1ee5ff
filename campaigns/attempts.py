"""Counts of attempts within a time: requests, wrong guesses and logins of each client.

The database counts them, with one statement for each attempt, so that all processes share the
counts and simultaneous attempts are all counted. No IP address is stored.
"""

from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from campaigns.models import AttemptCount


def count_attempt(name: str, *, seconds: int) -> int:
    """Count an attempt and return the attempts under this name since the first within `seconds`."""
    adapt = connection.ops.adapt_datetimefield_value
    now = timezone.now()
    ends_at = adapt(now + timedelta(seconds=seconds))
    with connection.cursor() as cursor:
        # PostgreSQL and SQLite accept the same statement.
        cursor.execute(
            """
            INSERT INTO campaigns_attemptcount AS known (key, count, ends_at) VALUES (%s, 1, %s)
            ON CONFLICT (key) DO UPDATE SET
                count = CASE WHEN known.ends_at > %s THEN known.count + 1 ELSE 1 END,
                ends_at = CASE WHEN known.ends_at > %s THEN known.ends_at ELSE excluded.ends_at END
            RETURNING count
            """,
            [_make_key(name), ends_at, adapt(now), adapt(now)],
        )
        return int(cursor.fetchone()[0])


def read_attempts(name: str) -> int:
    """Return the attempts under this name within its current time."""
    current = AttemptCount.objects.filter(key=_make_key(name), ends_at__gt=timezone.now())
    return current.values_list("count", flat=True).first() or 0


def is_first_within(seconds: int, *, name: str) -> bool:
    """Return whether this is the first call with `name` within `seconds`."""
    return count_attempt(f"first:{name}", seconds=seconds) == 1


def delete_old_counts(*, at: datetime) -> None:
    """Delete the counts whose time is over."""
    AttemptCount.objects.filter(ends_at__lte=at).delete()


def find_network(request: HttpRequest) -> str:
    """Return the client's IPv4 address, or its IPv6 /64 network, which one household has."""
    address = request.META.get("REMOTE_ADDR", "")
    try:
        known = ip_address(address)
    except ValueError:  # a Unix socket has no IP address
        return str(address)
    if isinstance(known, IPv6Address):
        mapped = known.ipv4_mapped
        return str(mapped or IPv6Network((int(known), 64), strict=False))
    return str(known)


def _make_key(name: str) -> str:
    return salted_hmac("campaigns.attempts", name, algorithm="sha256").hexdigest()
