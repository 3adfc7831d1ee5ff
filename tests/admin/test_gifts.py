"""Gifts: search, changes with a reason, and refused changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import actions, gifts
from campaigns.admin import gift_changes
from campaigns.admin.gift_texts import describe_state
from campaigns.gifts import sales
from campaigns.models import Campaign, Gift, GiftChange, Member, Membership, OutgoingMail
from tests.support.factories import at, make_gift, make_member, make_refund, record_claim
from tests.support.staff import (
    admin_url,
    claim_as_ben,
    fill_in,
    grant_permissions,
    read_messages,
    read_page,
    refund_after_claim,
)

pytestmark = pytest.mark.django_db

WHY = "she wrote to us"
CHANGES = ["keep", "resend", "new-code", "date", "recipient", "reassign", "restore", "revoke"]


def ask(gift: Gift, name: str) -> str:
    return admin_url(Gift, name, gift.pk)


def change(client: Client, gift: Gift, what: str, /, **typed: str) -> Any:
    """Open the form of a change and send it."""
    url = ask(gift, what)
    return client.post(url, fill_in(client, url) | {"why": WHY} | typed, follow=True)


def assert_noted(gift: Gift, what: str, by: User) -> None:
    note = gift.changes.get()
    assert (note.what, note.why, note.made_by) == (what, WHY, by)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (by, str(gift.pk))
    assert WHY in entry.change_message


def offered(client: Client, gift: Gift) -> set[str]:
    page = read_page(client.get(admin_url(Gift, "change", gift.pk)))
    return {name for name in CHANGES if f'href="{ask(gift, name)}"' in page}


# Search and view


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("write", [str, str.lower, lambda code: code.replace("-", "")])
def test_a_gift_is_found_by_its_whole_code_in_any_notation(
    client: Client, gift: Gift, birthday: Campaign, write: Any
) -> None:
    make_gift(make_member(), birthday, "2026-11-11 12:00")
    response = client.get(admin_url(Gift, "changelist"), {"q": write(gift.code)})
    assert list(response.context["cl"].result_list) == [gift]


@pytest.mark.usefixtures("editor")
def test_a_gift_is_found_by_a_replaced_code(client: Client, gift: Gift) -> None:
    old = gift.code
    gifts.resend_gift(gift, with_new_code=True)
    response = client.get(admin_url(Gift, "changelist"), {"q": old})
    assert list(response.context["cl"].result_list) == [gift]


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("typed", ["ada@example.org", "ben", "zoe@example.org"])
def test_a_gift_is_found_by_buyer_recipient_and_claimant(
    client: Client, gift: Gift, typed: str
) -> None:
    record_claim(gift, make_member("zoe@example.org"), "2026-11-12 12:00")
    response = client.get(admin_url(Gift, "changelist"), {"q": typed})
    assert list(response.context["cl"].result_list) == [gift]


@pytest.mark.usefixtures("editor")
def test_gifts_that_need_attention_can_be_filtered(
    client: Client, gift: Gift, undelivered: Gift
) -> None:
    Gift.objects.filter(pk=undelivered.pk).update(bounced_at=timezone.now())
    refund_after_claim(gift)
    url = admin_url(Gift, "changelist")
    for needs, expected in [("bounced", undelivered), ("undecided", gift)]:
        response = client.get(url, {"needs": needs})
        assert list(response.context["cl"].result_list) == [expected]


@pytest.mark.usefixtures("editor")
def test_the_page_of_a_gift_shows_its_changes_but_not_its_code(client: Client, gift: Gift) -> None:
    change(client, gift, "new-code")
    page = read_page(client.get(admin_url(Gift, "change", gift.pk)))
    assert "resent with a new claim code" in page
    assert WHY in page
    assert "editor" in page
    assert "gift, to its recipient" in page
    gift.refresh_from_db()
    assert gift.code_hint in page
    assert gift.code not in page


@pytest.mark.usefixtures("editor")
def test_the_page_of_a_gift_offers_only_possible_changes(
    client: Client, gift: Gift, undelivered: Gift, birthday: Campaign
) -> None:
    unclaimed = {"resend", "new-code", "recipient", "revoke"}
    assert offered(client, undelivered) == unclaimed | {"date"}
    assert offered(client, gift) == unclaimed
    assert offered(client, claim_as_ben(undelivered)) == {"revoke", "reassign"}
    assert offered(client, refund_after_claim(gift)) == {"revoke", "reassign", "keep"}
    over = make_gift(make_member(), birthday, "2026-11-11 12:00", status="expired")
    assert offered(client, over) == {"restore", "revoke"}


# Changes


def test_a_gift_is_resent(client: Client, editor: User, gift: Gift) -> None:
    Gift.objects.update(bounced_at=timezone.now())
    response = change(client, gift, "resend")
    assert "Gift resent." in read_messages(response)
    mail = OutgoingMail.objects.get()
    assert (mail.kind, mail.gift) == ("gift_invitation", gift)
    gift.refresh_from_db()
    assert gift.bounced_at is None
    assert_noted(gift, "resent", editor)


def test_a_gift_is_resent_with_a_new_code(client: Client, editor: User, gift: Gift) -> None:
    old = gift.code
    assert "The old code no longer works." in read_messages(change(client, gift, "new-code"))
    assert gifts.find_gift(old) is None
    assert gifts.is_replaced(old)
    assert_noted(gift, "new_code", editor)


def test_a_delivery_date_is_read_in_the_recipients_time_zone(
    client: Client, editor: User, undelivered: Gift
) -> None:
    day = (timezone.now() + timedelta(days=40)).date().isoformat()
    typed = {"deliver_at": f"{day}T09:00", "zone": "America/New_York"}
    change(client, undelivered, "date", **typed)
    undelivered.refresh_from_db()
    there = undelivered.deliver_at.astimezone(undelivered.recipient_zone)
    assert f"{there:%Y-%m-%d %H:%M}" == f"{day} 09:00"
    assert undelivered.zone == "America/New_York"
    assert_noted(undelivered, "date", editor)


@pytest.mark.usefixtures("editor")
def test_an_unchanged_delivery_date_stays_the_same(client: Client, undelivered: Gift) -> None:
    before = undelivered.deliver_at.replace(second=0, microsecond=0)
    Gift.objects.update(deliver_at=before, zone="Asia/Tokyo")
    change(client, undelivered, "date")
    undelivered.refresh_from_db()
    assert undelivered.deliver_at == before


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed",
    [
        {"deliver_at": "2020-01-01T09:00"},
        {"deliver_at": "9999-12-31T09:00"},
        {"deliver_at": "0001-01-01T09:00"},
        {"deliver_at": ""},
        {"zone": "Europe/Nowhere"},
        {"why": ""},
        {"why": "x" * 201},
    ],
)
def test_a_wrong_delivery_date_is_refused(
    client: Client, undelivered: Gift, typed: dict[str, str]
) -> None:
    response = change(client, undelivered, "date", **typed)
    assert response.status_code == 422
    assert "errorlist" in read_page(response)
    assert not GiftChange.objects.exists()


def test_a_gift_gets_another_recipient(client: Client, editor: User, gift: Gift) -> None:
    old = gift.code
    change(client, gift, "recipient", name="Zoe", email=" Zoe@Example.org ")
    gift.refresh_from_db()
    assert (gift.recipient_name, gift.recipient_email) == ("Zoe", "zoe@example.org")
    assert gifts.is_replaced(old)
    assert_noted(gift, "recipient", editor)


def test_a_claimed_gift_is_revoked_and_its_membership_ends(
    client: Client, editor: User, gift: Gift
) -> None:
    claim_as_ben(gift)
    page = read_page(client.get(ask(gift, "revoke")))
    assert "It ends now." in page
    assert "Revoking refunds nothing" in page
    assert "Gift revoked." in read_messages(change(client, gift, "revoke"))
    gift.refresh_from_db()
    assert (gift.status, gift.revoked_for) == (Gift.Status.REVOKED, Gift.Cause.STAFF)
    assert Membership.objects.get().status == Membership.Status.ENDED
    assert_noted(gift, "revoked", editor)


def test_a_revoked_gift_is_restored(client: Client, editor: User, gift: Gift) -> None:
    actions.revoke_gift(gift, by=editor, why="by mistake")
    GiftChange.objects.all().delete()
    assert "Gift restored." in read_messages(change(client, gift, "restore"))
    gift.refresh_from_db()
    assert gift.status == Gift.Status.DELIVERED
    assert_noted(gift, "revived", editor)


@pytest.mark.usefixtures("editor")
def test_an_unclaimed_gift_is_not_restored_after_a_refund(client: Client, gift: Gift) -> None:
    make_refund(gift.payment, timezone.now().isoformat())
    sales.follow_payment_of_gift(gift)
    assert offered(client, gift) == set()
    response = client.get(ask(gift, "restore"), follow=True)
    assert "can’t be restored once its payment is reversed" in read_messages(response)
    assert "Its payment of €60 was refunded in full" in read_messages(response)


def test_a_claimed_gift_is_reassigned(client: Client, editor: User, gift: Gift) -> None:
    claim_as_ben(gift)
    change(client, gift, "reassign", name="Zoe", email="ZOE@example.org")
    gift.refresh_from_db()
    zoe = Member.objects.get(email="zoe@example.org")
    assert gift.claimed_by == zoe
    assert zoe.memberships.get().status == Membership.Status.ACTIVE
    assert Membership.objects.get(member__email="ben@example.org").ended_at is not None
    assert_noted(gift, "reassigned", editor)


@pytest.mark.usefixtures("editor")
def test_a_gift_is_not_reassigned_to_the_same_person(client: Client, gift: Gift) -> None:
    claim_as_ben(gift)
    response = change(client, gift, "reassign", name="Ben", email="BEN@example.org")
    assert response.status_code == 422
    assert "This person already has this gift." in read_page(response)


def test_a_claimed_gift_with_a_reversed_payment_is_kept_or_revoked(
    client: Client, editor: User, gift: Gift
) -> None:
    gift = refund_after_claim(gift)
    page = read_page(client.get(admin_url(Gift, "change", gift.pk)))
    assert "Its payment of €60 was refunded in full" in page
    assert "Revoke the gift to end that membership, or keep the gift" in page
    change(client, gift, "keep")
    gift.refresh_from_db()
    assert (gift.is_pardoned, gift.needs_decision) == (True, False)
    assert_noted(gift, "kept", editor)
    page = read_page(client.get(admin_url(Gift, "change", gift.pk)))
    assert "or keep the gift" not in page
    assert "revoke" in offered(client, gift)


# Refused changes


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("name", "state", "reason"),
    [
        ("resend", "claimed", "Only an unclaimed gift"),
        ("new-code", "claimed", "Only an unclaimed gift"),
        ("recipient", "claimed", "Only an unclaimed gift"),
        ("date", "delivered", "before the gift is delivered"),
        ("reassign", "delivered", "Only a claimed gift can be given"),
        ("restore", "delivered", "Only an expired or revoked gift"),
        ("keep", "claimed", "There is nothing to decide"),
        ("revoke", "revoked", "This gift is already revoked."),
    ],
)
def test_an_impossible_change_is_refused_with_a_reason(
    client: Client, gift: Gift, name: str, state: str, reason: str
) -> None:
    if state == "claimed":
        claim_as_ben(gift)
    elif state == "revoked":
        Gift.objects.update(status="revoked", revoked_at=timezone.now())
    before = Gift.objects.filter(pk=gift.pk).values().get()
    for response in (
        client.get(ask(gift, name), follow=True),
        client.post(ask(gift, name), {"why": WHY, "seen": "0"}, follow=True),
    ):
        assert "Nothing was changed." in read_messages(response)
        assert reason in read_messages(response)
    assert Gift.objects.filter(pk=gift.pk).values().get() == before
    assert not GiftChange.objects.exists()


@pytest.mark.usefixtures("editor")
def test_a_change_is_refused_if_the_gift_was_claimed_first(
    client: Client, gift: Gift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The reader claims it after the page was checked and before the row is locked."""
    url = ask(gift, "resend")
    fields = fill_in(client, url, why=WHY)
    look = gift_changes._do

    def claimed_first(*args: Any) -> Any:
        claim_as_ben(gift)
        return look(*args)

    monkeypatch.setattr(gift_changes, "_do", claimed_first)
    response = client.post(url, fields, follow=True)
    assert "Nothing was changed. Only an unclaimed gift can be changed this way." in read_messages(
        response
    )
    assert "Claimed by" in read_messages(response)
    assert not GiftChange.objects.exists()


