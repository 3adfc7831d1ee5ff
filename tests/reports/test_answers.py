"""The report's last three questions, answered in a sentence."""

from datetime import timedelta

import pytest

from campaigns.models import Campaign, Checkout, Membership
from campaigns.reports import Report, gather_report
from campaigns.reports.answers import answer_paid, answer_stay, answer_works
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_member,
    make_payment,
    make_refund,
    recount_campaign,
)

pytestmark = pytest.mark.django_db

STARTS = at("2026-11-01 00:00")


@pytest.fixture
def birthday() -> Campaign:
    """Three people who paid €60, two of them through the block in an article; one refund."""
    campaign = make_campaign(starts_at=STARTS, ends_at=STARTS + timedelta(days=30))
    article = {"placement": "inline", "page_title": "Bridges", "page_url": "https://a.test/"}
    for day, origin in ((2, article), (3, article), (4, {}), (5, {})):
        checkout = make_checkout(campaign, **origin)
        last = make_payment(make_member(), campaign, f"2026-11-0{day} 12:00", checkout=checkout)
    make_refund(last, "2026-11-06 12:00")
    recount_campaign(campaign)
    return campaign


def gather(campaign: Campaign, now: str = "2026-11-20 00:00") -> Report:
    return gather_report(campaign, at=at(now))


def test_the_largest_source_and_article_are_named_with_their_counts(birthday: Campaign) -> None:
    assert answer_works(gather(birthday)) == (
        "The largest source: block inside the article, 2 of 3. The leading article: “Bridges”, 2."
    )
    Checkout.objects.update(placement="", page_title="", page_url="")
    assert answer_works(gather(birthday)) == (
        "The largest source: direct, without a banner, 3 of 3."
    )


def test_the_money_is_what_refunds_have_left(birthday: Campaign) -> None:
    assert answer_paid(gather(birthday), "en") == (
        "The median payment is €60. After refunds and lost disputes, €180 is left, before fees."
    )


def test_a_campaign_without_rows_has_no_answers() -> None:
    report = gather(make_campaign(starts_at=STARTS, ends_at=STARTS + timedelta(days=30)))
    answers = answer_works(report), answer_paid(report, "en"), answer_stay(report)
    assert answers == ("", "", "")


def test_the_longest_known_time_tells_who_stayed(birthday: Campaign) -> None:
    assert answer_stay(gather(birthday)) == "It’s too early to tell."
    Membership.objects.filter(member=Membership.objects.earliest("pk").member).update(
        status="ended", ended_at=at("2026-12-20 12:00")
    )
    answers = [
        answer_stay(gather(birthday, now)) for now in ("2027-01-10 00:00", "2027-03-01 00:00")
    ]
    assert answers == [
        "After 1 month, 100% were still members (4 of 4).",
        "After 3 months, 75% were still members (3 of 4).",
    ]


def test_until_then_an_earlier_campaign_tells_it(birthday: Campaign) -> None:
    later = make_campaign(
        slug="spring", starts_at=at("2027-01-05 00:00"), ends_at=at("2027-02-05 00:00")
    )
    make_payment(make_member(), later, "2027-01-06 12:00")
    recount_campaign(later)
    report = gather(later, "2027-01-10 00:00")
    [earlier] = report.retention.earlier
    assert answer_stay(report) == (
        f"It’s too early to tell. {earlier.name}: after 1 month, 100% were still members (4 of 4)."
    )
