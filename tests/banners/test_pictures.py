"""Every placement in every state in a browser: three widths, light and dark, both languages.

Nothing is wider than its window, the whole count is visible, and axe finds no violations. With
TEST_PICTURES=1, pictures for people to look at are in test-output/banners/.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from campaigns.banners.publishing import render_banner
from campaigns.models import Banner, Campaign
from campaigns.progress import Progress
from tests.support.browser import assert_accessible, run_chromium, save_picture
from tests.support.factories import at, make_campaign

pytestmark = pytest.mark.once

STATIC = Path(__file__).resolve().parents[2] / "campaigns" / "static" / "campaigns"
BEGIN, END = at("2026-11-01 00:00"), at("2026-12-01 00:00")
STATES = {
    "before": (0, BEGIN - timedelta(days=3)),
    "0": (0, BEGIN + timedelta(minutes=1)),
    "312": (312, BEGIN + timedelta(days=12)),
    "999": (999, BEGIN + timedelta(days=27)),
    "1000": (1000, BEGIN + timedelta(days=28)),
    "1240": (1240, BEGIN + timedelta(days=29)),
    "after": (1240, END + timedelta(hours=1)),
}
PAGE = """<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Banners</title>
<style>{css} body {{ margin: 0; background: var(--campaign-paper); color: var(--campaign-ink) }}
main {{ max-width: 44rem; margin: 0 auto; padding: 1rem }} main > * + * {{ margin-top: 2rem }}
</style></head><body>{top}<main><h1>An article</h1>{inline}{end}</main></body></html>"""


def render_page(campaign: Campaign, *, state: str, language: str) -> str:
    counted, moment = STATES[state]
    progress = Progress(
        kind="new_members",
        counted=counted,
        target=1000,
        as_of=moment,
        phase=campaign.phase(at=moment),
        people=counted,
        pending=3 if state == "after" else 0,
    )
    css = "".join((STATIC / name).read_text() for name in ("tokens.css", "banners.css"))
    banners = {
        placement: render_banner(campaign, progress, placement=placement, language=language)
        for placement in Banner.Placement.values
    }
    return PAGE.format(css=css, language=language, **banners)


@pytest.mark.thorough
@pytest.mark.django_db
def test_every_placement_fits_in_every_state() -> None:
    campaign = make_campaign(starts_at=BEGIN, ends_at=END)
    pages = {
        (state, language): render_page(campaign, state=state, language=language)
        for state in STATES
        for language in ("en", "uk")
    }
    with run_chromium() as browser:
        for width in (320, 768, 1440):
            for scheme in ("light", "dark"):
                window = browser.new_page(
                    viewport={"width": width, "height": 900},
                    color_scheme=scheme,
                    reduced_motion="reduce",
                )
                for (state, language), html in pages.items():
                    name = f"{state}-{language}-{width}-{scheme}"
                    window.set_content(html)
                    save_picture(window, f"banners/{name}")
                    content = window.evaluate("document.documentElement.scrollWidth")
                    assert content <= width, f"{name} is {content} px wide"
                    shown = f"{STATES[state][0]:,}"
                    if state not in {"before"} and language == "en":
                        assert window.get_by_text(shown).count() >= 3, name
                        heard = window.locator("body").aria_snapshot()
                        assert heard.count("- text: of 1,000 new members") == 3, heard
                        assert "progressbar" not in heard
                    if width == 320:
                        assert_accessible(window, name)
                window.close()


@pytest.mark.django_db
def test_the_check_finds_a_page_that_is_too_wide() -> None:
    html = render_page(make_campaign(), state="312", language="en")
    with run_chromium() as browser:
        window = browser.new_page(viewport={"width": 320, "height": 900})
        window.set_content(html.replace("<h1>", '<h1 style="width: 400px">'))
        assert window.evaluate("document.documentElement.scrollWidth") > 320