def test_a_second_click_resends_a_gift_once(client: Client, editor: User, gift: Gift) -> None:
    url = ask(gift, "new-code")
    fields = fill_in(client, url, why=WHY)
    client.post(url, fields)
    response = client.post(url, fields)
    assert response.status_code == 422
    assert "editor has just changed this gift (resent with a new claim code)" in read_page(response)
    gift.refresh_from_db()
    assert gift.generation == 2
    # Sent again after that message, the change is made.
    assert client.post(url, fill_in(client, url, why=WHY)).status_code == 302


def test_staff_with_view_permission_change_no_gift(
    client: Client, trainee: User, gift: Gift
) -> None:
    grant_permissions(trainee, "view_gift")
    assert client.get(admin_url(Gift, "change", gift.pk)).status_code == 200
    assert offered(client, gift) == set()
    for name in CHANGES:
        assert client.get(ask(gift, name)).status_code == 403
        assert client.post(ask(gift, name), {"why": WHY}).status_code == 403
    assert not GiftChange.objects.exists()


def test_staff_with_change_permission_resend_a_gift(
    client: Client, trainee: User, gift: Gift
) -> None:
    grant_permissions(trainee, "change_gift")
    assert "Gift resent." in read_messages(change(client, gift, "resend"))
    assert client.post(admin_url(Gift, "change", gift.pk), {"status": "claimed"}).status_code == 403


@pytest.mark.usefixtures("editor")
def test_an_unknown_change_is_not_found(client: Client, gift: Gift) -> None:
    unknown = ask(gift, "resend").replace("resend", "sell")
    assert "doesn’t exist" in read_messages(client.get(unknown, follow=True))
    gift.pk = "00000000-0000-0000-0000-000000000000"
    assert client.get(ask(gift, "resend")).status_code == 404


def test_the_sentence_about_a_gift_has_the_newsrooms_time(gift: Gift) -> None:
    gift.delivered_at = at("2026-11-10 12:00")
    with timezone.override("Asia/Tokyo"):
        assert "Delivered on 10 November 2026, 21:00." in describe_state(gift)
