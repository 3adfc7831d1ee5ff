"""Address changes: requested, confirmed at both mailboxes, made once."""

import re
import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import jobs, members
from campaigns.emails.account import mask_address
from campaigns.models import (
    AddressChange,
    Erasure,
    FormerAddress,
    Member,
    OutgoingMail,
)
from campaigns.models.address_change import Side
from tests.support.address_changes import (
    CHANGE_PAGE,
    NEW_ADDRESS,
    address_of,
    change_path,
    confirm_change,
    read_change_link,
    read_change_mail,
    request_change,
)
from tests.support.factories import make_member
from tests.support.mails import assert_no_longer_wanted, read_both_parts
from tests.support.pages import (
    NOON,
    error_beside,
    main_of,
    read_form,
)
from tests.support.sign_in import ADA, open_account_page, sign_in
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


# Requests


def test_the_page_links_to_the_form_and_shows_a_pending_change(client: Client, ada: Member) -> None:
    assert f'href="{CHANGE_PAGE}"' in open_account_page(client)
    assert "Not confirmed yet" not in main_of(client.get(CHANGE_PAGE))
    change = request_change(client, f"  {NEW_ADDRESS.upper()} ")
    page = main_of(client.get(CHANGE_PAGE))
    assert ADA in page
    assert NEW_ADDRESS in page
    assert page.count("Not confirmed yet") == 2
    confirm_change(change, "old")
    assert main_of(client.get(CHANGE_PAGE)).count("Not confirmed yet") == 1
    assert ADA in open_account_page(client)


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("", "Enter an e-mail address."),
        ("ada at new", "Enter a valid e-mail address"),
        (f" {ADA.upper()}", "This is already your address."),
    ],
)
def test_errors_are_shown_beside_the_field(
    client: Client, ada: Member, typed: str, words: str
) -> None:
    answer = client.post(CHANGE_PAGE, {"email": typed})
    assert answer.status_code == 422
    assert error_beside(answer, "email").startswith(words)
    assert read_form(answer).fields["email"] == typed
    assert not AddressChange.objects.exists()


def test_a_misspelt_address_is_questioned_once(client: Client, ada: Member) -> None:
    answer = client.post(CHANGE_PAGE, {"email": "ada@gmial.com"})
    assert "Did you mean ada@gmail.com?" in error_beside(answer, "email")
    assert not AddressChange.objects.exists()
    again = client.post(CHANGE_PAGE, read_form(answer).fields)
    assert (again.status_code, AddressChange.objects.get().email) == (303, "ada@gmial.com")


def test_only_a_signed_in_member_can_request_a_change(client: Client, ada: Member) -> None:
    answer = Client().post(CHANGE_PAGE, {"email": NEW_ADDRESS}, follow=True)
    assert "we signed you out after one hour" in main_of(answer)
    assert not AddressChange.objects.exists()


def test_known_and_unknown_addresses_get_the_same_answer(client: Client, ada: Member) -> None:
    make_member("known@example.org")
    FormerAddress.objects.create(member=make_member(), email="known.once@example.org")
    pages = []
    for address in ("known@example.org", "known.once@example.org", "unknown@example.org"):
        change = request_change(client, address)
        assert change.outgoingmail_set.count() == 2
        pages.append(main_of(client.get(CHANGE_PAGE)).replace(address, NEW_ADDRESS))
        waiting = main_of(client.get(change_path(change, Side.NEW)))
        pages[-1] += re.sub(r'value="[^"]*"', "", waiting.replace(address, NEW_ADDRESS))
    pages = [re.sub(r'value="[^"]*"', "", page) for page in pages]
    assert pages[0] == pages[1] == pages[2]


def test_repeated_requests_do_not_flood_a_mailbox(
    client: Client, ada: Member, clock: time_machine.Traveller
) -> None:
    for number in range(members.addresses.MOST_CHANGES):
        request_change(client, f"ada{number}@new.example")
    answer = client.post(CHANGE_PAGE, {"email": NEW_ADDRESS})
    assert answer.status_code == 422
    assert "You’ve asked for too many changes." in main_of(answer)
    assert read_form(answer).fields["email"] == NEW_ADDRESS
    assert AddressChange.objects.count() == members.addresses.MOST_CHANGES
    clock.shift(timedelta(minutes=61))
    sign_in(client)
    request_change(client)


