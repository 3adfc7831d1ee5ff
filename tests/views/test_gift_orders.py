"""Ordering gifts: when they are delivered, what is asked about once, and a look before paying."""

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
    GIFT,
    MARKUP,
    NOON,
    error_beside,
    gift_fields,
    main_of,
    read_form,
    sessions,
    start,
    tag_of,
)

pytestmark = pytest.mark.once

GIFTS = "/campaign/birthday/gifts/"
BEN = ("Ben", "ben@example.org", "Read!")
CLEO = ("Клео", "", "")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Our clock shows what the sandbox's does: 14:00 in Kyiv."""
    with time_machine.travel(NOON, tick=True):
        yield


def many_fields(client: Client, *rows: tuple[str, str, str], **typed: str) -> dict[str, str]:
    """The form of many as it came, with these rows filled in."""
    fields = read_form(client.get(GIFTS)).fields
    fields |= {"name": "Ada Reader", "email": "ada@example.org"}
    for at, row in enumerate(rows):
        fields |= dict(zip((f"rows-{at}-{name}" for name in COLUMNS), row, strict=True))
    fields["rows-TOTAL_FORMS"] = str(max(len(rows), int(fields["rows-TOTAL_FORMS"])))
    return fields | typed


# When it is delivered


def test_a_gift_for_now_has_no_time_of_its_own(client: Client, campaign: Campaign) -> None:
    page = client.get(GIFT)
    assert "checked" in tag_of(page, "id_when_0")
    assert 'min="2026-11-10"' in tag_of(page, "id_deliver_on")
    assert 'max="2027-11-10"' in tag_of(page, "id_deliver_on")
    assert re.search(r'value="9" selected>09:00<', main_of(page))
    assert re.search(r'value="Europe/Kyiv" selected>Kyiv<', main_of(page))
    checkout = start(client, GIFT, gift_fields(client, deliver_on="2026-12-24"))
    assert set(checkout.typed["gifts"][0]) == set(COLUMNS)


@pytest.mark.parametrize(
    ("chosen", "moment"),
    [
        (("2026-12-24", "9", "Europe/Kyiv"), "2026-12-24T07:00:00+00:00"),
        (("24.12.2026", "0", "America/New_York"), "2026-12-24T05:00:00+00:00"),
        (("2026-11-10", "15", "Europe/Kyiv"), "2026-11-10T13:00:00+00:00"),
        # The clocks skip this hour: it is the one after it.
        (("2027-03-28", "3", "Europe/Kyiv"), "2027-03-28T01:00:00+00:00"),
        # This one comes twice: it is the first.
        (("2027-10-31", "3", "Europe/Kyiv"), "2027-10-31T00:00:00+00:00"),
        (("2027-11-10", "23", "Pacific/Kiritimati"), "2027-11-10T09:00:00+00:00"),
    ],
)
def test_a_day_and_an_hour_are_those_of_the_recipient(
    client: Client, campaign: Campaign, chosen: tuple[str, str, str], moment: str
) -> None:
    typed = dict(zip(("deliver_on", "deliver_hour", "zone"), chosen, strict=True))
    checkout = start(client, GIFT, gift_fields(client, when="date", **typed))
    [gift] = checkout.typed["gifts"]
    assert (gift["deliver_at"], gift["zone"]) == (moment, chosen[2])


@time_machine.travel("2026-03-20 12:00", tick=True)
def test_the_hour_that_kyiv_skipped_in_march_2026_is_the_one_after_it(
    client: Client, campaign: Campaign
) -> None:
    fields = gift_fields(client, when="date", deliver_on="2026-03-29", deliver_hour="3")
    [gift] = start(client, GIFT, fields).typed["gifts"]
    assert gift["deliver_at"] == "2026-03-29T01:00:00+00:00"  # 04:00 there


