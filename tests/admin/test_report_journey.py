"""The report page in a browser, in every state of a campaign, and on paper.

With TEST_PICTURES, test-output/ has a picture of each, wide and narrow, in both languages.
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone
from playwright.sync_api import Page
from pytest_django.live_server_helper import LiveServer

from campaigns.models import Campaign
from newsroom.demo import campaign as demo_campaign
from newsroom.demo.generator import generate_campaign
from newsroom.demo.plots import Plot
from tests.admin.test_browser import DESKTOP, PHONE, make_cookie
from tests.support.browser import OUTPUT, Reader, open_reader, run_chromium

pytestmark = [pytest.mark.once, pytest.mark.django_db(transaction=True)]

ZONE = ZoneInfo("Europe/Kyiv")
VERDICTS = {
    "empty": "The campaign hasn’t started yet.",
    "day-one": "It’s too early to tell.",
    "mid": "The chance of reaching the goal is",
    "reached": "Yes, the goal was reached on",
    "closed": "The campaign ended short of its goal.",
}


@dataclass(frozen=True)
class Scene:
    """A campaign of 30 days that began so long ago, with that many payments."""

    days_ago: int
    payments: int
    target: int


SCENES = {
    "empty": Scene(days_ago=-3, payments=0, target=1000),
    "day-one": Scene(days_ago=0, payments=24, target=1000),
    "mid": Scene(days_ago=16, payments=480, target=800),
    "reached": Scene(days_ago=24, payments=620, target=400),
    "closed": Scene(days_ago=60, payments=900, target=900),
}


def make_scene(name: str) -> Campaign:
    """Create the campaign, and an earlier one to compare it with."""
    scene, now = SCENES[name], timezone.now()
    today = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
    demo_campaign.make_plan()
    earlier = Plot(
        slug="appeal",
        names={"en": "Reader appeal", "uk": "Звернення до читачів"},
        starts_at=today - timedelta(days=300),
        days=30,
        target=500,
    )
    generate_campaign(earlier, payments=400, now=now, seed=1)
    plot = Plot(
        slug="birthday",
        names={"en": "Third birthday", "uk": "Третій день народження"},
        starts_at=today - timedelta(days=scene.days_ago),
        days=30,
        target=scene.target,
        notes=((0, "Newsletter sent"), (9, "Radio interview")) if scene.payments > 100 else (),
        currencies=("eur",) * 9 + ("usd",),
    )
    plot = replace(plot, notes=tuple(note for note in plot.notes if note[0] <= scene.days_ago))
    return generate_campaign(plot, payments=scene.payments, now=now, seed=2)


@pytest.fixture
def site(request: pytest.FixtureRequest, clean_state: None) -> LiveServer:
    server: LiveServer = request.getfixturevalue("live_server")
    return server


def check_charts(page: Page) -> None:
    """Fail if words of a chart lie over each other or outside of it."""
    for chart in page.locator("svg.chart:visible").all():
        faults = chart.evaluate(
            """chart => {
                const box = chart.getBoundingClientRect();
                const words = [...chart.querySelectorAll('text')].filter(
                    each => each.textContent.trim() && each.getBoundingClientRect().width);
                const boxes = words.map(each => each.getBoundingClientRect());
                const faults = [];
                boxes.forEach((one, i) => {
                    if (one.left < box.left - 1 || one.right > box.right + 1)
                        faults.push('outside: ' + words[i].textContent);
                    boxes.slice(i + 1).forEach((other, j) => {
                        const wide = Math.min(one.right, other.right)
                            - Math.max(one.left, other.left);
                        const high = Math.min(one.bottom, other.bottom)
                            - Math.max(one.top, other.top);
                        if (wide > 2 && high > 4) faults.push(
                            words[i].textContent + ' over ' + words[i + 1 + j].textContent);
                    });
                });
                return faults;
            }"""
        )
        assert faults == []


@pytest.fixture
def browse(
    site: LiveServer, client: Client, settings: LazySettings, editor: User
) -> Callable[[Reader, Campaign], None]:
    """Return a function that opens the report of a campaign in a signed-in browser."""

    def open_report(reader: Reader, campaign: Campaign) -> None:
        reader.context.add_cookies([make_cookie(site, client, settings)])
        address = f"{site.url}/admin/campaigns/campaign/{campaign.pk}/progress/"
        answer = reader.page.goto(address)
        assert answer is not None
        assert answer.status == 200

    return open_report


@pytest.mark.thorough
@pytest.mark.parametrize("name", SCENES)
def test_the_report_reads_well_in_every_state(
    browse: Callable[[Reader, Campaign], None], name: str
) -> None:
    campaign = make_scene(name)
    with run_chromium() as chromium:
        for locale in ("en-GB", "uk-UA"):
            with open_reader(chromium, viewport=DESKTOP, locale=locale) as reader:
                browse(reader, campaign)
                words = reader.page.locator(".report").inner_text()
                if locale == "en-GB":
                    assert VERDICTS[name] in words
                    assert re.search(r"\bof [\d,]+ new members", words)
                for leftover in ("None", "nan", "NaN", "{{", "{%"):
                    assert leftover not in words.split(), leftover
                language = locale[:2]
                reader.check_page(f"report-{name}-{language}-wide-light")
                check_charts(reader.page)
                reader.change_window(PHONE, "dark")
                reader.check_page(f"report-{name}-{language}-narrow-dark")
                check_charts(reader.page)


@pytest.mark.thorough
@pytest.mark.parametrize("name", ["empty", "mid"])
def test_the_report_is_printed_on_few_sheets_with_its_charts(
    browse: Callable[[Reader, Campaign], None], name: str
) -> None:
    campaign = make_scene(name)
    with run_chromium() as chromium, open_reader(chromium, viewport=DESKTOP) as reader:
        browse(reader, campaign)
        with pypdfium2.PdfDocument(reader.page.pdf(format="A4", print_background=True)) as pdf:
            texts = [sheet.get_textpage().get_text_bounded() for sheet in pdf]
            if "TEST_PICTURES" in os.environ:
                for number, sheet in enumerate(pdf, 1):
                    picture = sheet.render(scale=1.2).to_pil()
                    picture.save(OUTPUT / f"report-{name}-paper-{number}.png")
    assert len(texts) <= 9
    assert all(text.strip() for text in texts), "an empty sheet"
    assert "new members" in texts[0]
    assert "Add note" not in "".join(texts)  # buttons do nothing on paper
    if name == "mid":
        together = "".join(texts)
        for question in ("Will we make it?", "What works?", "Do they stay?"):
            assert question in together
        assert "By weekday and hour" in together


@pytest.mark.thorough
def test_a_reader_of_the_report_works_with_its_controls(
    browse: Callable[[Reader, Campaign], None],
) -> None:
    """Days and comparison are in the address, notes are added in place, numbers lead to rows."""
    campaign = make_scene("mid")
    first = campaign.starts_at.astimezone(ZONE).date()
    with run_chromium() as chromium, open_reader(chromium, java_script_enabled=False) as reader:
        browse(reader, campaign)
        page = reader.page
        page.get_by_label("From", exact=True).fill((first + timedelta(days=3)).isoformat())
        page.get_by_label("To", exact=True).fill((first + timedelta(days=5)).isoformat())
        page.get_by_label("Compare with").select_option("previous")
        page.get_by_role("button", name="Show days").click()
        assert "compare=previous" in page.url
        assert "3 days before" in page.locator(".report").inner_text()
        page.get_by_label("What happened").fill("TV spot")
        page.get_by_role("button", name="Add note").click()
        assert "compare=previous" in page.url
        assert "TV spot" in page.locator(".report").inner_text()
        number = page.locator(".report-ranking td a").first
        counted = int(number.inner_text().replace(",", ""))
        number.click()
        page.get_by_role("link", name="Count rows").click()
        assert re.search(rf"\b{counted}\b", page.locator(".paginator").inner_text())
