"""E-mails to members about their membership, in text and HTML."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client

from campaigns.emails import links
from campaigns.memberships import grant_membership
from campaigns.models import Campaign, Membership, PlanCopy
from tests.support.factories import at, make_campaign, make_member, make_plan, record_claim
from tests.support.mails import (
    PAID_AT,
    assert_no_longer_wanted,
    find_link,
    html_of,
    make_extension,
    make_gift_of_ada,
    make_mail,
    make_paid_membership,
    read_both_parts,
    send_mail,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


# Receipt


def test_a_receipt_names_the_purchase_and_its_price(birthday: Campaign) -> None:
    sent = send_mail(make_mail("receipt", payment=make_paid_membership(birthday)))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your receipt from The Meridian Post: €60"
    for part in read_both_parts(sent):
        for words in (
            "Hello Ada Reader,",
            "Member, €60 a year",
            "10 November 2026, 14:00 (UTC+2)",
            "Visa",
            "2045-1187",
            "renews every year until you cancel. Your next payment is on 10 November 2027.",
        ):
            assert words in part
    assert "https://pay.stripe.com/receipts/acct_1/ch_1" in text_of(sent)


def test_dates_are_in_the_campaigns_time_zone(birthday: Campaign) -> None:
    late = at("2027-11-10 22:30")  # already the next day in Kyiv
    payment = make_paid_membership(birthday)
    Membership.objects.update(ends_at=late)
    gift = make_gift_of_ada(birthday, expires_at=late)
    for mail in (
        make_mail("receipt", payment=payment),
        make_mail("welcome", membership=Membership.objects.get()),
        make_mail("gift_bought", gift=gift),
        make_mail("gift_invitation", gift=gift),
        make_mail("gift_expiring", gift=gift),
    ):
        for part in read_both_parts(send_mail(mail)):
            assert "11 November 2027" in part
            assert "10 November 2027" not in part
    given = record_claim(gift, make_member("cleo@example.org"), "2026-11-10 22:30").membership
    for mail in (make_mail("welcome", membership=given), make_mail("gift_ending", gift=gift)):
        for part in read_both_parts(send_mail(mail)):
            assert "10 November 2027" not in part


def test_a_receipt_shows_the_amount_paid_and_not_the_price(birthday: Campaign) -> None:
    payment = make_paid_membership(birthday, amount_minor=123456, currency="jpy")
    sent = send_mail(make_mail("receipt", payment=payment))
    assert "¥123,456" in sent.subject
    for part in read_both_parts(sent):
        assert "¥123,456" in part


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("month", {}, "renews every month until you cancel. Your next payment is on 10 December"),
        (
            "year",
            {"is_cancelling": True},
            "You’ve cancelled your membership. It lasts until 10",
        ),
        (
            "year",
            {"status": "ended", "ended_at": at("2026-11-11 12:00")},
            "This membership has ended. You won’t be charged again.",
        ),
        ("once", {}, "You paid once and won’t be charged again."),
    ],
)
def test_a_receipt_says_whether_another_payment_follows(
    birthday: Campaign, kind: str, changes: dict[str, Any], words: str
) -> None:
    payment = make_paid_membership(birthday, kind)
    Membership.objects.filter(payments=payment).update(**changes)
    for part in read_both_parts(send_mail(make_mail("receipt", payment=payment))):
        assert words in part
        assert ("renews" in part) == ("renews" in words)


def test_the_receipt_for_a_gift_says_that_it_is_paid_once(birthday: Campaign) -> None:
    for part in read_both_parts(
        send_mail(make_mail("receipt", payment=make_gift_of_ada(birthday).payment))
    ):
        assert "Gift membership: Member, 12 months" in part
        assert "You paid once and won’t be charged again." in part
        assert "A separate e-mail explains how your gift is delivered." in part


@pytest.mark.parametrize(
    ("method", "brand", "words"),
    [
        ("card", "amex", "American Express"),
        ("card", "mastercard", "Mastercard"),
        ("card", "", "Card"),
        ("card", "unknown", "Card"),
        ("card", "cartes_bancaires", "Cartes Bancaires"),
        ("sepa_debit", "", "Bank debit"),
        ("us_bank_account", "", "Bank debit"),
        ("paypal", "", "Paypal"),
    ],
)
def test_a_receipt_names_the_payment_method(
    birthday: Campaign, method: str, brand: str, words: str
) -> None:
    payment = make_paid_membership(birthday, method=method, brand=brand)
    for part in read_both_parts(send_mail(make_mail("receipt", payment=payment))):
        assert re.search(rf"Paid with:? {words} Paid to", part)


def test_a_receipt_leaves_out_missing_details(birthday: Campaign) -> None:
    payment = make_paid_membership(birthday, method="", brand="", receipt_number="", receipt_url="")
    sent = send_mail(make_mail("receipt", payment=payment))
    for part in read_both_parts(sent):
        assert "Paid with" not in part
        assert "Receipt number" not in part
        assert "View receipt" not in part
        assert re.search(rf"Payment number:? {payment.charge_id}", part)


def test_the_payments_link_works_for_as_long_as_the_e_mail_says(
    birthday: Campaign, client: Client
) -> None:
    payment = make_paid_membership(birthday)
    for mail in (
        make_mail("receipt", payment=payment),
        make_mail("welcome", membership=payment.membership),
    ):
        sent = send_mail(mail)
        link = find_link(sent, "/membership/manage/")
        assert client.get(urlsplit(link).path).status_code == 200
        assert client.get(urlsplit(link).path[:-2] + "x/").status_code == 410
        days = links.PORTAL_LASTS.days
        for part in read_both_parts(sent):
            assert f"The link works for {days} days" in part


# Welcome


def test_a_welcome_lists_benefits_and_the_renewal_date(birthday: Campaign) -> None:
    PlanCopy.objects.filter(plan=make_plan()).update(benefits="A letter on Sundays\nThe archive")
    sent = send_mail(make_mail("welcome", membership=make_paid_membership(birthday).membership))
    assert sent.subject == "Welcome: you’re a member of The Meridian Post"
    for part in read_both_parts(sent):
        assert "A letter on Sundays" in part
        assert "The archive" in part
        assert "Your membership renews automatically on 10 November 2027" in part
        assert "cancel at any time" in part


def test_a_welcome_to_a_one_off_membership_mentions_no_renewal(birthday: Campaign) -> None:
    sent = send_mail(
        make_mail("welcome", membership=make_paid_membership(birthday, "once").membership)
    )
    for part in read_both_parts(sent):
        assert "Your membership lasts until 10 November 2027 and then ends automatically." in part
        assert "renew" not in part
        assert "cancel" not in part


def test_a_welcome_to_a_gift_names_the_buyer_and_links_to_the_account_page(
    birthday: Campaign,
) -> None:
    gift = record_claim(
        make_gift_of_ada(birthday), make_member("cleo@example.org"), "2026-11-12 09:00"
    )
    sent = send_mail(make_mail("welcome", membership=gift.membership))
    assert sent.to == ["cleo@example.org"]
    for whole in (text_of(sent), html_of(sent)):
        assert "/membership/manage/" not in whole
        assert "/membership/account/" in whole
    for part in read_both_parts(sent):
        assert "It’s a gift from Ada Reader." in part
        assert "Your membership lasts until 12 November 2027 and then ends automatically." in part
        assert "Stripe" not in part


def test_a_membership_without_a_plan_gets_a_welcome() -> None:
    membership = grant_membership(
        make_member(),
        plan=None,
        source=Membership.Source.GRANTED,
        starts_at=at(PAID_AT),
        months=12,
    )
    for part in read_both_parts(send_mail(make_mail("welcome", membership=membership))):
        assert "Hello, Your membership has started. Thank you." in part
        assert "What you get" not in part


def test_an_ended_membership_gets_no_welcome(birthday: Campaign) -> None:
    membership = make_paid_membership(birthday).membership
    assert membership is not None
    Membership.objects.filter(pk=membership.pk).update(status="ended", ended_at=at(PAID_AT))
    assert_no_longer_wanted(make_mail("welcome", membership=membership))


def test_a_gift_to_a_subscriber_moves_the_next_payment(
    birthday: Campaign,
) -> None:
    base = make_paid_membership(birthday).membership
    assert base is not None
    sent = send_mail(make_mail("welcome", membership=make_extension(base, birthday)))
    assert sent.subject == "3 months have been added to your membership of The Meridian Post"
    for part in read_both_parts(sent):
        assert "3 months have been added to your membership. It’s a gift from Ada Reader." in part
        assert "Your next payment moves to 10 February 2028. You won’t be charged" in part
        for words in ("elcome", "ends automatically", "has started", "What you get"):
            assert words not in part


def test_a_second_gift_extends_the_first(birthday: Campaign) -> None:
    first = record_claim(
        make_gift_of_ada(birthday), make_member("cleo@example.org"), "2026-11-11 09:00"
    )
    assert first.membership is not None
    for part in read_both_parts(
        send_mail(make_mail("welcome", membership=make_extension(first.membership, birthday)))
    ):
        assert "3 months have been added to your membership." in part
        assert "now lasts until 10 February 2028 and then ends automatically. You won’t be" in part
        assert "elcome" not in part
        assert "payment" not in part


def test_a_gift_after_a_cancelled_subscription_says_when_it_starts(
    birthday: Campaign,
) -> None:
    gift = record_claim(
        make_gift_of_ada(birthday), make_member("cleo@example.org"), "2026-11-12 09:00"
    )
    Membership.objects.filter(gift=gift).update(
        started_at=at("2027-01-10 12:00"), ends_at=at("2028-01-10 12:00")
    )
    given = Membership.objects.get(gift=gift)
    for part in read_both_parts(send_mail(make_mail("welcome", membership=given))):
        assert "Your new membership starts on 10 January 2027, when your current one ends." in part
        assert "has started" not in part
        assert "lasts until 10 January 2028" in part