@pytest.mark.parametrize(
    ("changes", "field", "said"),
    [
        ({"deliver_on": ""}, "deliver_on", "Please choose the day"),
        ({"deliver_on": "2026-11-09"}, "deliver_on", "This day has passed"),
        ({"deliver_on": "0001-01-01"}, "deliver_on", "This day has passed"),
        ({"deliver_on": "2027-11-11"}, "deliver_on", "within the next 365 days"),
        ({"deliver_on": "9999-12-31"}, "deliver_on", "within the next 365 days"),
        ({"deliver_on": "31.02.2027"}, "deliver_on", "like 2026-12-24"),
        ({"deliver_on": "2026-11-10", "deliver_hour": "14"}, "deliver_hour", "has passed there"),
        ({"deliver_on": "2026-12-24", "deliver_hour": "24"}, "deliver_hour", "one of the hours"),
        ({"deliver_on": "2026-12-24", "zone": "Mars/Base"}, "zone", "one of the time zones"),
        ({"deliver_on": "2026-12-24", "zone": "../etc/passwd"}, "zone", "one of the time zones"),
    ],
)
def test_a_day_that_can_not_be_is_told_beside_its_field(
    client: Client, campaign: Campaign, changes: dict[str, str], field: str, said: str
) -> None:
    response = client.post(GIFT, gift_fields(client, when="date", **changes))
    assert response.status_code == 422
    assert said in error_beside(response, field)
    assert "checked" in tag_of(response, "id_when_1")
    assert Checkout.objects.count() == 0
    # Whoever gives now after all need not mend what is not used.
    start(client, GIFT, gift_fields(client, **changes | {"when": "now"}))


def test_who_turns_back_finds_the_day_the_hour_and_the_zone(
    client: Client, campaign: Campaign
) -> None:
    chosen = {"deliver_on": "2026-12-24", "deliver_hour": "7", "zone": "Asia/Tokyo"}
    fields = gift_fields(client, when="date", **chosen)
    checkout = start(client, GIFT, fields)
    again = f"{GIFT}?again={checkout.pk}"
    page = client.get(again)
    kept = read_form(page).fields | {"deliver_hour": "7", "zone": "Asia/Tokyo"}
    assert re.search(r'value="7" selected>07:00<', main_of(page))
    assert re.search(r'value="Asia/Tokyo" selected>', main_of(page))
    assert (kept["when"], kept["deliver_on"]) == ("date", "2026-12-24")
    assert start(client, again, kept) == checkout
    assert len(sessions()) == 1


def test_zones_stand_once_by_region_under_the_names_of_their_cities(
    client: Client, campaign: Campaign
) -> None:
    client.post("/i18n/setlang/", {"language": "uk"})
    page = main_of(client.get(GIFT))
    assert re.search(r'value="Europe/Kyiv" selected>Київ<', page)
    assert "Europe/Kiev" not in page
    assert page.count("<optgroup") == 11


def test_a_campaign_in_a_zone_of_an_old_name_keeps_it(client: Client, campaign: Campaign) -> None:
    Campaign.objects.update(zone="Europe/Kiev")
    assert 'value="Europe/Kiev" selected' in main_of(client.get(GIFT))


# Asked once


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"recipient_email": "ada@example.org"}, "recipient_email", "This is your own address."),
        ({"email": "ada@gmial.com"}, "email", "Did you mean ada@gmail.com?"),
        ({"email": "ada@ukr.ner"}, "email", "Did you mean ada@ukr.net?"),
        ({"recipient_email": "b@prton.me"}, "recipient_email", "Did you mean b@proton.me?"),
        ({"recipient_email": "b@mailinator.com"}, "recipient_email", "are thrown away"),
        ({"email": "b@box.yopmail.com"}, "email", "are thrown away"),
    ],
)
def test_a_likely_slip_is_asked_about_once_and_then_taken(
    client: Client, campaign: Campaign, typed: dict[str, str], field: str, said: str
) -> None:
    response = client.post(GIFT, gift_fields(client, **typed))
    assert response.status_code == 422
    assert said in unescape(error_beside(response, field))
    assert Checkout.objects.count() == 0
    again = start(client, GIFT, read_form(response).fields)
    assert typed[field] in (again.email, again.typed["gifts"][0]["recipient_email"])


