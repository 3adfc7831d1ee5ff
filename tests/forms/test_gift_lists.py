"""Many gifts in one payment, from typed rows or from a list."""

import csv
import io
import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from campaigns.forms.gifts import read_upload
from campaigns.forms.lists import COLUMNS, UnreadableList, decode_list, read_list
from campaigns.models import Campaign, Checkout, Price
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_price
from tests.support.pages import (
    BEN,
    CLEO,
    GIFT,
    GIFTS,
    NOON,
    UNREACHABLE,
    error_beside,
    gift_list_fields,
    main_of,
    read_form,
    sessions,
    start_order,
)

pytestmark = pytest.mark.once

CARD = "4242424242424242"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    """Set our clock to the sandbox's time, 14:00 in Kyiv."""
    with time_machine.travel(NOON, tick=True):
        yield


def rows_of(response: Any) -> list[tuple[str, ...]]:
    """Return the filled rows that a page shows."""
    fields = read_form(response).fields
    rows = [
        tuple(fields[f"rows-{at}-{name}"] for name in COLUMNS)
        for at in range(int(fields["rows-TOTAL_FORMS"]))
    ]
    return [row for row in rows if any(row)]


def as_text(response: Any) -> str:
    return unescape(re.sub(r"<[^>]+>", "", main_of(response)))


# Many gifts


