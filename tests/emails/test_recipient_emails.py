"""E-mails to recipients of gifts, and to buyers about claims."""

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.test import Client

from campaigns.emails import links
from campaigns.emails.delivery import render_mail
from campaigns.models import Campaign, Gift, Membership
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


def test_the_invitation_names_the_buyer_and_the_gift_and_how_to_claim_it(
    birthday: Campaign, client: Client
) -> None:
    gift = make_gift_of_ada(birthday, message="For your birthday.\nRead well.\n\nAda")
    sent = send_mail(make_mail("gift_invitation", gift=gift))
    assert sent.to == ["ben@example.org"]
    assert sent.subject == "Ada Reader has given you 12 months of The Meridian Post"
    assert sent.from_email == f"Ada Reader / The Meridian Post <{site.DEFAULT_FROM_EMAIL}>"
    link = find_link(sent, "/claim/")
    assert client.get(urlsplit(link).path).status_code == 200
    assert re.search(rf'<a class="button" href="{link}"', html_of(sent))
    # The message is quoted, so that it cannot be mistaken for our own text.
    assert "\n\n> For your birthday.\n> Read well.\n>\n> Ada\n\n" in text_of(sent)
    assert "For your birthday.<br>Read well.<br><br>Ada<" in html_of(sent)
    for part in read_both_parts(sent):
        assert gift.code in part
        assert "Member, 12 months from the day you claim it" in part
        assert "you don’t pay anything" in part
        assert "until 10 November 2027" in part


def test_a_gift_without_names_and_message_gets_complete_texts(birthday: Campaign) -> None:
    gift = make_gift_of_ada(birthday, buyer_name="", recipient_name="")
    sent = send_mail(make_mail("gift_invitation", gift=gift))
    assert sent.subject == "You’ve been given 12 months of The Meridian Post"
    assert sent.from_email == f"The Meridian Post <{site.DEFAULT_FROM_EMAIL}>"
    for part in read_both_parts(sent):
        assert "message" not in part.lower()
        assert "Hello," in part
    assert send_mail(make_mail("gift_bought", gift=gift)).subject == "Your gift is confirmed"
    sent = send_mail(make_mail("gift_reminder", gift=gift))
    assert sent.subject == "Your gift is still waiting for you"
    for part in read_both_parts(sent):
        assert "You’ve been given 12 months of The Meridian Post." in part
    unclaimed = send_mail(make_mail("gift_unclaimed", gift=gift))
    assert unclaimed.subject == "Your gift hasn’t been claimed yet"
    expiring = send_mail(make_mail("gift_expiring", gift=gift))
    assert expiring.subject == "Your gift expires on 10 November 2027"
    record_claim(gift, make_member(), "2026-11-12 09:00")
    assert send_mail(make_mail("gift_claimed", gift=gift)).subject == "Your gift has been claimed"


def test_the_buyer_reads_about_the_claim_but_not_who_claimed(birthday: Campaign) -> None:
    cleo = make_member("cleo@example.org")
    cleo.name = "Cleo Claimant"
    cleo.save()
    gift = record_claim(make_gift_of_ada(birthday), cleo, "2026-11-12 09:00")
    sent = send_mail(make_mail("gift_claimed", gift=gift))
    assert sent.to == ["ada@example.org"]
    assert sent.subject == "Your gift for Ben has been claimed"
    for part in read_both_parts(sent):
        assert "Your gift for Ben was claimed on 12 November 2026." in part
    whole = sent.message().as_string().lower() + text_of(sent) + html_of(sent)
    assert "cleo" not in whole
    assert gift.code not in whole


def test_the_buyer_does_not_read_about_an_earlier_membership(birthday: Campaign) -> None:
    base = make_paid_membership(birthday).membership
    assert base is not None
    gift = Gift.objects.get(membership=make_extension(base, birthday))
    for part in read_both_parts(send_mail(make_mail("gift_claimed", gift=gift))):
        assert "Your gift for Ben was claimed on 12 November 2026." in part
        assert "2028" not in part
        assert "ends automatically" not in part


