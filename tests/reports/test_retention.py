"""How many of the people won stay, and access as a filter of rows."""

from datetime import timedelta
from itertools import product

import pytest

from campaigns.memberships import find_access, giving_access
from campaigns.models import Campaign, Membership
from campaigns.reports import gather_report
from campaigns.reports.periods import whole_campaign
from campaigns.reports.retention import measure_kept
from tests.support.factories import (
    at,
    make_campaign,
    make_member,
    make_payment,
    recount_campaign,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

STARTS = at("2025-11-01 00:00")


def win(campaign: Campaign, paid_at: str, **changes: object) -> None:
    payment = make_payment(make_member(), campaign, paid_at)
    Membership.objects.filter(payments=payment).update(**changes)


@pytest.fixture
def autumn() -> Campaign:
    """Four people won: one stays, one cancels, one ends after 50 days, one after 200."""
    campaign = make_campaign(starts_at=STARTS, ends_at=STARTS + timedelta(days=30))
    joined = "2025-11-10 12:00"
    win(campaign, joined)
    win(campaign, joined, is_cancelling=True, ends_at=at("2026-11-10 12:00"))
    for days in (50, 200):
        ended = at(joined) + timedelta(days=days)
        win(campaign, joined, status="ended", ended_at=ended, cancel_reason="unused")
    recount_campaign(campaign)
    return campaign


def test_members_are_asked_about_once_their_months_are_over(autumn: Campaign) -> None:
    for now, expected in (
        ("2025-12-01", [(0, 0), (0, 0), (0, 0), (0, 0)]),
        ("2026-01-01", [(4, 4), (0, 0), (0, 0), (0, 0)]),
        ("2026-06-01", [(4, 4), (3, 4), (3, 4), (0, 0)]),
        ("2027-01-01", [(4, 4), (3, 4), (3, 4), (1, 4)]),
    ):
        period = whole_campaign(autumn, at=at(f"{now} 00:00"))
        kept = measure_kept(autumn, period, at=at(f"{now} 00:00"))
        assert [(rate.part, rate.whole) for _months, rate in kept.rates] == expected, now


def test_a_rate_over_nobody_has_a_reason_and_no_value(autumn: Campaign) -> None:
    kept = measure_kept(autumn, whole_campaign(autumn, at=STARTS), at=STARTS + timedelta(days=20))
    _months, rate = kept.rates[0]
    assert (rate.percent, rate.reason) == (None, "Nobody joined that long ago.")


def test_retention_is_shown_beside_earlier_campaigns(autumn: Campaign) -> None:
    later = make_campaign(
        slug="spring", starts_at=at("2026-11-01 00:00"), ends_at=at("2026-12-01 00:00")
    )
    retention = gather_report(later, at=at("2027-01-01 00:00")).retention
    assert retention.won == 0
    [earlier] = retention.earlier
    assert (earlier.slug, [rate.percent for _, rate in earlier.rates]) == (
        "birthday",
        [100.0, 75.0, 75.0, 25.0],
    )


def test_cancelled_subscriptions_are_counted_with_their_reason(autumn: Campaign) -> None:
    retention = gather_report(autumn, at=at("2026-08-01 00:00")).retention
    assert (retention.won, retention.stopped, retention.cancelled) == (4, 0, 3)
    reasons = {reason.name: (reason.label, reason.cancelled) for reason in retention.reasons}
    assert reasons == {"unused": ("not used enough", 2), "none": ("no reason given", 1)}


def test_access_as_a_filter_is_access_as_it_is_defined() -> None:
    """Compare every combination of the columns that decide, at moments around them."""
    start, soon, later = at("2026-01-01 00:00"), at("2026-02-01 00:00"), at("2026-03-01 00:00")
    member = make_member()
    for source, status, ends_at, access_until, is_cancelling, ended_at in product(
        ("subscription", "once"),
        ("active", "pending", "ended"),
        (None, soon, later),
        (None, soon),
        (True, False),
        (None, soon),
    ):
        if (status == "ended") == (ended_at is not None):
            Membership.objects.create(
                member=member,
                source=source,
                status=status,
                started_at=start,
                ends_at=ends_at,
                access_until=access_until,
                is_cancelling=is_cancelling,
                ended_at=ended_at,
            )
    second = timedelta(seconds=1)
    for moment in (start - second, start, soon - second, soon, later - second, later):
        found = set(Membership.objects.filter(giving_access(moment)))
        expected = {
            each
            for each in Membership.objects.all()
            if (access := find_access(each)) is not None and access.covers(moment)
        }
        assert found == expected, moment
