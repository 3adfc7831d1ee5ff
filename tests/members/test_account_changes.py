"""Changes on the account page: cancel, undo, change the card."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import members, settlement, stripe_api
from campaigns.models import Campaign, Membership
from newsroom.sandbox.control import SandboxControl
from tests.support.due import claim_due
from tests.support.factories import at, make_member
from tests.support.pages import (
    JOIN,
    NOON,
    UNREACHABLE,
    join_fields,
    main_of,
    read_form,
    start_order,
)
from tests.support.sign_in import ACCOUNT, ADA, open_account_page, sign_in

CARD = "4242424242424242"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Run the application on the sandbox's clock."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


@pytest.fixture
def subscription(client: Client, campaign: Campaign, sandbox: SandboxControl) -> Membership:
    """Ada's subscription from the sandbox; she is signed in."""
    checkout = start_order(client, JOIN, join_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    settlement.settle_checkout(checkout.pk)
    sign_in(client)
    return Membership.objects.get()


def at_stripe(membership: Membership) -> dict[str, Any]:
    """Return the subscription as Stripe has it, with fields that the application doesn't read."""
    subscriptions = stripe_api.client().v1.subscriptions
    return subscriptions.retrieve(str(membership.subscription_id)).to_dict()


def test_a_member_cancels_at_the_end_of_the_paid_period_and_undoes_it(
    client: Client, subscription: Membership
) -> None:
    path = f"{ACCOUNT}{subscription.pk}/cancel/"
    assert f'href="{path}"' in open_account_page(client)
    page = main_of(client.get(path))
    assert "You keep your membership until 10 November 2027" in page
    assert not at_stripe(subscription)["cancel_at_period_end"]
    reason = {"feedback": "too_expensive", "comment": "Rent went up.\nSorry!"}
    answer = client.post(path, reason, follow=True)
    assert answer.redirect_chain == [(f"{ACCOUNT}?done=cancelled", 303)]
    page = main_of(answer)
    assert "Membership cancelled." in page
    assert (
        "Cancelled. Your membership ends on 10 November 2027, and you won’t be charged again."
        in page
    )
    known = at_stripe(subscription)
    assert known["cancel_at_period_end"]
    details = known["cancellation_details"]
    assert (details["feedback"], details["comment"]) == (reason["feedback"], reason["comment"])
    subscription.refresh_from_db()
    assert (subscription.status, subscription.is_cancelling) == ("active", True)
    assert subscription.cancel_reason == "too_expensive"
    # Sent twice, or opened again: it is cancelled once.
    assert client.post(path, reason)["Location"] == f"{ACCOUNT}?done=cancelled"
    answer = client.post(f"{ACCOUNT}{subscription.pk}/resume/", follow=True)
    assert "Membership resumed." in main_of(answer)
    assert "Renews on 10 November 2027." in main_of(answer)
    assert not at_stripe(subscription)["cancel_at_period_end"]
    assert (
        client.post(f"{ACCOUNT}{subscription.pk}/resume/")["Location"] == f"{ACCOUNT}?done=resumed"
    )


def test_a_member_cancels_without_a_reason(client: Client, subscription: Membership) -> None:
    answer = client.post(f"{ACCOUNT}{subscription.pk}/cancel/")
    assert answer["Location"] == f"{ACCOUNT}?done=cancelled"
    assert at_stripe(subscription)["cancellation_details"]["feedback"] is None
    made_up = client.post(f"{ACCOUNT}{subscription.pk}/cancel/", {"feedback": "made-up"})
    assert made_up.status_code == 303  # cancelled already


def test_an_unknown_reason_is_refused(client: Client, subscription: Membership) -> None:
    answer = client.post(f"{ACCOUNT}{subscription.pk}/cancel/", {"feedback": "made-up"})
    assert answer.status_code == 422
    assert not at_stripe(subscription)["cancel_at_period_end"]


def test_a_member_undoes_an_end_date_set_at_stripe(
    client: Client, subscription: Membership
) -> None:
    assert subscription.subscription_id
    assert subscription.ends_at
    params: Any = {"cancel_at": int(subscription.ends_at.timestamp()) - 3600}
    stripe_api.client().v1.subscriptions.update(subscription.subscription_id, params)
    assert subscription.checkout_id
    settlement.settle_checkout(subscription.checkout_id)
    assert "Resume membership" in open_account_page(client)
    client.post(f"{ACCOUNT}{subscription.pk}/resume/")
    assert at_stripe(subscription)["cancel_at"] is None


def test_an_outage_of_stripe_changes_nothing_and_keeps_the_reason(
    client: Client, subscription: Membership, settings: LazySettings
) -> None:
    sandbox_url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, UNREACHABLE
    path = f"{ACCOUNT}{subscription.pk}/cancel/"
    answer = client.post(path, {"feedback": "unused", "comment": "No time"})
    assert answer.status_code == 503
    assert "nothing was changed or charged" in main_of(answer)
    again = read_form(answer)
    assert (again.action, again.fields["comment"]) == (path, "No time")
    subscription.refresh_from_db()
    assert not subscription.is_cancelling
    card = client.post(f"{ACCOUNT}{subscription.pk}/card/")
    assert card.status_code == 503
    settings.STRIPE_API_BASE = sandbox_url
    assert client.post(path, again.fields)["Location"] == f"{ACCOUNT}?done=cancelled"
    assert at_stripe(subscription)["cancellation_details"]["comment"] == "No time"


def test_the_job_finds_a_cancellation_whose_answer_was_lost(
    client: Client, subscription: Membership, clock: time_machine.Traveller
) -> None:
    members.cancel_subscription(subscription)  # then the process dies
    clock.shift(timedelta(minutes=2))
    assert claim_due("checkouts", at=timezone.now()) == [subscription.checkout_id]


def test_a_subscription_that_ended_meanwhile_is_not_cancelled(
    client: Client, subscription: Membership
) -> None:
    assert subscription.subscription_id
    stripe_api.client().v1.subscriptions.cancel(subscription.subscription_id)
    answer = client.post(f"{ACCOUNT}{subscription.pk}/cancel/", follow=True)
    assert "Ended." in main_of(answer)
    assert "Membership cancelled." not in main_of(answer)


def test_the_card_is_changed_on_the_page_of_stripe(
    client: Client, subscription: Membership, settings: LazySettings
) -> None:
    answer = client.post(f"{ACCOUNT}{subscription.pk}/card/")
    assert answer.status_code == 303
    assert answer["Location"].startswith(settings.STRIPE_API_BASE)


def test_an_imported_membership_cannot_be_cancelled(client: Client, campaign: Campaign) -> None:
    membership = Membership.objects.create(
        member=make_member(ADA), source="imported", started_at=at("2024-01-01 10:00")
    )
    sign_in(client)
    assert "It has no end date" in open_account_page(client)
    assert client.post(f"{ACCOUNT}{membership.pk}/cancel/").status_code == 404
