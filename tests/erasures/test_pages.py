"""Erasure on the account page, and reader pages after an erasure."""

from collections.abc import Iterator

import pytest
import time_machine
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client

from campaigns import erasures
from campaigns.emails import links
from campaigns.forms import JoinForm
from campaigns.models import Campaign, Checkout, Erasure, Gift, Member, OutgoingMail
from tests.support.factories import make_campaign, make_checkout, make_gift, make_member, make_price
from tests.support.mails import make_paid_membership
from tests.support.pages import JOIN, NOON, error_beside, main_of, read_form
from tests.support.sign_in import ACCOUNT, ADA, is_signed_in, open_account_page, sign_in

ERASE, ERASED = f"{ACCOUNT}erase/", f"{ACCOUNT}erased/"
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


def confirm(client: Client) -> Erasure:
    answer = client.post(ERASE, read_form(client.get(ERASE)).fields | {"is_sure": "on"})
    assert (answer.status_code, answer["Location"]) == (303, ERASED)
    return Erasure.objects.get()


# The request


def test_a_member_requests_erasure_and_is_signed_out_everywhere(
    client: Client, birthday: Campaign
) -> None:
    ada = make_paid_membership(birthday).member
    phone = Client()
    for each in (client, phone):
        sign_in(each)
    assert f'href="{ERASE}"' in open_account_page(client)
    erasure = confirm(client)
    assert (erasure.member, erasure.asked_by, erasure.why) == (ada, None, "")
    assert OutgoingMail.objects.get(kind="erasure").member == ada
    assert "Your data is being erased" in main_of(client.get(ERASED))
    assert not is_signed_in(client)
    assert not is_signed_in(phone)
    for path in (ERASE, f"{ACCOUNT}data.json", f"{ACCOUNT}address/"):
        assert phone.get(path)["Location"] == f"{ACCOUNT}?done=session_ended"
    assert str(ada.pk) not in {
        str(session.get_decoded().get("member_id"))
        for session in Session.objects.filter(pk=client.session.session_key)
    }


def test_the_page_says_what_is_deleted_and_what_stays(client: Client, birthday: Campaign) -> None:
    payment = make_paid_membership(birthday)
    make_gift(payment.member, birthday, "2026-11-10 12:00")
    sign_in(client)
    page = main_of(client.get(ERASE))
    for words in (
        "Your subscription ends immediately, not at the end of the time you’ve paid for.",
        "Earlier payments aren’t refunded.",
        "Gifts you bought can still be claimed, and the link",
        "The amounts, dates and Stripe IDs of your payments, without your name",
        f"We’ll start immediately and send one last e-mail to {ADA}. This can’t be undone.",
        "If you come back one day, we’ll have no record of you.",
    ):
        assert words in page, words


def test_the_page_mentions_only_what_the_member_has(client: Client) -> None:
    make_member(ADA)
    sign_in(client)
    page = main_of(client.get(ERASE))
    for words in ("Your subscription ends", "Gifts you bought", "Stripe IDs of your payments"):
        assert words not in page


def test_an_erasure_needs_the_tick(client: Client) -> None:
    make_member(ADA)
    sign_in(client)
    answer = client.post(ERASE, {})
    assert answer.status_code == 422
    assert error_beside(answer, "is_sure") == "Tick this box to confirm."
    client.get(ERASE, {"is_sure": "on"})
    assert not Erasure.objects.exists()
    assert is_signed_in(client)


def test_a_staff_login_in_the_same_browser_stays(client: Client) -> None:
    make_member(ADA)
    client.force_login(User.objects.create_user("olha", is_staff=True))
    sign_in(client)
    confirm(client)
    assert SESSION_KEY in client.session
    assert "member_id" not in client.session


def test_the_page_needs_a_signed_in_member(client: Client) -> None:
    for answer in (client.get(ERASE), client.post(ERASE, {"is_sure": "on"})):
        assert (answer.status_code, answer["Location"]) == (303, f"{ACCOUNT}?done=session_ended")
    assert not Erasure.objects.exists()


# Afterwards


@pytest.fixture
def erased(birthday: Campaign) -> Member:
    """Ada is erased: she bought a membership and a gift, and left one form unpaid."""
    payment = make_paid_membership(birthday)
    assert payment.membership is not None
    payment.membership.status, payment.membership.ended_at = "ended", NOON
    payment.membership.save()
    gift = make_gift(payment.member, birthday, "2026-11-10 12:00", buyer_name="Ada Reader")
    Checkout.objects.filter(pk=gift.checkout_id).update(member=payment.member)
    make_checkout(birthday, email=ADA, status="expired")
    erasures.request_erasure(payment.member)
    erasures.strip_rows(payment.member.pk, at=NOON)
    return Member.objects.get(pk=payment.member.pk)


def test_links_to_their_checkouts_stop_working(client: Client, erased: Member) -> None:
    for checkout in Checkout.objects.all():
        for page in ("thanks", "cancelled"):
            assert client.get(f"/membership/{page}/{checkout.pk}/").status_code == 404
        token = links.make_portal_token(checkout)
        assert client.get(f"/membership/manage/{token}/").status_code == 410
        form = client.get(JOIN, {"again": str(checkout.pk)})
        if checkout.kind == Checkout.Kind.JOIN:
            assert read_form(form).fields["email"] == ""


def test_the_gift_page_no_longer_names_them(client: Client, erased: Member) -> None:
    gift = Gift.objects.get()
    page = client.get(f"/membership/gifts/{links.make_gifts_token(gift.checkout)}/")
    assert page.status_code == 200
    assert gift.code in page.content.decode()
    claim = client.get(f"/claim/{gift.code}/")
    assert claim.status_code == 200
    for answer in (page, claim):
        assert "Ada" not in answer.content.decode()
        assert erased.email not in answer.content.decode()


def test_nobody_can_sign_up_with_a_placeholder_address(erased: Member) -> None:
    make_price()
    form = JoinForm({"email": erased.email, "name": "Eve"}, campaign=Campaign.objects.get())
    assert "email" in form.errors
