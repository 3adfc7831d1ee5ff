"""Closing a campaign: its count is provisional before, and final after."""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.conf import settings
from django.test import Client

from campaigns import progress
from campaigns.banners import publish_campaign, read_banner
from campaigns.models import Campaign, Goal, Payment
from campaigns.progress import Progress
from campaigns.reports import formats, gather_report
from tests.support.factories import (
    at,
    make_campaign,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    recount_campaign,
)
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

AFTER = "2026-12-05 12:00"
KYIV = ZoneInfo("Europe/Kyiv")


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    """A clock set to some days after the campaign."""
    with time_machine.travel(at(AFTER), tick=False) as traveller:
        yield traveller


@pytest.fixture
def over(clock: time_machine.Traveller) -> Campaign:
    """A campaign that has ended: three people and a gift count."""
    campaign = make_campaign(target=3)
    for day in (3, 4, 5):
        make_payment(make_member(), campaign, f"2026-11-0{day} 12:00")
    make_gift(make_member(), campaign, "2026-11-06 12:00")
    recount_campaign(campaign)
    return campaign


def measure(campaign: Campaign, *, moment: str = AFTER) -> Progress:
    campaign.refresh_from_db()
    return progress.measure_campaign(campaign, at=at(moment))[0]


def close(campaign: Campaign, *, by: str = "editor") -> list[Progress]:
    campaign.refresh_from_db()
    shown = progress.measure_campaign(campaign, at=datetime.now(KYIV))
    return progress.close_campaign(campaign.pk, by=by, seen=progress.fingerprint(shown))


def refund_one(campaign: Campaign, *, on: str = "2026-12-08 12:00") -> None:
    payment = campaign.payments.filter(role=Payment.Role.FIRST).order_by("pk").first()
    assert payment is not None
    make_refund(payment, on)
    recount_campaign(campaign)


# Before closing


def test_the_count_is_provisional_after_the_end_even_without_pending_payments(
    over: Campaign,
) -> None:
    assert not measure(over, moment="2026-11-30 23:59:59").is_provisional
    ended = measure(over, moment="2026-12-01 00:00")
    assert (ended.is_provisional, ended.is_final, ended.pending) == (True, False, 0)


def test_a_running_campaign_is_provisional_only_while_payments_are_pending(over: Campaign) -> None:
    make_payment(make_member(), over, "2026-11-20 12:00", status=Payment.Status.PENDING)
    assert not measure(over, moment="2026-11-20 11:00").is_provisional
    assert measure(over, moment="2026-11-20 13:00").is_provisional


def test_a_campaign_that_has_not_ended_cannot_be_closed(
    over: Campaign, clock: time_machine.Traveller
) -> None:
    clock.move_to(at("2026-11-30 23:59:59"))
    with pytest.raises(progress.CannotClose):
        close(over)
    clock.move_to(at("2026-12-01 00:00"))
    assert close(over)[0].counted == 4


def test_a_campaign_without_a_goal_cannot_be_closed(over: Campaign) -> None:
    over.goals.all().delete()
    with pytest.raises(progress.CannotClose):
        close(over)


def test_a_campaign_whose_counts_changed_since_staff_looked_cannot_be_closed(
    over: Campaign,
) -> None:
    seen = progress.fingerprint([measure(over)])
    make_payment(make_member(), over, "2026-11-30 12:00", status=Payment.Status.PENDING)
    with pytest.raises(progress.CannotClose):
        progress.close_campaign(over.pk, by="editor", seen=seen)
    over.refresh_from_db()
    assert over.closed_at is None


# Closing


def test_closing_stores_who_when_and_each_final_count(over: Campaign) -> None:
    Goal.objects.create(campaign=over, kind=Goal.Kind.MONEY, target=100_000)
    Goal.objects.create(campaign=over, kind=Goal.Kind.GIFTS, target=10)
    close(over)
    over.refresh_from_db()
    assert (over.closed_at, over.closed_by) == (at(AFTER), "editor")
    assert over.final_counts == {"new_members": 4, "money": 24000, "gifts": 1}


