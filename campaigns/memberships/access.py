"""Access: the one definition of when a member has it.

A membership gives access from its start until the first of these moments:

- it ended: refunded, revoked, run out, or ended at Stripe;
- the months it was bought or given for are over (one-off, gift, granted, imported);
- its subscription is past due or paused, and the grace period or the paid period is over;
- its subscription was cancelled, and the paid period is over.

A subscription that renews has no end. A membership that is waiting for its first payment gives no
access, and neither does a subscription in its gaps (lapsed, then paid late; paused, then resumed).
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q

from campaigns.models import Member, Membership


@dataclass(frozen=True)
class Access:
    """The access that one membership gives: `[starts_at, until)` without its gaps."""

    starts_at: datetime
    until: datetime | None  # None: no end is known
    gaps: tuple[tuple[float, float], ...] = ()  # [from, until) in epoch seconds

    def covers(self, at: datetime) -> bool:
        in_gap = any(begins <= at.timestamp() < ends for begins, ends in self.gaps)
        return self.starts_at <= at and not self.is_over(at=at) and not in_gap

    def is_over(self, *, at: datetime) -> bool:
        return self.until is not None and self.until <= at

    def end_after(self, at: datetime) -> datetime | None:
        """Return the next end of access after `at`: a gap, or the end of it all."""
        ends = [datetime.fromtimestamp(gap[0], at.tzinfo) for gap in self.gaps]
        ends = [end for end in ends if end > at] + ([self.until] if self.until else [])
        return min(ends, default=None)


def find_access(membership: Membership) -> Access | None:
    """Return the access that one membership gives; None before its first payment."""
    if membership.status == Membership.Status.PENDING:
        return None
    ends = [_planned_end(membership), membership.ended_at]
    until = min((end for end in ends if end is not None), default=None)
    gaps = tuple((float(begins), float(ends)) for begins, ends in membership.gaps or [])
    return Access(membership.started_at, until, gaps)


def _planned_end(membership: Membership) -> datetime | None:
    if membership.source != Membership.Source.SUBSCRIPTION:
        return membership.ends_at
    if membership.access_until is not None:
        return membership.access_until
    return membership.ends_at if membership.is_cancelling else None


def giving_access(moment: Any) -> Q:
    """Return the filter for memberships whose `find_access` covers a moment, as known now.

    `moment` may be an expression, so that each row is asked about its own. Gaps don't matter here:
    an earlier lapse or pause that was made good is no end.
    """
    is_subscription = Q(source=Membership.Source.SUBSCRIPTION)
    before_end = Q(ends_at__isnull=True) | Q(ends_at__gt=moment)
    renews = Q(is_cancelling=False) | before_end
    return (
        ~Q(status=Membership.Status.PENDING)
        & Q(started_at__lte=moment)
        & (Q(ended_at__isnull=True) | Q(ended_at__gt=moment))
        & (
            (~is_subscription & before_end)
            | (is_subscription & Q(access_until__gt=moment))
            | (is_subscription & Q(access_until__isnull=True) & renews)
        )
    )


def has_access(member: Member, at: datetime) -> bool:
    """Return whether any membership of `member` gives access at `at`."""
    return any(access.covers(at) for access in _list_access(member))


def access_until(member: Member, at: datetime) -> datetime | None:
    """Return when the access that `member` has at `at` ends; None if no end is known.

    Memberships that follow each other without a break are joined. Without access at `at`, return
    `at`.
    """
    return find_end(_list_access(member), at)


def find_end(spans: Collection[Access], at: datetime) -> datetime | None:
    """Return the same for the access of one person's memberships."""
    end = at
    while True:
        ends = [access.end_after(end) for access in spans if access.covers(end)]
        known = [each for each in ends if each is not None]
        if len(known) < len(ends):
            return None
        if not known:
            return end
        end = max(known)


def _list_access(member: Member) -> list[Access]:
    found = [find_access(membership) for membership in member.memberships.all()]
    return [access for access in found if access is not None]
