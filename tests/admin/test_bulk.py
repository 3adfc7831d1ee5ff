"""Actions on several rows show them and what will happen, and then touch exactly these rows."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns.admin import bulk
from campaigns.models import OutgoingMail, StripeEvent
from tests.admin.test_roles import ACTIONS
from tests.support.staff import MARKUP, admin_url, read_messages, read_page, store_event

pytestmark = pytest.mark.django_db

URL = admin_url(StripeEvent, "changelist")


def start(client: Client, *events: StripeEvent, **more: str) -> Any:
    fields = {"action": "replay", "_selected_action": [event.pk for event in events]}
    return client.post(URL, fields | more)


def count_due() -> int:
    return StripeEvent.objects.filter(is_replayed=True).count()


def test_every_action_says_what_it_does() -> None:
    assert {name for actions in ACTIONS.values() for name in actions} == set(bulk.EFFECTS)


@pytest.mark.usefixtures("editor")
def test_several_rows_are_shown_before_anything_happens(client: Client) -> None:
    events = [store_event(f"evt_{number}") for number in range(3)]
    StripeEvent.objects.filter(pk=events[2].pk).update(type=MARKUP)
    answer = start(client, *events)
    page = read_page(answer)
    assert answer.status_code == 200
    assert "You selected 3 rows." in page
    assert "fetched from Stripe again" in page
    assert "customer.updated" in page
    assert MARKUP not in page
    assert count_due() == 0
    answer = start(client, *events, confirmed="yes")
    assert answer.status_code == 302
    assert count_due() == 3


@pytest.mark.usefixtures("editor")
def test_a_single_row_needs_no_question(client: Client) -> None:
    answer = start(client, store_event())
    assert answer.status_code == 302
    assert count_due() == 1


@pytest.mark.usefixtures("editor")
def test_all_rows_are_the_filtered_ones_and_stay_those_that_were_shown(client: Client) -> None:
    for number in range(60):
        store_event(f"evt_{number}")
    other = store_event("evt_other", type="invoice.paid")
    fields = {"action": "replay", "select_across": "1", "_selected_action": "1"}
    answer = client.post(f"{URL}?type=customer.updated", fields)
    page = read_page(answer)
    assert "You selected 60 rows." in page
    assert "And 40 more." in page
    confirmed = {"_selected_action": answer.context["keys"], "select_across": "0", "confirmed": "1"}
    late = store_event("evt_late")
    client.post(
        f"{URL}?type=customer.updated",
        fields | confirmed,
    )
    assert count_due() == 60
    for row in (other, late):
        row.refresh_from_db()
        assert not row.is_replayed


@pytest.mark.usefixtures("editor")
def test_more_rows_than_fit_are_refused(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk, "MOST_AT_ONCE", 5)
    for number in range(6):
        store_event(f"evt_{number}")
    fields = {"action": "replay", "select_across": "1", "_selected_action": "1"}
    answer = client.post(URL, fields, follow=True)
    assert "more than 5 rows" in read_messages(answer)
    assert count_due() == 0


def test_a_preview_needs_the_permission_of_the_action(client: Client, trainee: User) -> None:
    for number in range(2):
        OutgoingMail.objects.create(key=str(number), kind="receipt")
    fields = {"action": "resend", "_selected_action": ["1", "2"]}
    assert client.post(admin_url(OutgoingMail, "changelist"), fields).status_code == 403
