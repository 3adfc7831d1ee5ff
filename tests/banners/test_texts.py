"""The texts of banners in each state, and their HTML."""

import gzip
import re
from datetime import datetime
from html.parser import HTMLParser
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings, settings
from django.utils.translation import override

from campaigns.banners.assets import read_style
from campaigns.banners.contents import describe_banner
from campaigns.banners.pages import describe_campaign, render_page
from campaigns.banners.placeholders import PLACEHOLDERS, find_values
from campaigns.banners.placements import EMBEDDED, PLACEMENTS
from campaigns.banners.posters import draw_picture
from campaigns.banners.rendering import render_banner, render_content
from campaigns.banners.texts import choose_text
from campaigns.models import Banner, Campaign, Goal
from campaigns.models.campaign import Phase
from campaigns.progress import Progress
from tests.support.factories import at, make_campaign

pytestmark = pytest.mark.once

STATES = list(Banner.State.values)
LANGUAGES = [code for code, _name in settings.LANGUAGES]


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign()


def make_progress(counted: int = 312, *, state: str = "running", **changes: Any) -> Progress:
    if state in {"nearly", "reached"}:
        counted = max(counted, {"nearly": 950, "reached": 1000}[state])
    phase = Phase(state) if state in Phase.values else Phase.RUNNING
    values: dict[str, Any] = {
        "kind": Goal.Kind.NEW_MEMBERS,
        "counted": counted,
        "target": 1000,
        "as_of": at("2026-11-10 12:05"),
        "phase": phase,
        "is_last_day": state == "last_day",
    }
    return Progress(**values | changes)


def render(
    campaign: Campaign, progress: Progress, placement: str = "inline", language: str = "en"
) -> str:
    return render_content(
        describe_banner(campaign, progress, placement=placement, language=language)
    )


