"""The buyer's page: the list of gifts, the CSV, the card."""

import csv
import io
import re
from collections.abc import Iterator

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from campaigns.emails import links
from campaigns.models import Campaign, Checkout
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_member,
    make_price,
    record_claim,
)
from tests.support.gift_purchases import (
    SENT,
    WAITING,
    gift_at,
    make_purchase,
    open_purchase,
    url_of,
)
from tests.support.pages import NOON, Answer, main_of


@pytest.fixture(autouse=True)
def noon(db: None) -> Iterator[None]:
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


def text_of(answer: Answer) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", main_of(answer)).split())


# The list


def test_each_gift_shows_its_status(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(
        campaign,
        WAITING,
        WAITING | {"zone": "America/New_York", "deliver_at": at("2026-12-24 14:00")},
        {},
        SENT,
        {"recipient_email": ""},
        SENT | {"bounced_at": at("2026-11-10 09:00")},
        {"status": "expired", "expires_at": at("2026-11-10 11:00")},
        SENT | {"expires_at": at("2026-11-10 11:30")},
        {"status": "revoked", "revoked_at": at("2026-11-10 08:00"), "revoked_for": "staff"},
        {"status": "revoked", "revoked_at": at("2026-11-10 08:00"), "revoked_for": "money"},
    )
    answer = client.get(url_of(checkout))
    text = text_of(answer)
    for words in (
        "You paid €600 for 10 gift memberships.",
        "1 Friend 1 friend1@example.org Scheduled for 24 December 2026, 10:00 (UTC+2)",
        "2 Friend 2 friend2@example.org Scheduled for 24 December 2026, 09:00 (UTC−5)",
        "friend3@example.org Being sent",
        "friend4@example.org Sent on 9 November 2026",
        "5 Friend 5 Ready to hand over",
        "friend6@example.org Bounced on 10 November 2026",
        "friend7@example.org Expired on 10 November 2026",
        "friend8@example.org Expired on 10 November 2026",
        "friend9@example.org Revoked on 10 November 2026",
        "Revoked on 10 November 2026 because its payment was reversed",
        "2 scheduled",
    ):
        assert words in text, words


def test_the_link_and_the_code_are_shown_while_the_gift_can_be_claimed(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    checkout = make_purchase(campaign, SENT, {"status": "expired"})
    page = open_purchase(client, checkout)
    assert f'value="{settings.SITE_URL}/claim/{gift_at(checkout).code}/"' in page
    assert gift_at(checkout, 1).code not in page
    assert "9 November 2027" in page


def test_a_claimed_gift_shows_the_day_but_not_the_claimant(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT)
    record_claim(gift_at(checkout), make_member("zoe@secret.example"), "2026-11-10 09:00")
    page = open_purchase(client, checkout)
    assert "Claimed on 10 November 2026" in page
    assert "zoe" not in page
    assert gift_at(checkout).code not in page
    assert "Resend gift" not in page


def test_a_bounced_email_is_shown_at_the_top_with_a_link_to_correct_it(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT, SENT | {"bounced_at": at("2026-11-10 09:00")})
    page = open_purchase(client, checkout)
    assert "One gift e-mail bounced" in page
    assert page.index("One gift e-mail bounced") < page.index("gift-rows")
    assert f'href="{url_of(checkout, "1/")}"' in page.partition("gift-rows")[0]


def test_a_changed_link_or_one_for_another_page_is_refused(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT)
    joined = make_checkout(campaign, status="paid")
    token = links.make_gifts_token(checkout)
    for bad in (
        f"{token}x",
        "abc",
        links.make_portal_token(checkout),
        links.make_gifts_token(joined),
    ):
        for more in ("", "links.csv", "0/", "0/card.pdf"):
            answer = client.get(f"/membership/gifts/{bad}/{more}")
            assert answer.status_code == 410
            assert "This link no longer works" in main_of(answer)
        assert client.post(f"/membership/gifts/{bad}/", {"again": "0"}).status_code == 410
    assert client.get(url_of(checkout, "7/")).status_code == 404
    assert client.post(url_of(checkout), {"again": "seven"}).status_code == 404


def test_the_page_is_private(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT)
    for more in ("", "0/", "links.csv"):
        answer = client.get(url_of(checkout, more))
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "no-store" in answer["Cache-Control"]


def test_no_page_carries_inline_style_or_script(client: Client, campaign: Campaign) -> None:
    checkout = make_purchase(campaign, SENT, WAITING)
    for more in ("", "0/", "1/", "?done=again&gift=0"):
        page = client.get(url_of(checkout, more)).content.decode()
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page)
        assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", page))
        assert page.count("<h1") == 1


def test_a_hundred_gifts_need_few_queries(
    client: Client, campaign: Campaign, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    checkout = make_purchase(campaign, *[SENT] * 100)
    client.get(url_of(checkout))
    with django_assert_max_num_queries(12):
        page = open_purchase(client, checkout)
    assert page.count("<details") == 100
    assert "<details open" not in page
    assert "<strong>100</strong> sent" in page


def test_the_page_is_empty_before_the_payment_is_confirmed(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_checkout(campaign, kind=Checkout.Kind.GIFT, price=make_price("gift"))
    assert "Your payment isn’t confirmed" in open_purchase(client, checkout)


# The CSV and the card


def test_the_csv_has_every_link_and_no_formula(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    names = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", 'Zoë "Z", of Kyiv']
    checkout = make_purchase(campaign, *[SENT | {"recipient_name": name} for name in names], SENT)
    record_claim(gift_at(checkout, 7), make_member("zoe@secret.example"), "2026-11-10 09:00")
    answer = client.get(url_of(checkout, "links.csv"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="gift-links.csv"'
    assert answer.content.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert table[0] == ["Name", "E-mail", "Status", "Claim link", "Claim code", "Claim by"]
    assert [row[0] for row in table[1:8]] == [*(f"'{name}" for name in names[:6]), names[6]]
    code = gift_at(checkout).code
    assert table[1][1:] == [
        "friend1@example.org",
        "Sent on 9 November 2026",
        f"{settings.SITE_URL}/claim/{code}/",
        code,
        "2027-11-09",
    ]
    assert table[8][2:] == ["Claimed on 10 November 2026", "", "", ""]


def test_the_card_is_a_pdf_while_the_gift_can_be_claimed(
    client: Client, campaign: Campaign
) -> None:
    checkout = make_purchase(campaign, SENT)
    answer = client.get(url_of(checkout, "0/card.pdf"))
    assert answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"] == 'attachment; filename="gift-1.pdf"'
    assert answer.content.startswith(b"%PDF")
    record_claim(gift_at(checkout), make_member(), "2026-11-10 11:59")
    assert client.get(url_of(checkout, "0/card.pdf")).status_code == 409


def test_a_missing_code_key_leaves_the_page_and_a_new_code_helps(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    checkout = make_purchase(campaign, SENT)
    settings.GIFT_CODE_KEY = "another"
    assert "We can’t show this gift’s link" in open_purchase(client, checkout)
    assert client.get(url_of(checkout, "links.csv")).status_code == 200
    assert client.get(url_of(checkout, "0/card.pdf")).status_code == 503
    client.post(url_of(checkout), {"new_code": "0"})
    assert gift_at(checkout).code in open_purchase(client, checkout)


# The thank-you page


def test_the_thank_you_page_lists_several_gifts_and_links_to_them(
    client: Client, campaign: Campaign, settings: LazySettings
) -> None:
    checkout = make_purchase(campaign, SENT, WAITING, {"recipient_email": ""})
    page = main_of(client.get(f"/membership/thanks/{checkout.pk}/"))
    assert "You paid €180 for 3 gift memberships." in page
    assert "e-mail friend1@example.org now" in page
    assert "e-mail friend2@example.org on 24 December 2026, 10:00 (UTC+2)" in page
    assert "we’ll e-mail you the link" in page
    assert f'href="{settings.SITE_URL}{url_of(checkout)}"' in page
    joined = make_checkout(campaign, status="paid")
    assert "/membership/gifts/" not in main_of(client.get(f"/membership/thanks/{joined.pk}/"))