def test_the_emails_explain_the_change(client: Client, ada: Member) -> None:
    change = request_change(client)
    old, new = read_change_mail(change, "address_old"), read_change_mail(change, "address_new")
    assert (old.to, new.to) == ([ADA], [NEW_ADDRESS])
    assert old.subject == "Change your e-mail address at The Meridian Post?"
    assert new.subject == "Confirm your new e-mail address for The Meridian Post"
    for part in read_both_parts(old):
        assert "Hello Ada Reader," in part
        assert f"to ask us to change your e-mail address to {NEW_ADDRESS}." in part
        assert "The link works for 24 hours." in part
        assert "If this wasn’t you, ignore this e-mail" in part
    for part in read_both_parts(new):  # a typo may lead to a stranger
        assert "Ada Reader" not in part
        assert ADA not in part
        assert "a…@example.org" in part
        assert "Don’t confirm it for someone else" in part
    confirm_change(change, "old", "new")
    changed = read_change_mail(change, "address_changed")
    assert changed.to == [NEW_ADDRESS]
    for part in read_both_parts(changed):
        assert "We’ve changed your e-mail address." in part


@pytest.mark.parametrize(
    ("address", "veiled"),
    [("ada@example.org", "a…@example.org"), ("a@example.org", "…@example.org")],
)
def test_an_address_is_masked_for_strangers(address: str, veiled: str) -> None:
    assert mask_address(address) == veiled


# Confirmations


@pytest.mark.parametrize("order", [("old", "new"), ("new", "old")])
def test_a_change_is_made_after_both_confirmations_in_any_order(
    client: Client, ada: Member, order: tuple[str, str]
) -> None:
    change = request_change(client)
    paths = {side: read_change_link(change, side) for side in order}
    for side in order:
        for _ in range(2):  # a mail scanner's GET confirms nothing
            assert Client().get(paths[side]).status_code == 200
        assert address_of(ada) == ADA
        assert Client().post(paths[side]).status_code == 303
    assert address_of(ada) == NEW_ADDRESS
    former = FormerAddress.objects.get()
    assert (former.member, former.email) == (ada, ADA)
    for path in paths.values():
        page = main_of(Client().get(path))
        assert "Your address has been changed" in page
        assert NEW_ADDRESS in page
    assert NEW_ADDRESS in open_account_page(client)  # the change is still open
    kinds = OutgoingMail.objects.exclude(kind="sign_in").values_list("kind", flat=True)
    assert sorted(kinds) == ["address_changed", "address_new", "address_old"]


@pytest.mark.parametrize("side", ["old", "new"])
def test_a_single_confirmation_changes_nothing(client: Client, ada: Member, side: str) -> None:
    change = request_change(client)
    confirm_change(change, side, side)
    assert address_of(ada) == ADA
    assert not members.make_change(change.pk, at=timezone.now())
    assert not FormerAddress.objects.exists()
    assert "One more address to confirm" in main_of(Client().get(change_path(change, Side(side))))


def test_a_double_click_makes_the_change_once(client: Client, ada: Member) -> None:
    change = request_change(client)
    confirm_change(change, "old", "old", "new", "new", "old")
    made_at = AddressChange.objects.get().made_at
    confirm_change(change, "new")
    assert AddressChange.objects.get().made_at == made_at
    assert FormerAddress.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="address_changed").count() == 1


def test_a_link_is_valid_for_a_day(
    client: Client, ada: Member, clock: time_machine.Traveller
) -> None:
    change = request_change(client)
    confirm_change(change, "old")
    clock.shift(timedelta(hours=23, minutes=59))
    assert Client().get(change_path(change, Side.NEW)).status_code == 200
    clock.shift(timedelta(minutes=2))
    for answer in (
        Client().get(change_path(change, Side.NEW)),
        Client().post(change_path(change, Side.NEW)),
    ):
        assert answer.status_code == 410
        assert "Links work for 24 hours" in main_of(answer)
    assert address_of(ada) == ADA
    for kind in ("address_old", "address_new"):
        assert_no_longer_wanted(OutgoingMail.objects.get(kind=kind))


@pytest.mark.parametrize("token", ["x", "%00", "WzEsIm9sZCJd:1tqYQm:abc", "a:b:c"])
def test_an_invalid_link_is_refused(client: Client, ada: Member, token: str) -> None:
    for answer in (
        client.get(f"/membership/address/{token}/"),
        client.post(f"/membership/address/{token}/"),
    ):
        assert answer.status_code == 410


