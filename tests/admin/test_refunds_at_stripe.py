"""Refunds made in the Stripe Dashboard, which staff assign to gifts."""

from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.test import Client

from campaigns.models import (
    Campaign,
    Gift,
    Payment,
    Refund,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.refunds import buy_gifts, refund_at_stripe, refund_payment, refund_url, statuses
from tests.support.staff import admin_url, measure_primary_goal, read_messages, read_page

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.usefixtures("editor")
def test_a_refund_from_the_dashboard_needs_to_be_assigned(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    refund = refund_at_stripe(payment, 6000)
    assert statuses() == ["paid", "paid", "paid"]
    waiting = admin_url(Payment, "changelist") + "?needs=unassigned"
    assert waiting in read_page(client.get("/admin/"))
    assert list(client.get(waiting).context["cl"].result_list) == [payment]
    url = admin_url(Payment, "assign_refund", payment.pk, refund.pk)
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert "All of them stay valid and count" in page
    assert f'href="{url}"' in page
    # Before that it is unknown which gifts can still be refunded.
    assert "First choose the gifts" in read_messages(client.get(refund_url(payment), follow=True))

    third = Gift.objects.order_by("position")[2]
    response = client.post(url, {"gifts": [str(third.pk)], "seen": "0"}, follow=True)
    assert "Refund assigned to 1 gift. 1 gift was revoked." in read_messages(response)
    assert statuses() == ["paid", "paid", "revoked"]
    assert measure_primary_goal(campaign) == 2
    assert LogEntry.objects.get().object_id == str(payment.pk)
    assert list(client.get(waiting).context["cl"].result_list) == []
    # A refund is assigned once.
    response = client.post(url, {"seen": "0"}, follow=True)
    assert "this refund is already assigned" in read_messages(response)
    assert list(refund.gifts.all()) == [third]


@pytest.mark.usefixtures("editor")
def test_a_refund_can_be_assigned_to_no_gift(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    refund = refund_at_stripe(payment, 1000)
    url = admin_url(Payment, "assign_refund", payment.pk, refund.pk)
    response = client.post(url, {"seen": "0"}, follow=True)
    assert "Refund assigned to none of the gifts." in read_messages(response)
    assert statuses() == ["paid", "paid", "paid"]
    assert measure_primary_goal(campaign) == 3
    refund.refresh_from_db()
    assert refund.gifts_named_at is not None
    # The rest is less than the shares of all gifts, and is refunded in full.
    everything = [str(gift.pk) for gift in Gift.objects.all()]
    refund_payment(client, payment, gifts=everything)
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == payment.amount_minor
    assert measure_primary_goal(campaign) == 0


@pytest.mark.usefixtures("editor")
def test_more_than_the_unrefunded_amount_is_refused(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    refund = refund_at_stripe(payment, 13000)
    client.post(admin_url(Payment, "assign_refund", payment.pk, refund.pk), {"seen": "0"})
    first = Gift.objects.order_by("position")[0]
    response = refund_payment(client, payment, gifts=[str(first.pk)])
    assert response.status_code == 422
    assert "Only €50 can be refunded." in read_page(response)


@pytest.mark.usefixtures("editor")
def test_a_refund_is_not_assigned_to_gifts_of_another_payment(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    refund = refund_at_stripe(payment, 6000)
    url = admin_url(Payment, "assign_refund", payment.pk, refund.pk)
    response = client.post(url, {"gifts": [str(uuid4())], "seen": "0"})
    assert response.status_code == 422
    refund.refresh_from_db()
    assert refund.gifts_named_at is None


@pytest.mark.usefixtures("editor")
def test_a_full_refund_at_stripe_needs_no_assignment(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    refund_at_stripe(payment, payment.amount_minor)
    assert statuses() == ["revoked", "revoked", "revoked"]
    assert "Nothing at the moment." in read_page(client.get("/admin/"))
    assert not Tally.objects.filter(counted_until__isnull=True).exists()


@pytest.mark.usefixtures("editor")
def test_an_assignment_is_saved_while_stripe_does_not_answer(
    campaign: Campaign, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    payment = buy_gifts(campaign, sandbox)
    refund = refund_at_stripe(payment, 6000)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    first = Gift.objects.order_by("position")[0]
    url = admin_url(Payment, "assign_refund", payment.pk, refund.pk)
    response = client.post(url, {"gifts": [str(first.pk)], "seen": "0"}, follow=True)
    assert "Refund assigned. Stripe doesn’t answer" in read_messages(response)
    assert list(refund.gifts.all()) == [first]
