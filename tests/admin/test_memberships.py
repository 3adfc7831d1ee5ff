"""Subscriptions that staff end, at the end of the paid period or now."""

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import memberships, stripe_api
from campaigns.models import Campaign, Membership, Tally
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_member, make_plan
from tests.support.pages import UNREACHABLE
from tests.support.sales import subscribe
from tests.support.staff import admin_url, fill_in, grant_permissions, read_messages, read_page

WHY = "She wrote that she moves away"

clock = _clock  # a fixture
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def running(campaign: Campaign, sandbox: SandboxControl, clock: Clock) -> Membership:
    return subscribe(campaign, sandbox)


def url_of(membership: Membership, name: str) -> str:
    return admin_url(Membership, name, membership.pk)


def end(client: Client, membership: Membership, name: str) -> str:
    """End the subscription as staff do, and return the messages."""
    url = url_of(membership, name)
    return read_messages(client.post(url, fill_in(client, url, why=WHY), follow=True))


def test_a_membership_ends_now_with_a_reason(
    running: Membership, clock: Clock, client: Client, editor: User
) -> None:
    clock.move_to(at("2026-11-20 12:00"))
    page = read_page(client.get(admin_url(Membership, "change", running.pk)))
    assert url_of(running, "end") in page
    assert url_of(running, "cancel") in page
    assert "Membership ended." in end(client, running, "end")
    running.refresh_from_db()
    assert (running.status, running.ended_at) == ("ended", at("2026-11-20 12:00"))
    assert stripe_api.fetch_subscription(str(running.subscription_id)).status == "canceled"
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (editor, str(running.pk))
    assert WHY in entry.change_message
    assert Tally.objects.get().counted_until is None
    page = read_page(client.get(admin_url(Membership, "change", running.pk)))
    assert url_of(running, "end") not in page


@pytest.mark.usefixtures("editor")
def test_a_subscription_is_cancelled_at_the_end_of_the_paid_period(
    running: Membership, clock: Clock, client: Client
) -> None:
    assert "Subscription cancelled." in end(client, running, "cancel")
    running.refresh_from_db()
    assert (running.status, running.is_cancelling) == ("active", True)
    url = url_of(running, "cancel")
    assert "This membership is already cancelled" in read_messages(client.get(url, follow=True))
    assert "Membership ended." in end(client, running, "end")  # now after all
    assert LogEntry.objects.count() == 2


@pytest.mark.usefixtures("editor")
def test_a_second_click_or_a_missing_reason_changes_nothing(
    running: Membership, client: Client
) -> None:
    url = url_of(running, "end")
    assert client.post(url, {"why": ""}).status_code == 422
    running.refresh_from_db()
    assert running.status == "active"
    client.post(url, {"why": WHY})
    again = client.post(url, {"why": WHY})
    assert again.status_code == 422
    assert "This membership has already ended." in read_page(again)
    assert LogEntry.objects.count() == 1


@pytest.mark.usefixtures("editor")
def test_no_membership_ends_while_stripe_does_not_answer(
    running: Membership, client: Client, settings: LazySettings
) -> None:
    settings.STRIPE_API_BASE = UNREACHABLE
    answer = client.post(url_of(running, "end"), {"why": WHY})
    assert answer.status_code == 422
    assert "Stripe doesn’t answer." in read_page(answer)
    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("editor")
def test_an_imported_membership_cannot_be_ended(client: Client) -> None:
    imported = Membership.objects.create(
        member=make_member(), source="imported", started_at=at("2026-11-10 12:00")
    )
    page = read_page(client.get(admin_url(Membership, "change", imported.pk)))
    assert url_of(imported, "end") not in page
    answer = client.get(url_of(imported, "end"), follow=True)
    assert "You can end only a subscription that was bought" in read_messages(answer)


@pytest.mark.usefixtures("editor")
def test_a_granted_membership_ends_now_only(client: Client) -> None:
    granted = memberships.grant_membership(
        make_member(),
        plan=make_plan(),
        source=Membership.Source.GRANTED,
        starts_at=timezone.now(),
        months=12,
    )
    page = read_page(client.get(admin_url(Membership, "change", granted.pk)))
    assert url_of(granted, "end") in page
    assert url_of(granted, "cancel") not in page
    assert "Membership ended." in end(client, granted, "end")
    granted.refresh_from_db()
    assert granted.status == "ended"
    assert WHY in LogEntry.objects.get().change_message


def test_staff_with_view_permission_end_nothing(
    running: Membership, client: Client, trainee: User
) -> None:
    grant_permissions(trainee, "view_membership")
    page = read_page(client.get(admin_url(Membership, "change", running.pk)))
    for name in ("end", "cancel"):
        assert url_of(running, name) not in page
        assert client.post(url_of(running, name), {"why": WHY}).status_code == 403
    running.refresh_from_db()
    assert (running.status, running.is_cancelling) == ("active", False)
