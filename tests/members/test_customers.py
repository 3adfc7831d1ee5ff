"""Customers at Stripe get a member's new name and address."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import members, settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Member,
    Membership,
    Payment,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.address_changes import NEW_ADDRESS, confirm_change, request_change
from tests.support.due import claim_due
from tests.support.factories import make_member
from tests.support.pages import (
    JOIN,
    NOON,
    UNREACHABLE,
    join_fields,
    start_order,
)
from tests.support.sign_in import ADA, sign_in

CARD = "4242424242424242"


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


def sync_customers() -> list[bool]:
    now = timezone.now()
    return [members.sync_customer(pk) for pk in claim_due("customers", at=now)]


def customer_of(checkout: Checkout) -> dict[str, Any]:
    checkout.refresh_from_db()
    found: dict[str, Any] = (
        stripe_api.client().v1.customers.retrieve(checkout.customer_id).to_dict()
    )
    return found


@pytest.fixture
def bought(client: Client, ada: Member, campaign: Campaign, sandbox: SandboxControl) -> Checkout:
    checkout = start_order(client, JOIN, join_fields(client))
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    assert claim_due("customers", at=timezone.now()) == []
    return checkout


def test_every_customer_at_stripe_is_updated(
    client: Client, ada: Member, bought: Checkout, sandbox: SandboxControl
) -> None:
    again = start_order(Client(), JOIN, join_fields(client))
    sandbox.pay(str(again.session_id), card=CARD)
    settlement.settle_checkout(again.pk)
    confirm_change(request_change(client), "old", "new")
    assert sync_customers() == [True]
    for checkout in (bought, again):
        customer = customer_of(checkout)
        assert (customer["email"], customer["name"]) == (NEW_ADDRESS, "Ada Reader")
    assert sync_customers() == []


def test_the_update_is_retried_while_stripe_is_unavailable(
    client: Client,
    ada: Member,
    bought: Checkout,
    settings: LazySettings,
    clock: time_machine.Traveller,
) -> None:
    confirm_change(request_change(client), "old", "new")
    reachable, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, UNREACHABLE
    assert sync_customers() == [False]
    ada.refresh_from_db()
    assert (ada.email, ada.tell_stripe_error) == (NEW_ADDRESS, "StripeUnavailable")
    settings.STRIPE_API_BASE = reachable
    assert sync_customers() == []
    clock.shift(timedelta(minutes=11))
    assert sync_customers() == [True]
    assert customer_of(bought)["email"] == NEW_ADDRESS
    ada.refresh_from_db()
    assert (ada.due_at, ada.tell_stripe_error) == (None, "")


def test_an_update_is_repeated_after_a_lost_answer(
    client: Client,
    bought: Checkout,
    sandbox: SandboxControl,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    confirm_change(request_change(client), "old", "new")
    update = stripe_api.update_customer

    def lose_the_answer(customer_id: str, **details: str) -> None:
        update(customer_id, **details)
        raise stripe_api.StripeUnavailable("no answer came")

    monkeypatch.setattr(stripe_api, "update_customer", lose_the_answer)
    assert sync_customers() == [False]
    monkeypatch.undo()
    clock.shift(timedelta(minutes=11))
    assert sync_customers() == [True]
    assert customer_of(bought)["email"] == NEW_ADDRESS
    assert len(sandbox.events("customer.updated")) == 1


def test_a_customer_deleted_at_stripe_is_not_an_error(
    client: Client, ada: Member, bought: Checkout
) -> None:
    stripe_api.client().v1.customers.delete(bought.customer_id or customer_of(bought)["id"])
    confirm_change(request_change(client), "old", "new")
    assert sync_customers() == [True]


def test_staff_see_a_refused_update_without_the_address(
    client: Client, ada: Member, bought: Checkout, admin_client: Client
) -> None:
    confirm_change(request_change(client, '"ada"@example.org'), "old", "new")
    assert sync_customers() == [False]
    ada.refresh_from_db()
    assert ada.tell_stripe_error == "StripeRefused (email_invalid)"
    assert ada.due_at
    assert ada.due_at > timezone.now() + timedelta(hours=23)
    assert (
        "Members whose new address Stripe refused" in admin_client.get("/admin/").content.decode()
    )


def test_an_update_stays_due_if_the_member_changes_meanwhile(
    client: Client, ada: Member, bought: Checkout, monkeypatch: pytest.MonkeyPatch
) -> None:
    confirm_change(request_change(client), "old", "new")
    update = stripe_api.update_customer

    def change_meanwhile(customer_id: str, **details: str) -> object:
        Member.objects.update(name="Ada R.", due_at=timezone.now())
        return update(customer_id, **details)

    monkeypatch.setattr(stripe_api, "update_customer", change_meanwhile)
    sync_customers()
    monkeypatch.undo()
    assert sync_customers() == [True]
    assert customer_of(bought)["name"] == "Ada R."


def test_an_order_with_the_old_address_still_belongs_to_the_member(
    client: Client, ada: Member, campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = start_order(client, JOIN, join_fields(client))
    sandbox.pay(str(checkout.session_id), card=CARD)
    confirm_change(request_change(client), "old", "new")
    assert sync_customers() == [True]  # Stripe has no customer yet
    for _ in range(2):
        settlement.settle_checkout(checkout.pk)
    assert Member.objects.get() == ada
    assert Membership.objects.get().member == Payment.objects.get().member == ada
    assert Tally.objects.get().member == ada
    # Stripe created its customer with the old address, and gets the new one.
    sync_customers()
    assert customer_of(checkout)["email"] == NEW_ADDRESS