def test_another_slip_is_asked_about_anew_and_no_address_stands_in_what_is_remembered(
    client: Client, campaign: Campaign
) -> None:
    response = client.post(GIFT, gift_fields(client, email="ada@gmial.com"))
    fields = read_form(response).fields
    assert re.fullmatch(r"[0-9a-f]{8}", fields["asked"])
    response = client.post(GIFT, fields | {"email": "ada@gmail.con"})
    assert response.status_code == 422
    start(client, GIFT, read_form(response).fields)


@pytest.mark.parametrize("asked", ["x" * 100_000, "a b c", "<script>", "\x00"])
def test_what_is_remembered_may_be_anything(client: Client, campaign: Campaign, asked: str) -> None:
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
def test_a_good_address_is_not_asked_about(
    client: Client, campaign: Campaign, address: str
) -> None:
    start(client, GIFT, gift_fields(client, recipient_email=address))


# A look before paying


def test_the_mail_is_shown_as_it_will_be_written_and_nothing_in_it_runs(
    client: Client, campaign: Campaign
) -> None:
    response = client.post(f"{GIFT}mail/", gift_fields(client))
    assert response.status_code == 200
    page = response.content.decode()
    assert "A specimen of the e-mail to ben@example.org." in page
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


def test_the_card_is_shown_as_a_specimen(client: Client, campaign: Campaign) -> None:
    fields = many_fields(client, CLEO, BEN)
    for url, sent in ((GIFT, gift_fields(client)), (GIFT, fields)):
        response = client.post(f"{url}card/", sent)
        assert response["Content-Type"] == "application/pdf"
        assert response["Content-Disposition"].startswith("inline")
        assert response.content.startswith(b"%PDF")
        assert "no-store" in response["Cache-Control"]


def test_of_many_the_first_is_shown(client: Client, campaign: Campaign) -> None:
    chosen = {"when": "date", "deliver_on": "2026-12-24", "message": "To all"}
    page = client.post(f"{GIFT}mail/", many_fields(client, CLEO, BEN, **chosen)).content.decode()
    assert "Клео" in page
    assert "To all" in page
    assert "goes to nobody" in page


@pytest.mark.parametrize("kind", ["mail", "card"])
def test_of_a_form_with_mistakes_nothing_is_shown_but_these(
    client: Client, campaign: Campaign, kind: str
) -> None:
    url = f"{GIFT}{kind}/"
    assert client.get(url)["Location"] == GIFT
    response = client.post(url, gift_fields(client, recipient_name=""))
    assert response.status_code == 422
    assert error_beside(response, "recipient_name") == "Please write a name."
    assert read_form(response).action == GIFT
    assert "unsafe-inline" not in response["Content-Security-Policy"]
    response = client.post(url, many_fields(client, ("", "ben@example.org", "")))
    assert response.status_code == 422
    assert read_form(response).action == GIFTS


def test_a_likely_slip_is_asked_about_when_it_is_bought_not_when_it_is_looked_at(
    client: Client, campaign: Campaign
) -> None:
    fields = gift_fields(client, email="ada@gmial.com")
    assert client.post(f"{GIFT}mail/", fields).status_code == 200
    assert client.post(GIFT, fields).status_code == 422


def test_looking_again_and_again_is_limited(client: Client, campaign: Campaign) -> None:
    fields = gift_fields(client, email="")
    answers = [client.post(f"{GIFT}mail/", fields).status_code for _ in range(31)]
    assert answers == [422] * 30 + [429]


def test_the_buttons_stand_behind_the_form_so_that_enter_pays(
    client: Client, campaign: Campaign
) -> None:
    for url in (GIFT, GIFTS):
        page = main_of(client.get(url))
        form, _, behind = page.partition("</form>")
        assert set(re.findall(r'formaction="([^"]+)"', form)) <= {f"{GIFTS}#rows"}
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", page)
        assert behind.count('form="order"') == 2
        assert behind.count('formtarget="_blank"') == 2


def test_a_day_a_year_from_now_is_the_last(client: Client, campaign: Campaign) -> None:
    last = date(2026, 11, 10) + timedelta(days=365)
    start(client, GIFT, gift_fields(client, when="date", deliver_on=last.isoformat()))
    assert MARKUP in Checkout.objects.get().typed["gifts"][0]["message"]
