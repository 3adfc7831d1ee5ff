"""What each of the five messages says, in both of its parts."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.test import Client

from campaigns.emails import links
from campaigns.memberships import give_membership
from campaigns.models import Campaign, Membership, PlanCopy
from tests.factories import at, claim, make_campaign, make_member, make_plan
from tests.mails import (
    PAID_AT,
    assert_not_wanted,
    both,
    buy_membership,
    deliver,
    find_link,
    give,
    html_of,
    owe,
    text_of,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


# Receipt


def test_a_receipt_says_what_was_bought_and_what_it_cost(birthday: Campaign) -> None:
    sent = deliver(owe("receipt", payment=buy_membership(birthday)))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your receipt from The Meridian Post: €60"
    for part in both(sent):
        for words in (
            "Hello Ada Reader,",
            "Member, €60 a year",
            "10 November 2026, 14:00 EET",
            "Visa",
            "2045-1187",
            "renews each year until you cancel. The next payment is on 10 November 2027.",
        ):
            assert words in part
    assert "https://pay.stripe.com/receipts/acct_1/ch_1" in text_of(sent)


def test_a_mail_tells_days_as_the_drives_own_calendar_has_them(birthday: Campaign) -> None:
    late = at("2027-11-10 22:30")  # in Kyiv it is the next day already
    payment = buy_membership(birthday)
    Membership.objects.update(ends_at=late)
    gift = give(birthday, expires_at=late)
    for owed in (
        owe("receipt", payment=payment),
        owe("welcome", membership=Membership.objects.get()),
        owe("gift_bought", gift=gift),
        owe("gift_invitation", gift=gift),
    ):
        for part in both(deliver(owed)):
            assert "11 November 2027" in part
            assert "10 November 2027" not in part


def test_the_amount_is_what_was_paid_even_if_the_price_is_another(birthday: Campaign) -> None:
    payment = buy_membership(birthday, amount_minor=123456, currency="jpy")
    sent = deliver(owe("receipt", payment=payment))
    assert "¥123,456" in sent.subject
    for part in both(sent):
        assert "¥123,456" in part


@pytest.mark.parametrize(
    ("kind", "changes", "words"),
    [
        ("month", {}, "renews each month until you cancel. The next payment is on 10 December"),
        ("year", {"is_cancelling": True}, "You cancelled: your membership lasts until 10 November"),
        (
            "year",
            {"status": "ended", "ended_at": at("2026-11-11 12:00")},
            "This membership has ended. You will not be charged again.",
        ),
        ("once", {}, "You paid once. You will not be charged again."),
    ],
)
def test_a_receipt_says_whether_money_will_be_taken_again(
    birthday: Campaign, kind: str, changes: dict[str, Any], words: str
) -> None:
    payment = buy_membership(birthday, kind)
    Membership.objects.filter(payments=payment).update(**changes)
    for part in both(deliver(owe("receipt", payment=payment))):
        assert words in part
        assert ("renews" in part) == ("renews" in words)


def test_the_receipt_of_a_gift_says_so_and_that_it_is_paid_once(birthday: Campaign) -> None:
    for part in both(deliver(owe("receipt", payment=give(birthday).payment))):
        assert "Gift membership: Member, 12 months" in part
        assert "You paid once. You will not be charged again." in part


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
def test_the_means_of_payment_is_named_in_words(
    birthday: Campaign, method: str, brand: str, words: str
) -> None:
    payment = buy_membership(birthday, method=method, brand=brand)
    for part in both(deliver(owe("receipt", payment=payment))):
        assert re.search(rf"Paid with:? {words} Paid to", part)


def test_what_stripe_did_not_tell_leaves_no_gap(birthday: Campaign) -> None:
    payment = buy_membership(birthday, method="", brand="", receipt_number="", receipt_url="")
    sent = deliver(owe("receipt", payment=payment))
    for part in both(sent):
        assert "Paid with" not in part
        assert "Receipt number" not in part
        assert "Stripe's receipt" not in part
        assert re.search(rf"Payment number:? {payment.charge_id}", part)


def test_the_link_to_the_portal_opens_and_works_for_as_long_as_the_mail_says(
    birthday: Campaign, client: Client
) -> None:
    payment = buy_membership(birthday)
    for owed in (owe("receipt", payment=payment), owe("welcome", membership=payment.membership)):
        sent = deliver(owed)
        link = find_link(sent, "/membership/manage/")
        assert client.get(urlsplit(link).path).status_code == 200
        assert client.get(urlsplit(link).path[:-2] + "x/").status_code == 410
        days = links.PORTAL_LASTS.days
        for part in both(sent):
            assert f"The link works for {days} days" in part


# Welcome


def test_a_welcome_says_what_the_membership_gives_and_when_it_renews(birthday: Campaign) -> None:
    PlanCopy.objects.filter(plan=make_plan()).update(benefits="A letter on Sundays\nThe archive")
    sent = deliver(owe("welcome", membership=buy_membership(birthday).membership))
    assert sent.subject == "Welcome: you are a member of The Meridian Post"
    for part in both(sent):
        assert "A letter on Sundays" in part
        assert "The archive" in part
        assert "It is paid until 10 November 2027 and renews then by itself" in part
        assert "cancel at any time" in part


def test_a_welcome_to_what_was_paid_once_speaks_of_no_renewal(birthday: Campaign) -> None:
    sent = deliver(owe("welcome", membership=buy_membership(birthday, "once").membership))
    for part in both(sent):
        assert "It lasts until 10 November 2027 and then ends by itself." in part
        assert "renew" not in part
        assert "cancel" not in part


def test_a_welcome_to_a_gift_names_its_giver_and_has_no_link_to_payments(
    birthday: Campaign,
) -> None:
    gift = claim(give(birthday), make_member("cleo@example.org"), "2026-11-12 09:00")
    sent = deliver(owe("welcome", membership=gift.membership))
    assert sent.to == ["cleo@example.org"]
    assert "/membership/manage/" not in text_of(sent) + html_of(sent)
    for part in both(sent):
        assert "It is a gift from Ada Reader." in part
        assert "It lasts until 12 November 2027 and then ends by itself." in part
        assert "Stripe" not in part


def test_a_membership_without_a_plan_is_welcomed_too() -> None:
    membership = give_membership(
        make_member(),
        plan=None,
        source=Membership.Source.GRANTED,
        starts_at=at(PAID_AT),
        months=12,
    )
    for part in both(deliver(owe("welcome", membership=membership))):
        assert "Hello, Your membership has begun. Thank you." in part
        assert "What it gives you" not in part


def test_nobody_is_welcomed_to_a_membership_that_has_ended(birthday: Campaign) -> None:
    membership = buy_membership(birthday).membership
    assert membership is not None
    Membership.objects.filter(pk=membership.pk).update(status="ended", ended_at=at(PAID_AT))
    assert_not_wanted(owe("welcome", membership=membership))


# Gifts


def test_the_buyer_gets_the_link_and_the_code_to_pass_on(
    birthday: Campaign, client: Client
) -> None:
    gift = give(birthday, recipient_email="", message="Read well.")
    sent = deliver(owe("gift_bought", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben, and how it is claimed"
    assert client.get(urlsplit(find_link(sent, "/claim/")).path).status_code == 200
    for part in both(sent):
        assert gift.code in part
        assert "Your gift for Ben is paid: 12 months of The Meridian Post." in part
        assert "The receipt comes in a mail of its own." in part
        assert "You hand it over yourself" in part
        assert "until 10 November 2027" in part
        assert "Read well." in part


def test_the_buyer_is_told_to_whom_we_write(birthday: Campaign) -> None:
    for part in both(deliver(owe("gift_bought", gift=give(birthday)))):
        assert "We write to ben@example.org" in part
        assert "hand it over yourself" not in part


def test_the_recipient_learns_who_gives_what_and_how_to_claim_it(
    birthday: Campaign, client: Client
) -> None:
    gift = give(birthday, message="For your birthday.\nRead well.\n\nAda")
    sent = deliver(owe("gift_invitation", gift=gift))
    assert sent.to == ["ben@example.org"]
    assert sent.subject == "Ada Reader gives you 12 months of The Meridian Post"
    assert sent.from_email == f"Ada Reader / The Meridian Post <{site.DEFAULT_FROM_EMAIL}>"
    link = find_link(sent, "/claim/")
    assert client.get(urlsplit(link).path).status_code == 200
    assert re.search(rf'<a class="button" href="{link}"', html_of(sent))
    # Quoted, so that nothing of ours can be mistaken for theirs, nor theirs for ours.
    assert "\n\n> For your birthday.\n> Read well.\n>\n> Ada\n\n" in text_of(sent)
    assert "For your birthday.<br>Read well.<br><br>Ada<" in html_of(sent)
    for part in both(sent):
        assert gift.code in part
        assert "Member, 12 months from the day of the claim" in part
        assert "you pay nothing" in part
        assert "until 10 November 2027" in part


def test_a_gift_without_names_and_message_reads_well(birthday: Campaign) -> None:
    gift = give(birthday, buyer_name="", recipient_name="")
    sent = deliver(owe("gift_invitation", gift=gift))
    assert sent.subject == "You are given 12 months of The Meridian Post"
    assert sent.from_email == f"The Meridian Post <{site.DEFAULT_FROM_EMAIL}>"
    for part in both(sent):
        assert "message" not in part.lower()
        assert "Hello," in part
    assert deliver(owe("gift_bought", gift=gift)).subject == "Your gift, and how it is claimed"
    claim(gift, make_member(), "2026-11-12 09:00")
    assert deliver(owe("gift_claimed", gift=gift)).subject == "Your gift has been claimed"


def test_the_buyer_hears_of_the_claim_but_not_by_whom(birthday: Campaign) -> None:
    cleo = make_member("cleo@example.org")
    cleo.name = "Cleo Claimant"
    cleo.save()
    gift = claim(give(birthday), cleo, "2026-11-12 09:00")
    sent = deliver(owe("gift_claimed", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben has been claimed"
    for part in both(sent):
        assert "Your gift for Ben was claimed on 12 November 2026." in part
    whole = sent.message().as_string().lower() + text_of(sent) + html_of(sent)
    assert "cleo" not in whole
    assert gift.code not in whole


@pytest.mark.parametrize("kind", ["gift_bought", "gift_invitation", "gift_claimed"])
def test_nothing_goes_out_about_a_gift_that_was_revoked(kind: str, birthday: Campaign) -> None:
    gift = give(birthday, status="revoked", revoked_at=at("2026-11-11 12:00"))
    assert_not_wanted(owe(kind, gift=gift))


def test_nobody_is_invited_to_a_gift_that_its_buyer_hands_over(birthday: Campaign) -> None:
    assert_not_wanted(owe("gift_invitation", gift=give(birthday, recipient_email="")))


def test_nobody_is_invited_to_a_gift_that_is_claimed_already(birthday: Campaign) -> None:
    gift = claim(give(birthday), make_member(), "2026-11-12 09:00")
    assert_not_wanted(owe("gift_invitation", gift=gift))
