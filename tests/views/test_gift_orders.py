"""Gift orders: delivery, questions about typos, previews."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from html import unescape

import pytest
import time_machine
from django.test import Client

from campaigns.forms.lists import COLUMNS
from campaigns.models import Campaign, Checkout
from tests.support.pages import (
    BEN,
    CLEO,
    GIFT,
    GIFTS,
    MARKUP,
    NOON,
    error_beside,
    gift_fields,
    gift_list_fields,
    main_of,
    read_form,
    sessions,
    start_order,
    tag_of,
)

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Set our clock to the sandbox's time, 14:00 in Kyiv."""
    with time_machine.travel(NOON, tick=True):
        yield


# Delivery


def test_a_gift_for_now_has_no_delivery_time(client: Client, campaign: Campaign) -> None:
    page = client.get(GIFT)
    assert "checked" in tag_of(page, "id_when_0")
    assert 'min="2026-11-10"' in tag_of(page, "id_deliver_on")
    assert 'max="2027-11-10"' in tag_of(page, "id_deliver_on")
    assert re.search(r'value="9" selected>09:00<', main_of(page))
    assert re.search(r'value="Europe/Kyiv" selected>Kyiv \(UTC\+2\)<', main_of(page))
    checkout = start_order(client, GIFT, gift_fields(client, deliver_on="2026-12-24"))
    assert set(checkout.typed["gifts"][0]) == set(COLUMNS)


@pytest.mark.parametrize(
    ("chosen", "moment"),
    [
        (("2026-12-24", "9", "Europe/Kyiv"), "2026-12-24T07:00:00+00:00"),
        (("24.12.2026", "0", "America/New_York"), "2026-12-24T05:00:00+00:00"),
        (("2026-11-10", "15", "Europe/Kyiv"), "2026-11-10T13:00:00+00:00"),
        # The clocks skip this hour, so the next one counts.
        (("2027-03-28", "3", "Europe/Kyiv"), "2027-03-28T01:00:00+00:00"),
        # This hour comes twice, so the first one counts.
        (("2027-10-31", "3", "Europe/Kyiv"), "2027-10-31T00:00:00+00:00"),
        (("2027-11-10", "23", "Pacific/Kiritimati"), "2027-11-10T09:00:00+00:00"),
    ],
)
def test_day_and_hour_are_in_the_recipients_zone(
    client: Client, campaign: Campaign, chosen: tuple[str, str, str], moment: str
) -> None:
    typed = dict(zip(("deliver_on", "deliver_hour", "zone"), chosen, strict=True))
    checkout = start_order(client, GIFT, gift_fields(client, when="date", **typed))
    [gift] = checkout.typed["gifts"]
    assert (gift["deliver_at"], gift["zone"]) == (moment, chosen[2])


@time_machine.travel("2026-03-20 12:00", tick=True)
def test_an_hour_skipped_by_the_clock_change_means_the_next_one(
    client: Client, campaign: Campaign
) -> None:
    fields = gift_fields(client, when="date", deliver_on="2026-03-29", deliver_hour="3")
    [gift] = start_order(client, GIFT, fields).typed["gifts"]
    assert gift["deliver_at"] == "2026-03-29T01:00:00+00:00"  # 04:00 local time


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"deliver_on": ""}, "deliver_on", "Choose a delivery day"),
        ({"deliver_on": "2026-11-09"}, "deliver_on", "This day is in the past"),
        ({"deliver_on": "0001-01-01"}, "deliver_on", "This day is in the past"),
        ({"deliver_on": "2027-11-11"}, "deliver_on", "within the next 365 days"),
        ({"deliver_on": "9999-12-31"}, "deliver_on", "within the next 365 days"),
        ({"deliver_on": "31.02.2027"}, "deliver_on", "like this: 2026-12-24"),
        ({"deliver_on": "2026-11-10", "deliver_hour": "14"}, "deliver_hour", "has already passed"),
        ({"deliver_on": "2026-12-24", "deliver_hour": "24"}, "deliver_hour", "Choose an hour"),
        ({"deliver_on": "2026-12-24", "zone": "Mars/Base"}, "zone", "Choose a time zone"),
        ({"deliver_on": "2026-12-24", "zone": "../etc/passwd"}, "zone", "Choose a time zone"),
    ],
)
def test_an_invalid_day_is_an_error_beside_its_field(
    client: Client, campaign: Campaign, changes: dict[str, str], field: str, said: str
) -> None:
    response = client.post(GIFT, gift_fields(client, when="date", **changes))
    assert response.status_code == 422
    assert said in error_beside(response, field)
    assert "checked" in tag_of(response, "id_when_1")
    assert Checkout.objects.count() == 0
    # With delivery now, errors in the unused fields don't matter.
    start_order(client, GIFT, gift_fields(client, **changes | {"when": "now"}))