def test_a_link_confirms_one_side_of_one_change_and_is_signed(
    client: Client, ada: Member, settings: LazySettings
) -> None:
    bob = make_member("bob@example.org")
    of_bob = members.request_address_change(
        bob, "bob@new.example", language="en", at=timezone.now()
    )
    change = request_change(client)
    confirm_change(of_bob, "old", "new")
    confirm_change(change, "new")
    assert (address_of(ada), address_of(bob)) == (ADA, "bob@new.example")
    settings.SECRET_KEY = "another-key"
    forged = change_path(change, Side.OLD)
    settings.SECRET_KEY = "tests-only-and-no-secret"
    assert client.post(forged).status_code == 410
    assert address_of(ada) == ADA


def test_a_newer_request_replaces_an_older_one(client: Client, ada: Member) -> None:
    older, newer = request_change(client), request_change(client, "ada@newer.example")
    for side in Side:
        assert Client().post(change_path(older, side)).status_code == 410
        assert_no_longer_wanted(
            OutgoingMail.objects.get(address_change=older, kind=f"address_{side}")
        )
    assert address_of(ada) == ADA
    confirm_change(newer, "old", "new")
    assert address_of(ada) == "ada@newer.example"
    assert Client().get(change_path(older, Side.OLD)).status_code == 410


def test_a_request_is_void_after_staff_change_the_address(client: Client, ada: Member) -> None:
    change = request_change(client)
    confirm_change(change, "new")
    members.set_address(Member.objects.get(pk=ada.pk), "desk@example.org", at=timezone.now())
    assert Client().post(change_path(change, Side.OLD)).status_code == 410
    assert address_of(ada) == "desk@example.org"


def test_a_member_who_is_being_erased_cannot_change_the_address(
    client: Client, ada: Member
) -> None:
    change = request_change(client)
    confirm_change(change, "new")
    Erasure.objects.create(member=ada)
    assert Client().post(change_path(change, Side.OLD)).status_code == 410
    with pytest.raises(members.ChangeClosed):
        members.request_address_change(ada, NEW_ADDRESS, language="en", at=timezone.now())
    assert address_of(ada) == ADA


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_simultaneous_confirmations_make_the_change_once(client: Client) -> None:
    ada = make_member(ADA)
    change = members.request_address_change(ada, NEW_ADDRESS, language="en", at=timezone.now())
    paths = [change_path(change, side) for side in Side] * 2
    outcomes = race(*[lambda path=path: Client().post(path).status_code for path in paths])
    assert outcomes == [303] * 4
    assert address_of(ada) == NEW_ADDRESS
    assert FormerAddress.objects.get().email == ADA
    assert OutgoingMail.objects.filter(kind="address_changed").count() == 1


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_a_confirmation_without_a_conditional_update_loses_the_race() -> None:
    """Control: saving the whole row overwrites the other confirmation."""
    ada = make_member(ADA)
    change = members.request_address_change(ada, NEW_ADDRESS, language="en", at=timezone.now())
    both_have_read = threading.Barrier(2)

    def confirm_naively(side: Side) -> None:
        row = AddressChange.objects.get(pk=change.pk)
        both_have_read.wait(60)
        setattr(row, side.field, timezone.now())
        row.save()
        members.make_change(row.pk, at=timezone.now())

    assert race(*[lambda side=side: confirm_naively(side) for side in Side]) == [None, None]
    assert address_of(ada) == ADA


def test_the_job_makes_a_confirmed_change_after_a_crash(client: Client, ada: Member) -> None:
    change, now = request_change(client), timezone.now()
    AddressChange.objects.update(old_confirmed_at=now, new_confirmed_at=now)
    assert "We’re changing your address now" in main_of(client.get(change_path(change, Side.OLD)))
    assert [row.pk for row in members.select_confirmed_changes(at=timezone.now())] == [change.pk]
    assert members.make_change(change.pk, at=timezone.now())
    assert address_of(ada) == NEW_ADDRESS
    assert not members.select_confirmed_changes(at=timezone.now())


@pytest.mark.parametrize("sides", [(), ("new",), ("old", "new")])
def test_old_requests_are_deleted_with_their_emails(
    client: Client, ada: Member, clock: time_machine.Traveller, sides: tuple[str, ...]
) -> None:
    change = request_change(client)
    confirm_change(change, *sides)
    clock.shift(timedelta(days=29))
    jobs.run_due_jobs("old_rows")
    assert AddressChange.objects.exists()
    clock.shift(timedelta(days=2))
    jobs.run_due_jobs("old_rows")
    was_made = sides == ("old", "new")
    assert AddressChange.objects.exists() == was_made
    assert OutgoingMail.objects.filter(kind="address_new").exists() == was_made
