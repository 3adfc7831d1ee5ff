"""A goal in money as the primary one: everything that shows it knows its unit."""

import json
from datetime import date
from html import unescape

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns import banners, progress
from campaigns.models import Campaign, Goal, PublishedNumber
from campaigns.reports import formats, gather_report
from tests.support.factories import (
    at,
    make_campaign,
    make_dispute,
    make_member,
    make_payment,
    make_refund,
)
from tests.support.staff import admin_url, fill_in, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.once]

NOW = at("2026-11-11 12:00")


@pytest.fixture
def appeal() -> Campaign:
    """A campaign for €500 with €180 raised, of which €20 was refunded and €60 lost."""
    campaign = make_campaign(
        starts_at=at("2026-11-01 00:00+02:00"), ends_at=at("2026-12-01 00:00+02:00")
    )
    campaign.goals.update(kind=Goal.Kind.MONEY, target=50000)
    make_payment(make_member(), campaign, "2026-11-08 12:00")
    part = make_payment(make_member(), campaign, "2026-11-09 22:30")
    make_refund(part, "2026-11-10 12:00", 2000)
    make_dispute(
        make_payment(make_member(), campaign, "2026-11-09 12:00"), "2026-11-10 09:00", status="lost"
    )
    make_payment(make_member(), campaign, "2026-11-09 12:00", currency="usd")
    return campaign


def test_the_days_of_a_money_goal_add_up_to_its_count(appeal: Campaign) -> None:
    figures = gather_report(appeal, at=NOW)
    raised = {day.day: day.raised_minor for day in figures.days if day.raised_minor}
    # 22:30 UTC is the next day in Kyiv.
    assert raised == {
        date(2026, 11, 8): 6000,
        date(2026, 11, 9): 6000,
        date(2026, 11, 10): 6000 - 2000 - 6000,
    }
    assert figures.primary is not None
    assert figures.days[-1].raised_total_minor == figures.primary.counted == 10000


def test_a_refund_and_a_lost_dispute_never_take_more_than_the_payment(appeal: Campaign) -> None:
    payment = make_payment(make_member(), appeal, "2026-11-08 12:00")
    make_dispute(payment, "2026-11-09 12:00", status="lost")
    make_refund(payment, "2026-11-10 12:00", 2000)
    days = gather_report(appeal, at=NOW).days
    assert days[-1].raised_total_minor == progress.sum_money_raised(appeal, at=NOW) == 10000


def test_the_pace_of_a_money_goal_is_money(appeal: Campaign, client: Client) -> None:
    figures = gather_report(appeal, at=NOW)
    assert figures.pace.recent_per_day == pytest.approx(10000 / 7)
    assert figures.pace.needed_per_day == pytest.approx(40000 / (19 + 10 / 24))
    text = formats.as_text(figures)
    assert "Pace    €14.29 a day over the last 7 full days" in text
    assert "Needed  €20.60 a day from now to the end" in text


def test_json_names_the_currency_and_its_decimal_places(
    appeal: Campaign, settings: LazySettings
) -> None:
    Goal.objects.create(campaign=appeal, kind=Goal.Kind.GIFTS, target=10)
    banners.publish_campaign(appeal.pk)
    published = json.loads((settings.PUBLISH_DIR / "birthday" / "progress.json").read_text())
    reported = json.loads(formats.as_json(gather_report(appeal, at=NOW)))["goals"]
    for money, gifts in (published, reported):
        assert (money["currency"], money["currency_exponent"]) == ("eur", 2)
        assert (money["counted"], money["target"]) == (10000, 50000)
        assert (gifts["currency"], gifts["currency_exponent"]) == (None, None)


def test_banner_and_history_show_money(appeal: Campaign, client: Client) -> None:
    banners.publish_campaign(appeal.pk)
    assert "€500" in unescape(banners.read_banner("birthday", "inline", language="en"))
    PublishedNumber.objects.create(  # before the unit was recorded
        campaign=appeal, published_at=at("2026-11-02 12:00"), counted=1234, target=5000
    )
    client.force_login(User.objects.create_superuser("editor"))
    for url in (
        reverse("admin:campaigns_campaign_progress", args=[appeal.pk]),
        admin_url(PublishedNumber, "changelist"),
    ):
        page = read_page(client.get(url))
        assert "€100</td>" in page
        assert "€500</td>" in page
        assert "1,234</td>" in page


def test_a_target_in_money_is_typed_and_shown_as_money(client: Client, appeal: Campaign) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    url = admin_url(Campaign, "change", appeal.pk)
    fields = fill_in(client, url)
    assert fields["goals-0-target"] == "500.00"
    assert client.post(url, fields | {"goals-0-target": "50000"}).status_code == 302
    assert appeal.goals.get().target == 5_000_000
    goal = {"goals-0-kind": "new_members", "goals-0-target": "50000"}
    assert client.post(url, fill_in(client, url) | goal).status_code == 302
    assert appeal.goals.get().target == 50000


def test_a_target_follows_the_currency_that_is_typed_with_it(
    client: Client, appeal: Campaign
) -> None:
    client.force_login(User.objects.create_superuser("editor"))
    url = admin_url(Campaign, "change", appeal.pk)
    typed = {"goals-0-target": "50000", "currency": "jpy"}
    assert client.post(url, fill_in(client, url) | typed).status_code == 302
    assert appeal.goals.get().target == 50000
    typed = {"goals-0-target": "500.5", "currency": "jpy"}
    page = read_page(client.post(url, fill_in(client, url) | typed))
    assert "Too many decimal places for this currency." in page
