"""The figures of a campaign, compared with sums worked out by hand."""

import csv
import io
import json
from datetime import date

import pytest
from django.utils.translation import override

from campaigns import memberships, payments, progress
from campaigns.emails.links import SHARED
from campaigns.models import Campaign, Goal, Membership, Payment, PlanCopy
from campaigns.reports import Report, formats, gather_report
from campaigns.reports.days import Day
from campaigns.reports.sources import PLACEMENT_LABELS
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_plan,
    make_price,
    make_refund,
    record_claim,
    recount_campaign,
)

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

NOW = at("2026-11-10 12:00")


@pytest.fixture
def birthday() -> Campaign:
    """A campaign in November in Kyiv, where midnight is two hours before midnight in UTC."""
    return make_campaign(
        starts_at=at("2026-11-01 00:00+02:00"), ends_at=at("2026-12-01 00:00+02:00"), target=100
    )


def make_new_member(campaign: Campaign, paid_at: str, *, placement: str = "top") -> Payment:
    """Create a new member who pays €60 for a year and comes from a banner."""
    member = make_member()
    price = make_price("year")
    checkout = make_checkout(campaign, price=price, placement=placement, status="paid")
    membership = Membership.objects.create(
        member=member,
        plan=price.plan,
        source=Membership.Source.SUBSCRIPTION,
        started_at=at(paid_at),
        checkout=checkout,
    )
    return make_payment(member, campaign, paid_at, membership=membership, checkout=checkout)


def pay_offline(campaign: Campaign, paid_at: str) -> Payment:
    membership = memberships.grant_membership(
        make_member(),
        plan=make_plan(),
        source=Membership.Source.ONCE,
        starts_at=at(paid_at),
        months=12,
    )
    return payments.record_offline_payment(
        campaign=campaign,
        membership=membership,
        amount_minor=4000,
        currency="eur",
        paid_at=at(paid_at),
    )


def figures_of(campaign: Campaign, *, now: str = "2026-11-10 12:00") -> Report:
    recount_campaign(campaign)
    return gather_report(campaign, at=at(now))


@pytest.fixture
def lively(birthday: Campaign) -> Campaign:
    """Two subscriptions, one refunded, a claimed gift, an unclaimed gift and an offline payment."""
    make_new_member(birthday, "2026-11-02 10:00", placement="top")
    make_new_member(birthday, "2026-11-03 21:59", placement="inline")
    make_refund(make_new_member(birthday, "2026-11-03 22:00", placement="end"), "2026-11-08 09:00")
    record_claim(
        make_gift(make_member(), birthday, "2026-11-05 10:00"), make_member(), "2026-11-06 08:00"
    )
    make_gift(make_member(), birthday, "2026-11-09 22:30")
    pay_offline(birthday, "2026-11-07 10:00")
    return birthday


def test_payments_are_on_their_day_in_the_campaigns_zone(lively: Campaign) -> None:
    days = {day.day.isoformat(): day for day in figures_of(lively).days}
    # In Kyiv 21:59 UTC is still the 3rd, 22:00 UTC is the 4th. The gift of 22:30 is on the 10th.
    assert (days["2026-11-03"].people, days["2026-11-04"].people) == (1, 1)
    assert (days["2026-11-09"].gifts, days["2026-11-10"].gifts) == (0, 1)


def test_every_days_total_adds_up(lively: Campaign) -> None:
    days = figures_of(lively).days
    assert [day.day for day in days] == [date(2026, 11, number) for number in range(1, 11)]
    assert [day.total for day in days] == [0, 1, 2, 3, 4, 4, 5, 4, 4, 5]
    assert [day.stopped for day in days] == [0, 0, 0, 0, 0, 0, 0, 1, 0, 0]
    before = 0
    for day in days:
        assert day.total == before + day.people + day.gifts - day.stopped
        before = day.total