def test_only_one_of_several_concurrent_closings_succeeds(over: Campaign) -> None:
    names = ["ada", "ben", "cleo", "dan"]
    outcomes = race(*(partial(close, over, by=name) for name in names))
    winners = [name for name, outcome in zip(names, outcomes, strict=True) if type(outcome) is list]
    assert len(winners) == 1
    others = [outcome for outcome in outcomes if type(outcome) is not list]
    assert [type(outcome) for outcome in others] == [progress.AlreadyClosed] * 3
    over.refresh_from_db()
    assert over.closed_by == winners[0]


def test_a_final_count_never_changes(over: Campaign) -> None:
    late = make_payment(make_member(), over, "2026-11-30 20:00", status=Payment.Status.PENDING)
    close(over)
    refund_one(over)
    make_dispute(over.payments.order_by("pk")[1], "2026-12-09 12:00", status="lost")
    recount_campaign(over)
    measured = measure(over, moment="2026-12-10 12:00")
    assert (measured.counted, measured.known_now, measured.has_moved) == (4, 2, True)
    assert (measured.is_final, measured.is_provisional, measured.pending) == (True, False, 1)
    assert measured.as_of == at(AFTER)
    Payment.objects.filter(pk=late.pk).update(status=Payment.Status.SUCCEEDED)
    recount_campaign(over)
    measured = measure(over, moment="2026-12-10 12:00")
    assert (measured.counted, measured.known_now, measured.pending) == (4, 3, 0)


def test_the_final_count_of_a_money_goal_is_in_minor_units(over: Campaign) -> None:
    over.goals.update(kind=Goal.Kind.MONEY, target=20_000)
    close(over)
    refund_one(over)
    measured = measure(over, moment="2026-12-10 12:00")
    assert (measured.counted, measured.known_now, measured.is_reached) == (24000, 18000, True)


def test_a_count_before_the_closing_is_as_known_now(over: Campaign) -> None:
    close(over)
    refund_one(over, on="2026-11-10 12:00")
    measured = measure(over, moment="2026-11-20 12:00")
    assert (measured.counted, measured.is_final, measured.known_now) == (3, False, None)


def test_a_goal_added_after_the_closing_has_no_final_count(over: Campaign) -> None:
    close(over)
    gifts = Goal.objects.create(campaign=over, kind=Goal.Kind.GIFTS, target=10)
    over.refresh_from_db()
    measured = progress.measure_goal(gifts, at=at("2026-12-10 12:00"))
    assert (measured.counted, measured.is_final, measured.is_provisional) == (1, False, True)


def test_a_reopened_campaign_counts_its_rows_again(over: Campaign) -> None:
    close(over)
    refund_one(over)
    assert progress.reopen_campaign(over.pk) == {"new_members": 4}
    assert progress.reopen_campaign(over.pk) is None
    measured = measure(over, moment="2026-12-10 12:00")
    assert (measured.counted, measured.is_final, measured.is_provisional) == (3, False, True)
    over.refresh_from_db()
    assert (over.closed_at, over.closed_by, over.final_counts) == (None, "", None)


# Pages and reports


def published(campaign: Campaign) -> dict[str, object]:
    publish_campaign(campaign.pk)
    path = settings.PUBLISH_DIR / campaign.slug / "progress.json"
    first: dict[str, object] = json.loads(path.read_text())[0]
    return first


def test_readers_see_a_provisional_count_until_the_closing(over: Campaign, client: Client) -> None:
    data = published(over)
    assert (data["counted"], data["provisional"], data["final"]) == (4, True, False)
    for placement in ("top", "inline", "end"):
        assert "rovisional" in read_banner("birthday", placement, language="en")
    assert "Provisional: the campaign is over" in client.get("/campaign/birthday/").content.decode()
    close(over)
    data = published(over)
    assert (data["counted"], data["provisional"], data["final"]) == (4, False, True)
    for placement in ("top", "inline", "end"):
        banner = read_banner("birthday", placement, language="en")
        assert "rovisional" not in banner
        assert "final count as of" in banner


