"""The states of a campaign: nearly there, next target, last day, starting number, no banners."""

import html
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from campaigns.banners import publish_campaign, read_banner
from campaigns.banners.files import read_file
from campaigns.banners.placeholders import (
    HOURS_OF_LAST_DAY,
    count_days,
    find_values,
    list_hour_changes,
)
from campaigns.banners.rendering import render_banner
from campaigns.banners.texts import BannerText, choose_text, write_count
from campaigns.models import Banner, Campaign, Goal, PublishedNumber
from campaigns.models.campaign import Phase
from campaigns.progress import Progress, imagine_progress, measure_goal
from campaigns.reports import formats, gather_report
from tests.support.factories import at, make_campaign, make_member, make_payment, recount_campaign

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HOUR = timedelta(hours=1)


def make_progress(counted: int, **changes: Any) -> Progress:
    values: dict[str, Any] = {
        "kind": Goal.Kind.NEW_MEMBERS,
        "counted": counted,
        "target": 1000,
        "as_of": at("2026-11-10 12:00"),
        "phase": Phase.RUNNING,
    }
    return Progress(**values | changes)


def read_shown(placement: str) -> str:
    banner = read_banner("birthday", placement, language="en")
    return html.unescape(banner).replace("\xa0", " ")


# States


@pytest.mark.parametrize(
    ("counted", "changes", "state"),
    [
        (899, {}, "running"),
        (900, {}, "nearly"),
        (949, {"nearly_percent": 95}, "running"),
        (1000, {}, "reached"),
        (10, {"is_last_day": True}, "last_day"),
        (950, {"is_last_day": True}, "last_day"),
        (1000, {"is_last_day": True}, "reached"),
        (1000, {"stretch_target": 1500}, "reached"),
        (1400, {"stretch_target": 1500}, "reached"),
        (1400, {"stretch_target": 1500, "is_last_day": True}, "last_day"),
        (1500, {"stretch_target": 1500, "is_last_day": True}, "reached"),
        (10, {"starts_from": 900}, "nearly"),
        (2000, {"phase": Phase.ENDED}, "ended"),
        (0, {"phase": Phase.BEFORE}, "before"),
    ],
)
def test_the_state_follows_count_target_and_day(
    counted: int, changes: dict[str, Any], state: str
) -> None:
    assert make_progress(counted, **changes).state == state


def test_the_next_target_is_shown_once_the_first_is_reached() -> None:
    before = make_progress(999, stretch_target=1500)
    assert (before.shown_target, before.left, before.percent) == (1000, 1, 99)
    between = make_progress(1200, stretch_target=1500)
    assert (between.shown_target, between.left, between.percent) == (1500, 300, 80)
    assert not between.is_reached
    after = make_progress(1600, stretch_target=1500)
    assert (after.shown, after.percent, after.bar_percent, after.left) == (1600, 106, 100, 0)


def test_a_starting_number_is_shown_and_named_and_the_count_stays_true() -> None:
    campaign = make_campaign(target=4000)
    campaign.goals.update(starts_from=3120)
    for number in range(2):
        make_payment(make_member(), campaign, f"2026-11-0{number + 2} 12:00")
    recount_campaign(campaign)
    with time_machine.travel(at("2026-11-10 12:00"), tick=False):
        publish_campaign(campaign.pk)
        banner = read_shown("inline")
        goal = measure_goal(campaign.goals.get(), at=at("2026-11-10 12:00"))
        report = formats.as_text(gather_report(campaign, at=at("2026-11-10 12:00")))
    assert '<strong class="campaign-number">3,122</strong> of 4,000 supporters' in banner
    assert "including 3,120 from before the campaign" in banner
    assert "new members" not in banner
    assert (goal.counted, goal.shown, goal.left) == (2, 3122, 878)
    assert "2 counted, 3,122 of 4,000 with 3,120 from before (78%)" in report
    published = PublishedNumber.objects.get()
    assert (published.counted, published.target) == (3122, 4000)


def test_a_report_names_the_first_and_the_next_target() -> None:
    campaign = make_campaign(target=1)
    campaign.goals.update(stretch_target=5)
    make_payment(make_member(), campaign, "2026-11-02 12:00")
    recount_campaign(campaign)
    figures = gather_report(campaign, at=at("2026-11-10 12:00"))
    assert "1 of 1, next target 5 (20%), reached" in formats.as_text(figures)