def test_the_last_days_total_is_the_count(lively: Campaign) -> None:
    figures = figures_of(lively)
    assert figures.primary is not None
    assert figures.days[-1].total == figures.primary.counted == 5
    assert (figures.primary.people, figures.primary.gifts) == (3, 2)


def test_each_breakdown_contains_everyone_once(lively: Campaign) -> None:
    figures = figures_of(lively)
    sources = {group.name: group.counted for group in figures.sources.source.groups}
    assert sources == {"subscription": 2, "gift": 2, "offline": 1}
    assert {group.name: group.counted for group in figures.sources.plan.groups} == {"member": 5}
    placements = {group.name: group.counted for group in figures.sources.placement.groups}
    assert placements == {"none": 3, "top": 1, "inline": 1}
    assert (figures.gifts.claimed, figures.gifts.unclaimed) == (1, 1)


def test_recipients_who_became_paying_members_are_reported(
    birthday: Campaign,
) -> None:
    ben, cleo, dan = (make_member(f"{name}@example.org") for name in ("ben", "cleo", "dan"))
    for claimed_by in (ben, ben, cleo, dan):
        gift = make_gift(make_member(), birthday, "2026-11-02 10:00")
        record_claim(gift, claimed_by, "2026-11-03 10:00")
    make_payment(ben, None, "2026-11-05 10:00")
    make_payment(cleo, None, "2026-11-02 23:00")  # before the claim
    make_payment(dan, None, "2026-11-06 10:00", status="failed")
    figures = figures_of(birthday)
    assert figures.gifts.paying_members == 1
    assert (figures.gifts.claimed, figures.gifts.unclaimed, figures.gifts.expired) == (4, 0, 0)
    assert "recipients who became paying members  1" in formats.as_text(figures)


def test_expired_gifts_are_reported(birthday: Campaign) -> None:
    changes = {"status": "expired", "expires_at": at("2026-11-09 10:00")}
    make_gift(make_member(), birthday, "2026-11-02 10:00", **changes)
    figures = figures_of(birthday)
    assert (figures.gifts.unclaimed, figures.gifts.expired) == (1, 1)


def test_an_invented_placement_is_not_reported(birthday: Campaign) -> None:
    make_new_member(birthday, "2026-11-02 10:00", placement="\x1b[31m=cmd()<script>")
    figures = figures_of(birthday)
    assert [(group.name, group.counted) for group in figures.sources.placement.groups] == [
        ("none", 1)
    ]
    assert "\x1b" not in formats.as_text(figures)


def test_breakdowns_use_the_labels_of_the_admin(lively: Campaign) -> None:
    PlanCopy.objects.filter(plan__slug="member").update(name="Friend of the house")
    figures = figures_of(lively)
    assert [group.label for group in figures.sources.plan.groups] == ["Friend of the house"]
    labels = {group.name: group.label for group in figures.sources.placement.groups}
    assert labels["top"] == "bar at the top"
    assert labels["none"] == "direct, without a banner"
    assert PLACEMENT_LABELS[SHARED] == "link that a member shared"


def test_net_money_is_gross_less_refunds(lively: Campaign) -> None:
    (money,) = figures_of(lively).money.totals
    # Three subscriptions and two gifts of €60, an offline payment of €40, and a refund of €60.
    assert (money.currency, money.payments, money.gross_minor) == ("eur", 6, 34000)
    assert (money.refunded_minor, money.lost_minor, money.net_minor) == (6000, 0, 28000)


def test_two_currencies_are_never_added(lively: Campaign) -> None:
    make_payment(make_member(), lively, "2026-11-06 10:00", currency="usd", amount_minor=7000)
    euro, dollar = figures_of(lively).money.totals
    assert (euro.currency, euro.net_minor) == ("eur", 28000)
    assert (dollar.currency, dollar.net_minor) == ("usd", 7000)


