"""The figures of a generated campaign, compared with numbers from the generator's own list."""

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from statistics import median
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from campaigns.models import Campaign
from campaigns.reports import Period, Report, choose_period, gather_report
from campaigns.reports.sources import Breakdown
from tests.support.generated import BEGINS, ENDS, NOW, Sold, generate_sales, make_generated

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]

SOLD = generate_sales(110)
ZONE = ZoneInfo("Europe/Berlin")


@pytest.fixture
def campaign() -> Campaign:
    return make_generated(SOLD)


@pytest.fixture
def report(campaign: Campaign) -> Report:
    return gather_report(campaign, at=NOW)


def counted(breakdown: Breakdown) -> dict[str, int]:
    return {group.name: group.counted for group in breakdown.groups}


def tally(values: Iterable[str]) -> dict[str, int]:
    return dict(Counter(value or "none" for value in values))


def now_counting() -> list[Sold]:
    return [sold for sold in SOLD if sold.counts_now]


def test_the_generated_campaign_has_every_case() -> None:
    cases: tuple[Callable[[Sold], object], ...] = (
        lambda sold: sold.was_member,
        lambda sold: sold.lost_at,
        lambda sold: 0 < sold.refunded_minor < sold.minor,
        lambda sold: sold.is_gift and sold.reversed_at,
        lambda sold: sold.paid_later_at,
        lambda sold: sold.cancel_reason,
        lambda sold: sold.kind == "offline" and sold.refunded_at,
        lambda sold: sold.reversed_at and sold.reversed_at > ENDS,
    )
    assert all(any(map(case, SOLD)) for case in cases)


def test_the_count_is_that_of_the_list(report: Report) -> None:
    primary = report.standing.primary
    assert primary is not None
    gifts = sum(sold.is_gift for sold in now_counting())
    assert (primary.counted, primary.gifts) == (len(now_counting()), gifts)
    assert primary.people == len(now_counting()) - gifts