def test_a_reminder_contains_the_gift_again(birthday: Campaign, client: Client) -> None:
    gift = make_gift_of_ada(birthday, message="For your birthday.\nRead well.")
    sent = send_mail(make_mail("gift_reminder", gift=gift))
    assert sent.to == ["ben@example.org"]
    assert sent.subject == "Your gift from Ada Reader is still waiting for you"
    assert sent.from_email == f"Ada Reader / The Meridian Post <{site.DEFAULT_FROM_EMAIL}>"
    link = find_link(sent, "/claim/")
    assert client.get(urlsplit(link).path).status_code == 200
    assert re.search(rf'<a class="button" href="{link}"', html_of(sent))
    assert "\n\n> For your birthday.\n> Read well.\n\n" in text_of(sent)
    for part in read_both_parts(sent):
        assert "Ada Reader gave you 12 months of The Meridian Post." in part
        assert gift.code in part
        assert "until 10 November 2027" in part
        assert "If you don’t want it, you don’t need to do anything." in part


def test_a_member_is_asked_before_a_gift_extends_their_membership(birthday: Campaign) -> None:
    gift, cleo = make_gift_of_ada(birthday, months=3), make_member("cleo@example.org")
    sent = send_mail(make_mail("gift_confirm", gift=gift, member=cleo))
    assert sent.to == ["cleo@example.org"]
    assert sent.subject == "Add 3 months to your membership of The Meridian Post?"
    link = find_link(sent, "/claim/confirm/")
    assert re.search(rf'<a class="button" href="{link}"', html_of(sent))
    token = link.rstrip("/").rpartition("/")[2]
    assert links.read_confirmation_token(token) == (gift.pk, gift.generation, cleo.pk)
    for part in read_both_parts(sent):
        assert "Someone is claiming a gift of 3 months with your e-mail address." in part
        assert "It’s a gift from Ada Reader." in part
        assert f"The link works for {links.CONFIRMATION_LASTS.days} days." in part
        assert "If this wasn’t you, ignore this e-mail and nothing changes." in part
    # If someone else entered the address, its owner must not get the claim code.
    assert gift.code not in text_of(sent) + html_of(sent)


def test_a_gift_recipient_reads_that_the_membership_ends_automatically(
    birthday: Campaign, client: Client
) -> None:
    gift = record_claim(
        make_gift_of_ada(birthday), make_member("cleo@example.org"), "2026-11-12 09:00"
    )
    sent = send_mail(make_mail("gift_ending", gift=gift))
    assert sent.to == ["cleo@example.org"]
    assert sent.subject == "Your membership of The Meridian Post ends on 12 November 2027"
    join = links.build_url("any_join")
    assert re.search(rf'<a class="button" href="{join}"', html_of(sent))
    assert client.get(urlsplit(join).path, follow=True).status_code == 200
    for part in read_both_parts(sent):
        assert "The membership that Ada Reader gave you ends on 12 November 2027." in part
        assert "you won’t be charged, and you don’t need to do anything" in part
        assert "If you’d like to stay" in part
    Membership.objects.filter(gift=gift).update(status="ended", ended_at=at(PAID_AT))
    assert_no_longer_wanted(make_mail("gift_ending", gift=gift))


def test_an_invitation_can_be_previewed_before_payment(birthday: Campaign) -> None:
    gift = Gift(
        months=12,
        buyer_name="Ada Reader",
        recipient_name="Ben",
        recipient_email="ben@example.org",
        message="For your birthday.\n<b>Read</b> well.",
        expires_at=at("2027-11-10 12:00"),
    )
    subject, text, html = render_mail(
        "gifts/invitation",
        {
            "gift": gift,
            "plan": make_plan().copy_for("en"),
            "campaign": birthday,
            "claim_code": "XXXXX-XXXXX-XXXXX-XXXXX",
            "claim_url": "https://example.org/claim/",
            "claim_by_code_url": "https://example.org/claim/",
        },
    )
    assert subject == "Ada Reader has given you 12 months of The Meridian Post"
    assert "> <b>Read</b> well.\n" in text
    assert "&lt;b&gt;Read&lt;/b&gt; well." in html
    assert "Stop reminders" not in text + html
