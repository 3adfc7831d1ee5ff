"""The mailing tool reports unsubscribes and bounces to us with its token."""

from typing import Any

import pytest
from django.test import Client

from campaigns import members
from campaigns.models import ApiClient, Subscription
from tests.support.newsletters import ADA, make_newsletter, make_subscription, statuses
from tests.support.openapi import list_faults

pytestmark = [pytest.mark.django_db, pytest.mark.once]
PATH = "/api/newsletters/unsubscribe"


def make_client(*, may_unsubscribe: bool = True) -> str:
    client = ApiClient(name=f"Tool {may_unsubscribe}", may_unsubscribe=may_unsubscribe)
    token = members.make_token(client)
    client.save()
    return token


@pytest.fixture(autouse=True)
def ada() -> None:
    for slug in ("morning", "war"):
        make_subscription(make_newsletter(slug))


def report(token: str, body: dict[str, Any], **how: Any) -> Any:
    browser = Client(enforce_csrf_checks=True)
    return browser.post(PATH, body, headers={"Authorization": f"Bearer {token}"}, **how)


def test_a_report_ends_all_subscriptions_of_an_address() -> None:
    token = make_client()
    answer = report(token, {"email": " ADA@example.org ", "reason": "hard bounce"})
    assert answer.json() == {"ended": 2, "unchanged": 0}
    assert list_faults(answer.json(), path=PATH, method="post") == []
    assert statuses() == {"morning": "unsubscribed", "war": "unsubscribed"}
    assert set(Subscription.objects.values_list("cause", flat=True)) == {"bounce"}
    assert report(token, {"email": ADA}).json() == {"ended": 0, "unchanged": 2}


def test_a_report_in_json_ends_one_newsletter() -> None:
    body = {"email": ADA, "newsletter": "war", "reason": "unsubscribed"}
    answer = report(make_client(), body, content_type="application/json")
    assert answer.json() == {"ended": 1, "unchanged": 0}
    assert statuses() == {"morning": "confirmed", "war": "unsubscribed"}
    assert Subscription.objects.get(newsletter__slug="war").cause == "tool"


def test_an_unknown_address_is_no_error() -> None:
    answer = report(make_client(), {"email": "nobody@example.org"})
    assert (answer.status_code, answer.json()) == (200, {"ended": 0, "unchanged": 0})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "no address"},
        {"email": ADA, "newsletter": "none"},
        {"email": ADA, "newsletter": "\0"},
        {"email": [ADA]},
    ],
    ids=str,
)
def test_what_cannot_be_read_ends_nothing(body: dict[str, Any]) -> None:
    answer = report(make_client(), body, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert set(statuses().values()) == {"confirmed"}


@pytest.mark.parametrize("text", ["[]", "{", "null", '"x"'])
def test_other_json_is_refused(text: str) -> None:
    headers = {"Authorization": f"Bearer {make_client()}"}
    answer = Client().post(PATH, text, content_type="application/json", headers=headers)
    assert answer.status_code == 400


def test_a_token_for_questions_may_end_nothing() -> None:
    answer = report(make_client(may_unsubscribe=False), {"email": ADA})
    assert answer.status_code == 403
    assert report("nra_wrong", {"email": ADA}).status_code == 401
    assert Client().get(PATH).status_code == 405
    assert set(statuses().values()) == {"confirmed"}
