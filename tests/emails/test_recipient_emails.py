"""What whoever is given a membership is told, and of the claim whoever gave it."""

import re
from urllib.parse import urlsplit

import pytest
from django.conf import settings as site
from django.test import Client

from campaigns.emails import links
from campaigns.emails.delivery import render_mail
from campaigns.models import Campaign, Gift, Membership
from tests.support.factories import at, claim, make_campaign, make_member, make_plan
from tests.support.mails import (
    PAID_AT,
    assert_not_wanted,
    both,
    buy_membership,
    deliver,
    extend,
    find_link,
    give,
    html_of,
    owe,
    text_of,
)

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


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
    assert subject == "Ada Reader gives you 12 months of The Meridian Post"
    assert "> <b>Read</b> well.\n" in text
    assert "&lt;b&gt;Read&lt;/b&gt; well." in html
    assert "No more reminders" not in text + html
