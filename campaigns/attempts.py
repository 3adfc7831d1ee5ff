"""Counts of attempts within a time: requests, wrong guesses and logins of each client.

The database counts them, with one statement for each attempt, so that all processes share the
counts and simultaneous attempts are all counted. No IP address is stored. The statement doesn't
wait until it is on the disk, so a crash of the database may forget the attempts of its last second.
"""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from threading import Lock

from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from campaigns.models import AttemptCount

# Returned by a statement, for the commit of that statement.
_WITHOUT_WAITING = ", set_config('synchronous_commit', 'off', true)"


def count_attempt(name: str, *, seconds: int) -> int:
    """Count an attempt and return the attempts under this name since the first within `seconds`."""
    return _count(name, 1, seconds=seconds)[0]


def _count(name: str, number: int, *, seconds: int) -> tuple[int, datetime]:
    """Count attempts; return all under this name within its current time, and the end of it."""
    adapt = connection.ops.adapt_datetimefield_value
    now = timezone.now()
    ends_at = now + timedelta(seconds=seconds)
    # Inside a transaction it would change how that is committed.
    is_alone = connection.vendor == "postgresql" and not connection.in_atomic_block
    with connection.cursor() as cursor:
        # PostgreSQL and SQLite accept the same statement.
        cursor.execute(
            f"""
            INSERT INTO campaigns_attemptcount AS known (key, count, ends_at) VALUES (%s, %s, %s)
            ON CONFLICT (key) DO UPDATE SET
                count = excluded.count + CASE WHEN known.ends_at > %s THEN known.count ELSE 0 END,
                ends_at = CASE WHEN known.ends_at > %s THEN known.ends_at ELSE excluded.ends_at END
            RETURNING count, ends_at {_WITHOUT_WAITING if is_alone else ""}
            """,  # noqa: S608 - only constants
            [_make_key(name), number, adapt(ends_at), adapt(now), adapt(now)],
        )
        count, known_ends_at = cursor.fetchone()[:2]
    if timezone.is_naive(known_ends_at):  # SQLite stores no time zone
        known_ends_at = known_ends_at.replace(tzinfo=UTC)
    return int(count), known_ends_at


class Allowance:
    """A limit on requests by name within a time, which most requests keep without a query.

    Each process takes `batch` requests at once from the count that all of them share. Together they
    never allow more than the limit. When it is nearly reached, a process may have up to `batch` - 1
    left that others can't use.
    """

    def __init__(self, *, seconds: int, batch: int) -> None:
        self.seconds, self.batch = seconds, batch
        self._lock = Lock()
        # By name: the requests that this process may still allow, or -1 if the limit is reached,
        # and the end of this time.
        self._left: dict[str, tuple[int, datetime]] = {}

    def take(self, name: str, *, most: int) -> bool:
        """Count a request and return whether it is within `most`."""
        with self._lock:
            now = timezone.now()
            left, ends_at = self._left.get(name, (0, now))
            if ends_at <= now:
                self._left = {key: each for key, each in self._left.items() if each[1] > now}
                left = 0
            if left == 0:
                count, ends_at = _count(name, self.batch, seconds=self.seconds)
                left = min(self.batch, max(0, most - (count - self.batch)))
            self._left[name] = (max(left - 1, -1), ends_at)
            return left > 0


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