def test_each_breakdown_is_that_of_the_list(report: Report) -> None:
    sources, counting = report.sources, now_counting()
    for name in (
        *("placement", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content"),
        *("device", "country"),
    ):
        expected = tally(getattr(sold.origin, name) for sold in counting)
        assert counted(getattr(sources, name)) == expected, name
    assert counted(sources.article) == tally(sold.origin.page_url for sold in counting)
    assert counted(sources.plan) == {"member": len(counting)}
    methods = ("offline" if s.kind == "offline" else s.method for s in counting)
    assert counted(sources.method) == tally(methods)
    languages = ("" if s.kind == "offline" else s.language for s in counting)
    assert counted(sources.language) == tally(languages)
    kinds = {"month": "subscription", "year": "subscription"}
    assert counted(sources.source) == tally(kinds.get(sold.kind, sold.kind) for sold in counting)


def test_the_top_of_a_breakdown_and_its_others_are_all_of_it(report: Report) -> None:
    article = report.sources.article
    assert len(article.groups) > len(article.top) == 10
    assert sum(group.counted for group in article.top) + article.others == article.counted
    assert {group.label for group in article.top if group.url} <= {
        f"Story {number}" for number in range(10)
    }


@pytest.mark.thorough
@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Kathmandu", "Europe/Berlin"])
def test_days_and_hours_are_those_of_the_list_in_any_zone(zone: str) -> None:
    campaign = make_generated(SOLD, zone=zone)
    info = ZoneInfo(zone)
    report = gather_report(campaign, at=NOW)
    for day in report.days:
        started = [s for s in SOLD if s.counts and s.paid_at.astimezone(info).date() == day.day]
        stopped = [
            s
            for s in SOLD
            if s.counts and s.reversed_at and s.reversed_at.astimezone(info).date() == day.day
        ]
        gifts = sum(sold.is_gift for sold in started)
        assert (day.people, day.gifts, day.stopped) == (
            len(started) - gifts,
            gifts,
            len(stopped),
        ), day.day
    assert report.standing.primary is not None
    assert report.days[-1].total == report.standing.primary.counted
    [euros] = [total for total in report.money.totals if total.currency == "eur"]
    assert report.days[-1].raised_total_minor == euros.net_minor
    expected = Counter(
        (moment.weekday(), moment.hour)
        for moment in (s.paid_at.astimezone(info) for s in SOLD if s.counts)
    )
    rows = report.hours.rows
    found = {(d, h): rows[d][h] for d in range(7) for h in range(24) if rows[d][h]}
    assert found == expected
    assert report.hours.total == sum(day.joined for day in report.days)


def expected_money(currency: str, keeps: Callable[[date], bool]) -> tuple[int, int, int, int]:
    """Return payments, gross, refunds and losses that moved on the days that `keeps` wants."""

    def on(sold: Sold, moment: object) -> bool:
        return moment is not None and keeps(moment.astimezone(ZONE).date())  # type: ignore[attr-defined]

    sales = [sold for sold in SOLD if sold.currency == currency]
    paid = [sold for sold in sales if on(sold, sold.paid_at)]
    return (
        len(paid),
        sum(sold.minor for sold in paid),
        sum(sold.refunded_minor for sold in sales if on(sold, sold.refunded_at)),
        sum(sold.minor for sold in sales if on(sold, sold.lost_at)),
    )


def test_money_is_that_of_the_list(report: Report, campaign: Campaign) -> None:
    week = choose_period(campaign, at=NOW, first=date(2026, 10, 26), end=date(2026, 11, 2))
    some = gather_report(campaign, at=NOW, period=week)
    for each, keeps in (
        (report, lambda day: True),
        (some, lambda day: date(2026, 10, 26) <= day < date(2026, 11, 2)),
    ):
        for money in each.money.totals:
            assert (
                money.payments,
                money.gross_minor,
                money.refunded_minor,
                money.lost_minor,
            ) == expected_money(money.currency, keeps)
        assert [money.currency for money in each.money.totals] == ["eur", "jpy", "usd"]


def test_amounts_are_those_of_the_list(report: Report) -> None:
    for amounts in report.paid.amounts:
        sales = [s for s in SOLD if s.currency == amounts.currency and s.reversed_at is None]
        minors = sorted(sold.minor for sold in sales)
        assert amounts.payments == len(minors) == sum(bar.payments for bar in amounts.bars)
        assert amounts.median_minor == int(median(minors) + 0.5)
        cap = minors[-(-len(minors) * 95 // 100) - 1]
        mean = sum(min(minor, cap) for minor in minors) / len(minors)
        assert abs(amounts.mean_minor - mean) <= 0.5
        assert amounts.paid_minor == sum(minors)
        months = sum(sold.minor for sold in sales if sold.kind == "month")
        assert amounts.year_minor == sum(minors) + 11 * months
    assert report.paid.people == len(SOLD)
    assert report.paid.returning == sum(sold.was_member for sold in SOLD)


def test_the_gift_funnel_is_that_of_the_list(report: Report) -> None:
    gifts = [sold for sold in now_counting() if sold.is_gift]
    claimed = [sold for sold in gifts if sold.claimed_at]
    assert (report.gifts.paid, report.gifts.claimed) == (len(gifts), len(claimed))
    assert report.gifts.delivered == sum(sold.delivered_at is not None for sold in gifts)
    paying = sum(sold.paid_later_at is not None for sold in claimed)
    assert (report.gifts.claimants, report.gifts.paying_members) == (len(claimed), paying)
    assert report.gifts.paying_share.percent == round(100 * paying / len(claimed), 1)


def test_cancellations_are_those_of_the_list(report: Report) -> None:
    people = [sold for sold in SOLD if sold.counts and not sold.is_gift]
    cancelled = [sold for sold in people if sold.counts_now and sold.cancel_reason is not None]
    assert report.retention.won == len(people)
    assert report.retention.stopped == sum(sold.reversed_at is not None for sold in people)
    assert report.retention.cancelled == len(cancelled)
    reasons = {reason.name: reason.cancelled for reason in report.retention.reasons}
    assert reasons == tally(sold.cancel_reason or "" for sold in cancelled)


def test_today_and_last_week_are_those_of_the_list(campaign: Campaign) -> None:
    now = SOLD[0].paid_at.replace(day=10, month=11, hour=12)
    standing = gather_report(campaign, at=now).standing
    today = now.astimezone(ZONE).date()
    for moves, day, until in (
        (standing.today, today, now),
        (standing.yesterday, today - timedelta(days=1), now),
        (standing.last_week, today - timedelta(days=7), now),
        (standing.last_week_by_now, today - timedelta(days=7), now - timedelta(days=7)),
    ):
        joined = [
            s
            for s in SOLD
            if s.counts and s.paid_at.astimezone(ZONE).date() == day and s.paid_at < until
        ]
        left = [
            s
            for s in SOLD
            if s.counts
            and s.reversed_at
            and s.reversed_at.astimezone(ZONE).date() == day
            and s.reversed_at < until
        ]
        assert (moves.day, moves.joined, moves.left) == (day, len(joined), len(left))


@pytest.mark.thorough
def test_periods_that_follow_each_other_add_up_to_the_whole(
    campaign: Campaign, report: Report
) -> None:
    parts = []
    first = date(2026, 10, 20)
    while first <= NOW.date():
        end = first + timedelta(days=5)
        parts.append(gather_report(campaign, at=NOW, period=Period(first, end, campaign.zone)))
        first = end
    for name in ("placement", "article", "method"):
        parts_of = Counter[str]()
        for part in parts:
            parts_of.update(counted(getattr(part.sources, name)))
        assert parts_of == counted(getattr(report.sources, name))
    gross = sum(money.gross_minor for part in parts for money in part.money.totals)
    assert gross == sum(money.gross_minor for money in report.money.totals)
    assert sum(part.hours.total for part in parts) == report.hours.total
    assert [day for part in parts for day in part.days][: len(report.days)] == list(report.days)


@pytest.mark.thorough
def test_a_report_asks_as_many_queries_for_many_sales_and_days_as_for_few() -> None:
    def count_queries(campaign: Campaign) -> int:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            gather_report(campaign, at=NOW)
        return len(queries)

    few = make_generated(SOLD[:40])
    asked = count_queries(few)
    Campaign.objects.filter(pk=few.pk).update(slug="before")
    many = make_generated(SOLD)
    many.starts_at = BEGINS - timedelta(days=700)
    assert count_queries(many) == asked
    assert asked <= 49
