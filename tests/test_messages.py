"""What each of the messages says, in both of its parts."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.conf import settings as site
from django.test import Client

from campaigns.emails import links
from campaigns.emails.letters import write_letter
from campaigns.memberships import give_membership
from campaigns.models import Campaign, Gift, Membership, OutgoingMail, PlanCopy
from tests.factories import at, claim, make_campaign, make_member, make_plan
from tests.mails import (
    PAID_AT,
    assert_not_wanted,
    both,
    buy_membership,
    deliver,
    find_link,
    give,
    give_several,
    html_of,
    owe,
    read_html,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CHRISTMAS = at("2026-12-24 06:00")  # eight in the morning in Kyiv, one at night in New York


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture(autouse=True)
def desk(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "desk@example.org"


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
        owe("gift_expiring", gift=gift),
    ):
        for part in both(deliver(owed)):
            assert "11 November 2027" in part
            assert "10 November 2027" not in part
    given = claim(gift, make_member("cleo@example.org"), "2026-11-10 22:30").membership
    for owed in (owe("welcome", membership=given), owe("gift_ending", gift=gift)):
        for part in both(deliver(owed)):
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
        assert "How the gift arrives is said in a mail of its own." in part


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


def extend(base: Membership, campaign: Campaign) -> Membership:
    """Three months as a gift to somebody who is a member already."""
    gift = claim(give(campaign, months=3), base.member, "2026-11-12 09:00")
    assert gift.membership is not None
    Membership.objects.filter(pk=gift.membership.pk).update(
        extends=base, ends_at=at("2028-02-10 12:00")
    )
    return Membership.objects.get(pk=gift.membership.pk)


def test_a_gift_to_a_subscriber_is_told_as_a_payment_moved_and_no_welcome(
    birthday: Campaign,
) -> None:
    base = buy_membership(birthday).membership
    assert base is not None
    sent = deliver(owe("welcome", membership=extend(base, birthday)))
    assert sent.subject == "3 months have been added to your membership of The Meridian Post"
    for part in both(sent):
        assert "3 months have been added to your membership. It is a gift from Ada Reader." in part
        assert "Your next payment moves to 10 February 2028. Until then you are charged" in part
        for words in ("elcome", "ends by itself", "has begun", "What it gives you"):
            assert words not in part


def test_a_gift_to_whoever_was_given_one_before_makes_that_longer(birthday: Campaign) -> None:
    before = claim(give(birthday), make_member("cleo@example.org"), "2026-11-11 09:00")
    assert before.membership is not None
    for part in both(deliver(owe("welcome", membership=extend(before.membership, birthday)))):
        assert "3 months have been added to your membership." in part
        assert "now lasts until 10 February 2028 and then ends by itself. Nobody is charg" in part
        assert "elcome" not in part
        assert "payment" not in part


def test_a_gift_that_follows_a_cancelled_subscription_says_when_it_begins(
    birthday: Campaign,
) -> None:
    gift = claim(give(birthday), make_member("cleo@example.org"), "2026-11-12 09:00")
    Membership.objects.filter(gift=gift).update(
        started_at=at("2027-01-10 12:00"), ends_at=at("2028-01-10 12:00")
    )
    given = Membership.objects.get(gift=gift)
    for part in both(deliver(owe("welcome", membership=given))):
        assert "Your membership begins on 10 January 2027, when what you have paid for" in part
        assert "has begun" not in part
        assert "lasts until 10 January 2028" in part


# Gifts, to whoever gives


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


def test_the_buyer_is_told_to_whom_we_write_and_when(birthday: Campaign) -> None:
    for changes, words in (
        ({}, "We write to ben@example.org at once, with this link."),
        (
            {"deliver_at": CHRISTMAS},
            "We write to ben@example.org on 24 December 2026 at 08:00 EET, with this link.",
        ),
        (
            {"deliver_at": CHRISTMAS, "zone": "America/New_York"},
            "We write to ben@example.org on 24 December 2026 at 01:00 EST, with this link.",
        ),
        (
            {"deliver_at": CHRISTMAS, "delivered_at": CHRISTMAS, "status": "delivered"},
            "We have written to ben@example.org with this link.",
        ),
    ):
        for part in both(deliver(owe("gift_bought", gift=give(birthday, **changes)))):
            assert words in part
            assert "hand it over yourself" not in part


def test_the_day_is_that_of_the_recipients_own_calendar(birthday: Campaign) -> None:
    late = at("2026-12-24 23:00")  # in Kyiv it is Christmas Day already, in New York not yet
    gift = give(birthday, deliver_at=late, zone="America/New_York")
    for part in both(deliver(owe("gift_bought", gift=gift))):
        assert "on 24 December 2026 at 18:00 EST" in part


def test_whoever_hands_over_later_is_written_to_on_the_chosen_day(birthday: Campaign) -> None:
    gift = give(birthday, recipient_email="", deliver_at=CHRISTMAS)
    for part in both(deliver(owe("gift_bought", gift=gift))):
        assert "You chose 24 December 2026: we write to you once more on that day." in part
        assert gift.code in part
    for part in both(deliver(owe("gift_bought", gift=give(birthday, recipient_email="")))):
        assert "once more" not in part


def test_the_buyer_of_one_gift_learns_of_the_page_where_its_card_is_printed(
    birthday: Campaign,
) -> None:
    gift = give(birthday)
    sent = deliver(owe("gift_bought", gift=gift))
    token = find_link(sent, "/membership/gifts/").rstrip("/").rpartition("/")[2]
    assert links.read_gifts_token(token) == gift.checkout_id
    for part in both(sent):
        assert "There you can print the gift as a card" in part
        assert "for you alone, please do not pass it on" in part


def test_several_gifts_are_told_of_in_one_mail_that_has_none_of_their_codes(
    birthday: Campaign,
) -> None:
    gifts = give_several(
        birthday,
        {"message": "Read well."},
        {"recipient_name": "", "recipient_email": "cleo@example.org", "deliver_at": CHRISTMAS},
        {"recipient_name": "Dora", "recipient_email": ""},
        {"recipient_name": "", "recipient_email": "", "deliver_at": CHRISTMAS},
        {"recipient_name": "Eve", "delivered_at": at(PAID_AT), "status": "delivered"},
        {"recipient_name": "Gone", "status": "revoked", "revoked_at": at(PAID_AT)},
    )
    sent = deliver(owe("gift_bought", gift=gifts[0]))
    assert sent.subject == "Your 5 gifts, and how they arrive"
    find_link(sent, "/membership/gifts/")
    for part in both(sent):
        for words in (
            "Your 5 gifts are paid. Each is 12 months of The Meridian Post.",
            "Ben (ben@example.org) – we write at once",
            "cleo@example.org – we write on 24 December 2026 at 08:00 EET",
            "Dora – you hand it over",
            "Gift 4 – you hand it over, and we write to you on 24 December 2026",
            "Eve (ben@example.org) – we have written",
            "the links to claim them, one by one and as a table (CSV)",
        ):
            assert words in part
        assert "Gone" not in part
    whole = text_of(sent) + html_of(sent)
    assert "/claim/" not in whole
    assert not any(gift.code in whole for gift in gifts)


def test_a_hundred_gifts_fit_into_one_mail(birthday: Campaign) -> None:
    names = [{"recipient_name": f"Reader {number}"} for number in range(1, 101)]
    gifts = give_several(birthday, *names)
    sent = deliver(owe("gift_bought", gift=gifts[0]))
    assert sent.subject == "Your 100 gifts, and how they arrive"
    assert text_of(sent).count("\n- Reader ") == 100
    assert read_html(sent).tags.count("li") == 100
    # Some mail readers cut off what is longer.
    assert len(html_of(sent)) < 100_000


def test_of_a_purchase_that_was_refunded_but_for_one_gift_that_one_is_told(
    birthday: Campaign,
) -> None:
    gone = {"status": "revoked", "revoked_at": at(PAID_AT)}
    gifts = give_several(birthday, gone, {"recipient_name": "Dora"})
    sent = deliver(owe("gift_bought", gift=gifts[0]))
    assert sent.subject == "Your gift for Dora, and how it is claimed"
    assert gifts[1].code in text_of(sent)


def test_on_the_chosen_day_the_buyer_gets_what_is_handed_over(
    birthday: Campaign, client: Client
) -> None:
    late = at("2026-12-24 23:00")  # in Kyiv it is Christmas Day already
    gift = give(birthday, recipient_email="", deliver_at=late, zone="America/New_York")
    sent = deliver(owe("gift_to_pass_on", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben, to hand over"
    assert client.get(urlsplit(find_link(sent, "/claim/")).path).status_code == 200
    find_link(sent, "/membership/gifts/")
    for part in both(sent):
        assert "You chose 24 December 2026 for your gift for Ben: here it is." in part
        assert gift.code in part
        assert "a card to print" in part
        assert "until 10 November 2027" in part


def test_what_is_handed_over_and_sent_once_more_speaks_of_no_day(birthday: Campaign) -> None:
    gift = give(
        birthday,
        recipient_name="",
        recipient_email="",
        deliver_at=CHRISTMAS,
        delivered_at=CHRISTMAS,
        status="delivered",
    )
    sent = deliver(owe("gift_to_pass_on", gift=gift))
    assert sent.subject == "Your gift, to hand over"
    for part in both(sent):
        assert "Here is your gift. Pass on this link, or the code." in part
        assert "You chose" not in part


def test_the_buyer_hears_that_a_gift_was_sent_and_what_to_do_if_it_goes_astray(
    birthday: Campaign,
) -> None:
    gift = give(birthday, status="delivered", delivered_at=at(PAID_AT))
    sent = deliver(owe("gift_delivered", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben has been sent"
    find_link(sent, "/membership/gifts/")
    for part in both(sent):
        assert "We have sent your gift for Ben to ben@example.org, and our mail provider" in part
        assert "have it sent again" in part
        assert "pass it on yourself" in part
    assert gift.code not in text_of(sent) + html_of(sent)


def test_gifts_that_were_sent_together_are_told_of_together(birthday: Campaign) -> None:
    sent_now = {"status": "delivered", "delivered_at": at(PAID_AT)}
    gifts = give_several(
        birthday,
        sent_now | {"status": "revoked", "revoked_at": at(PAID_AT), "recipient_name": "Gone"},
        sent_now,
        sent_now | {"recipient_name": "", "recipient_email": "cleo@example.org"},
        sent_now | {"recipient_name": "Dora", "recipient_email": ""},
        {"recipient_name": "Eve", "deliver_at": CHRISTMAS},
    )
    sent = deliver(owe("gift_delivered", gift=gifts[0]))
    assert sent.subject == "2 of your gifts have been sent"
    for part in both(sent):
        assert "Ben (ben@example.org)" in part
        assert "cleo@example.org" in part
        for other in ("Gone", "Dora", "Eve"):
            assert other not in part


def test_the_buyer_of_a_gift_that_came_back_can_mend_it(birthday: Campaign) -> None:
    gift = give(birthday, bounced_at=at(PAID_AT))
    sent = deliver(owe("gift_bounced", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben: our mail could not be delivered"
    find_link(sent, "/membership/gifts/")
    for part in both(sent):
        assert "could not be delivered to ben@example.org" in part
        assert "The gift is safe." in part
        assert "mend the address" in part
        assert "hand it over yourself" in part
    Gift.objects.update(bounced_at=None)  # mended meanwhile
    assert_not_wanted(owe("gift_bounced", gift=gift))
    assert_not_wanted(owe("gift_bounced_staff", gift=gift))


def test_the_staff_hear_which_gift_came_back_but_not_its_code(
    birthday: Campaign, settings: LazySettings
) -> None:
    gift = give(birthday, bounced_at=at(PAID_AT))
    sent = deliver(owe("gift_bounced_staff", gift=gift))
    assert sent.to == ["desk@example.org"]
    assert sent.subject == f"Gift {gift.code_hint}… could not be delivered"
    find_link(sent, f"/admin/campaigns/gift/{gift.pk}/")
    for part in both(sent):
        assert f"whose code begins with {gift.code_hint} " in part
        assert "Its buyer has been told" in part
    whole = sent.message().as_string() + text_of(sent) + html_of(sent)
    for kept_back in (gift.code, "/claim/", "/membership/gifts/", "ada@", "ben@", "Ben"):
        assert kept_back not in whole
    settings.STAFF_EMAIL = ""
    assert_not_wanted(owe("gift_bounced_staff", gift=gift))


def test_the_buyer_of_an_unclaimed_gift_hears_what_can_be_done(birthday: Campaign) -> None:
    gift = give(birthday)
    sent = deliver(owe("gift_unclaimed", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben has not been claimed yet"
    find_link(sent, "/membership/gifts/")
    for part in both(sent):
        assert "We wrote to ben@example.org." in part
        for words in ("sent again", "pass it on yourself", "give it to somebody else"):
            assert words in part
        assert "until 10 November 2027" in part
        assert "If all is as you meant it, you need do nothing." in part
    for part in both(deliver(owe("gift_unclaimed", gift=give(birthday, recipient_email="")))):
        assert "You hand it over yourself: the link and the card are on the page" in part
        assert "We wrote" not in part


def test_the_buyer_hears_until_when_a_gift_can_be_claimed(birthday: Campaign) -> None:
    sent = deliver(owe("gift_expiring", gift=give(birthday)))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben can be claimed until 10 November 2027"
    find_link(sent, "/membership/gifts/")
    for part in both(sent):
        assert "It can be claimed until 10 November 2027; then it expires." in part
        assert "give it to somebody else" in part


# Gifts, to whoever is given


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
    sent = deliver(owe("gift_reminder", gift=gift))
    assert sent.subject == "A gift is still waiting for you"
    for part in both(sent):
        assert "You were given 12 months of The Meridian Post." in part
    unclaimed = deliver(owe("gift_unclaimed", gift=gift))
    assert unclaimed.subject == "Your gift has not been claimed yet"
    expiring = deliver(owe("gift_expiring", gift=gift))
    assert expiring.subject == "Your gift can be claimed until 10 November 2027"
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


def test_the_buyer_does_not_hear_what_the_redeemer_had_before(birthday: Campaign) -> None:
    base = buy_membership(birthday).membership
    assert base is not None
    gift = Gift.objects.get(membership=extend(base, birthday))
    for part in both(deliver(owe("gift_claimed", gift=gift))):
        assert "Your gift for Ben was claimed on 12 November 2026." in part
        assert "2028" not in part
        assert "ends by itself" not in part


def test_a_reminder_brings_the_gift_once_more(birthday: Campaign, client: Client) -> None:
    gift = give(birthday, message="For your birthday.\nRead well.")
    sent = deliver(owe("gift_reminder", gift=gift))
    assert sent.to == ["ben@example.org"]
    assert sent.subject == "The gift from Ada Reader is still waiting for you"
    assert sent.from_email == f"Ada Reader / The Meridian Post <{site.DEFAULT_FROM_EMAIL}>"
    link = find_link(sent, "/claim/")
    assert client.get(urlsplit(link).path).status_code == 200
    assert re.search(rf'<a class="button" href="{link}"', html_of(sent))
    assert "\n\n> For your birthday.\n> Read well.\n\n" in text_of(sent)
    for part in both(sent):
        assert "Ada Reader gave you 12 months of The Meridian Post." in part
        assert gift.code in part
        assert "until 10 November 2027" in part
        assert "If you do not want it, you need do nothing." in part


def test_a_member_is_asked_before_a_gift_is_added_to_what_they_have(birthday: Campaign) -> None:
    gift, cleo = give(birthday, months=3), make_member("cleo@example.org")
    sent = deliver(owe("gift_confirm", gift=gift, member=cleo))
    assert sent.to == ["cleo@example.org"]
    assert sent.subject == "Add 3 months to your membership of The Meridian Post?"
    link = find_link(sent, "/claim/confirm/")
    assert re.search(rf'<a class="button" href="{link}"', html_of(sent))
    token = link.rstrip("/").rpartition("/")[2]
    assert links.read_confirmation_token(token) == (gift.pk, gift.generation, cleo.pk)
    for part in both(sent):
        assert "Somebody is claiming a gift of 3 months with this address." in part
        assert "It is a gift from Ada Reader." in part
        assert f"The link works for {links.CONFIRMATION_LASTS.days} days." in part
        assert "If it was not you, do nothing, and nothing happens." in part
    # Whoever did not claim it gets nothing by which it can be claimed.
    assert gift.code not in text_of(sent) + html_of(sent)


def test_whoever_was_given_a_membership_hears_that_it_ends_by_itself(
    birthday: Campaign, client: Client
) -> None:
    gift = claim(give(birthday), make_member("cleo@example.org"), "2026-11-12 09:00")
    sent = deliver(owe("gift_ending", gift=gift))
    assert sent.to == ["cleo@example.org"]
    assert sent.subject == "Your membership of The Meridian Post ends on 12 November 2027"
    join = links.absolute("any_join")
    assert re.search(rf'<a class="button" href="{join}"', html_of(sent))
    assert client.get(urlsplit(join).path, follow=True).status_code == 200
    for part in both(sent):
        assert "The membership that Ada Reader gave you ends on 12 November 2027." in part
        assert "nothing will be charged, and you need do nothing" in part
        assert "If you would like to stay" in part
    Membership.objects.filter(gift=gift).update(status="ended", ended_at=at(PAID_AT))
    assert_not_wanted(owe("gift_ending", gift=gift))


def test_an_invitation_can_be_shown_before_its_gift_is_paid(birthday: Campaign) -> None:
    gift = Gift(
        months=12,
        buyer_name="Ada Reader",
        recipient_name="Ben",
        recipient_email="ben@example.org",
        message="For your birthday.\n<b>Read</b> well.",
        expires_at=at("2027-11-10 12:00"),
    )
    subject, text, html = write_letter(
        "gift_invitation",
        {
            "gift": gift,
            "plan": make_plan().copy_for("en"),
            "campaign": birthday,
            "claim_code": "XXXXX-XXXXX-XXXXX-XXXXX",
            "claim_url": "https://example.org/claim/",
            "claim_by_code_url": "https://example.org/claim/",
        },
    )
    assert subject == "Ada Reader gives you 12 months of The Meridian Post"
    assert "> <b>Read</b> well.\n" in text
    assert "&lt;b&gt;Read&lt;/b&gt; well." in html
    assert "No more reminders" not in text + html


# What is no longer wanted


ABOUT_A_GIFT = [kind for kind in OutgoingMail.Kind.values if kind.startswith("gift_")]
OF_A_CLAIMED_ONE = {"gift_bought", "gift_delivered", "gift_claimed", "gift_ending"}


@pytest.mark.parametrize("kind", ABOUT_A_GIFT)
def test_nothing_goes_out_about_a_gift_that_was_revoked(kind: str, birthday: Campaign) -> None:
    gift = give(
        birthday,
        status="revoked",
        revoked_at=at("2026-11-11 12:00"),
        delivered_at=at(PAID_AT),
        bounced_at=at(PAID_AT),
    )
    assert_not_wanted(owe(kind, gift=gift, member=make_member()))


@pytest.mark.parametrize("kind", sorted(set(ABOUT_A_GIFT) - OF_A_CLAIMED_ONE))
def test_nobody_is_told_to_claim_a_gift_that_is_claimed_already_or_has_expired(
    kind: str, birthday: Campaign
) -> None:
    claimed = claim(give(birthday), make_member(), "2026-11-12 09:00")
    assert_not_wanted(owe(kind, gift=claimed, member=make_member()))
    by_the_day = give(birthday, expires_at=at("2026-11-11 12:00"), bounced_at=at(PAID_AT))
    assert_not_wanted(owe(kind, gift=by_the_day, member=make_member()))
    noted = give(birthday, status="expired", bounced_at=at(PAID_AT))
    assert_not_wanted(owe(kind, gift=noted, member=make_member()))


@pytest.mark.parametrize("kind", ["gift_invitation", "gift_reminder", "gift_delivered"])
def test_no_recipient_is_written_to_for_a_gift_that_its_buyer_hands_over(
    kind: str, birthday: Campaign
) -> None:
    gift = give(birthday, recipient_email="", delivered_at=at(PAID_AT))
    assert_not_wanted(owe(kind, gift=gift))


def test_nothing_is_passed_on_that_we_send_ourselves(birthday: Campaign) -> None:
    assert_not_wanted(owe("gift_to_pass_on", gift=give(birthday)))
