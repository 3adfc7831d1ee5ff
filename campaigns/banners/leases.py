"""The lease on a campaign's published files: who may write them, and when they are due."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from campaigns.models import Campaign

LENGTH = timedelta(seconds=30)
# No lease ends later than this, unless the clock of its taker was wrong: nobody waits for that one.
LONGEST = 2 * LENGTH


class LeaseLost(Exception):
    """Another process has taken over, or the campaign was deleted."""


class Lease:
    """The right to write a campaign's files until a moment, held in the campaign's row."""

    def __init__(self, campaign_id: int) -> None:
        self._campaigns = Campaign.objects.filter(pk=campaign_id)
        self._taken_until = self._until = timezone.now()

    def take(self) -> bool:
        """Take the lease if nobody holds it.

        The files are due again when it ends, in case this process dies before it writes them.
        """
        now = timezone.now()
        self._taken_until = self._until = now + LENGTH
        free = (
            Q(publish_lease_until__isnull=True)
            | Q(publish_lease_until__lte=now)
            | Q(publish_lease_until__gt=now + LONGEST)
        )
        return bool(
            self._campaigns.filter(free).update(
                publish_lease_until=self._until, publish_at=self._until
            )
        )

    def confirm(self) -> None:
        """Extend the lease. Raises LeaseLost if another process has taken it meanwhile."""
        until = timezone.now() + LENGTH
        if not self._campaigns.filter(publish_lease_until=self._until).update(
            publish_lease_until=until
        ):
            raise LeaseLost
        self._until = until

    def release(self, *, next_at: datetime) -> None:
        """End the lease. The files are due at `next_at`, or at once if that was requested."""
        self._campaigns.filter(publish_at=self._taken_until).update(publish_at=next_at)
        self._campaigns.filter(publish_lease_until=self._until).update(publish_lease_until=None)

    def record(self, **changes: object) -> None:
        """Write fields of the campaign if the lease is still held."""
        self._campaigns.filter(publish_lease_until=self._until).update(**changes)
