"""E-mails to buyers about their gifts, and to staff about bounced ones."""

from urllib.parse import urlsplit

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns.emails import links
from campaigns.models import Campaign, Gift
from tests.support.factories import at, make_campaign
from tests.support.mails import (
    PAID_AT,
    assert_no_longer_wanted,
    find_link,
    html_of,
    make_gift_of_ada,
    make_gifts_of_ada,
    make_mail,
    read_both_parts,
    read_html,
    send_mail,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]
CHRISTMAS = at("2026-12-24 06:00")  # 8:00 in Kyiv, 1:00 in New York


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture(autouse=True)
def desk(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "desk@example.org"


def test_the_buyer_gets_the_claim_link_and_code(birthday: Campaign, client: Client) -> None:
    gift = make_gift_of_ada(birthday, recipient_email="", message="Read well.")
    sent = send_mail(make_mail("gift_bought", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben is confirmed"
    assert client.get(urlsplit(find_link(sent, "/claim/")).path).status_code == 200
    for part in read_both_parts(sent):
        assert gift.code in part
        assert "You’ve bought 12 months of The Meridian Post for Ben." in part
        assert "We’ll e-mail your receipt separately." in part
        assert "You give it yourself" in part
        assert "until 10 November 2027" in part
        assert "Read well." in part


def test_the_buyer_reads_when_and_where_the_gift_is_sent(birthday: Campaign) -> None:
    for changes, words in (
        ({}, "We’re e-mailing the claim link to ben@example.org now."),
        (
            {"deliver_at": CHRISTMAS},
            "We’ll e-mail the claim link to ben@example.org on 24 December 2026 at 08:00 (UTC+2).",
        ),
        (
            {"deliver_at": CHRISTMAS, "zone": "America/New_York"},
            "We’ll e-mail the claim link to ben@example.org on 24 December 2026 at 01:00 (UTC−5).",
        ),
        (
            {"deliver_at": CHRISTMAS, "delivered_at": CHRISTMAS, "status": "delivered"},
            "We’ve e-mailed the claim link to ben@example.org.",
        ),
    ):
        for part in read_both_parts(
            send_mail(make_mail("gift_bought", gift=make_gift_of_ada(birthday, **changes)))
        ):
            assert words in part
            assert "give it yourself" not in part


def test_the_day_is_in_the_recipients_time_zone(birthday: Campaign) -> None:
    late = at("2026-12-24 23:00")  # already Christmas Day in Kyiv, not yet in New York
    gift = make_gift_of_ada(birthday, deliver_at=late, zone="America/New_York")
    for part in read_both_parts(send_mail(make_mail("gift_bought", gift=gift))):
        assert "on 24 December 2026 at 18:00 (UTC−5)" in part


def test_a_buyer_who_gives_it_later_gets_an_e_mail_on_that_day(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday, recipient_email="", deliver_at=CHRISTMAS)
    for part in read_both_parts(send_mail(make_mail("gift_bought", gift=gift))):
        assert "We’ll e-mail you again on 24 December 2026, the day you chose." in part
        assert gift.code in part
    for part in read_both_parts(
        send_mail(make_mail("gift_bought", gift=make_gift_of_ada(birthday, recipient_email="")))
    ):
        assert "e-mail you again" not in part


def test_the_buyer_gets_a_link_to_the_gifts_page_and_its_card(
    birthday: Campaign,
) -> None:
    gift = make_gift_of_ada(birthday)
    sent = send_mail(make_mail("gift_bought", gift=gift))
    token = find_link(sent, "/membership/gifts/").rstrip("/").rpartition("/")[2]
    assert links.read_gifts_token(token) == gift.checkout_id
    for part in read_both_parts(sent):
        assert "On your gifts page you can print a gift card" in part
        assert "only for you, so please don’t forward it" in part


def test_several_gifts_share_one_e_mail_without_claim_codes(
    birthday: Campaign,
) -> None:
    gifts = make_gifts_of_ada(
        birthday,
        {"message": "Read well."},
        {"recipient_name": "", "recipient_email": "cleo@example.org", "deliver_at": CHRISTMAS},
        {"recipient_name": "Dora", "recipient_email": ""},
        {"recipient_name": "", "recipient_email": "", "deliver_at": CHRISTMAS},
        {"recipient_name": "Eve", "delivered_at": at(PAID_AT), "status": "delivered"},
        {"recipient_name": "Gone", "status": "revoked", "revoked_at": at(PAID_AT)},
    )
    sent = send_mail(make_mail("gift_bought", gift=gifts[0]))
    assert sent.subject == "Your 5 gifts are confirmed"
    find_link(sent, "/membership/gifts/")
    for part in read_both_parts(sent):
        for words in (
            "You’ve bought 5 gift memberships. Each one gives 12 months of The Meridian Post.",
            "Ben (ben@example.org) – being sent now",
            "cleo@example.org – to be sent on 24 December 2026 at 08:00 (UTC+2)",
            "Dora – you give it yourself",
            "Gift 4 – you give it yourself; we’ll e-mail you on 24 December 2026",
            "Eve (ben@example.org) – sent",
            "a table (CSV) of all the links",
        ):
            assert words in part
        assert "Gone" not in part
    whole = text_of(sent) + html_of(sent)
    assert "/claim/" not in whole
    assert not any(gift.code in whole for gift in gifts)


def test_a_hundred_gifts_fit_into_one_e_mail(birthday: Campaign) -> None:
    names = [{"recipient_name": f"Reader {number}"} for number in range(1, 101)]
    gifts = make_gifts_of_ada(birthday, *names)
    sent = send_mail(make_mail("gift_bought", gift=gifts[0]))
    assert sent.subject == "Your 100 gifts are confirmed"
    assert text_of(sent).count("\n- Reader ") == 100
    assert read_html(sent).tags.count("li") == 100
    # Some mail programs cut off longer messages.
    assert len(html_of(sent)) < 100_000


def test_a_purchase_with_one_gift_left_is_confirmed_like_a_single_gift(
    birthday: Campaign,
) -> None:
    gone = {"status": "revoked", "revoked_at": at(PAID_AT)}
    gifts = make_gifts_of_ada(birthday, gone, {"recipient_name": "Dora"})
    sent = send_mail(make_mail("gift_bought", gift=gifts[0]))
    assert sent.subject == "Your gift for Dora is confirmed"
    assert gifts[1].code in text_of(sent)


def test_the_buyer_gets_the_gift_on_the_chosen_day_to_give_it(
    birthday: Campaign, client: Client
) -> None:
    late = at("2026-12-24 23:00")  # already Christmas Day in Kyiv
    gift = make_gift_of_ada(birthday, recipient_email="", deliver_at=late, zone="America/New_York")
    sent = send_mail(make_mail("gift_to_pass_on", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben is ready to give"
    assert client.get(urlsplit(find_link(sent, "/claim/")).path).status_code == 200
    find_link(sent, "/membership/gifts/")
    for part in read_both_parts(sent):
        assert "Here is your gift for Ben, which you planned for 24 December 2026." in part
        assert gift.code in part
        assert "a card with the claim link" in part
        assert "until 10 November 2027" in part


def test_a_resent_gift_to_give_mentions_no_day(birthday: Campaign) -> None:
    gift = make_gift_of_ada(
        birthday,
        recipient_name="",
        recipient_email="",
        deliver_at=CHRISTMAS,
        delivered_at=CHRISTMAS,
        status="delivered",
    )
    sent = send_mail(make_mail("gift_to_pass_on", gift=gift))
    assert sent.subject == "Your gift is ready to give"
    for part in read_both_parts(sent):
        assert "Here is your gift. Share this claim link or claim code." in part
        assert "planned for" not in part


def test_the_buyer_reads_that_a_gift_was_sent_and_how_to_resend_it(
    birthday: Campaign,
) -> None:
    gift = make_gift_of_ada(birthday, status="delivered", delivered_at=at(PAID_AT))
    sent = send_mail(make_mail("gift_delivered", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "We’ve sent your gift for Ben"
    find_link(sent, "/membership/gifts/")
    for part in read_both_parts(sent):
        assert "We’ve sent your gift for Ben to ben@example.org." in part
        assert "you can resend it" in part
        assert "share it yourself" in part
    assert gift.code not in text_of(sent) + html_of(sent)


def test_gifts_sent_together_share_one_e_mail(birthday: Campaign) -> None:
    sent_now = {"status": "delivered", "delivered_at": at(PAID_AT)}
    gifts = make_gifts_of_ada(
        birthday,
        sent_now | {"status": "revoked", "revoked_at": at(PAID_AT), "recipient_name": "Gone"},
        sent_now,
        sent_now | {"recipient_name": "", "recipient_email": "cleo@example.org"},
        sent_now | {"recipient_name": "Dora", "recipient_email": ""},
        {"recipient_name": "Eve", "deliver_at": CHRISTMAS},
    )
    sent = send_mail(make_mail("gift_delivered", gift=gifts[0]))
    assert sent.subject == "We’ve sent 2 of your gifts"
    for part in read_both_parts(sent):
        assert "Ben (ben@example.org)" in part
        assert "cleo@example.org" in part
        for other in ("Gone", "Dora", "Eve"):
            assert other not in part


def test_the_buyer_of_a_bounced_gift_can_correct_the_address(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday, bounced_at=at(PAID_AT))
    sent = send_mail(make_mail("gift_bounced", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "We couldn’t deliver your gift for Ben"
    find_link(sent, "/membership/gifts/")
    for part in read_both_parts(sent):
        assert "our e-mail to ben@example.org bounced" in part
        assert "The gift is safe." in part
        assert "correct the address" in part
        assert "give it yourself" in part
    Gift.objects.update(bounced_at=None)  # the address was corrected meanwhile
    assert_no_longer_wanted(make_mail("gift_bounced", gift=gift))
    assert_no_longer_wanted(make_mail("gift_bounced_staff", gift=gift))


def test_staff_read_which_gift_bounced_but_not_its_claim_code(
    birthday: Campaign, settings: LazySettings
) -> None:
    gift = make_gift_of_ada(birthday, bounced_at=at(PAID_AT))
    sent = send_mail(make_mail("gift_bounced_staff", gift=gift))
    assert sent.to == ["desk@example.org"]
    assert sent.subject == f"A gift’s e-mail bounced ({gift.code_hint}…)"
    find_link(sent, f"/admin/campaigns/gift/{gift.pk}/")
    for part in read_both_parts(sent):
        assert f"claim code begins with {gift.code_hint}." in part
        assert "We’ve e-mailed the buyer" in part
    whole = sent.message().as_string() + text_of(sent) + html_of(sent)
    for secret in (gift.code, "/claim/", "/membership/gifts/", "ada@", "ben@", "Ben"):
        assert secret not in whole
    settings.STAFF_EMAIL = ""
    assert_no_longer_wanted(make_mail("gift_bounced_staff", gift=gift))


def test_the_buyer_of_an_unclaimed_gift_reads_the_next_steps(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday)
    sent = send_mail(make_mail("gift_unclaimed", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Ben hasn’t claimed your gift yet"
    find_link(sent, "/membership/gifts/")
    for part in read_both_parts(sent):
        assert "We e-mailed it to ben@example.org." in part
        for words in ("resend it", "share it yourself", "give it to someone else"):
            assert words in part
        assert "until 10 November 2027" in part
        assert "If everything is as you planned, you don’t need to do anything." in part
    for part in read_both_parts(
        send_mail(make_mail("gift_unclaimed", gift=make_gift_of_ada(birthday, recipient_email="")))
    ):
        assert "You chose to give it yourself. The claim link and the printable card are on" in part
        assert "We e-mailed" not in part


def test_the_buyer_reads_when_an_unclaimed_gift_expires(birthday: Campaign) -> None:
    sent = send_mail(make_mail("gift_expiring", gift=make_gift_of_ada(birthday)))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben expires on 10 November 2027"
    find_link(sent, "/membership/gifts/")
    for part in read_both_parts(sent):
        assert "expires on 10 November 2027, and nobody has claimed it yet." in part
        assert "give it to someone else" in part
