"""Refunds by staff: once, with a reason, and for chosen gifts."""

from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import actions, stripe_api
from campaigns.models import (
    Campaign,
    Gift,
    Membership,
    Payment,
    Refund,
    RefundOrder,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.due import claim_due
from tests.support.factories import make_member, make_payment
from tests.support.refunds import (
    WHY,
    buy_gifts,
    pay_and_settle,
    refund_payment,
    refund_url,
    statuses,
)
from tests.support.sales import place_order
from tests.support.staff import (
    admin_url,
    fill_in,
    grant_permissions,
    measure_primary_goal,
    read_messages,
    read_page,
)

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_payment_is_refunded_in_full(
    campaign: Campaign, sandbox: SandboxControl, client: Client, editor: User
) -> None:
    payment = pay_and_settle(place_order(campaign, "once"), sandbox)
    assert 'value="60.00"' in read_page(client.get(refund_url(payment)))
    response = refund_payment(client, payment)
    assert "Payment refunded: €60." in read_messages(response)
    order = RefundOrder.objects.get()
    assert (order.amount_minor, order.why, order.ordered_by) == (6000, WHY, editor)
    refund = Refund.objects.get()
    assert (refund.refund_id, refund.status) == (order.refund_id, "succeeded")
    assert Membership.objects.get().status == Membership.Status.ENDED
    assert measure_primary_goal(campaign) == 0
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (editor, str(payment.pk))
    assert WHY in entry.change_message
    page = read_page(response)
    assert "Refunded." in page
    assert WHY in page
    assert refund_url(payment) not in page
    response = client.get(refund_url(payment), follow=True)
    assert "This payment has been refunded in full" in read_messages(response)


@pytest.mark.usefixtures("editor")
def test_a_partial_refund_leaves_the_rest_valid(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    refund_payment(client, payment, amount="10.50")
    assert Refund.objects.get().amount_minor == 1050
    assert measure_primary_goal(campaign) == 1
    assert 'value="49.50"' in read_page(client.get(refund_url(payment)))


@pytest.mark.usefixtures("editor")
def test_a_partial_refund_does_not_revoke_a_gift(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox, number=1)
    refund_payment(client, payment, amount="10")
    assert statuses() == ["paid"]
    assert measure_primary_goal(campaign) == 1
    refund_payment(client, payment)
    assert statuses() == ["revoked"]
    assert measure_primary_goal(campaign) == 0


@pytest.mark.usefixtures("editor")
def test_a_single_gift_of_three_is_refunded(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    assert measure_primary_goal(campaign) == 3
    first, second, third = Gift.objects.order_by("position")
    response = refund_payment(client, payment, gifts=[str(second.pk)])
    assert "Payment refunded: €60. 1 gift was revoked." in read_messages(response)
    assert list(RefundOrder.objects.get().gifts.all()) == [second]
    assert statuses() == ["paid", "revoked", "paid"]
    assert measure_primary_goal(campaign) == 2
    # A refunded gift is not offered again.
    page = read_page(client.get(refund_url(payment)))
    assert str(second.pk) not in page
    refund_payment(client, payment, gifts=[str(first.pk), str(third.pk)])
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == payment.amount_minor
    assert measure_primary_goal(campaign) == 0


@pytest.mark.usefixtures("editor")
def test_a_refunded_claimed_gift_needs_a_decision(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    gift = Gift.objects.order_by("position")[0]
    actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
    response = refund_payment(client, payment, gifts=[str(gift.pk)])
    assert "1 gift was already claimed: revoke it or keep it." in read_messages(response)
    assert Membership.objects.get().status == Membership.Status.ACTIVE
    page = read_page(client.get(admin_url(Gift, "change", gift.pk)))
    assert "This gift was refunded (€60) on" in page


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed",
    [
        {"amount": "60.01"},
        {"amount": "0"},
        {"amount": "-1"},
        {"amount": "1.001"},
        {"amount": "NaN"},
        {"amount": ""},
        {"why": ""},
        {"reason": "boredom"},
    ],
)
def test_a_wrong_refund_is_refused(
    campaign: Campaign, sandbox: SandboxControl, client: Client, typed: dict[str, str]
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    response = refund_payment(client, payment, **typed)
    assert response.status_code == 422
    assert "errorlist" in read_page(response)
    assert not RefundOrder.objects.exists()


@pytest.mark.usefixtures("editor")
def test_at_least_one_gift_has_to_be_chosen(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    response = refund_payment(client, payment)
    assert response.status_code == 422
    assert "Choose at least one gift." in read_page(response)
    assert not RefundOrder.objects.exists()


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("amount", ["60", "10"])
def test_a_double_click_refunds_once(
    campaign: Campaign, sandbox: SandboxControl, client: Client, amount: str
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    url = refund_url(payment)
    fields = fill_in(client, url, why=WHY, reason="duplicate", amount=amount)
    client.post(url, fields)
    response = client.post(url, fields)
    assert response.status_code == 422
    assert f"editor has just ordered a refund of €{amount}." in read_page(response)
    assert "nothing else was refunded" in read_page(response)
    assert Refund.objects.get().amount_minor == int(amount) * 100
    assert RefundOrder.objects.count() == 1


@pytest.mark.usefixtures("editor")
def test_a_double_click_on_gifts_keeps_the_choice(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(campaign, sandbox)
    first, second, third = (str(gift.pk) for gift in Gift.objects.order_by("position"))
    url = refund_url(payment)
    fields: dict[str, Any] = fill_in(client, url, why=WHY, reason="duplicate")
    client.post(url, fields | {"gifts": [first]})
    response = client.post(url, fields | {"gifts": [second, third]})
    assert response.status_code == 422
    assert read_page(response).count(" checked") == 2
    assert statuses() == ["revoked", "paid", "paid"]


@pytest.mark.usefixtures("editor")
def test_stripes_reason_for_refusing_is_shown(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    url = refund_url(payment)
    fields = fill_in(client, url, why=WHY, reason="duplicate")
    # Refunded at Stripe, but not settled here yet.
    stripe_api.refund_payment(str(payment.intent_id), amount_minor=6000, idempotency_key="back")
    response = client.post(url, fields, follow=True)
    order = RefundOrder.objects.get()
    assert order.error.startswith("charge_already_refunded: ")
    words = "Reason: The payment has already been refunded in full."
    assert f"Stripe refused the refund, and nothing was refunded. {words}" in read_messages(
        response
    )
    listed = client.get(admin_url(RefundOrder, "changelist"), {"needs": "refused"})
    assert list(listed.context["cl"].result_list) == [order]
    assert f"{admin_url(RefundOrder, 'changelist')}?needs=refused" in read_page(
        client.get("/admin/")
    )


@pytest.mark.usefixtures("editor")
def test_a_refund_is_made_later_if_stripe_does_not_answer(
    campaign: Campaign, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    payment = pay_and_settle(place_order(campaign, "once"), sandbox)
    there = settings.STRIPE_API_BASE
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    response = refund_payment(client, payment)
    assert "is saved, and we’ll try again automatically" in read_messages(response)
    assert "We’ll try again automatically." in read_page(response)
    assert not Refund.objects.exists()
    settings.STRIPE_API_BASE = there
    [order_id] = claim_due("refunds", at=timezone.now() + timedelta(minutes=6))
    actions.execute_refund_order(order_id)
    assert Refund.objects.get().amount_minor == 6000


@pytest.mark.usefixtures("editor")
def test_an_offline_payment_is_not_refunded_at_stripe(client: Client, birthday: Campaign) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00", intent_id=None)
    assert refund_url(payment) not in read_page(
        client.get(admin_url(Payment, "change", payment.pk))
    )
    response = client.get(refund_url(payment), follow=True)
    assert "This payment didn’t come through Stripe" in read_messages(response)
    response = client.post(
        refund_url(payment),
        {"amount": "60", "why": WHY, "reason": "duplicate", "seen": "0"},
    )
    assert response.status_code == 422
    assert not RefundOrder.objects.exists()


def test_a_refund_needs_its_permission(client: Client, trainee: User, birthday: Campaign) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00")
    grant_permissions(trainee, "view_payment", "change_payment")
    assert client.get(admin_url(Payment, "change", payment.pk)).status_code == 200
    assert client.get(refund_url(payment)).status_code == 403
    assert client.post(refund_url(payment), {"amount": "60"}).status_code == 403
    assert client.get(admin_url(Payment, "assign_refund", payment.pk, 1)).status_code == 403
    grant_permissions(trainee, "refund_payment")
    trainee = User.objects.get(pk=trainee.pk)
    assert client.get(refund_url(payment)).status_code == 200
    assert client.get(admin_url(Payment, "refund", 999999)).status_code == 404
    assert client.get(admin_url(Payment, "assign_refund", payment.pk, 999999)).status_code == 404