def test_a_payment_refunded_in_part_and_then_lost_is_deducted_once(birthday: Campaign) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-02 10:00")
    make_payment(make_member(), birthday, "2026-11-02 11:00")
    make_refund(payment, "2026-11-03 10:00", 2000)
    make_dispute(payment, "2026-11-04 10:00", status="lost")
    (money,) = figures_of(birthday).money.totals
    assert (money.gross_minor, money.refunded_minor, money.lost_minor) == (12000, 2000, 4000)
    assert money.net_minor == progress.sum_money_raised(birthday, at=NOW) == 6000


def test_a_lost_dispute_is_deducted_when_the_funds_are_withdrawn(birthday: Campaign) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-02 10:00")
    dispute = make_dispute(payment, "2026-11-04 10:00", status="lost")
    dispute.withdrawn_at = at("2026-11-06 10:00")
    dispute.save()
    recount_campaign(birthday)
    nets = {
        day: gather_report(birthday, at=at(f"2026-11-0{day} 12:00")).money.totals[0].net_minor
        for day in (4, 5, 6)
    }
    assert nets == {4: 6000, 5: 6000, 6: 0}


def test_a_money_goal_counts_the_net_of_the_campaigns_currency(lively: Campaign) -> None:
    Goal.objects.create(campaign=lively, kind=Goal.Kind.MONEY, target=500_000)
    payment = make_payment(make_member(), lively, "2026-11-06 10:00")
    make_refund(payment, "2026-11-06 11:00", 1)
    make_refund(payment, "2026-11-06 12:00", 999)
    make_payment(make_member(), lively, "2026-11-06 10:00", currency="usd")
    figures = figures_of(lively)
    goal = next(goal for goal in figures.goals if goal.is_money)
    assert goal.counted == figures.money.totals[0].net_minor == 33000


def test_the_recent_pace_covers_the_last_seven_full_days(lively: Campaign) -> None:
    figures = figures_of(lively)
    # Three people and the gift of the 5th started to count from the 3rd to the 9th.
    assert figures.pace.recent_days == 7
    assert figures.pace.recent_per_day == pytest.approx((1 + 1 + 1 + 1) / 7)


def test_the_needed_pace_is_the_rest_divided_by_the_days_left(lively: Campaign) -> None:
    figures = figures_of(lively, now="2026-11-10 22:00")  # midnight in Kyiv, 20 days left
    assert figures.pace.needed_per_day == pytest.approx(95 / 20)
    last_hour = figures_of(lively, now="2026-11-30 21:00")
    assert last_hour.pace.needed_per_day == 95  # not 24 times as many


def test_the_pace_of_a_gift_goal_counts_only_gifts(birthday: Campaign) -> None:
    birthday.goals.update(kind=Goal.Kind.GIFTS, target=10)
    make_new_member(birthday, "2026-11-02 10:00")
    make_gift(make_member(), birthday, "2026-11-03 10:00")
    figures = figures_of(birthday, now="2026-11-05 12:00")
    assert figures.pace.recent_per_day == pytest.approx(1 / 4)


def test_an_empty_campaign_has_a_report(birthday: Campaign) -> None:
    figures = figures_of(birthday)
    assert (figures.money.totals, figures.sources.source.groups) == ((), ())
    assert figures.pending == 0
    assert [day.total for day in figures.days] == [0] * 10
    assert "0 of 100 (0%), running" in formats.as_text(figures)
    assert "none yet" in formats.as_text(figures)
    assert json.loads(formats.as_json(figures))["goals"][0]["counted"] == 0
    assert len(list(csv.DictReader(io.StringIO(formats.as_csv(figures))))) == 10


def test_a_campaign_without_a_goal_has_a_report(birthday: Campaign) -> None:
    birthday.goals.all().delete()
    figures = figures_of(birthday)
    assert (figures.primary, figures.pace.needed_per_day) == (None, None)
    assert formats.as_text(figures)
    assert json.loads(formats.as_json(figures))["goals"] == []


def test_there_are_no_days_and_no_pace_before_the_start(birthday: Campaign) -> None:
    figures = figures_of(birthday, now="2026-10-20 12:00")
    assert figures.days == ()
    assert (figures.pace.recent_per_day, figures.pace.needed_per_day) == (None, None)
    assert formats.as_csv(figures) == (
        "campaign,day,people,gifts,stopped,total,currency,raised,raised_total\r\n"
    )
    assert "shown while the campaign is running" in formats.as_text(figures)