def test_returning_from_stripe_restores_day_hour_and_zone(
    client: Client, campaign: Campaign
) -> None:
    chosen = {"deliver_on": "2026-12-24", "deliver_hour": "7", "zone": "Asia/Tokyo"}
    fields = gift_fields(client, when="date", **chosen)
    checkout = start_order(client, GIFT, fields)
    again = f"{GIFT}?again={checkout.pk}"
    page = client.get(again)
    kept = read_form(page).fields | {"deliver_hour": "7", "zone": "Asia/Tokyo"}
    assert re.search(r'value="7" selected>07:00<', main_of(page))
    assert re.search(r'value="Asia/Tokyo" selected>', main_of(page))
    assert (kept["when"], kept["deliver_on"]) == ("date", "2026-12-24")
    assert start_order(client, again, kept) == checkout
    assert len(sessions()) == 1


def test_each_zone_is_listed_once_by_region_and_city(client: Client, campaign: Campaign) -> None:
    client.post("/i18n/setlang/", {"language": "uk"})
    page = main_of(client.get(GIFT))
    assert re.search(r'value="Europe/Kyiv" selected>Київ \(UTC\+2\)<', page)
    assert "Europe/Kiev" not in page
    assert page.count("<optgroup") == 11


def test_a_campaign_keeps_a_zone_with_an_old_name(client: Client, campaign: Campaign) -> None:
    Campaign.objects.update(zone="Europe/Kiev")
    assert 'value="Europe/Kiev" selected' in main_of(client.get(GIFT))


# Questions


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"recipient_email": "ada@example.org"}, "recipient_email", "This is your own address."),
        ({"email": "ada@gmial.com"}, "email", "Did you mean ada@gmail.com?"),
        ({"email": "ada@ukr.ner"}, "email", "Did you mean ada@ukr.net?"),
        ({"recipient_email": "b@prton.me"}, "recipient_email", "Did you mean b@proton.me?"),
        ({"recipient_email": "b@mailinator.com"}, "recipient_email", "temporary e-mail service"),
        ({"email": "b@box.yopmail.com"}, "email", "temporary e-mail service"),
    ],
)
def test_a_probable_typo_is_questioned_once_and_then_accepted(
    client: Client, campaign: Campaign, typed: dict[str, str], field: str, said: str
) -> None:
    response = client.post(GIFT, gift_fields(client, **typed))
    assert response.status_code == 422
    assert said in unescape(error_beside(response, field))
    assert Checkout.objects.count() == 0
    again = start_order(client, GIFT, read_form(response).fields)
    assert typed[field] in (again.email, again.typed["gifts"][0]["recipient_email"])


@pytest.mark.parametrize("many", [False, True], ids=["one gift", "many gifts"])
def test_all_questions_are_asked_at_once(client: Client, campaign: Campaign, many: bool) -> None:
    address = "ada@gmial.com"
    if many:
        rows = [("Ben", address, ""), ("Cleo", address, "")]
        url, fields = GIFTS, gift_list_fields(client, *rows, email=address)
    else:
        url, fields = GIFT, gift_fields(client, email=address, recipient_email=address)
    response = client.post(url, fields)
    page = unescape(main_of(response))
    assert page.count("Did you mean ada@gmail.com?") == (6 if many else 4)
    assert "temporary e-mail service" not in page, "gmial.com is one, but the typo explains it"
    assert page.count("This is your own address.") == (4 if many else 2)
    assert page.count("Row 1 has the same address.") == (2 if many else 0)
    start_order(client, url, read_form(response).fields)


def test_another_typo_is_questioned_again_and_only_hashes_are_remembered(
    client: Client, campaign: Campaign
) -> None:
    response = client.post(GIFT, gift_fields(client, email="ada@gmial.com"))
    fields = read_form(response).fields
    assert re.fullmatch(r"[0-9a-f]{8}( [0-9a-f]{8})*", fields["asked"])
    response = client.post(GIFT, fields | {"email": "ada@gmail.con"})
    assert response.status_code == 422
    start_order(client, GIFT, read_form(response).fields)


