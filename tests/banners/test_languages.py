"""Banners in any language that Django knows, also where no translation ships."""

import re

import pytest
import time_machine
from django.conf import LazySettings
from django.conf.global_settings import LANGUAGES
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils.translation import override

from campaigns.banners import files, publish_campaign, read_banner
from campaigns.banners.placeholders import find_values
from campaigns.banners.placements import EMBEDDED
from campaigns.banners.rendering import render_banner
from campaigns.languages import list_plural_forms, pick_form
from campaigns.progress import measure_goal
from tests.support.factories import at, make_campaign

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def choose_languages(settings: LazySettings) -> object:
    def choose(*codes: str) -> None:
        settings.LANGUAGES = [(code, dict(LANGUAGES)[code]) for code in codes]
        files.list_names.cache_clear()

    yield choose
    files.list_names.cache_clear()


@pytest.mark.thorough
def test_every_language_of_django_has_banners() -> None:
    campaign = make_campaign()
    with time_machine.travel(at("2026-11-10 12:00"), tick=False):
        progress = measure_goal(campaign.goals.get(), at=at("2026-11-10 12:00"))
        for language, _name in LANGUAGES:
            html = render_banner(campaign, progress, placement="end", language=language)
            assert f'lang="{language}"' in html


@pytest.mark.parametrize(
    ("language", "ends", "days"),
    [
        ("en", "the end of 30 November", "21 days"),
        ("en-gb", "the end of 30 November", "21 days"),
        ("uk", "кінця 30 листопада", "21 день"),
        ("de", "30. November", "21 Tage"),
        ("es", "30 de noviembre", "21 días"),
        ("pt-br", "30 de novembro", "21 dias"),
        ("zh-hans", "11月30日", "21天"),
        ("ar", "30 نوفمبر", "21 يومًا"),
    ],
)
def test_values_are_in_the_language_of_the_text(language: str, ends: str, days: str) -> None:
    campaign = make_campaign(ends_at=at("2026-11-30 22:00"))
    with time_machine.travel(at("2026-11-10 12:00"), tick=False), override(language):
        values = find_values(campaign, None, name="", language=language)
    assert values["ends"].replace("\xa0", " ") == ends
    assert values["days_left"].replace("\xa0", " ") == days


@pytest.mark.parametrize(
    ("language", "forms"),
    [("en", 2), ("uk", 3), ("ar", 6), ("ja", 1), ("pl", 3), ("es", 2)],
)
def test_plural_forms_are_those_of_whole_numbers(language: str, forms: int) -> None:
    assert len(list_plural_forms(language)) == forms
    for number in (*range(200), 1_000, 1_000_000):
        assert pick_form(["form"] * forms, number, language=language) == "form"


def test_the_form_fits_the_number() -> None:
    forms = ["учасник", "учасники", "учасників"]
    picked = [pick_form(forms, number, language="uk") for number in (1, 2, 5, 11, 21)]
    assert picked == ["учасник", "учасники", "учасників", "учасників", "учасник"]
    assert pick_form(["member"], 5, language="en") == "member"


def test_a_language_written_from_right_to_left_turns_its_pages(
    client: Client, choose_languages: object
) -> None:
    choose_languages("en", "ar")  # type: ignore[operator]
    campaign = make_campaign()
    publish_campaign(campaign.pk)
    assert '<html lang="ar" dir="rtl">' in client.get("/campaign/birthday/ar/").content.decode()
    assert '<html lang="en">' in client.get("/campaign/birthday/en/").content.decode()
    assert "Become a member" in read_banner("birthday", "top", language="ar")  # no translation


def test_banners_of_a_removed_language_are_emptied_and_its_page_is_gone(
    client: Client, choose_languages: object
) -> None:
    campaign = make_campaign()
    publish_campaign(campaign.pk)
    page = reverse("campaigns:page", kwargs={"slug": "birthday", "language": "uk"})
    assert client.get(page).status_code == 200
    choose_languages("en")  # type: ignore[operator]
    publish_campaign(campaign.pk)
    assert client.get(page).status_code == 404
    folder = files.storages[files.ALIAS].path("birthday/uk")  # type: ignore[attr-defined]
    assert read_banner("birthday", "top", language="uk") == read_banner(
        "birthday", "top", language="en"
    )
    with open(f"{folder}/top.html", "rb") as file:
        assert file.read() == b""
    choose_languages("en", "uk")  # type: ignore[operator]
    publish_campaign(campaign.pk)
    assert "campaign-top" in read_banner("birthday", "top", language="uk")


@pytest.mark.parametrize("placement", EMBEDDED)
@pytest.mark.parametrize("moment", ["2026-10-10 12:00", "2026-11-10 12:00"])
def test_english_words_keep_their_order_in_a_language_from_right_to_left(
    placement: str, moment: str
) -> None:
    """Numbers and times are sentences of ours, which no translation into Arabic ships for."""
    campaign = make_campaign()
    progress = measure_goal(campaign.goals.get(), at=at(moment))
    html = render_banner(campaign, progress, placement=placement, language="ar")
    ours = re.findall(r'<(p class="campaign-(?:count|as-of)"|time )([^>]*)>', html)
    assert ours or placement == "top"  # before the start, the bar has its headline alone
    assert all('dir="auto"' in attributes for _tag, attributes in ours), ours


def test_an_address_of_no_language_does_not_exist(client: Client) -> None:
    make_campaign()
    assert client.get("/campaign/birthday/xx/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("campaigns:page", kwargs={"slug": "birthday", "language": "Wrong"})
