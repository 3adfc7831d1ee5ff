"""Money given back by staff: once, with a reason, and with the gifts that it meant."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Membership,
    OptOut,
    Payment,
    Price,
    Refund,
    RefundOrder,
    Tally,
)
from campaigns.models.opt_out import hash_address
from newsroom.sandbox.control import SandboxControl
from tests.admin.pages import address, counted, filled, page_of, permit, told
from tests.factories import make_member, make_payment
from tests.test_settlement import order_membership

pytestmark = pytest.mark.django_db(transaction=True)

CARD = "4242424242424242"
WHY = "bought by mistake"


def buy_gifts(drive: Campaign, sandbox: SandboxControl, number: int = 3) -> Payment:
    wanted = [
        {"recipient_name": name, "recipient_email": f"{name.lower()}@example.org"}
        for name in ("Ben", "Cleo", "Dan")[:number]
    ]
    checkout = checkouts.start_checkout(
        uuid4(),
        checkouts.Order(
            kind=Checkout.Kind.GIFT,
            price=Price.objects.get(kind="gift"),
            email="ada@example.org",
            name="Ada Reader",
            language="en",
            campaign=drive,
            typed={"gifts": wanted},
        ),
    )
    return pay(checkout, sandbox)


def pay(checkout: Checkout, sandbox: SandboxControl) -> Payment:
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    sandbox.advance(3600)
    return Payment.objects.get()


def give_back_url(payment: Payment) -> str:
    return address(Payment, "give_back", payment.pk)


def give_back(client: Client, payment: Payment, **typed: Any) -> Any:
    url = give_back_url(payment)
    fields = filled(client, url, why=WHY, reason="requested_by_customer")
    return client.post(url, fields | typed, follow=True)


def refund_at_stripe(payment: Payment, amount_minor: int) -> Refund:
    """As in Stripe's own dashboard, which says nothing of gifts."""
    refund = stripe_api.refund_payment(
        str(payment.intent_id), amount_minor=amount_minor, idempotency_key="dashboard"
    )
    assert payment.checkout is not None
    settlement.settle_checkout(payment.checkout.pk)
    return Refund.objects.get(refund_id=refund["id"])


def statuses() -> list[str]:
    return list(Gift.objects.order_by("position").values_list("status", flat=True))


def test_a_payment_is_given_back_in_full(
    drive: Campaign, sandbox: SandboxControl, client: Client, editor: User
) -> None:
    payment = pay(order_membership(drive, "once"), sandbox)
    assert 'value="60.00"' in page_of(client.get(give_back_url(payment)))
    response = give_back(client, payment)
    assert "€60 was given back." in told(response)
    order = RefundOrder.objects.get()
    assert (order.amount_minor, order.why, order.ordered_by) == (6000, WHY, editor)
    refund = Refund.objects.get()
    assert (refund.refund_id, refund.status) == (order.refund_id, "succeeded")
    assert Membership.objects.get().status == Membership.Status.ENDED
    assert counted(drive) == 0
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (editor, str(payment.pk))
    assert WHY in entry.change_message
    page = page_of(response)
    assert "Given back." in page
    assert WHY in page
    assert give_back_url(payment) not in page
    response = client.get(give_back_url(payment), follow=True)
    assert "All of this payment is given back already" in told(response)