class Words(HTMLParser):
    """The visible text of a fragment and its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        self.text = re.sub("[ \n]+", " ", self.text).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def with_class(self, name: str) -> dict[str, str | None]:
        return next(attrs for _, attrs in self.tags if name in (attrs.get("class") or "").split())


# Texts


@pytest.mark.parametrize("placement", PLACEMENTS)
@pytest.mark.parametrize("state", STATES)
def test_every_placement_has_its_own_text_in_every_state(
    campaign: Campaign, placement: str, state: str
) -> None:
    text = choose_text(
        campaign,
        make_progress(state=state),
        placement=placement,
        copy=campaign.copy_for("en"),
        language="en",
    )
    assert text.kicker == "Third birthday"
    assert 0 < len(text.headline) <= 70
    assert text.text
    assert not set("{}") & set(text.headline + text.text)
    others = {
        other: choose_text(
            campaign,
            make_progress(state=other),
            placement=placement,
            copy=campaign.copy_for("en"),
            language="en",
        )
        for other in STATES
        if other != state
    }
    assert text not in others.values()


@pytest.mark.parametrize("kind", [Goal.Kind.GIFTS, Goal.Kind.MONEY])
@pytest.mark.parametrize("state", STATES)
def test_a_gift_or_money_goal_never_mentions_new_members(
    campaign: Campaign, kind: str, state: str
) -> None:
    progress = make_progress(state=state, kind=kind, currency="eur")
    for placement in EMBEDDED:
        assert "new member" not in Words(render(campaign, progress, placement)).text


def test_a_money_goal_is_written_as_money(campaign: Campaign) -> None:
    progress = make_progress(1_234_550, kind=Goal.Kind.MONEY, target=5_000_000, currency="eur")
    assert "€12,345.50 of €50,000" in Words(render(campaign, progress)).text
    ukrainian = Words(render(campaign, progress, language="uk")).text.replace("\xa0", " ")
    assert "12 345,50 " in ukrainian


def test_digits_are_grouped_as_in_the_language(campaign: Campaign) -> None:
    progress = make_progress(1240)
    assert "1,240 of 1,000 new members" in Words(render(campaign, progress)).text
    assert "1\xa0240" in Words(render(campaign, progress, language="uk")).text


def test_a_target_of_one_is_singular(campaign: Campaign) -> None:
    words = Words(render(campaign, make_progress(0, target=1)))
    assert "0 of 1 new memberas of" in words.text.replace(" as of", "as of")


def test_a_campaign_that_ends_at_midnight_names_its_last_day(
    campaign: Campaign,
) -> None:
    campaign.ends_at = at("2026-11-30 22:00")  # midnight in Kyiv
    assert "by the end of 30\xa0November" in Words(render(campaign, make_progress())).text


def test_a_campaign_without_earlier_supporters_never_mentions_them(campaign: Campaign) -> None:
    assert "12,000 supporters" in Words(render(campaign, make_progress(), "end")).text
    campaign.supporters_before = 0
    for state in STATES:
        assert "supporters" not in Words(render(campaign, make_progress(state=state), "end")).text


def test_custom_text_is_used_only_for_its_placement_state_and_language(
    campaign: Campaign,
) -> None:
    campaign.banners.create(
        placement="inline",
        state="running",
        language="en",
        headline="{left} more until {ends}",
        text="{counted} of {target}, {percent} %, {name}, {supporters}, {starts}",
    )
    words = Words(render(campaign, make_progress()))
    assert "688 more until 1\xa0December" in words.text
    assert "312 of 1,000, 31 %, Third birthday, 12,000, 1\xa0November" in words.text
    for html in (
        render(campaign, make_progress(), "end"),
        render(campaign, make_progress(), language="uk"),
        render(campaign, make_progress(state="reached")),
    ):
        assert "more until" not in html


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("{targt} members", "Third birthday"),
        ("We need {targt}. Join us. {}", "Join us."),
        ("{target members", "target members"),
        ("target} members", "target members"),
        ("{} {0} {a.b} {a[0]} end", "Third birthday"),
        ("{{target}} members", "1,000 members"),
        ("{ target } members", "1,000 members"),
        ("{target!r:>9} members", "1,000 members"),
        ("{target:>99999999999}", "1,000"),
        ("100 % of {target} and %s", "100 % of 1,000 and %s"),
    ],
)
def test_a_typing_error_never_makes_a_banner_disappear(
    campaign: Campaign, typed: str, shown: str
) -> None:
    campaign.banners.create(placement="top", state="running", language="en", headline=typed)
    text = choose_text(
        campaign,
        make_progress(),
        placement="top",
        copy=campaign.copy_for("en"),
        language="en",
    )
    assert text.headline == shown


EVERY = " ".join(f"{{{name}}}" for name in PLACEHOLDERS if name != "hours_left")


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "312 1,000 688 31 21 12,000 10,000 1 November 30 November"),
        ("uk", "312 1 000 688 31 21 12 000 10 000 1 листопада 30 листопада"),
    ],
)
def test_every_placeholder_works_in_every_campaign_text(
    campaign: Campaign, settings: LazySettings, language: str, shown: str
) -> None:
    settings.READERS_PER_SUPPORTER = 10000
    campaign.ends_at = at("2026-11-30 22:00")
    texts = ("headline", "summary", "story", "use_of_money")
    campaign.copies.update(**dict.fromkeys(texts, EVERY))
    campaign.banners.create(placement="end", state="running", language=language, headline=EVERY)
    with time_machine.travel(at("2026-11-10 12:05"), tick=False), override(language):
        page = describe_campaign(campaign, [make_progress()], language=language)["copy"]
        banner = choose_text(
            campaign, make_progress(), placement="end", copy=page, language=language
        )
    for text in (banner.headline, *(getattr(page, name) for name in texts)):
        words = re.sub(r"(?<=21) \w+|(the end of|кінця) ", "", text.replace("\xa0", " "))
        assert words == f"{shown} Third birthday The Meridian Post"


def test_a_missing_value_drops_its_sentence_and_no_more(campaign: Campaign) -> None:
    campaign.supporters_before = 0
    campaign.copies.update(
        headline="One in {one_in} pays",
        summary="We have {supporters} supporters. Join us! {counted} did.",
        story="{days_left} left.\n\nJoin {newsroom}.\r\nOnly {remaining} to go.",
    )
    with time_machine.travel(at("2026-12-10 12:05"), tick=False):
        copy = describe_campaign(campaign, [], language="en")["copy"]
        assert (copy.headline, copy.summary) == ("", "Join us!")
        assert copy.story.strip() == "Join The Meridian Post."
        page = render_page(campaign, [], language="en")
    assert "<h1>Third birthday</h1>" in page
    assert draw_picture(campaign, [], language="en").startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-10-30 12:00", None),
        ("2026-11-01 12:00", "30\xa0days"),
        ("2026-11-30 21:59", "1\xa0day"),
        ("2026-11-30 22:00", None),
    ],
)
def test_the_days_left_include_today_and_exist_while_the_campaign_runs(
    campaign: Campaign, moment: str, words: str | None
) -> None:
    campaign.ends_at = at("2026-11-30 22:00")  # midnight in Kyiv
    with time_machine.travel(at(moment), tick=False):
        values = find_values(campaign, make_progress(), name="", language="en")
    assert values.get("days_left") == words


def test_markup_in_custom_texts_is_escaped(campaign: Campaign) -> None:
    bad = "<script>alert(1)</script>\"' onload=x"
    campaign.copies.update(name=bad)
    for placement in EMBEDDED:
        campaign.banners.create(
            placement=placement, state="running", language="en", headline=bad, text=bad
        )
        words = Words(render(campaign, make_progress(), placement))
        assert bad in words.text
        assert "script" not in [tag for tag, _ in words.tags]
        assert not any("onload" in attrs for _, attrs in words.tags)


# HTML


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("placement", EMBEDDED)
@pytest.mark.parametrize("state", STATES)
def test_a_fragment_works_in_any_page(
    campaign: Campaign, placement: str, state: str, language: str
) -> None:
    html = render(campaign, make_progress(state=state, pending=2), placement, language)
    words = Words(html)
    assert words.open == []  # every tag is closed, so nothing affects the article
    assert words.with_class("campaign-banner")["lang"] == language
    for tag, attributes in words.tags:
        assert tag not in {"script", "style", "link", "form", "iframe", "img"}
        assert not [name for name in attributes if name == "style" or name.startswith("on")]
        for name in ("href", "src", "action"):
            assert (attributes.get(name) or settings.SITE_URL).startswith(settings.SITE_URL)
    assert not any(re.fullmatch("h[1-6]", tag) for tag, _ in words.tags)
    assert f"/campaign/birthday/join/?from={placement}" in html
    assert f"/campaign/birthday/gift/?from={placement}" in html


@pytest.mark.parametrize("placement", EMBEDDED)
@pytest.mark.parametrize(
    ("counted", "width"), [(0, "0%"), (312, "31%"), (999, "99%"), (1000, "100%"), (1240, "100%")]
)
def test_the_bar_stops_at_100_percent_and_the_count_does_not(
    campaign: Campaign, placement: str, counted: int, width: str
) -> None:
    words = Words(render(campaign, make_progress(counted), placement))
    count = f"{counted:,} of 1,000 new members"
    assert count in words.text
    bar = words.with_class("campaign-bar")
    assert bar["aria-hidden"] == "true"  # the words say the same
    assert words.with_class("campaign-fill")["width"] == width
    assert ("campaign-is-reached" in (bar["class"] or "")) == (counted >= 1000)


@pytest.mark.parametrize("placement", EMBEDDED)
def test_the_count_shows_its_time_in_the_campaigns_zone(campaign: Campaign, placement: str) -> None:
    words = Words(render(campaign, make_progress(), placement))
    assert "10 November, 14:05 (UTC+2)" in words.text
    moments = [attrs["datetime"] for tag, attrs in words.tags if tag == "time"]
    assert [datetime.fromisoformat(moment or "") for moment in moments] == [at("2026-11-10 12:05")]


@pytest.mark.parametrize("placement", EMBEDDED)
def test_before_the_campaign_the_banner_shows_the_start_instead_of_the_bar(
    campaign: Campaign, placement: str
) -> None:
    html = render(campaign, make_progress(0, state="before"), placement)
    assert "1 November" in Words(html).text.replace("\xa0", " ")
    assert "campaign-bar" not in html
    assert "0 of 1,000" not in html


def test_a_count_is_provisional_while_payments_are_pending(campaign: Campaign) -> None:
    for placement in ("inline", "end"):
        ended = Words(render(campaign, make_progress(912, state="ended", pending=3), placement))
        assert "912 of 1,000 new members" in ended.text
        assert "Provisional: 3 bank payments are pending." in ended.text
        running = Words(render(campaign, make_progress(912, pending=1), placement))
        assert "Provisional: 1 bank payment is pending." in running.text
        unclosed = Words(render(campaign, make_progress(912, state="ended"), placement))
        assert "Provisional: the campaign is over" in unclosed.text
        closed = make_progress(912, state="ended", pending=3, is_final=True)
        assert "Provisional" not in Words(render(campaign, closed, placement)).text


def test_the_end_card_names_the_accepted_cards(campaign: Campaign) -> None:
    words = Words(render(campaign, make_progress(), "end"))
    labels = [attrs.get("aria-label") for tag, attrs in words.tags if tag == "svg"]
    assert labels[-3:] == ["Visa", "Mastercard", "American Express"]


def test_a_banner_with_its_styles_and_script_weighs_less_than_5_kb(campaign: Campaign) -> None:
    for placement in EMBEDDED:
        html = render_banner(campaign, make_progress(), placement=placement, language="uk")
        assert len(gzip.compress(html.encode())) < 5000


@pytest.mark.parametrize("placement", EMBEDDED)
def test_no_size_depends_on_the_pages_root(placement: str) -> None:
    style = read_style(placement)
    assert not re.search(r"[\d.](rem|vw|vh|vmin|vmax)\b|:root", style)


def test_the_publishers_language_does_not_affect_banners(campaign: Campaign) -> None:
    for language in LANGUAGES:
        with override(language):
            assert "10 November, 14:05" in render(campaign, make_progress(), language="en")
            assert "10 листопада, 14:05" in render(campaign, make_progress(), language="uk")
