from calendar import monthrange
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.conf import LazySettings
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from campaigns import memberships
from campaigns.memberships import add_months
from campaigns.models import Membership, OutgoingMail
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_member,
    make_payment,
    make_price,
    make_refund,
)

MOMENTS = st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, tz=UTC))
MONTHS = st.integers(0, 240)


@pytest.mark.parametrize(
    ("start", "months", "end"),
    [
        ("2026-01-31 12:00", 1, "2026-02-28 12:00"),
        ("2026-01-31 12:00", 2, "2026-03-31 12:00"),
        ("2027-12-31 00:00", 2, "2028-02-29 00:00"),
        ("2028-02-29 23:59", 12, "2029-02-28 23:59"),
        ("2028-02-29 23:59", 48, "2032-02-29 23:59"),
        ("2026-11-10 12:00", 12, "2027-11-10 12:00"),
        ("2026-12-01 00:00", 1, "2027-01-01 00:00"),
        ("2026-11-10 12:00", 0, "2026-11-10 12:00"),
    ],
)
def test_months_are_added_by_the_calendar(start: str, months: int, end: str) -> None:
    assert add_months(at(start), months) == at(end)


@pytest.mark.parametrize("start", ["2026-10-25 00:30", "2026-10-25 01:30"])
def test_both_hours_at_the_end_of_summer_time_stay_apart(start: str) -> None:
    """In Berlin both of these moments are 02:30."""
    assert add_months(at(start), 0, zone=ZoneInfo("Europe/Berlin")) == at(start)


@pytest.mark.django_db
def test_without_a_campaign_the_calendar_is_the_newsrooms(settings: LazySettings) -> None:
    """It is 1 March in Tokyo already; in the campaign's zone it is still 28 February."""
    settings.TIME_ZONE = "Asia/Tokyo"
    start = "2027-02-28 16:00"
    bought: list[datetime | None] = []
    for campaign in (make_campaign(zone="UTC"), None):
        checkout = make_checkout(campaign, price=make_price("once"))
        payment = make_payment(make_member(), campaign, start, checkout=checkout)
        membership = memberships.upsert_one_off_membership(payment, checkout=checkout)
        bought.append(membership.ends_at)
    assert bought == [at("2028-02-28 16:00"), at("2028-02-29 16:00")]
    granted = memberships.grant_membership(
        make_member(), plan=None, source=Membership.Source.GRANTED, starts_at=at(start), months=12
    )
    assert granted.ends_at == at("2028-02-29 16:00")


@given(start=MOMENTS, months=MONTHS)
def test_the_day_stays_the_same_or_is_the_last_of_the_month(start: datetime, months: int) -> None:
    end = add_months(start, months)
    assert end.day == min(start.day, monthrange(end.year, end.month)[1])
    assert end.timetz() == start.timetz()
    assert (end.year - start.year) * 12 + end.month - start.month == months


@given(start=MOMENTS, months=MONTHS)
def test_months_added_to_the_first_start_never_drift(start: datetime, months: int) -> None:
    ends = [add_months(start, month) for month in range(months, months + 13)]
    assert ends == sorted(set(ends))
    # After a year it is the same day again, except for 29 February.
    if (start.month, start.day) != (2, 29):
        assert add_months(start, 12).day == start.day


# Ending


def give(starts_at: str, source: Membership.Source, months: int = 12) -> Membership:
    return memberships.grant_membership(
        make_member(), plan=None, source=source, starts_at=at(starts_at), months=months
    )


@pytest.mark.django_db
def test_a_membership_ends_when_it_runs_out_and_not_before() -> None:
    membership = give("2026-01-31 12:00", Membership.Source.GRANTED, months=1)
    end = at("2026-02-28 12:00")
    assert memberships.lapse_memberships(at=end - timedelta(seconds=1)) == 0
    assert memberships.lapse_memberships(at=end) == 1
    assert memberships.lapse_memberships(at=end + timedelta(days=9)) == 0
    membership.refresh_from_db()
    assert (membership.status, membership.ended_at) == ("ended", end)


