"""One person has one row, however an address is typed, pasted, imported or was stored before."""

import hashlib
from importlib import import_module
from pathlib import Path

import pytest
import time_machine
from django.apps import apps
from django.db import connection
from django.test import Client

from campaigns import actions, emails, erasures, members
from campaigns.erasures.traces import find_traces
from campaigns.forms import ClaimForm
from campaigns.models import (
    Campaign,
    Checkout,
    ErasedAddress,
    FormerAddress,
    Gift,
    Member,
    Membership,
    OptOut,
    SignInLink,
)
from campaigns.reports.attention import CONCERNS
from newsroom.sandbox.control import SandboxControl
from tests.support.commands import import_file
from tests.support.factories import make_campaign, make_checkout, make_gift, make_member
from tests.support.pages import JOIN, NOON, join_fields, sessions, start_order
from tests.support.sign_in import request_link
from tests.support.staff import admin_url, fill_in, read_page

pytestmark = pytest.mark.django_db

TYPED = "Ada@münchen.example"
STORED = "ada@xn--mnchen-3ya.example"
EARLIER = "ada@münchen.example"  # as versions before this one stored it
SPELLINGS = (
    TYPED,
    "ada@mu\u0308nchen.example",
    "a\u200bda@mün\u00adchen.example",
    "ａda@MÜNCHEN。example",
    STORED,
)

clean_stored = import_module("campaigns.migrations.0012_addresses_and_newsletter").clean_stored


def clean() -> None:
    clean_stored(apps, connection.schema_editor())


def make_earlier(email: str = EARLIER) -> Member:
    """Create a member as earlier versions stored them."""
    return Member.objects.create(email=email)


@pytest.mark.once
def test_an_international_address_is_accepted_and_reaches_stripe_in_ascii(
    client: Client, campaign: Campaign, sandbox: SandboxControl
) -> None:
    with time_machine.travel(NOON, tick=True):
        checkout = start_order(client, JOIN, join_fields(client, email=TYPED))
        assert checkout.email == STORED
        [session] = sessions()
        assert session["customer_email"] == STORED
        assert checkout.session_id
        sandbox.pay(checkout.session_id, card="4242424242424242")
        client.get(f"/membership/thanks/{checkout.pk}/")
    assert Member.objects.get().email == STORED


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_sign_in_link_is_sent_for_each_spelling(client: Client, typed: str) -> None:
    ada = make_member(STORED)
    request_link(client, typed)
    assert SignInLink.objects.get().member == ada


@pytest.mark.parametrize("typed", SPELLINGS)
def test_a_claim_an_import_and_a_payment_lead_to_the_same_member(
    tmp_path: Path, typed: str
) -> None:
    ada = make_member(TYPED)
    gift = make_gift(make_member("ben@example.org"), make_campaign(), "2026-11-10 12:00")
    form = ClaimForm({"name": "Ada", "email": typed})
    assert form.is_valid(), form.errors
    actions.claim_gift(gift.code, email=form.cleaned_data["email"], name="Ada", language="en")
    assert Gift.objects.get().claimed_by == ada
    import_file(tmp_path, f"email,since\n{typed},2024-11-30\n")
    assert ada.memberships.count() == 2
    assert Member.objects.get_or_create_by_email(typed) == ada
    assert Member.objects.count() == 2


@pytest.mark.parametrize("typed", SPELLINGS)
def test_staff_find_and_add_a_member_in_each_spelling(admin_client: Client, typed: str) -> None:
    url = admin_url(Member, "add")
    admin_client.post(url, fill_in(admin_client, url, email=typed, name="Ada \u202eR"))
    ada = Member.objects.get()
    assert (ada.email, ada.name) == (STORED, "Ada R")
    found = admin_client.get(admin_url(Member, "changelist"), {"q": typed})
    assert "Ada R" in read_page(found)


@pytest.mark.parametrize("typed", SPELLINGS)
def test_an_opt_out_and_an_erasure_hold_for_each_spelling(tmp_path: Path, typed: str) -> None:
    emails.stop_reminders(typed)
    ErasedAddress.objects.create(address_hash=hash_of_erased(STORED))
    assert OptOut.objects.holds(STORED)
    assert ErasedAddress.objects.holds(typed)
    assert ErasedAddress.objects.are_named_in(f'{{"email": "{typed.lower()}"}}')
    assert "1 erased on request" in import_file(tmp_path, f"email,since\n{typed},2024-11-30\n")