@pytest.mark.parametrize("asked", ["x" * 100_000, "a b c", "<script>", "\x00"])
def test_any_value_is_accepted_as_asked_questions(
    client: Client, campaign: Campaign, asked: str
) -> None:
    response = client.post(GIFT, gift_fields(client, email="ada@gmial.com", asked=asked))
    assert response.status_code == 422
    assert "<script>" not in main_of(response)


@pytest.mark.parametrize(
    "address",
    [
        "ada@gmail.com",
        "ada@i.ua",
        "ada@meta.ua",
        "ada@mail.com",
        "ada@пошта.укр",
    ],
)
def test_a_good_address_is_not_questioned(client: Client, campaign: Campaign, address: str) -> None:
    start_order(client, GIFT, gift_fields(client, recipient_email=address))


# Previews


def test_the_email_preview_shows_the_email_and_runs_nothing(
    client: Client, campaign: Campaign
) -> None:
    response = client.post(f"{GIFT}mail/", gift_fields(client))
    assert response.status_code == 200
    page = response.content.decode()
    assert "Preview of the e-mail to ben@example.org." in page
    assert "&lt;script&gt;well&lt;/script&gt;" in page
    assert "XXXXX-XXXXX-XXXXX-XXXXX" in page
    assert "/claim/" in page
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "style-src 'unsafe-inline'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert response["X-Robots-Tag"] == "noindex"
    assert "no-store" in response["Cache-Control"]
    assert Checkout.objects.count() == 0


def test_the_card_preview_is_a_specimen(client: Client, campaign: Campaign) -> None:
    fields = gift_list_fields(client, CLEO, BEN)
    for url, sent in ((GIFT, gift_fields(client)), (GIFT, fields)):
        response = client.post(f"{url}card/", sent)
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"].startswith("inline")
        assert response.content.startswith(b"%PDF")
        assert "no-store" in response["Cache-Control"]


def test_the_preview_of_many_gifts_shows_the_first(client: Client, campaign: Campaign) -> None:
    chosen = {"when": "date", "deliver_on": "2026-12-24", "message": "To all"}
    page = client.post(
        f"{GIFT}mail/", gift_list_fields(client, CLEO, BEN, **chosen)
    ).content.decode()
    assert "Клео" in page
    assert "To all" in page
    assert "nobody gets this e-mail" in page


@pytest.mark.parametrize("kind", ["mail", "card"])
def test_a_form_with_errors_shows_no_preview(client: Client, campaign: Campaign, kind: str) -> None:
    url = f"{GIFT}{kind}/"
    assert client.get(url)["Location"] == GIFT
    response = client.post(url, gift_fields(client, recipient_name=""))
    assert response.status_code == 422
    assert error_beside(response, "recipient_name") == "Enter a name."
    assert read_form(response).action == GIFT
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    response = client.post(url, gift_list_fields(client, ("", "ben@example.org", "")))
    assert response.status_code == 422
    assert read_form(response).action == GIFTS


def test_a_preview_asks_no_questions(client: Client, campaign: Campaign) -> None:
    fields = gift_fields(client, email="ada@gmial.com")
    assert client.post(f"{GIFT}mail/", fields).status_code == 200
    assert client.post(GIFT, fields).status_code == 422


@pytest.mark.thorough
def test_previews_are_limited(client: Client, campaign: Campaign) -> None:
    fields = gift_fields(client, email="")
    answers = [client.post(f"{GIFT}mail/", fields).status_code for _ in range(31)]
    assert answers == [422] * 30 + [429]


def test_the_preview_buttons_come_after_the_form(client: Client, campaign: Campaign) -> None:
    for url in (GIFT, GIFTS):
        page = main_of(client.get(url))
        form, _, behind = page.partition("</form>")
        assert set(re.findall(r'formaction="([^"]+)"', form)) <= {f"{GIFTS}#rows"}
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
        assert behind.count('form="order"') == 2
        assert behind.count('formtarget="_blank"') == 2


def test_the_last_delivery_day_is_a_year_from_now(client: Client, campaign: Campaign) -> None:
    last = date(2026, 11, 10) + timedelta(days=365)
    start_order(client, GIFT, gift_fields(client, when="date", deliver_on=last.isoformat()))
    assert MARKUP in Checkout.objects.get().typed["gifts"][0]["message"]
