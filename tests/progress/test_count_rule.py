"""The count rule, one scenario per test."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import transaction

from campaigns import memberships, payments, progress
from campaigns.models import Campaign, Gift, Goal, Member, Membership, Payment, Tally
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    record_claim,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]


def count(campaign: Campaign, *, on: str = "2027-06-01 00:00") -> int:
    """Tally everyone again and return the primary goal's count at a moment."""
    for gift in Gift.objects.all():
        progress.tally_gift(gift)
    with transaction.atomic():
        progress.tally_members(Member.objects.all())
    goal = campaign.goals.get(is_primary=True)
    return progress.measure_goal(goal, at=at(on)).counted


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def ada() -> Member:
    return make_member("ada@example.org")


def test_a_first_payment_in_the_window_counts_once(birthday: Campaign, ada: Member) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00")
    assert count(birthday, on="2026-11-10 11:59") == 0
    assert count(birthday, on="2026-11-10 12:00") == 1
    assert count(birthday) == 1


def test_a_person_with_two_subscriptions_counts_once(birthday: Campaign, ada: Member) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(ada, birthday, "2026-11-12 12:00")
    assert count(birthday) == 1


def test_a_renewal_never_counts(birthday: Campaign, ada: Member) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00", role=Payment.Role.RENEWAL)
    make_payment(ada, birthday, "2026-11-11 12:00", role=Payment.Role.CHANGE)
    assert count(birthday) == 0


def test_a_pending_or_failed_payment_does_not_count(birthday: Campaign, ada: Member) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00", status=Payment.Status.PENDING)
    make_payment(make_member(), birthday, "2026-11-10 12:00", status=Payment.Status.FAILED)
    assert count(birthday) == 0


def test_refunding_a_renewal_changes_nothing(birthday: Campaign, ada: Member) -> None:
    first = make_payment(ada, birthday, "2026-11-10 12:00")
    renewal = make_payment(
        ada,
        birthday,
        "2026-11-20 12:00",
        role=Payment.Role.RENEWAL,
        membership=first.membership,
    )
    make_refund(renewal, "2026-11-21 12:00")
    assert count(birthday) == 1


def test_a_payment_refunded_in_two_parts_counts_until_the_second(
    birthday: Campaign, ada: Member
) -> None:
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    make_refund(payment, "2026-11-12 12:00", 2500)
    make_refund(payment, "2026-11-14 12:00", 3500)
    assert count(birthday, on="2026-11-13 12:00") == 1
    assert count(birthday, on="2026-11-14 11:59") == 1
    assert count(birthday, on="2026-11-14 12:00") == 0


def test_a_failed_refund_changes_nothing(birthday: Campaign, ada: Member) -> None:
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    refund = make_refund(payment, "2026-11-12 12:00")
    assert count(birthday) == 0
    refund.status = "failed"
    refund.save()
    assert count(birthday) == 1


def test_a_person_who_is_refunded_and_joins_again_counts_in_two_intervals(
    birthday: Campaign, ada: Member
) -> None:
    first = make_payment(ada, birthday, "2026-11-10 12:00")
    make_refund(first, "2026-11-12 12:00")
    make_payment(ada, birthday, "2026-11-20 12:00")
    assert count(birthday, on="2026-11-11 12:00") == 1
    assert count(birthday, on="2026-11-15 12:00") == 0
    assert count(birthday) == 1
    assert Tally.objects.filter(member=ada).count() == 2


def test_a_second_subscription_continues_the_count_when_the_first_is_refunded(
    birthday: Campaign, ada: Member
) -> None:
    first = make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(ada, birthday, "2026-11-11 12:00")
    make_refund(first, "2026-11-15 12:00")
    for moment in ("2026-11-10 12:00", "2026-11-15 12:00", "2026-11-16 12:00"):
        assert count(birthday, on=moment) == 1
    assert Tally.objects.filter(member=ada).count() == 1


def test_an_open_dispute_counts_and_a_lost_one_does_not(birthday: Campaign, ada: Member) -> None:
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    dispute = make_dispute(payment, "2026-11-12 12:00")
    assert count(birthday) == 1
    dispute.status = "lost"
    dispute.save()
    assert count(birthday) == 0
    assert count(birthday, on="2026-11-12 11:59") == 1


def test_a_lost_dispute_won_later_counts_again(birthday: Campaign, ada: Member) -> None:
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    dispute = make_dispute(payment, "2026-11-12 12:00", status="lost")
    assert count(birthday) == 0
    dispute.status = "won"
    dispute.save()
    assert count(birthday) == 1