def hash_of_erased(address: str) -> str:
    return hashlib.sha256(f"erased:{address}".encode()).hexdigest()


def test_hashes_of_earlier_versions_still_hold(tmp_path: Path) -> None:
    """Nobody can convert them: they don't show the address they were made of."""
    OptOut.objects.create(address_hash=hashlib.sha256(f"opt-out:{EARLIER}".encode()).hexdigest())
    ErasedAddress.objects.create(address_hash=hash_of_erased(EARLIER))
    assert OptOut.objects.holds(STORED)
    assert ErasedAddress.objects.holds(STORED)
    assert ErasedAddress.objects.are_named_in(f'{{"email": "{STORED}"}}')
    assert "1 erased on request" in import_file(tmp_path, f"email,since\n{TYPED},2024-11-30\n")


def test_an_erasure_finds_both_spellings_of_an_address() -> None:
    ada = make_member(STORED)
    checkout = make_checkout(make_campaign(), email=EARLIER, status=Checkout.Status.EXPIRED)
    assert find_traces(ada).addresses == {STORED, EARLIER}
    assert find_traces(ada).remove_from(f"Wrote to {EARLIER} and {STORED}.") == "Wrote to … and …."
    erasures.request_erasure(ada)
    erasures.strip_rows(ada.pk, at=ada.created_at)
    checkout.refresh_from_db()
    assert checkout.email.endswith("@erased.invalid")
    assert ErasedAddress.objects.count() == 1


# Addresses that earlier versions stored


def test_the_migration_cleans_stored_addresses_and_names() -> None:
    ada = make_earlier()
    Member.objects.filter(pk=ada.pk).update(name="Ada \u202eReader")
    FormerAddress.objects.create(member=ada, email="ada@köln.example")
    checkout = make_checkout(make_campaign(), email=EARLIER)
    key = f"{EARLIER} 2024-11-30"
    membership = Membership.objects.create(
        member=ada, source="imported", started_at=ada.created_at, import_key=key
    )
    clean()
    for row in (ada, checkout, membership):
        row.refresh_from_db()
    assert (ada.email, ada.name, ada.duplicate_of) == (STORED, "Ada Reader", None)
    assert ada.former_addresses.get().email == "ada@xn--kln-sna.example"
    assert checkout.email == STORED
    assert membership.import_key == f"{STORED} 2024-11-30"


def test_the_migration_marks_duplicates_and_merges_none() -> None:
    ada, again = make_member(STORED), make_earlier()
    clean()
    again.refresh_from_db()
    assert (again.email, again.duplicate_of) == (EARLIER, ada)
    [concern] = [each for each in CONCERNS if each.name == "same-address"]
    assert list(concern.rows()) == [again]


def test_the_first_of_two_earlier_spellings_gets_the_address() -> None:
    first, second = make_earlier(), make_earlier("ada@mu\u0308nchen.example")
    clean()
    owner = Member.objects.get(email=STORED)
    [other] = {first, second} - {owner}
    other.refresh_from_db()
    assert other.duplicate_of == owner


@pytest.mark.parametrize("kept_has", ["the address", "the earlier spelling"])
def test_after_a_merge_one_member_has_the_address(kept_has: str) -> None:
    ada, again = make_member(STORED), make_earlier()
    clean()
    again.refresh_from_db()
    kept, gone = (ada, again) if kept_has == "the address" else (again, ada)
    members.merge_members(kept=kept, gone=gone)
    kept.refresh_from_db()
    assert (kept.email, kept.duplicate_of) == (STORED, None)
    assert Member.objects.find(TYPED) == kept
    assert not FormerAddress.objects.exists()


def test_staff_are_led_from_a_duplicate_to_the_merge(admin_client: Client) -> None:
    ada, again = make_member(STORED), make_earlier()
    clean()
    page = admin_client.get(admin_url(Member, "change", again.pk)).content.decode()
    assert "This member has the same e-mail address as" in page
    assert f'href="{admin_url(Member, "merge", ada.pk, again.pk)}"' in page