def test_readers_see_the_final_count_after_the_closing(
    over: Campaign, client: Client, clock: time_machine.Traveller
) -> None:
    make_payment(make_member(), over, "2026-11-30 20:00", status=Payment.Status.PENDING)
    close(over)
    refund_one(over)
    clock.move_to(at("2026-12-10 12:00"))
    data = published(over)
    assert (data["counted"], data["pending"], data["as_of"]) == (4, 0, at(AFTER).isoformat())
    assert "4</strong> of 3 new members" in read_banner("birthday", "inline", language="en")
    page = client.get("/campaign/birthday/").content.decode()
    assert "4</strong> of 3 new members" in page
    assert "Final count as of" in page
    assert "Provisional" not in page
    final_picture = client.get("/campaign/birthday/en/picture.png").content
    progress.reopen_campaign(over.pk)
    over.refresh_from_db()
    assert published(over)["counted"] == 3
    assert client.get("/campaign/birthday/en/picture.png").content != final_picture
    assert list(over.published.order_by("pk").values_list("counted", flat=True)) == [4, 3]


def test_a_closed_campaign_is_published_on_schedule(
    over: Campaign, clock: time_machine.Traveller
) -> None:
    close(over)
    clock.move_to(at("2026-12-10 12:00"))
    publish_campaign(over.pk)
    over.refresh_from_db()
    assert over.published_at == at("2026-12-10 12:00")


def test_the_report_shows_the_final_count_and_the_count_as_known_now(over: Campaign) -> None:
    def report(moment: str = "2026-12-10 12:00") -> str:
        over.refresh_from_db()
        return formats.as_text(gather_report(over, at=at(moment)))

    assert "the count is provisional until staff close it" in report()
    close(over)
    make_payment(make_member(), over, "2026-11-30 20:00", status=Payment.Status.PENDING)
    refund_one(over)
    text = report()
    assert "Closed  2026-12-05 14:00 by editor" in text
    assert "4 of 3 (133%), ended; closed at 4; 3 as known now\n" in text
    assert "the final count doesn't include them" in text
    assert "provisional" not in text
    over.refresh_from_db()
    data = json.loads(formats.as_json(gather_report(over, at=at("2026-12-10 12:00"))))
    assert (data["closed_at"], data["closed_by"]) == (at(AFTER).isoformat(), "editor")
    (goal,) = data["goals"]
    assert (goal["counted"], goal["known_now"], goal["is_final"]) == (4, 3, True)


# The window


@pytest.mark.parametrize(
    ("day", "hours"),
    [("2026-10-25", 25), ("2027-03-28", 23), ("2027-03-27", 24)],
    ids=["clocks go back", "clocks go forward", "the day before"],
)
def test_a_campaign_of_one_day_has_the_hours_of_that_day(day: str, hours: int) -> None:
    begin = datetime.fromisoformat(day).replace(tzinfo=KYIV)
    end = (begin + timedelta(days=1)).replace(tzinfo=KYIV)  # in local time
    campaign = make_campaign(starts_at=begin, ends_at=end)
    campaign.refresh_from_db()
    assert campaign.ends_at - campaign.starts_at == timedelta(hours=hours)
    second = timedelta(seconds=1)
    moments = [
        campaign.starts_at - second,
        campaign.starts_at,
        campaign.ends_at - second,
        campaign.ends_at,
    ]
    for moment in moments:
        make_payment(make_member(), campaign, moment.isoformat())
    recount_campaign(campaign)
    later = campaign.ends_at + timedelta(days=30)
    counted = set(campaign.tallies.values_list("counted_from", flat=True))
    assert counted == {campaign.starts_at, campaign.ends_at - second}
    assert progress.measure_campaign(campaign, at=later)[0].counted == 2
    assert not progress.measure_campaign(campaign, at=moments[2])[0].is_provisional
    assert progress.measure_campaign(campaign, at=moments[3])[0].is_provisional


@pytest.mark.parametrize("first", [True, False], ids=["03:30 in summer", "03:30 in winter"])
def test_the_two_hours_of_a_clock_change_are_distinguished(first: bool) -> None:
    """Clocks go back on 25 October 2026 at 04:00, so 03:30 happens twice."""
    end = datetime(2026, 10, 25, 3, 30, fold=0 if first else 1, tzinfo=KYIV)
    campaign = make_campaign(starts_at=at("2026-10-01 00:00"), ends_at=end)
    make_payment(make_member(), campaign, "2026-10-25 00:29:59")  # before either
    make_payment(make_member(), campaign, "2026-10-25 00:30:00")  # at the first exactly
    make_payment(make_member(), campaign, "2026-10-25 01:30:00")  # at the second exactly
    recount_campaign(campaign)
    later = at("2026-12-01 00:00")
    assert progress.measure_campaign(campaign, at=later)[0].counted == (1 if first else 2)
