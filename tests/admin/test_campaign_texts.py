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
    "banners-0-join_label",
    "banners-0-small_print",
]
PLAIN = ["copies-0-headline", "copies-0-summary", "banners-0-join_label"]
RICH = ["copies-0-story", "banners-0-headline", "banners-0-text", "banners-0-small_print"]


@pytest.mark.thorough
@pytest.mark.parametrize("field", FIELDS)
def test_an_unknown_placeholder_is_refused_beside_its_field_with_the_known_ones(
    client: Client, url: str, field: str
) -> None:
    errors = read_errors(client, url, {field: "{count} of {goal}"})
    assert f"Unknown placeholder: {{count}}. You can use these: {KNOWN}" in errors


@pytest.mark.parametrize("field", PLAIN)
def test_pasted_markup_is_refused_beside_its_field_with_the_clean_text(
    client: Client, url: str, field: str
) -> None:
    errors = read_errors(client, url, {field: "<b>Join</b> &amp; give"})
    assert "Use this text without it: Join &amp; give" in errors
    assert "<b>" not in errors


@pytest.mark.parametrize("field", RICH)
def test_only_emphasis_and_links_are_taken_and_a_clean_text_is_offered(
    client: Client, url: str, field: str
) -> None:
    errors = read_errors(client, url, {field: "<b>Join</b> <font>us</font> &amp; give"})
    assert "Use this text instead: &lt;strong&gt;Join&lt;/strong&gt; us &amp; give" in errors
    allowed = '<em>Join</em> <a href="https://example.org/?a=1&b=2">us</a>, R&D'
    assert client.post(url, fill_in(client, url) | {field: allowed}).status_code == 302


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("banners-0-headline", "x" * 71, "This text has 71 characters. At most 70 fit."),
        ("banners-0-headline", f'<a href="https://example.org/{"x" * 90}">Join</a>', ""),
        ("banners-0-gift_label", "x" * 31, "At most 30 fit"),
        ("banners-0-text", "{remaining|member|members|more}", "write 2 forms of the word"),
        ("banners-0-text", "{remaining} {remaining|member|members}", ""),
        ("hide_banners_on", "2026-12-01", "Choose a day after the last day of the campaign."),
        ("hide_banners_on", "2026-12-02", ""),
        ("goals-0-starts_from", "1000", "The starting number must be below the target."),
        ("goals-0-starts_from", "0", ""),
        ("goals-0-stretch_target", "1000", "The next target must be above the first one."),
        ("goals-0-stretch_target", "1001", ""),
        ("nearly_percent", "100", "less than or equal to 99"),
    ],
)
def test_a_wrong_value_is_refused_beside_its_field(
    client: Client, url: str, field: str, typed: str, words: str
) -> None:
    response = client.post(url, fill_in(client, url) | {field: typed})
    assert response.status_code == (200 if words else 302)
    assert words in read_page(response)


def test_the_number_of_plural_forms_is_that_of_the_texts_language(client: Client, url: str) -> None:
    forms = {"banners-0-text": "{remaining|учасник|учасники|учасників}"}
    assert "English has" in read_errors(client, url, forms)
    ukrainian = fill_in(client, url) | forms | {"banners-0-language": "uk"}
    assert client.post(url, ukrainian).status_code == 302


def test_texts_of_a_removed_language_stay_and_do_not_hinder_saving(
    client: Client, birthday: Campaign, url: str
) -> None:
    Campaign.objects.get().banners.update(language="pl")
    birthday.copies.create(language="pl", name="Urodziny")
    fields = fill_in(client, url)
    assert "Urodziny" not in fields.values()
    assert client.post(url, fields).status_code == 302
    assert birthday.copies.filter(language="pl", name="Urodziny").exists()


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


@pytest.mark.thorough
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


def test_every_text_of_a_banner_is_compared_with_every_number_of_a_goal(
    client: Client, url: str
) -> None:
    typed = {"banners-0-small_print": "Next: 1,500", "banners-0-join_label": "Join our 600"}
    numbers = {"goals-0-stretch_target": "1500", "goals-0-starts_from": "600"}
    assert client.post(url, fill_in(client, url) | typed | numbers).status_code == 302
    new = {"goals-0-stretch_target": "1600", "goals-0-starts_from": "700"}
    told = read_messages(client.post(url, fill_in(client, url) | new, follow=True))
    assert "says “600”, “1,500”" in told


@pytest.mark.parametrize(
    ("typed", "clean"),
    [
        ("<em>a <strong>b</em></strong>", "<em>a <strong>b</strong></em>"),
        ("<em>never closed", "<em>never closed</em>"),
        ("<em>a <i>b</i></em>", "<em>a b</em>"),
        ("closed</em> only", "closed only"),
        ('<a href="javascript:x()">a</a>', "a"),
        ('<a href="/path">a</a>', "a"),
        ('<a href="https://x.org/{name}">a</a>', "a"),
        (
            '<a class="x" href="https://x.org/" onclick="y()">a</a>',
            '<a href="https://x.org/">a</a>',
        ),
        ('<a href="mailto:a@x.org">a</a>', "a"),
        ('<p><a href="http://x.org/a">a</a></p>b', '<a href="http://x.org/a">a</a>\nb'),
        ("<I>a</I> <B>b</B>", "<em>a</em> <strong>b</strong>"),
        ("&lt;script&gt;x&lt;/script&gt; <u>a</u>", "a"),
    ],
)
def test_a_rich_text_keeps_emphasis_and_links_alone(typed: str, clean: str) -> None:
    assert has_markup(typed, is_rich=True)
    assert drop_markup(typed, is_rich=True) == clean
    assert not has_markup(clean, is_rich=True)


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
