"""Duplicate subscriptions: shown to staff and on the account page."""

from typing import Any

import pytest
from django.test import Client

from campaigns.models import Member, Membership
from campaigns.reports.attention import CONCERNS
from tests.support.factories import at, make_member
from tests.support.sales import make_subscription
from tests.support.sign_in import ADA, open_account_page, sign_in

pytestmark = pytest.mark.django_db

WORDS = "You pay for 2 memberships."


@pytest.fixture
def ada() -> Member:
    return make_member(ADA)


def find_duplicates() -> set[Membership]:
    [concern] = [each for each in CONCERNS if each.name == "duplicates"]
    return set(concern.rows())


def test_duplicates_are_shown_to_staff_and_to_the_member(ada: Member, client: Client) -> None:
    first = make_subscription(member=ada)
    make_subscription(member=make_member())
    assert find_duplicates() == set()
    second = make_subscription(member=ada)
    assert find_duplicates() == {first, second}
    sign_in(client)
    page = open_account_page(client)
    assert WORDS in page
    assert "cancel the other below" in page


@pytest.mark.thorough
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
def test_only_charged_subscriptions_are_duplicates(
    ada: Member, client: Client, changes: dict[str, Any], is_charged: bool
) -> None:
    make_subscription(member=ada)
    make_subscription(member=ada, **changes)
    assert len(find_duplicates()) == (2 if is_charged else 0)
    sign_in(client)
    assert (WORDS in open_account_page(client)) == is_charged