# Texts


def choose(campaign: Campaign, progress: Progress) -> BannerText:
    copy = campaign.copy_for("en")
    return choose_text(campaign, progress, placement="inline", copy=copy, language="en")


def write(campaign: Campaign, state: str, **texts: str) -> None:
    campaign.banners.create(placement="inline", state=state, language="en", **texts)


def test_new_states_fall_back_to_staffs_text_for_running() -> None:
    campaign = make_campaign()
    assert "Only 50 to go" in choose(campaign, make_progress(950)).headline
    write(campaign, "running", headline="Join", text="{remaining} to go", join_label="Sign up")
    for progress in (make_progress(950), make_progress(10, is_last_day=True)):
        text = choose(campaign, progress)
        assert (text.headline, text.join_label) == ("Join", "Sign up")
    write(campaign, "nearly", text="So close.", gift_label="Give")
    text = choose(campaign, make_progress(950))
    assert (text.headline, text.text) == ("Only 50 to go", "So close.")
    assert (text.join_label, text.gift_label) == ("Sign up", "Give")
    assert choose(campaign, make_progress(1000)).join_label == "Become a member"


def test_a_headline_without_a_text_stays_alone() -> None:
    campaign = make_campaign()
    write(campaign, "running", headline="Join us")
    assert choose(campaign, make_progress(10)).text == ""


def test_emphasis_and_links_are_kept_and_everything_else_is_words() -> None:
    campaign = make_campaign()
    campaign.copies.update(name="<b>Night</b>")
    write(
        campaign,
        "running",
        headline='{name}: <em>only</em> <a href="https://example.org/?a=1&b=2">{remaining}</a>',
        text='<em>Unclosed {goal}. <a href="javascript:alert(1)">x</a> <img src=x> 2 < 3 & 4',
    )
    text = choose(campaign, make_progress(10))
    assert text.headline == (
        '&lt;b&gt;Night&lt;/b&gt;: <em>only</em> <a href="https://example.org/?a=1&amp;b=2">990</a>'
    )
    assert text.text == (
        '<em>Unclosed 1,000. &lt;a href="javascript:alert(1)"&gt;x &lt;img src=x&gt; '
        "2 &lt; 3 &amp; 4</em>"
    )


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("{remaining|member|members} to go", "members to go"),
        ("<strong>Join.</strong> {hours_left} left. Now!", "<strong>Join.</strong> Now!"),
        ("He said “Join.” {hours_left} left.", "He said “Join.”"),
        ("<em>Join. {hours_left} left.</em> Now.", "<em>Join. Now.</em>"),
        ("今すぐ。{hours_left}。参加。", "今すぐ。参加。"),
        ("انضم الآن؟ {hours_left}. نعم.", "انضم الآن؟ نعم."),
    ],
)
def test_sentences_and_plural_forms(typed: str, shown: str) -> None:
    campaign = make_campaign()
    write(campaign, "running", headline="Join", text=typed)
    with time_machine.travel(at("2026-11-10 12:00"), tick=False):
        assert choose(campaign, make_progress(10)).text == shown


# The last day


ZONES = ("Europe/Kyiv", "America/New_York", "Australia/Lord_Howe", "Asia/Tokyo")
# Days on which a clock of these zones changes, and a usual one.
DAYS = [
    date.fromisoformat(day)
    for day in (
        "2026-10-25", "2027-03-28", "2026-11-01", "2027-03-14", "2026-10-04", "2027-04-04",
        "2026-12-24",
    )
]  # fmt: skip


def make_window(zone: str, day: date, clock: time) -> Campaign:
    ends_at = datetime.combine(day, clock, ZoneInfo(zone)).astimezone(UTC)
    return Campaign(zone=zone, starts_at=ends_at - timedelta(days=31), ends_at=ends_at)


windows = st.builds(
    make_window,
    st.sampled_from(ZONES),
    st.sampled_from(DAYS),
    st.builds(time, st.integers(0, 23), st.sampled_from((0, 1, 30, 59))),
)
seconds_before_the_end = st.one_of(st.integers(1, 90_000), st.integers(1, 30 * 86_400))


