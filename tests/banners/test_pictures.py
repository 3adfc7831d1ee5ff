"""Every placement in every state in a browser: three widths, light and dark, four languages.

Nothing is wider than its window, the whole count is visible, and axe finds no violations. With
TEST_PICTURES=1, pictures for people to look at are in test-output/banners/.
"""

import base64
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Literal

import pytest
from django.conf import LazySettings
from django.conf.global_settings import LANGUAGES as ALL_LANGUAGES
from playwright.sync_api import Page

from campaigns.banners.placements import EMBEDDED, PLACEMENTS
from campaigns.banners.posters import draw_newsletter
from campaigns.banners.rendering import render_banner
from campaigns.models import Banner, Campaign
from campaigns.progress import imagine_progress
from tests.support.browser import assert_accessible, run_chromium, save_picture
from tests.support.factories import at, make_campaign

pytestmark = pytest.mark.once

STATIC = Path(__file__).resolve().parents[2] / "campaigns" / "static" / "campaigns"
# State and number; without a number, one that fits the state.
STATES = {
    **{state.value: (state.value, None) for state in Banner.State},
    "0": ("running", 0),
    "312": ("running", 312),
    "999": ("nearly", 999),
    "1240": ("reached", 1240),
}
WIDTHS = (320, 768, 1440)
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
LANGUAGES = ("en", "uk", "de", "ar")
# Staff's texts where no translation ships: long German words, and Arabic.
TEXTS = {
    "de": {
        "headline": "Mitgliedschaftsbeitragsermäßigungsberechtigte gesucht",
        "text": "Noch {remaining} <strong>Unterstützerinnenmitgliedschaften</strong> bis {ends}. "
        '<a href="https://example.org/">Datenschutzfolgenabschätzungsbericht</a>.',
        "join_label": "Fördermitgliedschaft beginnen",
        "gift_label": "Geschenkmitgliedschaft",
        "small_print": "Zahlungsabwicklungsdienstleister: Stripe.",
    },
    "ar": {
        "headline": "ساعدونا على الوصول إلى {goal} عضو جديد",
        "text": "بقي {remaining}. مقالاتنا مفتوحة للجميع لأن <em>بعض القراء</em> يدفعون ثمنها.",
        "join_label": "انضموا إلينا",
        "gift_label": "عضوية هدية",
        "small_print": "الدفع عبر Stripe.",
    },
}
PAGE = """<!DOCTYPE html><html lang="{language}" dir="{dir}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Banners</title>
<style>{css} body {{ margin: 0; background: var(--campaign-paper); color: var(--campaign-ink) }}
main {{ max-width: 44rem; margin: 0 auto; padding: 1rem }} main > * + * {{ margin-top: 2rem }}
aside {{ max-width: 26rem; margin-inline-start: auto; padding: 1rem }}
</style></head><body>{top}<main><h1>An article</h1>{inline}{end}</main>
<aside>{corner}</aside>
<footer><img src="data:image/svg+xml;base64,{newsletter}" alt="The newsletter's picture" width="600"
style="max-width: 100%"></footer></body></html>"""


@pytest.fixture
def campaign(db: None, settings: LazySettings) -> Campaign:
    settings.LANGUAGES = [(code, dict(ALL_LANGUAGES)[code]) for code in LANGUAGES]
    campaign = make_campaign()
    for language, texts in TEXTS.items():
        campaign.copies.create(language=language, name=texts["gift_label"])
        for placement, state in product(Banner.Placement, Banner.State):
            campaign.banners.create(placement=placement, state=state, language=language, **texts)
    return campaign


def render_page(campaign: Campaign, *, name: str, language: str) -> str:
    state, shown = STATES[name]
    progress = imagine_progress(
        campaign.goals.get(), at=at("2026-11-10 12:00"), state=state, shown=shown
    )
    css = (STATIC / "tokens.css").read_text()
    banners: dict[str, str] = {
        placement: render_banner(campaign, progress, placement=placement, language=language)
        for placement in EMBEDDED
    }
    # As in a frame, so that it covers nothing in the pictures.
    corner = banners["corner"].replace("<campaign-banner", "<campaign-banner data-framed", 1)
    banners["corner"] = corner
    svg = draw_newsletter(campaign, [progress], language=language)
    banners["newsletter"] = base64.b64encode(svg.encode()).decode()
    direction = "rtl" if language == "ar" else "ltr"
    return PAGE.format(css=css, language=language, dir=direction, **banners)