def test_a_gift_counts_when_paid_whether_or_not_it_is_claimed(
    birthday: Campaign, ada: Member
) -> None:
    make_gift(ada, birthday, "2026-11-10 12:00")
    assert count(birthday) == 1


def test_a_recipient_who_also_pays_counts_only_through_the_gift(
    birthday: Campaign, ada: Member
) -> None:
    ben = make_member("ben@example.org")
    record_claim(make_gift(ada, birthday, "2026-11-10 12:00"), ben, "2026-11-11 12:00")
    make_payment(ben, birthday, "2026-11-20 12:00")
    assert count(birthday) == 1


def test_a_recipient_who_also_pays_counts_once_the_gift_is_refunded(
    birthday: Campaign, ada: Member
) -> None:
    ben = make_member("ben@example.org")
    gift = record_claim(make_gift(ada, birthday, "2026-11-10 12:00"), ben, "2026-11-11 12:00")
    make_payment(ben, birthday, "2026-11-20 12:00")
    make_refund(gift.payment, "2026-11-25 12:00")
    assert count(birthday, on="2026-11-24 12:00") == 1
    assert count(birthday, on="2026-11-25 12:00") == 1
    assert Tally.objects.get(member=ben).counted_from == at("2026-11-25 12:00")


def test_a_gift_claimed_by_its_buyer_counts_once(birthday: Campaign, ada: Member) -> None:
    record_claim(make_gift(ada, birthday, "2026-11-10 12:00"), ada, "2026-11-11 12:00")
    make_payment(ada, birthday, "2026-11-20 12:00")
    assert count(birthday) == 1


def test_a_refunded_gift_stops_counting(birthday: Campaign, ada: Member) -> None:
    gift = make_gift(ada, birthday, "2026-11-10 12:00")
    make_refund(gift.payment, "2026-11-12 12:00")
    assert count(birthday, on="2026-11-11 12:00") == 1
    assert count(birthday) == 0


def test_an_earlier_member_does_not_count(birthday: Campaign, ada: Member) -> None:
    Membership.objects.create(
        member=ada, source=Membership.Source.IMPORTED, started_at=at("2025-01-01 00:00")
    )
    make_payment(ada, birthday, "2026-11-10 12:00")
    assert count(birthday) == 0


def test_an_earlier_member_who_lapsed_and_returns_counts(birthday: Campaign, ada: Member) -> None:
    Membership.objects.create(
        member=ada,
        source=Membership.Source.IMPORTED,
        started_at=at("2024-01-01 00:00"),
        ends_at=at("2025-01-01 00:00"),
    )
    make_payment(ada, birthday, "2026-11-10 12:00")
    assert count(birthday) == 1


def test_an_earlier_membership_that_was_never_paid_changes_nothing(
    birthday: Campaign, ada: Member
) -> None:
    unpaid = Membership.objects.create(
        member=ada,
        checkout=make_checkout(birthday),
        source=Membership.Source.SUBSCRIPTION,
        status=Membership.Status.PAST_DUE,
        started_at=at("2026-10-25 12:00"),
        subscription_id="sub_unpaid",
    )
    make_payment(ada, birthday, "2026-11-10 12:00")
    assert count(birthday) == 1
    make_payment(ada, None, "2026-10-25 12:00", membership=unpaid)
    assert count(birthday) == 0


def test_a_grant_does_not_count(birthday: Campaign, ada: Member) -> None:
    memberships.grant_membership(
        ada,
        plan=None,
        source=Membership.Source.GRANTED,
        starts_at=at("2026-11-10 12:00"),
        months=12,
    )
    assert count(birthday) == 0


def test_an_import_does_not_count(birthday: Campaign, ada: Member) -> None:
    Membership.objects.create(
        member=ada, source=Membership.Source.IMPORTED, started_at=at("2026-11-10 00:00")
    )
    assert count(birthday) == 0


def test_an_offline_payment_counts_by_the_date_entered(birthday: Campaign, ada: Member) -> None:
    membership = memberships.grant_membership(
        ada,
        plan=None,
        source=Membership.Source.ONCE,
        starts_at=at("2026-11-10 12:00"),
        months=12,
    )
    payments.record_offline_payment(
        campaign=birthday,
        membership=membership,
        amount_minor=6000,
        currency="eur",
        paid_at=at("2026-11-10 12:00"),
    )
    assert count(birthday, on="2026-11-09 00:00") == 0
    assert count(birthday) == 1


