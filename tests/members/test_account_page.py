"""The account page: its content, receipts, and that others can't see it."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pypdfium2
import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client

from campaigns.members.receipts import render_receipt
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Payment, SignInLink
from tests.support.factories import (
    at,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    record_claim,
)
from tests.support.mails import make_paid_membership
from tests.support.pages import NOON, main_of
from tests.support.sign_in import ACCOUNT, ADA, open_account_page, paths_of_ada, sign_in

pytestmark = pytest.mark.once

MARKUP = '<b>Ada</b> #import "x": * $x$'


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Run the application on the sandbox's clock."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


@pytest.fixture
def ada(campaign: Campaign) -> Member:
    make_paid_membership(campaign)
    return Member.objects.get()


def test_the_page_describes_a_subscription(client: Client, ada: Member) -> None:
    sign_in(client)
    page = open_account_page(client)
    for words in (
        "Renews on 10 November 2027.",
        "<strong>€60</strong> a year",
        "10 November 2026",
        "Change card or see invoices",
        "Cancel membership",
    ):
        assert words in page
    assert "Resume membership" not in page


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"is_cancelling": True}, "Cancelled. Your membership ends on 10 November 2027"),
        ({"status": "past_due"}, "The last payment didn’t go through."),
        ({"status": "paused"}, "Paused. You won’t be charged."),
        ({"status": "pending"}, "We’re still waiting for the first payment."),
        ({"status": "ended", "ended_at": at("2027-02-01 12:00")}, "Ended."),
        (
            {"gifted_until": at("2028-03-10 12:00")},
            "Renews on 10 March 2028. A gift pays for it until then",
        ),
    ],
)
def test_each_state_is_described(
    client: Client, ada: Member, changes: dict[str, Any], words: str
) -> None:
    Membership.objects.update(**changes)
    sign_in(client)
    page = open_account_page(client)
    assert words in page
    assert ("You don’t have a membership." in page) == (words == "Ended.")


@pytest.mark.parametrize(
    ("status", "until", "words"),
    [
        ("past_due", "2099-12-24 12:00", "You have access until 24 December 2099."),
        ("lapsed", "2026-12-24 12:00", "Stripe may still collect it until the end of this period."),
        ("paused", "2099-12-24 12:00", "You’ve paid for access until 24 December 2099."),
        ("paused", "2026-12-10 12:00", "You had paid for access until 10 December 2026."),
    ],
)
def test_a_subscription_cancelled_while_unpaid_shows_only_the_end_of_access(
    client: Client, ada: Member, status: str, until: str, words: str
) -> None:
    Membership.objects.update(is_cancelling=True, status=status, access_until=at(until))
    with time_machine.travel(at("2027-01-01 12:00"), tick=True):
        sign_in(client)
        page = open_account_page(client)
    assert "Cancelled" in page
    assert words in page
    assert "10 November 2027" not in page
    assert ("you won’t be charged again" in page) == (status == "paused")


def test_a_gift_membership_shows_its_end(client: Client, campaign: Campaign) -> None:
    gift = make_gift(make_member(), campaign, "2026-11-09 10:00")
    record_claim(gift, make_member(ADA), "2026-11-10 09:00")
    sign_in(client)
    page = open_account_page(client)
    assert "Lasts until 10 November 2027. It ends automatically, and you won’t be charged." in page
    assert "A gift" in page
    assert "12 months from Ada Reader" in page
    assert "Change card" not in page
    assert "Cancel membership" not in page


def test_gifts_bought_link_to_the_page_of_the_buyer(client: Client, campaign: Campaign) -> None:
    gift = make_gift(make_member(ADA), campaign, "2026-11-09 10:00")
    sign_in(client)
    page = open_account_page(client)
    assert "You don’t have a membership." in page
    assert "0 of 1 claimed." in page
    found = re.search(r'href="(/membership/gifts/[^"]+)"', page)
    assert found
    assert "Ben" in main_of(client.get(found[1]))
    assert gift.code not in page


def test_payments_show_their_state(client: Client, campaign: Campaign) -> None:
    member = make_member(ADA)
    paid = [make_payment(member, campaign, f"2026-11-0{day} 10:00") for day in range(1, 6)]
    make_refund(paid[0], "2026-11-06 10:00")
    make_refund(paid[1], "2026-11-06 10:00", 1500)
    make_dispute(paid[2], "2026-11-06 10:00")
    make_dispute(paid[3], "2026-11-06 10:00", status="lost")
    failed = make_payment(member, campaign, "2026-11-08 10:00", status="failed")
    sign_in(client)
    page = open_account_page(client)
    for words in (
        "Refunded in full.",
        "€15 refunded.",
        "Your bank hasn’t decided yet",
        "your bank refunded it",
        "Didn’t go through. Nothing was charged.",
    ):
        assert page.count(words) == 1
    assert f"{ACCOUNT}receipts/{paid[0].pk}.pdf" in page
    assert f"{ACCOUNT}receipts/{failed.pk}.pdf" not in page
    assert client.get(f"{ACCOUNT}receipts/{failed.pk}.pdf").status_code == 404


def test_many_rows_need_no_more_queries(
    client: Client, campaign: Campaign, django_assert_max_num_queries: Any
) -> None:
    member = make_member(ADA)
    for day in range(1, 9):
        make_payment(member, campaign, f"2026-11-0{day} 10:00")
        make_gift(member, campaign, f"2026-11-0{day} 11:00")
    sign_in(client)
    with django_assert_max_num_queries(29):
        client.get(ACCOUNT)


def test_names_are_shown_as_typed(client: Client, ada: Member) -> None:
    Member.objects.update(name=MARKUP)
    sign_in(client)
    assert "&lt;b&gt;Ada&lt;/b&gt;" in open_account_page(client)


# Receipts


def read_pdf(content: bytes) -> str:
    with pypdfium2.PdfDocument(content) as pdf:
        assert len(pdf) == 1
        return " ".join(pdf[0].get_textpage().get_text_range().split())


def test_a_receipt_shows_who_paid_what_and_when(client: Client, ada: Member) -> None:
    sign_in(client)
    payment = Payment.objects.get()
    assert payment.receipt_url in open_account_page(client)
    answer = client.get(f"{ACCOUNT}receipts/{payment.pk}.pdf")
    assert answer["Content-Type"] == "application/pdf"
    assert "no-store" in answer["Cache-Control"]
    text = read_pdf(answer.content)
    for words in (
        "The Meridian Post",
        "Receipt",
        "2045-1187",
        "10 November 2026",
        "Ada Reader",
        ADA,
        "Visa",
        "Member",
        "Total paid €60",
        str(payment.intent_id),
    ):
        assert words in text


def test_a_receipt_shows_refunds_in_the_language_of_the_reader(client: Client, ada: Member) -> None:
    payment = Payment.objects.get()
    make_refund(payment, "2026-11-12 10:00", 1500)
    make_dispute(payment, "2026-11-13 10:00")  # an open dispute isn't listed as a refund
    sign_in(client)
    address = f"{ACCOUNT}receipts/{payment.pk}.pdf"
    text = read_pdf(client.get(address).content)
    assert "Refunded on 12 November 2026 -€15" in text
    assert "Total paid €45" in text
    assert "12 листопада 2026" in read_pdf(
        client.get(address, headers={"Accept-Language": "uk"}).content
    )
    again = client.get(address).content
    assert again == client.get(address).content


def test_a_receipt_shows_a_lost_dispute(ada: Member) -> None:
    payment = Payment.objects.select_related("member").get()
    make_dispute(payment, "2026-11-13 10:00", status="lost")
    text = read_pdf(render_receipt(payment, language="en"))
    assert "Refunded by your bank on 13 November 2026 -€60 Total paid €0" in text


def test_a_receipt_names_its_issuer(ada: Member, settings: LazySettings) -> None:
    settings.RECEIPT_ISSUER = [
        "Meridian Post GmbH",
        "1 *Example* Street, Berlin",
        "VAT DE123456789",
    ]
    payment = Payment.objects.select_related("member").get()
    text = read_pdf(render_receipt(payment, language="en"))
    assert "Meridian Post GmbH 1 *Example* Street, Berlin VAT DE123456789 Receipt" in text


@pytest.mark.parametrize("name", [MARKUP, "W" * 120, "Оксана Іваненко", "\\ #panic() _*`"])
def test_names_are_never_markup_and_fit_the_page(ada: Member, name: str) -> None:
    Member.objects.update(name=name)
    payment = Payment.objects.select_related("member").get()
    text = read_pdf(render_receipt(payment, language="en"))
    assert name.replace(" ", "") in re.sub(r"[\s\u200b]", "", text)


# Other members


def test_members_cannot_see_or_change_data_of_others(client: Client, ada: Member) -> None:
    eve = make_member("eve@example.org")
    sign_in(client, eve.email)
    page = open_account_page(client)
    assert ADA not in page
    assert "You don’t have a membership." in page
    for path in paths_of_ada():
        statuses = {client.get(path).status_code, client.post(path).status_code}
        assert statuses <= {404, 405}, path
    stranger = Client()
    for path in (*paths_of_ada(), f"{ACCOUNT}data.json"):
        for answer in (stranger.get(path), stranger.post(path)):
            assert answer.status_code in {303, 405}, path
    data = client.get(f"{ACCOUNT}data.json").json()
    assert ADA not in json.dumps(data)
    assert (data["memberships"], data["payments"]) == ([], [])


def test_exported_data_has_only_own_rows(client: Client, ada: Member, campaign: Campaign) -> None:
    payment = Payment.objects.get()
    OutgoingMail.objects.create(key="receipt:1", kind="receipt", payment=payment)
    OutgoingMail.objects.create(key="dispute:1", kind="dispute", payment=payment)
    gift = make_gift(ada, campaign, "2026-11-09 10:00", message="For you, Ben")
    OutgoingMail.objects.create(key="gift:1", kind="gift_claimed", gift=gift)
    OutgoingMail.objects.create(key="gift:2", kind="gift_invitation", gift=gift)
    given = make_gift(
        make_member("cleo@example.org"), campaign, "2026-11-09 11:00", buyer_name="Cleo Giver"
    )
    record_claim(given, ada, "2026-11-10 09:00")
    sign_in(client)
    answer = client.get(f"{ACCOUNT}data.json")
    assert answer["Content-Type"] == "application/json"
    assert "attachment" in answer["Content-Disposition"]
    text, data = answer.content.decode(), answer.json()
    assert data["person"]["email"] == ADA
    assert {each["source"] for each in data["memberships"]} == {"subscription", "gift"}
    assert {each["for"] for each in data["payments"]} == {"first", "gift"}
    assert len(data["gifts_bought"]) == len(data["gifts_claimed"]) == 1
    assert {each["kind"] for each in data["mails"]} == {"receipt", "gift_claimed", "sign_in"}
    for others in ("ben@example.org", "Ben", "cleo@example.org", "Cleo Giver", given.code):
        assert others not in text
    assert SignInLink.objects.get().secret_hash not in text