@pytest.mark.django_db
def test_access_ends_on_time_even_before_the_job_runs() -> None:
    member = give("2026-01-31 12:00", Membership.Source.GIFT, months=1).member
    for moment, has_access in [
        ("2026-01-31 11:59:59", False),
        ("2026-01-31 12:00", True),
        ("2026-02-28 11:59:59", True),
        ("2026-02-28 12:00", False),
    ]:
        assert memberships.has_access(member, at(moment)) == has_access
    memberships.lapse_memberships(at=at("2026-03-01 00:00"))
    assert memberships.has_access(member, at("2026-02-28 11:59:59"))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("refunded_at", "ended_at"),
    [
        ("2026-05-01 12:00", "2026-05-01 12:00"),
        ("2027-01-10 12:00", "2027-01-10 12:00"),
        ("2027-04-01 12:00", "2027-01-10 12:00"),
    ],
    ids=["before", "as it runs out", "afterwards"],
)
@pytest.mark.parametrize("has_run_out", [False, True])
def test_a_refunded_one_off_membership_ends_at_the_refund_or_its_own_end(
    refunded_at: str, ended_at: str, has_run_out: bool
) -> None:
    """The result is the same with and without a run of the job in between."""
    membership = give("2026-01-10 12:00", Membership.Source.ONCE)
    paid = make_payment(membership.member, None, "2026-01-10 12:00", membership=membership)
    if has_run_out:
        assert memberships.lapse_memberships(at=at("2027-03-01 00:00")) == 1
    make_refund(paid, refunded_at)
    for _ in range(2):
        memberships.follow_payment(membership, paid)
        membership.refresh_from_db()
        assert (membership.status, membership.ended_at) == ("ended", at(ended_at))


@pytest.mark.django_db
def test_a_subscription_only_ends_when_stripe_ends_it() -> None:
    membership = Membership.objects.create(
        member=make_member(),
        source=Membership.Source.SUBSCRIPTION,
        started_at=at("2026-01-01 00:00"),
        ends_at=at("2026-02-01 00:00"),
        subscription_id="sub_1",
    )
    assert memberships.lapse_memberships(at=at("2026-03-01 00:00")) == 0
    assert memberships.has_access(membership.member, at("2026-03-01 00:00"))


@pytest.mark.django_db
def test_a_past_due_membership_lapses_after_its_grace_period_and_is_settled() -> None:
    end, checkout = at("2026-02-15 12:00"), make_checkout(None, status="paid")
    membership = Membership.objects.create(
        member=make_member(),
        checkout=checkout,
        source=Membership.Source.SUBSCRIPTION,
        status=Membership.Status.PAST_DUE,
        started_at=at("2026-01-01 00:00"),
        ends_at=at("2026-03-01 00:00"),
        access_until=end,
        subscription_id="sub_1",
    )
    assert memberships.lapse_memberships(at=end - timedelta(seconds=1)) == 0
    assert memberships.lapse_memberships(at=end) == 1
    assert memberships.lapse_memberships(at=end) == 0
    membership.refresh_from_db()
    checkout.refresh_from_db()
    assert (membership.status, membership.ended_at) == ("lapsed", None)
    assert checkout.due_at == end


@pytest.mark.django_db
def test_a_membership_that_is_paid_in_time_does_not_lapse() -> None:
    membership = Membership.objects.create(
        member=make_member(),
        source=Membership.Source.SUBSCRIPTION,
        status=Membership.Status.PAST_DUE,
        started_at=at("2026-01-01 00:00"),
        access_until=at("2026-02-15 12:00"),
        subscription_id="sub_1",
    )
    Membership.objects.update(status=Membership.Status.ACTIVE, access_until=None)
    assert memberships.lapse_memberships(at=at("2026-03-01 00:00")) == 0
    membership.refresh_from_db()
    assert membership.status == "active"


@pytest.mark.django_db
def test_a_membership_without_an_end_never_runs_out() -> None:
    Membership.objects.create(
        member=make_member(), source=Membership.Source.IMPORTED, started_at=at("2020-01-01 00:00")
    )
    assert memberships.lapse_memberships(at=at("2099-01-01 00:00")) == 0


@pytest.mark.django_db
def test_the_welcome_email_is_scheduled_once() -> None:
    membership = give("2026-11-10 12:00", Membership.Source.GRANTED)
    memberships.welcome(membership, language="uk")
    memberships.welcome(membership, language="en")
    assert OutgoingMail.objects.get().language == "uk"


@pytest.mark.both_databases
@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"status": "ended"},
        {"status": "active", "ended_at": at("2026-11-10 12:00")},
        {"ends_at": at("2026-11-10 11:59")},
    ],
    ids=["ended without its time", "a time without being ended", "ending before it starts"],
)
def test_the_database_refuses_impossible_memberships(changes: dict[str, object]) -> None:
    membership = give("2026-11-10 12:00", Membership.Source.GRANTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Membership.objects.filter(pk=membership.pk).update(**changes)