def test_overlapping_campaigns_count_their_own_sales(birthday: Campaign, ada: Member) -> None:
    spring = make_campaign(slug="overlap", starts_at=at("2026-11-15 00:00"))
    make_payment(ada, birthday, "2026-11-20 12:00")
    assert count(birthday) == 1
    assert count(spring) == 0
    ben = make_member()
    make_payment(ben, birthday, "2026-11-10 12:00")
    make_payment(ben, spring, "2026-11-20 12:00")
    assert count(birthday) == 2
    # Ben was already a member when the second campaign began.
    assert count(spring) == 0


@pytest.mark.parametrize("zone", ["Europe/Kyiv", "America/New_York", "Pacific/Kiritimati"])
def test_the_window_is_exact_to_the_second_in_its_zone(zone: str) -> None:
    begin = datetime(2026, 11, 1, tzinfo=ZoneInfo(zone))
    end = datetime(2026, 12, 1, tzinfo=ZoneInfo(zone))
    campaign = make_campaign(zone=zone, starts_at=begin, ends_at=end)
    second = timedelta(seconds=1)
    for moment, counts in [
        (begin - second, 0),
        (begin, 1),
        (end - second, 2),
        (end, 2),
    ]:
        make_payment(make_member(), campaign, moment.isoformat())
        assert count(campaign) == counts


def test_a_day_of_25_hours_counts_in_full(ada: Member) -> None:
    kyiv = ZoneInfo("Europe/Kyiv")
    # Clocks go back on 25 October 2026 at 04:00, so that day has 25 hours.
    begin = datetime(2026, 10, 25, tzinfo=kyiv)
    end = datetime(2026, 10, 26, tzinfo=kyiv)
    campaign = make_campaign(starts_at=begin, ends_at=end)
    assert at(end.isoformat()) - at("2026-10-24 21:00") == timedelta(hours=25)
    make_payment(ada, campaign, "2026-10-25 21:59:59")
    make_payment(make_member(), campaign, "2026-10-25 22:00:00")
    assert count(campaign) == 1


def test_a_debit_that_starts_in_the_window_and_succeeds_later_counts(
    birthday: Campaign, ada: Member
) -> None:
    payment = make_payment(
        ada, birthday, "2026-11-30 20:00", status=Payment.Status.PENDING, method="sepa_debit"
    )
    goal = birthday.goals.get()
    provisional = progress.measure_goal(goal, at=at("2026-12-02 00:00"))
    assert (provisional.counted, provisional.pending) == (0, 1)
    payment.status = Payment.Status.SUCCEEDED
    payment.save()
    assert count(birthday) == 1
    assert progress.measure_goal(goal, at=at("2026-12-05 00:00")).pending == 0


def test_a_membership_sold_after_the_end_is_not_counted(birthday: Campaign, ada: Member) -> None:
    make_payment(ada, birthday, "2026-12-01 00:00")
    assert count(birthday) == 0


def test_a_money_goal_is_first_payments_less_refunds_in_one_currency(
    birthday: Campaign, ada: Member
) -> None:
    goal = Goal.objects.create(campaign=birthday, kind=Goal.Kind.MONEY, target=100_000)
    make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(make_member(), birthday, "2026-11-10 12:00", currency="usd")
    partly = make_payment(make_member(), birthday, "2026-11-10 12:00")
    make_refund(partly, "2026-11-11 12:00", 1000)
    lost = make_payment(make_member(), birthday, "2026-11-10 12:00")
    make_refund(lost, "2026-11-11 12:00", 1000)
    make_dispute(lost, "2026-11-12 12:00", status="lost")
    measured = progress.measure_goal(goal, at=at("2026-11-20 00:00"))
    assert measured.counted == 6000 + 5000 + 0
    assert measured.currency == "eur"


def test_the_count_is_not_capped_and_the_bar_is() -> None:
    campaign = make_campaign(target=2)
    for _ in range(3):
        make_payment(make_member(), campaign, "2026-11-10 12:00")
    count(campaign)
    measured = progress.measure_goal(campaign.goals.get(), at=at("2026-11-20 00:00"))
    assert (measured.counted, measured.percent, measured.bar_percent) == (3, 150, 100)
    assert measured.state == "reached"


def test_an_unknown_goal_kind_is_never_counted(birthday: Campaign) -> None:
    goal = Goal.objects.create(campaign=birthday, kind="books", target=10)
    with pytest.raises(progress.UnknownGoalKind, match="books"):
        progress.measure_goal(goal, at=at("2026-11-20 00:00"))


def test_counting_again_changes_no_rows(birthday: Campaign, ada: Member) -> None:
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    make_refund(payment, "2026-11-12 12:00", 1000)
    count(birthday)
    before = list(Tally.objects.values())
    count(birthday)
    assert list(Tally.objects.values()) == before
