"""Two subscriptions of one person by accident: seen by staff, and named on the person's page."""

from typing import Any

import pytest
from django.test import Client

from campaigns.models import Member, Membership
from campaigns.reports.attention import CONCERNS
from tests.support.factories import at, make_checkout, make_member
from tests.support.sign_in import ADA, look, sign_in

pytestmark = pytest.mark.django_db

WORDS = "You pay for 2 memberships."


@pytest.fixture
def ada() -> Member:
    return make_member(ADA)


def subscribe(member: Member, **changes: Any) -> Membership:
    checkout = make_checkout(None, member=member, status="paid")
    values = {
        "member": member,
        "checkout": checkout,
        "plan": checkout.price.plan,
        "price": checkout.price,
        "source": Membership.Source.SUBSCRIPTION,
        "started_at": at("2026-11-10 12:00"),
        "ends_at": at("2027-11-10 12:00"),
        "subscription_id": f"sub_{checkout.pk}",
    }
    return Membership.objects.create(**values | changes)


def doubled() -> set[Membership]:
    [concern] = [each for each in CONCERNS if each.name == "doubled"]
    return set(concern.rows())


def test_both_are_named_to_staff_and_to_their_owner(ada: Member, client: Client) -> None:
    first = subscribe(ada)
    subscribe(make_member())
    assert doubled() == set()
    second = subscribe(ada)
    assert doubled() == {first, second}
    sign_in(client)
    page = look(client)
    assert WORDS in page
    assert "cancel the other below" in page


@pytest.mark.parametrize(
    ("changes", "is_charged"),
    [
        ({"status": "past_due"}, True),
        ({"status": "lapsed", "access_until": at("2026-11-24 12:00")}, True),
        ({"is_cancelling": True}, False),
        ({"status": "paused"}, False),
        ({"status": "pending"}, False),
        ({"status": "ended", "ended_at": at("2026-11-11 12:00")}, False),
        ({"source": "granted", "subscription_id": None}, False),
    ],
    ids=lambda value: value.get("status") or next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_is_charged_no_more_doubles_nothing(
    ada: Member, client: Client, changes: dict[str, Any], is_charged: bool
) -> None:
    subscribe(ada)
    subscribe(ada, **changes)
    assert len(doubled()) == (2 if is_charged else 0)
    sign_in(client)
    assert (WORDS in look(client)) == is_charged
