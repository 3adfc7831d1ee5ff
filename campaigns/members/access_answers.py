"""The access question of other systems: is this address a member's, and until when?"""

from datetime import datetime
from typing import Any

from campaigns import memberships
from campaigns.models import MemberAccess, Membership
from campaigns.people import canonical_email

# One statement with the columns that decide access: other systems ask often, and Django takes
# longer than the database. A former address leads to its member, unless it is another one's now.
_MEMBERSHIPS_OF = """
    SELECT id, plan_id, source, status, started_at, ends_at, ended_at, access_until, gaps,
        is_cancelling, (SELECT slug FROM campaigns_plan WHERE id = plan_id) AS plan_slug
    FROM campaigns_membership AS membership
    WHERE membership.member_id = COALESCE(
        (SELECT id FROM campaigns_member WHERE email = %s),
        (SELECT member_id FROM campaigns_formeraddress WHERE email = %s)
    )
"""


def answer_access(address: str, *, at: datetime) -> dict[str, Any]:
    """Return whether an address is a member's, until when, and by which plan and source.

    An unknown address takes the same steps, so that the time of the answer says nothing. A former
    address of a member is theirs as well.
    """
    address = canonical_email(address)
    rows: list[Any] = list(Membership.objects.raw(_MEMBERSHIPS_OF, [address, address]))
    return _describe(rows, {row.plan_id: row.plan_slug for row in rows}, at=at)


def describe_member_access(member_id: int, *, at: datetime) -> dict[str, Any]:
    """Return the answer about a known member."""
    rows = list(Membership.objects.filter(member=member_id).select_related("plan"))
    return _describe(rows, {row.plan_id: row.plan.slug for row in rows if row.plan}, at=at)


def _describe(
    rows: list[Membership], plans: dict[int | None, str], *, at: datetime
) -> dict[str, Any]:
    standing, row = memberships.find_standing_of(rows, at=at)
    return {
        "member": standing.has_access,
        "until": standing.until and standing.until.isoformat(),
        "plan": plans.get(row.plan_id) if row else None,
        "source": standing.source or None,
        "cancelled": standing.state == MemberAccess.State.CANCELLED,
    }