@pytest.mark.usefixtures("editor")
def test_a_part_is_given_back_and_the_rest_stands(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay(order_membership(drive), sandbox)
    give_back(client, payment, amount="10.50")
    assert Refund.objects.get().amount_minor == 1050
    assert counted(drive) == 1
    assert 'value="49.50"' in page_of(client.get(give_back_url(payment)))


@pytest.mark.usefixtures("editor")
def test_a_part_of_one_gift_does_not_revoke_it(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox, number=1)
    give_back(client, payment, amount="10")
    assert statuses() == ["paid"]
    assert counted(drive) == 1
    give_back(client, payment)
    assert statuses() == ["revoked"]
    assert counted(drive) == 0


@pytest.mark.usefixtures("editor")
def test_of_three_gifts_one_is_given_back_and_the_others_stand(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    assert counted(drive) == 3
    first, second, third = Gift.objects.order_by("position")
    response = give_back(client, payment, gifts=[str(second.pk)])
    assert "€60 was given back. 1 gift is revoked." in told(response)
    assert list(RefundOrder.objects.get().gifts.all()) == [second]
    assert statuses() == ["paid", "revoked", "paid"]
    assert counted(drive) == 2
    # What is given back already is not offered again; all of the rest is the rest.
    page = page_of(client.get(give_back_url(payment)))
    assert str(second.pk) not in page
    give_back(client, payment, gifts=[str(first.pk), str(third.pk)])
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == payment.amount_minor
    assert counted(drive) == 0


@pytest.mark.usefixtures("editor")
def test_a_claimed_gift_whose_share_is_given_back_waits_for_a_word(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    gift = Gift.objects.order_by("position")[0]
    settlement.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
    response = give_back(client, payment, gifts=[str(gift.pk)])
    assert "1 gift was claimed before: revoke it or keep it." in told(response)
    assert Membership.objects.get().status == Membership.Status.ACTIVE
    page = page_of(client.get(address(Gift, "change", gift.pk)))
    assert "€60 was given back on" in page
    assert "this gift was meant by it" in page


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
def test_a_refund_with_a_fault_is_not_ordered(
    drive: Campaign, sandbox: SandboxControl, client: Client, typed: dict[str, str]
) -> None:
    payment = pay(order_membership(drive), sandbox)
    response = give_back(client, payment, **typed)
    assert response.status_code == 422
    assert "errorlist" in page_of(response)
    assert not RefundOrder.objects.exists()


@pytest.mark.usefixtures("editor")
def test_of_several_gifts_at_least_one_is_chosen(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    response = give_back(client, payment)
    assert response.status_code == 422
    assert "Choose at least one." in page_of(response)
    assert not RefundOrder.objects.exists()


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("amount", ["60", "10"])
def test_a_double_click_refunds_once(
    drive: Campaign, sandbox: SandboxControl, client: Client, amount: str
) -> None:
    payment = pay(order_membership(drive), sandbox)
    url = give_back_url(payment)
    fields = filled(client, url, why=WHY, reason="duplicate", amount=amount)
    client.post(url, fields)
    response = client.post(url, fields)
    assert response.status_code == 422
    assert f"Meanwhile a refund of €{amount} was ordered by editor" in page_of(response)
    assert "Nothing more was given back." in page_of(response)
    assert Refund.objects.get().amount_minor == int(amount) * 100
    assert RefundOrder.objects.count() == 1


@pytest.mark.usefixtures("editor")
def test_a_double_click_on_gifts_keeps_what_was_ticked(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    first, second, third = (str(gift.pk) for gift in Gift.objects.order_by("position"))
    url = give_back_url(payment)
    fields: dict[str, Any] = filled(client, url, why=WHY, reason="duplicate")
    client.post(url, fields | {"gifts": [first]})
    response = client.post(url, fields | {"gifts": [second, third]})
    assert response.status_code == 422
    assert page_of(response).count(" checked") == 2
    assert statuses() == ["revoked", "paid", "paid"]


@pytest.mark.usefixtures("editor")
def test_stripes_reason_for_refusing_is_shown(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay(order_membership(drive), sandbox)
    url = give_back_url(payment)
    fields = filled(client, url, why=WHY, reason="duplicate")
    # Given back at Stripe, and not told to us yet.
    stripe_api.refund_payment(str(payment.intent_id), amount_minor=6000, idempotency_key="back")
    response = client.post(url, fields, follow=True)
    order = RefundOrder.objects.get()
    assert order.error
    assert "Stripe refused, and nothing was given back. Its reason:" in told(response)
    assert order.error in told(response)
    listed = client.get(address(RefundOrder, "changelist"), {"needs": "refused"})
    assert list(listed.context["cl"].result_list) == [order]
    assert f"{address(RefundOrder, 'changelist')}?needs=refused" in page_of(client.get("/admin/"))


@pytest.mark.usefixtures("editor")
def test_while_stripe_is_silent_a_refund_is_written_down_and_made_later(
    drive: Campaign, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    payment = pay(order_membership(drive, "once"), sandbox)
    there = settings.STRIPE_API_BASE
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    response = give_back(client, payment)
    assert "is written down and will be tried again by itself" in told(response)
    assert "it is tried again by itself" in page_of(response)
    assert not Refund.objects.exists()
    settings.STRIPE_API_BASE = there
    [order_id] = settlement.due_refund_ids(at=timezone.now() + timedelta(minutes=6))
    settlement.carry_out_refund(order_id)
    assert Refund.objects.get().amount_minor == 6000


@pytest.mark.usefixtures("editor")
def test_what_did_not_come_by_stripe_is_not_given_back_there(
    client: Client, birthday: Campaign
) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00", intent_id=None)
    assert give_back_url(payment) not in page_of(client.get(address(Payment, "change", payment.pk)))
    response = client.get(give_back_url(payment), follow=True)
    assert "It did not come by Stripe" in told(response)
    response = client.post(
        give_back_url(payment),
        {"amount": "60", "why": WHY, "reason": "duplicate", "seen": "0"},
    )
    assert response.status_code == 422
    assert not RefundOrder.objects.exists()


def test_the_permission_to_order_refunds_is_needed(
    client: Client, trainee: User, birthday: Campaign
) -> None:
    payment = make_payment(make_member(), birthday, "2026-11-10 12:00")
    permit(trainee, "view_payment", "change_payment")
    assert client.get(address(Payment, "change", payment.pk)).status_code == 200
    assert client.get(give_back_url(payment)).status_code == 403
    assert client.post(give_back_url(payment), {"amount": "60"}).status_code == 403
    assert client.get(address(Payment, "name_gifts", payment.pk, 1)).status_code == 403
    permit(trainee, "add_refundorder")
    trainee = User.objects.get(pk=trainee.pk)
    assert client.get(give_back_url(payment)).status_code == 200
    assert client.get(address(Payment, "give_back", 999999)).status_code == 404
    assert client.get(address(Payment, "name_gifts", payment.pk, 999999)).status_code == 404


# Refunds from Stripe's own dashboard


@pytest.mark.usefixtures("editor")
def test_a_refund_of_stripes_dashboard_waits_until_its_gifts_are_named(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    refund = refund_at_stripe(payment, 6000)
    assert statuses() == ["paid", "paid", "paid"]
    waiting = address(Payment, "changelist") + "?needs=unnamed"
    assert waiting in page_of(client.get("/admin/"))
    assert list(client.get(waiting).context["cl"].result_list) == [payment]
    url = address(Payment, "name_gifts", payment.pk, refund.pk)
    page = page_of(client.get(address(Payment, "change", payment.pk)))
    assert "all of them stand and count" in page
    assert f'href="{url}"' in page
    # Until then nobody knows which are left to be given back.
    assert "First say which gifts" in told(client.get(give_back_url(payment), follow=True))

    third = Gift.objects.order_by("position")[2]
    response = client.post(url, {"gifts": [str(third.pk)], "seen": "0"}, follow=True)
    assert "The refund meant 1 gift. 1 gift is revoked." in told(response)
    assert statuses() == ["paid", "paid", "revoked"]
    assert counted(drive) == 2
    assert LogEntry.objects.get().object_id == str(payment.pk)
    assert list(client.get(waiting).context["cl"].result_list) == []
    # Said once, it is said.
    response = client.post(url, {"seen": "0"}, follow=True)
    assert "it is known which gifts this refund meant" in told(response)
    assert list(refund.gifts.all()) == [third]


@pytest.mark.usefixtures("editor")
def test_a_refund_may_have_meant_none_of_the_gifts(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    refund = refund_at_stripe(payment, 1000)
    url = address(Payment, "name_gifts", payment.pk, refund.pk)
    response = client.post(url, {"seen": "0"}, follow=True)
    assert "meant none of the gifts" in told(response)
    assert statuses() == ["paid", "paid", "paid"]
    assert counted(drive) == 3
    refund.refresh_from_db()
    assert refund.gifts_named_at is not None
    # All of the rest is less than the shares of all, and is given back as it is.
    everything = [str(gift.pk) for gift in Gift.objects.all()]
    give_back(client, payment, gifts=everything)
    assert sum(Refund.objects.values_list("amount_minor", flat=True)) == payment.amount_minor
    assert counted(drive) == 0


@pytest.mark.usefixtures("editor")
def test_shares_beyond_what_is_left_are_refused(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    refund = refund_at_stripe(payment, 13000)
    client.post(address(Payment, "name_gifts", payment.pk, refund.pk), {"seen": "0"})
    first = Gift.objects.order_by("position")[0]
    response = give_back(client, payment, gifts=[str(first.pk)])
    assert response.status_code == 422
    assert "Only €50 is left." in page_of(response)


@pytest.mark.usefixtures("editor")
def test_gifts_of_another_payment_were_not_meant(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    refund = refund_at_stripe(payment, 6000)
    url = address(Payment, "name_gifts", payment.pk, refund.pk)
    response = client.post(url, {"gifts": [str(uuid4())], "seen": "0"})
    assert response.status_code == 422
    refund.refresh_from_db()
    assert refund.gifts_named_at is None


@pytest.mark.usefixtures("editor")
def test_a_payment_given_back_in_full_at_stripe_leaves_nothing_to_say(
    drive: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = buy_gifts(drive, sandbox)
    refund_at_stripe(payment, payment.amount_minor)
    assert statuses() == ["revoked", "revoked", "revoked"]
    assert "Needs a person" not in page_of(client.get("/admin/"))
    assert not Tally.objects.filter(counted_until__isnull=True).exists()


@pytest.mark.usefixtures("editor")
def test_while_stripe_is_silent_it_is_kept_which_gifts_were_meant(
    drive: Campaign, sandbox: SandboxControl, client: Client, settings: LazySettings
) -> None:
    payment = buy_gifts(drive, sandbox)
    refund = refund_at_stripe(payment, 6000)
    settings.STRIPE_API_BASE = "http://127.0.0.1:9"
    first = Gift.objects.order_by("position")[0]
    url = address(Payment, "name_gifts", payment.pk, refund.pk)
    response = client.post(url, {"gifts": [str(first.pk)], "seen": "0"}, follow=True)
    assert "It is written down which gifts were meant." in told(response)
    assert list(refund.gifts.all()) == [first]


# Who wants no reminders


@pytest.mark.usefixtures("editor")
def test_who_wants_no_reminders_is_found_by_the_whole_address_alone(client: Client) -> None:
    kept = OptOut.objects.create(address_hash=hash_address("ada@example.org"))
    OptOut.objects.create(address_hash=hash_address("ben@example.org"))
    for typed, found in [(" ADA@example.org ", [kept]), ("ada", [])]:
        response = client.get(address(OptOut, "changelist"), {"q": typed})
        assert list(response.context["cl"].result_list) == found