def find_left(campaign: Campaign, moment: datetime) -> dict[str, str]:
    with time_machine.travel(moment, tick=False):
        return find_values(campaign, None, name="", language="en")


@given(windows, seconds_before_the_end)
def test_days_and_hours_left_are_right_on_every_day(campaign: Campaign, seconds: int) -> None:
    moment = campaign.ends_at - timedelta(seconds=seconds)
    zone = campaign.zone_info
    last = (campaign.ends_at - timedelta(microseconds=1)).astimezone(zone).date()
    today, days = moment.astimezone(zone).date(), 1
    while today < last:
        today, days = today + timedelta(days=1), days + 1
    left = find_left(campaign, moment)
    assert count_days(campaign, at=moment) == days
    assert campaign.is_last_day(at=moment) == (days == 1)
    # Hours are real ones, whatever the clock on the wall does.
    hours = seconds // 3600
    expected = None
    if days == 1 and hours <= HOURS_OF_LAST_DAY:
        expected = {0: "less than an hour", 1: "1\xa0hour"}.get(hours, f"{hours}\xa0hours")
    assert left.get("hours_left") == expected
    assert left["days_left"] == ("1\xa0day" if days == 1 else f"{days}\xa0days")


@given(windows, seconds_before_the_end)
def test_files_are_due_whenever_the_hours_left_change(campaign: Campaign, seconds: int) -> None:
    moment = campaign.ends_at - timedelta(seconds=seconds)
    later = min(moment + timedelta(minutes=10), campaign.ends_at - timedelta(seconds=1))
    changes = {*list_hour_changes(campaign), campaign.last_day_begins_at}
    has_changed = any(moment <= change < later for change in changes)
    words = [find_left(campaign, each).get("hours_left") for each in (moment, later)]
    assert words[0] == words[1] or has_changed


def test_the_last_day_is_published_when_it_begins_and_at_each_hour() -> None:
    campaign = make_campaign(ends_at=at("2026-11-30 22:00"))  # midnight in Kyiv
    words = {}
    for moment in ("2026-11-29 21:59", "2026-11-29 22:00", "2026-11-30 17:00:01"):
        with time_machine.travel(at(moment), tick=False):
            publish_campaign(campaign.pk)
            words[moment] = read_shown("inline")
    assert "last day" not in words["2026-11-29 21:59"]
    assert "Today is the last day.</p>" in words["2026-11-29 22:00"]
    assert "Today is the last day. 4 hours left." in words["2026-11-30 17:00:01"]
    with time_machine.travel(at("2026-11-30 16:59:30"), tick=False):
        publish_campaign(campaign.pk)
    campaign.refresh_from_db()
    assert campaign.publish_at == at("2026-11-30 17:00")


# No banners


def test_banners_are_empty_from_the_day_that_staff_set() -> None:
    campaign = make_campaign(
        ends_at=at("2026-11-30 22:00"), hide_banners_on=at("2026-12-08 00:00").date()
    )
    with time_machine.travel(at("2026-12-07 21:59:30"), tick=False):
        publish_campaign(campaign.pk)
        assert "The campaign is over" in read_shown("inline")
    campaign.refresh_from_db()
    assert campaign.publish_at == at("2026-12-07 22:00")  # midnight in Kyiv
    with time_machine.travel(at("2026-12-07 22:00"), tick=False):
        publish_campaign(campaign.pk)
        assert read_banner("birthday", "inline", language="en") == ""
        assert read_file("birthday", "en/index.html") is not None


# Imagined


@pytest.mark.parametrize("state", Banner.State.values)
@pytest.mark.parametrize("moment", ["2026-10-01 12:00", "2026-11-30 23:00", "2027-01-01 12:00"])
def test_every_state_can_be_imagined_at_any_time(state: str, moment: str) -> None:
    campaign = make_campaign()
    imagined = imagine_progress(campaign.goals.get(), at=at(moment), state=state)
    assert imagined.state == state
    # A number that fits was found, so the state isn't only claimed.
    assert Progress.state.__get__(imagined) == state
    assert "campaign-banner" in render_banner(campaign, imagined, placement="top", language="en")
    typed = imagine_progress(campaign.goals.get(), at=at(moment), state=state, shown=7)
    assert write_count(typed, language="en").counted == "7"
