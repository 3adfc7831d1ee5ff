"""Campaign texts in the admin: placeholders, pasted markup, and texts that contradict the goal."""

import re

import pytest
from django.test import Client

from campaigns.banners import PLACEHOLDERS
from campaigns.forms.markup import drop_markup, has_markup
from campaigns.models import Campaign, Goal
from tests.support.staff import admin_url, fill_in, read_messages, read_page

pytestmark = pytest.mark.django_db
KNOWN = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)


@pytest.fixture
def url(birthday: Campaign, editor: object) -> str:
    birthday.banners.create(
        placement="top", state="running", language="en", headline="Help us", text="Join us."
    )
    return admin_url(Campaign, "change", birthday.pk)


def read_errors(client: Client, url: str, typed: dict[str, str]) -> str:
    response = client.post(url, fill_in(client, url) | typed)
    assert response.status_code == 200
    lists = re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', read_page(response), re.DOTALL)
    return " ".join(lists)


FIELDS = [
    "copies-0-headline",
    "copies-0-summary",
    "copies-0-story",
    "copies-0-use_of_money",
    "banners-0-headline",
    "banners-0-text",
]


@pytest.mark.parametrize("field", FIELDS)
def test_an_unknown_placeholder_is_refused_beside_its_field_with_the_known_ones(
    client: Client, url: str, field: str
) -> None:
    errors = read_errors(client, url, {field: "{count} of {goal}"})
    assert f"Unknown placeholder: {{count}}. You can use these: {KNOWN}" in errors


@pytest.mark.parametrize("field", FIELDS)
def test_pasted_markup_is_refused_beside_its_field_with_the_clean_text(
    client: Client, url: str, field: str
) -> None:
    errors = read_errors(client, url, {field: "<b>Join</b> &amp; give"})
    assert "Use this text without it: Join &amp; give" in errors
    assert "<b>" not in errors


def test_a_campaigns_name_has_no_placeholders(client: Client, url: str) -> None:
    assert "can’t have placeholders" in read_errors(client, url, {"copies-0-name": "{name}"})


def test_the_form_lists_the_placeholders_and_takes_all_of_them(client: Client, url: str) -> None:
    assert KNOWN in read_page(client.get(url))
    typed = dict.fromkeys(FIELDS[2:4], KNOWN) | {"banners-0-text": KNOWN}
    assert client.post(url, fill_in(client, url) | typed).status_code == 302


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("<b>Join</b> &amp; give", "Join & give"),
        ("<p>One.</p><p>Two<br>lines.</p>", "One.\n\nTwo\nlines."),
        ("&amp;lt;i&amp;gt;Join&amp;lt;/i&amp;gt; us", "Join us"),
        ("<script>alert(1)</script>Join", "Join"),
        ("Join&nbsp;us <!-- soon -->", "Join\xa0us"),
    ],
)
def test_markup_is_found_and_dropped(typed: str, clean: str) -> None:
    assert has_markup(typed)
    assert drop_markup(typed) == clean
    assert not has_markup(clean)


@pytest.mark.parametrize("text", ["I <3 news", "5 < 6 > 4", "AT&T; R&D", "Tom & Ann", "a &copy b"])
def test_signs_of_ordinary_texts_are_not_taken_for_markup(text: str) -> None:
    assert not has_markup(text)


@pytest.mark.parametrize(
    ("text", "typed", "new"),
    [
        ("We need 1,000 members.", "1,000", {"goals-0-target": "1200"}),
        ("We need 1000 members", "1000", {"goals-0-target": "1200"}),
        ("Read by 12/1", "12/1", {"ends_at": "2026-12-11T02:00"}),
        ("From November 1st on", "November 1st", {"starts_at": "2026-11-02T02:00"}),
        ("Until 1 December, 02:00", "1 December", {"ends_at": "2026-12-11T02:00"}),
        ("Until 2026-12-01", "2026-12-01", {"ends_at": "2026-12-11T02:00"}),
    ],
)
def test_a_new_goal_or_window_warns_about_texts_that_contradict_it(
    client: Client, url: str, text: str, typed: str, new: dict[str, str]
) -> None:
    fields = fill_in(client, url) | {"copies-0-summary": text, "banners-0-text": text}
    assert client.post(url, fields).status_code == 302
    response = client.post(url, fill_in(client, url) | new, follow=True)
    told = read_messages(response)
    assert told.count(f"says “{typed}”") == 2, told
    assert "Summary (English): the text says" in told
    assert "Custom banner text (bar at the top, running, English): the text says" in told


def test_a_new_zone_or_amount_warns_about_texts_in_the_texts_own_language(
    client: Client, birthday: Campaign, url: str
) -> None:
    Goal.objects.update(kind=Goal.Kind.MONEY, target=5_000_050)
    birthday.copies.update(language="uk", summary="До 1 грудня ми збираємо 50 000,50 €.")
    new = {"goals-0-target": "60000", "zone": "America/New_York", "ends_at": "2026-11-30T19:00"}
    response = client.post(url, fill_in(client, url) | new, follow=True)
    assert "(Ukrainian): the text says “50 000,50”, “1 грудня”" in read_messages(response)


def test_texts_that_fit_the_new_goal_or_have_placeholders_are_not_warned_about(
    client: Client, url: str
) -> None:
    texts = {
        "copies-0-headline": "We need {goal} members",
        "copies-0-summary": "11,000 readers, 1,000,000 articles, 1,000.50 euros, 10 November",
        "copies-0-story": "We need 1,000 members by 1 December.",
    }
    assert client.post(url, fill_in(client, url) | texts).status_code == 302
    new = {"goals-0-target": "1200", "copies-0-story": "We need 1,200 members."}
    response = client.post(url, fill_in(client, url) | new, follow=True)
    assert "the text says" not in read_messages(response)