def list_overflowing(window: Page) -> list[str]:
    """Return the elements of banners that reach beyond the window, on either side."""
    found: list[str] = window.evaluate(
        """() => [...document.querySelectorAll("campaign-banner")].flatMap((host) =>
            [...host.shadowRoot.querySelectorAll(".campaign-banner *")]).filter((element) => {
            const box = element.getBoundingClientRect();
            const isHidden = getComputedStyle(element).clipPath !== "none";
            return box.width && !isHidden
                && (box.left < -1 || box.right > document.documentElement.clientWidth + 1);
        }).map((element) => element.outerHTML.slice(0, 80))"""
    )
    return found


@pytest.mark.thorough
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_placement_fits_in_every_state(campaign: Campaign, language: str) -> None:
    pages = {name: render_page(campaign, name=name, language=language) for name in STATES}
    with run_chromium() as browser:
        for width, scheme in product(WIDTHS, SCHEMES):
            window = browser.new_page(
                viewport={"width": width, "height": 900},
                color_scheme=scheme,
                reduced_motion="reduce",
            )
            for state, html in pages.items():
                name = f"{state}-{language}-{width}-{scheme}"
                window.set_content(html)
                save_picture(window, f"banners/{name}")
                content = window.evaluate("document.documentElement.scrollWidth")
                assert content <= width, f"{name} is {content} px wide"
                assert list_overflowing(window) == [], name
                number = STATES[state][1]
                if number is not None and language == "en":
                    shown = window.get_by_text(f"{number:,}", exact=True)
                    assert shown.count() == len(EMBEDDED), name
                    heard = window.locator("body").aria_snapshot()
                    assert heard.count("- text: of 1,000 new members") == 4, heard
                    assert "progressbar" not in heard
                if width == 320:
                    assert_accessible(window, name)
            window.close()


def test_long_words_fit_into_the_narrowest_window(campaign: Campaign) -> None:
    html = render_page(campaign, name="nearly", language="de")
    with run_chromium() as browser:
        window = browser.new_page(viewport={"width": 320, "height": 900})
        window.set_content(html)
        assert window.evaluate("document.documentElement.scrollWidth") <= 320
        assert list_overflowing(window) == []


def test_the_check_finds_a_page_that_is_too_wide(campaign: Campaign) -> None:
    html = render_page(campaign, name="312", language="en")
    with run_chromium() as browser:
        window = browser.new_page(viewport={"width": 320, "height": 900})
        window.set_content(html.replace("<h1>", '<h1 style="width: 400px">'))
        assert window.evaluate("document.documentElement.scrollWidth") > 320
        wide = '<p style="min-width: 400px" class="campaign-headline"'
        window.set_content(html.replace('<p class="campaign-headline"', wide))
        assert list_overflowing(window)


@pytest.mark.thorough
@pytest.mark.parametrize("placement", [name for name in EMBEDDED if PLACEMENTS[name].heights])
def test_default_texts_fit_into_the_room_that_a_page_keeps(
    campaign: Campaign, placement: str
) -> None:
    # In the bar, the time of a final or provisional count takes one more line on narrow phones.
    is_bar = placement == "top"
    states = [each for each in Banner.State if not is_bar or each != "ended"]
    goal = campaign.goals.get()
    imagined = [
        imagine_progress(goal, at=at("2026-11-10 12:00"), state=state, shown=None)
        for state in states
    ]
    fragments = [
        render_banner(
            campaign,
            replace(progress, pending=0 if is_bar else 2),
            placement=placement,
            language=language,
        )
        for progress, language in product(imagined, ("en", "uk"))
    ]
    heights = PLACEMENTS[placement].heights
    column = "" if is_bar else "; padding: 0 20px; max-width: 640px; margin: 0 auto"
    style = f"<style>body {{ margin: 0{column} }}</style>"
    page = f"<!DOCTYPE html><meta charset='utf-8'>{style}{''.join(fragments)}"
    measure = "[...document.querySelectorAll('campaign-banner')].map((each) => each.offsetHeight)"
    with run_chromium() as browser:
        window = browser.new_page(viewport={"width": 320, "height": 900}, reduced_motion="reduce")
        window.set_content(page)
        for width in sorted({320, 375, 390, 430, 768, 1440, *heights} - {0}):
            window.set_viewport_size({"width": width, "height": 900})
            kept = heights[max(least for least in heights if least <= width)]
            needed = max(window.evaluate(measure))
            assert needed <= kept <= needed + 110, (width, needed, kept)
