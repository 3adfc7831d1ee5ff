"""Address changes: previous owners of the new address, old links, and changes by staff."""

from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import mail as mailbox
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import emails, members
from campaigns.admin.members import MemberForm
from campaigns.emails import links
from campaigns.memberships import grant_membership
from campaigns.models import (
    AddressChange,
    Campaign,
    Erasure,
    FormerAddress,
    Member,
    Membership,
    OptOut,
    OutgoingMail,
)
from campaigns.models.address_change import Side
from newsroom.sandbox.control import SandboxControl
from tests.support.address_changes import (
    ACCOUNT,
    NEW_ADDRESS,
    address_of,
    change_path,
    confirm_change,
    request_change,
)
from tests.support.erasures import buy_as_zoe
from tests.support.factories import make_gift, make_member, make_plan
from tests.support.pages import NOON, main_of
from tests.support.sign_in import ADA, open_account_page, request_link, request_link_path, sign_in
from tests.support.staff import admin_url, fill_in
from tests.support.threads import race


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Run the application on the sandbox's clock."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


@pytest.fixture
def ada(db: None, client: Client) -> Member:
    """Ada is signed in."""
    ada = make_member(ADA)
    Member.objects.filter(pk=ada.pk).update(name="Ada Reader")
    sign_in(client)
    ada.refresh_from_db()
    return ada


# Previous owners of the new address


@pytest.fixture
def other(campaign: Campaign) -> Member:
    """Another member with the new address, who bought a gift."""
    other = make_member(NEW_ADDRESS)
    make_gift(other, campaign, "2026-11-09 10:00")
    return other


def test_the_owner_of_the_new_address_is_merged(client: Client, campaign: Campaign) -> None:
    ada = make_member(ADA)
    sign_in(client)
    change = request_change(client)
    confirm_change(change, "old")
    other = make_member(NEW_ADDRESS)  # someone signs up in the meantime
    make_gift(other, campaign, "2026-11-10 11:00")
    confirm_change(change, "new")
    assert Member.objects.get() == ada
    assert address_of(ada) == NEW_ADDRESS
    assert FormerAddress.objects.get().email == ADA
    assert ada.gifts_bought.count() == ada.payments.count() == 1
    assert "0 of 1 claimed." in open_account_page(client)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_a_simultaneous_sign_up_with_the_new_address_is_merged() -> None:
    ada = make_member(ADA)
    change = members.request_address_change(ada, NEW_ADDRESS, language="en", at=timezone.now())
    confirm_change(change, "old")
    path = change_path(change, Side.NEW)
    outcomes = race(
        lambda: Client().post(path).status_code, *[lambda: bool(make_member(NEW_ADDRESS))] * 3
    )
    assert outcomes == [303, True, True, True]
    members.make_change(change.pk, at=timezone.now())
    assert Member.objects.get() == ada
    assert address_of(ada) == NEW_ADDRESS


def test_a_refused_merge_changes_nothing(client: Client, ada: Member, other: Member) -> None:
    Erasure.objects.create(member=other)
    change = request_change(client)
    confirm_change(change, "old", "new")
    assert (address_of(ada), address_of(other)) == (ADA, NEW_ADDRESS)
    assert AddressChange.objects.get(pk=change.pk).made_at is None
    assert not FormerAddress.objects.exists()


def test_a_member_who_is_merged_meanwhile_is_not_changed(client: Client, ada: Member) -> None:
    change, bob = request_change(client), make_member("bob@example.org")
    confirm_change(change, "old")
    merged: list[bool] = []

    def merge_first(execute: Any, sql: str, *more: Any) -> Any:
        if '"campaigns_member"."email" = ' in sql and not merged:
            merged.append(True)
            members.merge_members(kept=bob, gone=ada)
        return execute(sql, *more)

    path = change_path(change, Side.NEW)
    with connection.execute_wrapper(merge_first):
        assert Client().post(path).status_code == 303
    assert merged  # in the same transaction, which is rolled back
    assert (address_of(ada), address_of(bob)) == (ADA, "bob@example.org")
    assert AddressChange.objects.get().made_at is None


def test_a_former_address_of_another_member_is_taken_over(client: Client, ada: Member) -> None:
    bob = make_member("bob@example.org")
    FormerAddress.objects.create(member=bob, email=NEW_ADDRESS)
    confirm_change(request_change(client), "old", "new")
    assert address_of(ada) == NEW_ADDRESS
    assert list(FormerAddress.objects.values_list("member", "email")) == [(ada.pk, ADA)]
    assert Member.objects.filter(pk=bob.pk).exists()


def test_a_member_returns_to_a_former_address(client: Client, ada: Member) -> None:
    confirm_change(request_change(client), "old", "new")
    confirm_change(request_change(client, ADA), "old", "new")
    assert address_of(ada) == ADA
    assert FormerAddress.objects.get().email == NEW_ADDRESS


# Old links and settings


def test_links_sent_to_the_old_address_stop_working(client: Client, ada: Member) -> None:
    waiting = request_link_path(client)
    confirm_change(request_change(client), "old", "new")
    assert Client().post(waiting).status_code == 410