def test_after_the_end_there_are_no_more_days_and_no_pace(lively: Campaign) -> None:
    figures = figures_of(lively, now="2027-02-01 12:00")
    assert figures.days[-1].day == date(2026, 11, 30)
    assert (figures.pace.recent_per_day, figures.pace.needed_per_day) == (None, None)
    assert figures.primary is not None
    assert figures.primary.state == "ended"


def test_a_refund_after_the_end_is_on_its_day(birthday: Campaign) -> None:
    make_refund(make_new_member(birthday, "2026-11-02 10:00"), "2026-12-03 10:00")
    figures = figures_of(birthday, now="2027-02-01 12:00")
    assert figures.days[-1] == Day(
        date(2026, 12, 3), people=0, gifts=0, stopped=1, total=0, raised_minor=-6000
    )


def test_pending_payments_make_the_count_provisional(lively: Campaign) -> None:
    make_payment(make_member(), lively, "2026-11-09 10:00", status=Payment.Status.PENDING)
    figures = figures_of(lively)
    assert figures.pending == 1
    assert "Pending 1 payment from the window; the count is provisional" in formats.as_text(figures)


def test_json_contains_every_figure_with_times_and_minor_units(lively: Campaign) -> None:
    data = json.loads(formats.as_json(figures_of(lively)))
    assert data["as_of"] == "2026-11-10T12:00:00+00:00"
    assert data["money"] == [
        {
            "currency": "eur",
            "payments": 6,
            "gross_minor": 34000,
            "refunded_minor": 6000,
            "lost_minor": 0,
            "net_minor": 28000,
        }
    ]
    assert data["days"][-1] == {
        "day": "2026-11-10",
        "people": 0,
        "gifts": 1,
        "stopped": 0,
        "total": 5,
        "raised_minor": 6000,
        "raised_total_minor": 28000,
    }
    assert (data["currency"], data["currency_exponent"]) == ("eur", 2)
    assert (data["goals"][0]["percent"], data["goals"][0]["state"]) == (5, "running")
    assert data["rule"].startswith("A person counts once")


def test_csv_has_one_line_a_day(lively: Campaign) -> None:
    lines = list(csv.DictReader(io.StringIO(formats.as_csv(figures_of(lively)))))
    assert lines[7] == {
        "campaign": "birthday",
        "day": "2026-11-08",
        "people": "0",
        "gifts": "0",
        "stopped": "1",
        "total": "4",
        "currency": "eur",
        "raised": "-60.00",
        "raised_total": "220.00",
    }


@pytest.mark.parametrize("slug", ["-birthday", "=1+1", "@sum", "+1"])
def test_no_csv_cell_is_a_formula(birthday: Campaign, slug: str) -> None:
    Campaign.objects.filter(pk=birthday.pk).update(slug=slug)
    birthday.refresh_from_db()
    (first, *_) = list(csv.DictReader(io.StringIO(formats.as_csv(figures_of(birthday)))))
    assert first["campaign"] == f"'{slug}"


def test_the_text_is_in_columns(lively: Campaign) -> None:
    text = formats.as_text(figures_of(lively))
    assert "new members  5 of 100 (5%), running\n" in text
    assert "  EUR         6   €340     -€60             €0  €280\n" in text
    assert "  2026-11-08       0      0       -1      4    -€60          €220\n" in text
    assert "offline payment" in text
    assert max(map(len, text.splitlines())) <= 100


def test_a_report_names_the_campaign_in_its_language(lively: Campaign) -> None:
    lively.copies.create(language="uk", name="Третій день народження")
    with override("en"):
        assert gather_report(lively, at=NOW, language="uk").name == "Третій день народження"
        assert gather_report(lively, at=NOW).name == "Third birthday"