def test_several_gifts_are_one_payment(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    fields = gift_list_fields(client, BEN, ("", "", ""), CLEO, message="To all of you")
    checkout = start_order(client, GIFTS, fields)
    assert checkout.typed["gifts"] == [
        dict(zip(COLUMNS, BEN, strict=True)),
        dict(zip(COLUMNS, ("Клео", "", "To all of you"), strict=True)),
    ]
    assert checkout.amount_minor == 12000
    [session] = sessions()
    assert session["amount_total"] == 12000
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    client.get(f"/membership/thanks/{checkout.pk}/")
    assert [gift.recipient_name for gift in checkout.gifts.order_by("position")] == ["Ben", "Клео"]


def test_many_gifts_share_a_delivery_day(client: Client, campaign: Campaign) -> None:
    chosen = {"when": "date", "deliver_on": "2026-12-24", "zone": "Europe/Kyiv"}
    checkout = start_order(client, GIFTS, gift_list_fields(client, BEN, CLEO, **chosen))
    days = [(gift["deliver_at"], gift["zone"]) for gift in checkout.typed["gifts"]]
    assert days == [("2026-12-24T07:00:00+00:00", "Europe/Kyiv")] * 2


@pytest.mark.thorough
def test_a_button_adds_rows_and_keeps_the_typed_values(client: Client, campaign: Campaign) -> None:
    fields = gift_list_fields(client, BEN, name="", email="ada@", paste="kept", more="1")
    response = client.post(GIFTS, fields)
    assert response.status_code == 200
    assert "has-errors" not in main_of(response)
    kept = read_form(response).fields
    assert kept["rows-TOTAL_FORMS"] == "8"
    assert (kept["email"], kept["paste"]) == ("ada@", "kept")
    assert rows_of(response) == [BEN]
    assert "1 × €60 = €60" in as_text(response)
    for _ in range(25):
        fields = read_form(response).fields | {"more": "1"}
        response = client.post(GIFTS, fields)
    assert read_form(response).fields["rows-TOTAL_FORMS"] == "100"
    assert 'name="more"' not in main_of(response)


def test_the_sum_is_shown_above_the_button(client: Client, campaign: Campaign) -> None:
    make_price("gift", amount_minor=3050, months=6)
    assert "€60 for each gift." in as_text(client.get(GIFTS))
    response = client.post(GIFTS, gift_list_fields(client, BEN, CLEO, email=""))
    assert response.status_code == 422
    assert "2 × €60 = €120." in as_text(response)
    assert "2 × €30.50 = €61." in as_text(response)


def test_each_error_names_its_row_and_keeps_the_typed_values(
    client: Client, campaign: Campaign
) -> None:
    rows = [
        BEN,
        ("", "cleo@example.org", ""),
        ("=1+1", "dan@", "x" * 501),
        ("e@example.org", "", ""),
    ]
    response = client.post(GIFTS, gift_list_fields(client, *rows))
    assert response.status_code == 422
    assert rows_of(response) == rows
    said = as_text(response)
    assert "Please check 5 fields" in said
    assert "Row 2: Name: Enter a name." in said
    assert "Row 3: Name: A name can’t start with “=”." in said
    assert "Row 3: E-mail: Enter a valid e-mail address" in said
    assert "Row 3: Message: Ensure this value has at most 500 characters" in said
    assert "Row 4: Name: This looks like an e-mail address." in said
    assert error_beside(response, "rows-2-recipient_email").startswith("Enter a valid")
    assert "Error:" in response.content.decode().partition("</title>")[0]


def test_an_address_in_two_rows_is_questioned_once(client: Client, campaign: Campaign) -> None:
    fields = gift_list_fields(client, BEN, ("Ben again", "BEN@example.org", ""))
    response = client.post(GIFTS, fields)
    assert "Row 1 has the same address." in error_beside(response, "rows-1-recipient_email")
    assert len(start_order(client, GIFTS, read_form(response).fields).typed["gifts"]) == 2


def test_an_order_without_rows_is_refused(client: Client, campaign: Campaign) -> None:
    response = client.post(GIFTS, gift_list_fields(client))
    assert "Fill in a row" in error_beside(response, "rows-0-recipient_name")


@pytest.mark.parametrize("total", ["", "x", "-1", "101", "100000000", "0"])
def test_a_made_up_number_of_rows_is_refused(
    client: Client, campaign: Campaign, total: str
) -> None:
    fields = gift_list_fields(client, BEN) | {"rows-TOTAL_FORMS": total}
    assert client.post(GIFTS, fields).status_code == 422
    assert Checkout.objects.count() == 0


def test_returning_from_stripe_restores_all_rows(client: Client, campaign: Campaign) -> None:
    checkout = start_order(client, GIFTS, gift_list_fields(client, BEN, CLEO))
    response = client.get(f"{GIFT}?again={checkout.pk}")
    assert response["Location"] == f"{GIFTS}?again={checkout.pk}"
    page = client.get(response["Location"])
    assert rows_of(page) == [BEN, CLEO]
    assert start_order(client, GIFTS, read_form(page).fields) == checkout
    assert len(sessions()) == 1
    single = start_order(client, GIFTS, gift_list_fields(client, BEN))
    kept = read_form(client.get(f"{GIFT}?again={single.pk}")).fields
    assert kept["recipient_email"] == "ben@example.org"


def test_if_stripe_is_down_the_page_keeps_all_gifts(
    client: Client, campaign: Campaign, sandbox: SandboxControl, settings: LazySettings
) -> None:
    fields = gift_list_fields(client, BEN, CLEO)
    settings.STRIPE_API_BASE = UNREACHABLE
    response = client.post(GIFTS, fields)
    assert response.status_code == 503
    form = read_form(response)
    settings.STRIPE_API_BASE = sandbox.url
    assert len(start_order(client, form.action, form.fields).typed["gifts"]) == 2


def test_the_two_forms_link_to_each_other(client: Client, campaign: Campaign) -> None:
    assert f'href="{GIFTS}"' in main_of(client.get(GIFT))
    assert f'href="{GIFT}"' in main_of(client.get(GIFTS))
    Price.objects.update(is_active=False)
    assert "nothing on sale" in main_of(client.get(GIFTS))


# Lists


LIST = "Name;E-mail;Message\nBen;ben@example.org;Read!\n\n„Клео“;;\n"


def test_a_pasted_list_is_reviewed_before_payment(client: Client, campaign: Campaign) -> None:
    fields = gift_list_fields(client, ("Dan", "dan@example.org", ""), paste=LIST)
    response = client.post(GIFTS, fields)  # with any button
    assert response.status_code == 200
    assert Checkout.objects.count() == 0
    assert "The rows below now contain 3 gifts. Nothing is paid yet" in as_text(response)
    assert "3 × €60 = €180" in as_text(response)
    assert [row[0] for row in rows_of(response)] == ["Dan", "Ben", "„Клео“"]
    kept = read_form(response).fields
    assert kept["paste"] == ""
    assert len(start_order(client, GIFTS, kept).typed["gifts"]) == 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_uploaded_list_is_read_in_spreadsheet_encodings(
    client: Client, campaign: Campaign, encoding: str
) -> None:
    file = SimpleUploadedFile("list.csv", LIST.replace("\n", "\r\n").encode(encoding))
    response = client.post(GIFTS, gift_list_fields(client) | {"upload": file, "read": "1"})
    assert response.status_code == 200, main_of(response)
    assert [row[0] for row in rows_of(response)] == ["Ben", "„Клео“"]


def test_a_list_with_bad_rows_names_them(client: Client, campaign: Campaign) -> None:
    names = "\n".join(f"Reader {number},r{number}@example.org" for number in range(6))
    fields = gift_list_fields(client, paste=f"{names}\n=cmd|' /C calc'!A0,=1+1@x.org,=2", read="1")
    response = client.post(GIFTS, fields | {"name": "", "email": ""})
    assert response.status_code == 422
    said = as_text(response)
    assert "Row 7: Name: A name can’t start with “=”." in said
    assert "Row 7: E-mail: This is a formula." in said
    assert "Row 7: Message: This is a formula." in said
    assert "Enter a name" not in said, "the rest is not judged before it is sent"
    assert len(rows_of(response)) == 7
    assert read_form(response).fields["paste"] == ""


@pytest.mark.parametrize(
    ("paste", "said"),
    [
        ("Ben,ben@example.org,Hi,there,you", "Line 1 has 5 columns"),
        ("Ben,b@example.org\nCleo,c@example.org,Hi, Cleo", "Line 2 has 4 columns"),
        ('Ben,ben@example.org,"Hi', "A quotation mark in this list is missing"),
        ("Name,E-mail", "This list has headings but no recipients."),
        ("Ben\n" * 101, "This list has 101 rows. You can buy up to 100 gifts in one payment."),
        ("B" * 140_000, "missing or in the wrong place"),
    ],
)
def test_an_unreadable_list_stays_in_its_field(
    client: Client, campaign: Campaign, paste: str, said: str
) -> None:
    response = client.post(GIFTS, gift_list_fields(client, BEN, paste=paste, read="1"))
    assert response.status_code == 422
    assert said in unescape(error_beside(response, "paste"))
    kept = read_form(response).fields
    assert kept["paste"] == paste
    assert (kept["name"], rows_of(response)) == ("Ada Reader", [BEN])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"x" * 10_000_000, "larger than 200 kB"),
        (b"", "This list is empty."),
        (b" \n\n", "This list is empty."),
        (b",,\r\n,,\r\n", "This list is empty."),
        (b",", "This list is empty."),
        ("Бен".encode("cp1251"), "Save it as “CSV UTF-8”"),
        (b"PK\x03\x04\x14\x00", "This is a spreadsheet."),
        ("Ben".encode("utf-16-le"), "characters we can’t read"),
        (b"\xff\xfeB", "We can’t read the characters"),
        (b"Ben\x00,ben@example.org", "characters we can’t read"),
    ],
)
def test_an_unreadable_file_is_refused_with_a_reason(
    client: Client, campaign: Campaign, content: bytes, said: str
) -> None:
    file = SimpleUploadedFile("list.csv", content)
    response = client.post(GIFTS, gift_list_fields(client, BEN) | {"upload": file})
    assert response.status_code == 422
    assert said in unescape(error_beside(response, "upload"))
    assert rows_of(response) == [BEN]


