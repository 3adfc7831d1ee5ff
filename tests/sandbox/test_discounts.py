"""Coupons and promotion codes on Checkout Sessions, and automatic tax."""

from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl, SandboxError

from .conftest import OpenSession


@pytest.fixture
def half(control: SandboxControl, stripe_client: stripe.StripeClient) -> stripe.PromotionCode:
    """SPRING: half of the first payment."""
    return make_code(stripe_client, "SPRING", {"percent_off": 50, "duration": "once"})


def make_code(
    client: stripe.StripeClient, code: str, coupon: dict[str, Any], **more: Any
) -> stripe.PromotionCode:
    made = client.v1.coupons.create(coupon)  # type: ignore[arg-type]
    params: Any = {"promotion": {"type": "coupon", "coupon": made.id}, "code": code, **more}
    return client.v1.promotion_codes.create(params)


def read_totals(session: stripe.checkout.Session) -> tuple[int | None, int | None, int | None]:
    assert session.total_details is not None
    return session.amount_subtotal, session.total_details.amount_discount, session.amount_total


def test_a_code_typed_on_the_page_lowers_the_first_payment_only(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    half: stripe.PromotionCode,
) -> None:
    session = open_membership(allow_promotion_codes=True)
    assert read_totals(session) == (6000, 0, 6000)
    assert control.pay(session.id, promotion_code="spring")["status"] == "paid"
    paid = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice", "line_items"]}
    )
    assert (paid.payment_status, read_totals(paid)) == ("paid", (6000, 3000, 3000))
    assert paid.discounts is not None
    assert [each.promotion_code for each in paid.discounts] == [half.id]
    assert paid.line_items is not None
    assert paid.line_items.data[0].amount_discount == 3000
    assert isinstance(paid.subscription, stripe.Subscription)
    assert [charge.amount for charge in stripe_client.v1.charges.list().data] == [3000]
    assert control.renew(paid.subscription.id)["total"] == 6000
    used = stripe_client.v1.promotion_codes.retrieve(half.id)
    coupon = stripe_client.v1.coupons.retrieve(str(half.promotion.coupon))
    assert (used.times_redeemed, coupon.times_redeemed) == (1, 1)


def test_a_free_first_period_takes_the_card_but_no_payment(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    make_code(stripe_client, "FREE", {"percent_off": 100, "duration": "once"})
    session = open_membership(allow_promotion_codes=True)
    control.pay(session.id, promotion_code="FREE")
    paid = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice.payments"]}
    )
    assert (paid.status, paid.payment_status) == ("complete", "no_payment_required")
    assert isinstance(paid.subscription, stripe.Subscription)
    invoice = paid.subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    assert (invoice.status, invoice.total, invoice.amount_paid) == ("paid", 0, 0)
    assert invoice.payments is not None
    assert invoice.payments.data == []
    assert paid.subscription.status == "active"
    assert stripe_client.v1.charges.list().data == []
    assert control.renew(paid.subscription.id)["total"] == 6000


def test_a_session_can_be_opened_with_a_coupon(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    coupon = stripe_client.v1.coupons.create({"amount_off": 800, "currency": "eur"})
    session = open_gift(discounts=[{"coupon": coupon.id}], customer_email="ada@example.org")
    assert read_totals(session) == (4800, 800, 4000)
    control.pay(session.id)
    assert [charge.amount for charge in stripe_client.v1.charges.list().data] == [4000]
    assert stripe_client.v1.coupons.retrieve(coupon.id).times_redeemed == 1


@pytest.mark.parametrize(
    "restriction",
    [
        {"active": False},
        {"restrictions": {"minimum_amount": 9000, "minimum_amount_currency": "eur"}},
        {"expires_at": 1},
    ],
)
def test_a_code_that_can_not_be_used_is_refused_on_the_page(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    open_membership: OpenSession,
    restriction: dict[str, Any],
) -> None:
    make_code(stripe_client, "LATE", {"percent_off": 50}, **restriction)
    session = open_membership(allow_promotion_codes=True)
    with pytest.raises(SandboxError, match="This code is invalid"):
        control.pay(session.id, promotion_code="LATE")
    assert session.url is not None
    data = urlencode({"promotion_code": "LATE"}).encode()
    with pytest.raises(OSError, match="422") as refused:
        urlopen(session.url, data)  # noqa: S310
    assert "This code is invalid." in refused.value.read().decode()  # type: ignore[attr-defined]


def test_a_used_up_coupon_is_refused_with_stripes_code(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    coupon = stripe_client.v1.coupons.create({"percent_off": 10, "max_redemptions": 1})
    session = open_gift(discounts=[{"coupon": coupon.id}])
    control.pay(session.id)
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_gift(discounts=[{"coupon": coupon.id}])
    assert refused.value.code == "coupon_expired"


@pytest.mark.parametrize(
    ("params", "code", "words"),
    [
        ({"discounts": [{"coupon": "none"}]}, "resource_missing", "No such coupon"),
        (
            {"discounts": [{"promotion_code": "promo_none"}]},
            "resource_missing",
            "No such promotion code",
        ),
        (
            {"discounts": [{"coupon": "none"}], "allow_promotion_codes": True},
            None,
            "only specify one of these parameters",
        ),
        ({"automatic_tax": {"enabled": True}}, None, "tax_behavior"),
    ],
)
def test_a_session_is_refused_as_at_stripe(
    open_gift: OpenSession, params: dict[str, Any], code: str | None, words: str
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match=words) as refused:
        open_gift(**params)
    assert refused.value.code == code


def test_a_discount_may_not_leave_less_than_the_smallest_payment(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    coupon = stripe_client.v1.coupons.create({"amount_off": 4770, "currency": "eur"})
    with pytest.raises(stripe.InvalidRequestError) as refused:
        open_gift(discounts=[{"coupon": coupon.id}])
    assert refused.value.code == "amount_too_small"


def test_automatic_tax_is_complete_once_the_address_is_known(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    price = stripe_client.v1.prices.create(
        {
            "product": "membership",
            "currency": "eur",
            "unit_amount": 6000,
            "recurring": {"interval": "year"},
            "tax_behavior": "inclusive",
        }
    )
    session = open_membership(price=price.id, automatic_tax={"enabled": True})
    assert session.automatic_tax.status == "requires_location_inputs"
    control.pay(session.id)
    paid = stripe_client.v1.checkout.sessions.retrieve(
        session.id, {"expand": ["subscription.latest_invoice"]}
    )
    assert isinstance(paid.subscription, stripe.Subscription)
    invoice = paid.subscription.latest_invoice
    assert isinstance(invoice, stripe.Invoice)
    for tax in (paid.automatic_tax, invoice.automatic_tax):
        assert (tax.enabled, tax.status) == (True, "complete")
    assert paid.amount_total == invoice.total == 6000
