"""What whoever gives is told of a gift, and the staff of one that came back."""

from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns.emails import links
from campaigns.models import Campaign, Gift
from tests.support.factories import at, make_campaign
from tests.support.mails import (
    PAID_AT,
    assert_not_wanted,
    both,
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