def test_a_portal_link_sent_to_the_old_address_stops_working(
    campaign: Campaign, sandbox: SandboxControl, clock: time_machine.Traveller
) -> None:
    checkout = buy_as_zoe(campaign, sandbox, email=ADA, name="Ada")
    old, ada = f"/membership/manage/{links.make_portal_token(checkout)}/", Member.objects.get()
    clock.shift(60)
    assert Client().get(old).status_code == 200
    members.set_address(ada, NEW_ADDRESS, at=timezone.now())
    clock.shift(60)
    assert Client().get(old).status_code == Client().post(old).status_code == 410
    fresh = f"/membership/manage/{links.make_portal_token(checkout)}/"
    assert Client().get(fresh).status_code == 200


def test_a_link_requested_with_a_former_address_goes_to_the_current_one(
    client: Client, ada: Member
) -> None:
    confirm_change(request_change(client), "old", "new")
    former, unknown = (request_link(Client(), address) for address in (ADA, "eve@example.org"))
    assert main_of(former).replace(ADA, "eve@example.org") == main_of(unknown)
    assert NEW_ADDRESS not in main_of(former)
    mail = OutgoingMail.objects.filter(kind="sign_in").latest("pk")
    assert emails.deliver_mail(mail.pk)
    assert mailbox.outbox[-1].to == [NEW_ADDRESS]


def test_a_claim_with_the_old_address_does_not_show_the_current_one(
    client: Client, ada: Member, campaign: Campaign
) -> None:
    confirm_change(request_change(client), "old", "new")
    grant_membership(
        ada, plan=make_plan(), source=Membership.Source.GRANTED, starts_at=NOON, months=12
    )
    gift = make_gift(make_member("ben@example.org"), campaign, "2026-11-09 10:00")
    typed = {"name": "Ada Reader", "email": ADA}
    answer = Client().post(f"/claim/{gift.code}/", typed)
    assert "your new address" in main_of(answer)
    assert NEW_ADDRESS not in main_of(answer)
    assert OutgoingMail.objects.get(kind="gift_confirm").member == ada
    answer = Client().post(f"/claim/{gift.code}/", typed | {"email": NEW_ADDRESS})
    assert f"We’ve e-mailed <strong>{NEW_ADDRESS}</strong>" in main_of(answer)


def test_an_opt_out_of_reminders_moves_to_the_new_address(client: Client, ada: Member) -> None:
    emails.stop_reminders(ADA)
    confirm_change(request_change(client), "old", "new")
    assert OptOut.objects.holds(NEW_ADDRESS)


def test_exported_data_has_former_addresses_and_changes(client: Client, ada: Member) -> None:
    confirm_change(request_change(client), "old", "new")
    data = client.get(f"{ACCOUNT}data.json").json()
    assert data["person"]["email"] == NEW_ADDRESS
    [former] = data["former_addresses"]
    assert former["email"] == ADA
    [change] = data["changes_of_address"]
    assert change["new_email"] == NEW_ADDRESS
    assert change["made_at"]


# Staff


@pytest.fixture
def desk(db: None) -> Client:
    desk = Client()
    desk.force_login(User.objects.create_superuser("desk", "desk@example.org", "a long password"))
    return desk


def edit(desk: Client, member: Member, **typed: str) -> Any:
    url = admin_url(Member, "change", member.pk)
    return desk.post(url, fill_in(desk, url, **typed))


def test_staff_change_an_address(desk: Client, client: Client, ada: Member) -> None:
    waiting = request_link_path(client)
    assert edit(desk, ada, email=f" {NEW_ADDRESS.upper()}").status_code == 302
    ada.refresh_from_db()
    assert ada.email == NEW_ADDRESS
    assert ada.due_at
    assert Member.objects.get_or_create_by_email(ADA) == ada
    assert Client().post(waiting).status_code == 410


def test_staff_change_a_name_and_stripe_is_updated(desk: Client, ada: Member) -> None:
    assert edit(desk, ada).status_code == 302
    ada.refresh_from_db()
    assert ada.due_at is None
    assert edit(desk, ada, name="Ada R.", email=ADA.upper()).status_code == 302
    ada.refresh_from_db()
    assert (ada.name, ada.email) == ("Ada R.", ADA)
    assert ada.due_at
    assert not FormerAddress.objects.exists()


@pytest.mark.parametrize("is_former", [True, False])
def test_an_address_of_another_member_is_refused_with_a_link_to_merge(
    desk: Client, ada: Member, is_former: bool
) -> None:
    bob = make_member("bob@example.org" if is_former else NEW_ADDRESS)
    if is_former:
        FormerAddress.objects.create(member=bob, email=NEW_ADDRESS)
    answer = edit(desk, ada, email=NEW_ADDRESS)
    assert answer.status_code == 200
    assert "merge the duplicates instead" in answer.content.decode()
    assert address_of(ada) == ADA


def test_an_address_taken_at_the_same_moment_is_refused(
    desk: Client, ada: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: someone signs up after the form has checked the address."""
    find, validate = Member.objects.find, MemberForm.validate_unique
    looks: list[str] = []

    def find_at_second_look(email: str) -> Member | None:
        looks.append(email)
        return find(email) if len(looks) > 1 else None

    def validate_at_second_look(form: MemberForm) -> None:
        if len(looks) > 1:
            validate(form)

    make_member(NEW_ADDRESS)
    monkeypatch.setattr(Member.objects, "find", find_at_second_look)
    monkeypatch.setattr(MemberForm, "validate_unique", validate_at_second_look)
    answer = edit(desk, ada, email=NEW_ADDRESS, name="Ada R.")
    assert looks == [NEW_ADDRESS, NEW_ADDRESS]
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "merge the duplicates instead" in page
    assert 'value="Ada R."' in page  # the form keeps all values
    assert address_of(ada) == ADA