def test_a_file_that_is_too_large_is_not_read() -> None:
    class Unread(SimpleUploadedFile):
        def read(self, *args: Any) -> bytes:
            raise AssertionError("it was read")

    with pytest.raises(UnreadableList):
        read_upload(Unread("list.csv", b"x" * 200_001))


def test_rows_and_list_together_are_limited_to_a_hundred(
    client: Client, campaign: Campaign
) -> None:
    paste = "\n".join(f"Reader {number}" for number in range(100))
    response = client.post(GIFTS, gift_list_fields(client, BEN, paste=paste))
    assert "more than 100" in error_beside(response, "paste")
    response = client.post(GIFTS, gift_list_fields(client, paste=paste))
    assert len(rows_of(response)) == 100
    assert start_order(client, GIFTS, read_form(response).fields).amount_minor == 600_000


def test_an_empty_list_is_an_error_beside_the_list(client: Client, campaign: Campaign) -> None:
    response = client.post(GIFTS, gift_list_fields(client, read="1"))
    assert "Paste a list here" in error_beside(response, "paste")


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("Ben\tben@example.org\tHi, you; all", [("Ben", "ben@example.org", "Hi, you; all")]),
        ("Reader, Ben;ben@example.org", [("Reader, Ben", "ben@example.org", "")]),
        ("Ben;b@example.org;Hi, c@example.org", [("Ben", "b@example.org", "Hi, c@example.org")]),
        (
            '"Ben","ben@example.org","Line\nline ""two"""',
            [("Ben", "ben@example.org", 'Line\nline "two"')],
        ),
        ("Ben,ben@example.org,,,,\n,,,\n", [("Ben", "ben@example.org", "")]),
        ("E-Mail,NAME\nben@example.org,Ben", [("Ben", "ben@example.org", "")]),
        ("Ім'я;Електронна пошта;Побажання\nБен;;Читай", [("Бен", "", "Читай")]),
        ("Ім’я;E-mail\nБен;ben@example.org", [("Бен", "ben@example.org", "")]),
        ("Ben\nCleo", [("Ben", "", ""), ("Cleo", "", "")]),
        ("\ufeffBen,ben@example.org", [("Ben", "ben@example.org", "")]),
        (
            "Ada Reader <ada@example.org>; Ben <ben@example.org>",
            [("Ada Reader", "ada@example.org", ""), ("Ben", "ben@example.org", "")],
        ),
        (
            '"Reader, Ada" <ada@example.org>,\n Ben <ben@example.org>;cleo@example.org\n',
            [
                ("Reader, Ada", "ada@example.org", ""),
                ("Ben", "ben@example.org", ""),
                ("", "cleo@example.org", ""),
            ],
        ),
        ("Ada Reader <ada@example.org>", [("Ada Reader", "ada@example.org", "")]),
        ("<ada@example.org>", [("", "ada@example.org", "")]),
        (
            "Ada <ada@example.org>, Read!\nBen,ben@example.org",
            [("Ada", "ada@example.org", "Read!"), ("Ben", "ben@example.org", "")],
        ),
        ("Name;E-mail\n;Ada <ada@example.org>", [("Ada", "ada@example.org", "")]),
        ("Ben <3 news;ben@example.org", [("Ben <3 news", "ben@example.org", "")]),
    ],
)
def test_lists_are_read_as_people_write_them(text: str, rows: list[tuple[str, ...]]) -> None:
    assert [tuple(row.values()) for row in read_list(text, most=100)] == rows


words = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n"), max_size=60
)
texts = words.map(str.strip)
listed = st.lists(
    st.tuples(texts.filter(bool), st.sampled_from(["", "ben@example.org"]), texts),
    min_size=1,
    max_size=100,
)


@given(rows=listed, delimiter=st.sampled_from(",;\t"), newline=st.sampled_from(["\n", "\r\n"]))
def test_an_exported_list_reads_back_as_the_same_rows(
    rows: list[tuple[str, str, str]], delimiter: str, newline: str
) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, lineterminator=newline)
    writer.writerows([("Name", "E-mail", "Message"), *rows])
    content = decode_list(file.getvalue().encode("utf-8-sig"))
    assert [tuple(row.values()) for row in read_list(content, most=100)] == rows


@given(content=st.binary(max_size=400))
def test_any_upload_is_read_or_refused(content: bytes) -> None:
    try:
        rows = read_list(decode_list(content), most=100)
    except UnreadableList:
        return
    assert all(set(row) == set(COLUMNS) for row in rows)
