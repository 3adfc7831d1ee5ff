"""What a member changes on their own page: cancel, keep, another card."""

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
from tests.support.factories import at, make_member
from tests.support.pages import JOIN, NOBODY, NOON, join_fields, main_of, read_form, start
from tests.support.sign_in import ADA, MINE, look, sign_in

CARD = "4242424242424242"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Our clock shows what the sandbox's does."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


@pytest.fixture
def subscription(client: Client, campaign: Campaign, sandbox: SandboxControl) -> Membership:
    """Ada's, as it came from the sandbox; she has opened her page."""
    checkout = start(client, JOIN, join_fields(client))
    assert checkout.session_id
    sandbox.pay(checkout.session_id, card=CARD)
    settlement.settle_checkout(checkout.pk)
    sign_in(client)
    return Membership.objects.get()


def at_stripe(membership: Membership) -> dict[str, Any]:
    assert membership.subscription_id
    return stripe_api.fetch_subscription(membership.subscription_id)


def test_a_membership_is_cancelled_to_the_end_of_what_is_paid_and_kept_again(
    client: Client, subscription: Membership
) -> None:
    path = f"{MINE}{subscription.pk}/cancel/"
    assert f'href="{path}"' in look(client)
    page = main_of(client.get(path))
    assert "You keep your membership until 10 November 2027" in page
    assert not at_stripe(subscription)["cancel_at_period_end"]
    reason = {"feedback": "too_expensive", "comment": "Rent went up.\nSorry!"}
    answer = client.post(path, reason, follow=True)
    assert answer.redirect_chain == [(f"{MINE}?done=cancelled", 303)]
    page = main_of(answer)
    assert "Your membership is cancelled." in page
    assert "Cancelled: ends on 10 November 2027, and nothing more is charged." in page
    known = at_stripe(subscription)
    assert known["cancel_at_period_end"]
    details = known["cancellation_details"]
    assert (details["feedback"], details["comment"]) == (reason["feedback"], reason["comment"])
    subscription.refresh_from_db()
    assert (subscription.status, subscription.is_cancelling) == ("active", True)
    # Sent twice, or opened again: it is cancelled once.
    assert client.post(path, reason)["Location"] == f"{MINE}?done=cancelled"
    answer = client.post(f"{MINE}{subscription.pk}/resume/", follow=True)
    assert "Your membership goes on." in main_of(answer)
    assert "Renews on 10 November 2027." in main_of(answer)
    assert not at_stripe(subscription)["cancel_at_period_end"]
    assert client.post(f"{MINE}{subscription.pk}/resume/")["Location"] == f"{MINE}?done=resumed"


def test_no_reason_is_needed(client: Client, subscription: Membership) -> None:
    answer = client.post(f"{MINE}{subscription.pk}/cancel/")
    assert answer["Location"] == f"{MINE}?done=cancelled"
    assert at_stripe(subscription)["cancellation_details"]["feedback"] is None
    made_up = client.post(f"{MINE}{subscription.pk}/cancel/", {"feedback": "made-up"})
    assert made_up.status_code == 303  # it is cancelled already


def test_a_reason_that_is_none_of_ours_is_asked_for_again(
    client: Client, subscription: Membership
) -> None:
    answer = client.post(f"{MINE}{subscription.pk}/cancel/", {"feedback": "made-up"})
    assert answer.status_code == 422
    assert not at_stripe(subscription)["cancel_at_period_end"]


def test_an_end_that_was_set_at_stripe_by_date_is_taken_back_as_well(
    client: Client, subscription: Membership
) -> None:
    assert subscription.subscription_id
    assert subscription.ends_at
    params: Any = {"cancel_at": int(subscription.ends_at.timestamp()) - 3600}
    stripe_api.client().v1.subscriptions.update(subscription.subscription_id, params)
    assert subscription.checkout_id
    settlement.settle_checkout(subscription.checkout_id)
    assert "Keep my membership" in look(client)
    client.post(f"{MINE}{subscription.pk}/resume/")
    assert at_stripe(subscription)["cancel_at"] is None


def test_with_stripe_away_nothing_is_changed_and_the_reason_is_kept(
    client: Client, subscription: Membership, settings: LazySettings
) -> None:
    sandbox_url, settings.STRIPE_API_BASE = settings.STRIPE_API_BASE, NOBODY
    path = f"{MINE}{subscription.pk}/cancel/"
    answer = client.post(path, {"feedback": "unused", "comment": "No time"})
    assert answer.status_code == 503
    assert "Nothing was changed" in main_of(answer)
    again = read_form(answer)
    assert (again.action, again.fields["comment"]) == (path, "No time")
    subscription.refresh_from_db()
    assert not subscription.is_cancelling
    card = client.post(f"{MINE}{subscription.pk}/card/")
    assert card.status_code == 503
    settings.STRIPE_API_BASE = sandbox_url
    assert client.post(path, again.fields)["Location"] == f"{MINE}?done=cancelled"
    assert at_stripe(subscription)["cancellation_details"]["comment"] == "No time"


def test_what_stripe_did_and_we_did_not_hear_is_found_out_by_the_sweep(
    client: Client, subscription: Membership, clock: time_machine.Traveller
) -> None:
    members.cancel(subscription)  # and then we died
    clock.shift(timedelta(minutes=2))
    assert settlement.claim_due_checkouts(at=timezone.now()) == [subscription.checkout_id]


def test_what_ended_meanwhile_is_not_cancelled_and_the_page_says_how_it_stands(
    client: Client, subscription: Membership
) -> None:
    assert subscription.subscription_id
    stripe_api.client().v1.subscriptions.cancel(subscription.subscription_id)
    answer = client.post(f"{MINE}{subscription.pk}/cancel/", follow=True)
    assert "Ended." in main_of(answer)
    assert "Your membership is cancelled." not in main_of(answer)


def test_the_card_is_changed_on_stripes_own_page(
    client: Client, subscription: Membership, settings: LazySettings
) -> None:
    answer = client.post(f"{MINE}{subscription.pk}/card/")
    assert answer.status_code == 303
    assert answer["Location"].startswith(settings.STRIPE_API_BASE)


def test_an_imported_membership_has_nothing_to_cancel(client: Client, campaign: Campaign) -> None:
    membership = Membership.objects.create(
        member=make_member(ADA), source="imported", started_at=at("2024-01-01 10:00")
    )
    sign_in(client)
    assert "Lasts without an end" in look(client)
    assert client.post(f"{MINE}{membership.pk}/cancel/").status_code == 404
