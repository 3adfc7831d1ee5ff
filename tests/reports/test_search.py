"""One search finds people, purchases, payments, gifts and Stripe's ids as staff type them."""

import pytest

from campaigns.models import Checkout, Gift, Member, Payment, Refund, StripeEvent
from campaigns.reports.search import MOST, search_everything
from tests.support.factories import (
    make_campaign,
    make_checkout,
    make_gift,
    make_member,
    make_payment,
    make_refund,
)
from tests.support.staff import store_event

pytestmark = pytest.mark.django_db


def _make_named(email: str, name: str) -> Member:
    member = make_member(email)
    Member.objects.filter(pk=member.pk).update(name=name)
    return member


@pytest.fixture
def ada() -> Member:
    return _make_named("ada@example.org", "Ada Lovelace")


@pytest.fixture
def payment(ada: Member) -> Payment:
    """€60, paid on 10 November."""
    birthday = make_campaign()
    checkout = make_checkout(birthday, email="ada@example.org")
    payment = make_payment(ada, birthday, "2026-11-10 12:00", checkout=checkout)
    Payment.objects.filter(pk=payment.pk).update(
        intent_id="pi_3Qabcdef123", charge_id="ch_3Qabcdef123", invoice_id="in_1Qabcdef123"
    )
    refund = make_refund(payment, "2026-11-11 12:00", 1000)
    Refund.objects.filter(pk=refund.pk).update(refund_id="re_3Qabcdef123")
    return payment


@pytest.fixture
def gift(ada: Member, payment: Payment) -> Gift:
    return make_gift(ada, payment.campaign, "2026-11-12 12:00", recipient_name="Ben Bitdiddle")


@pytest.mark.parametrize(
    "typed",
    ["ada@example.org", " ADA@Example.org ", "ada@", "Ada Lovelace", "lovelace", "ada"],
)
def test_a_person_is_found_by_address_or_name(payment: Payment, ada: Member, typed: str) -> None:
    assert search_everything(typed).people == [ada]


def test_a_person_is_found_by_an_address_of_before(ada: Member) -> None:
    ada.former_addresses.create(email="countess@example.org")
    assert search_everything("Countess@example.org").people == [ada]


def test_a_payment_under_another_address_is_found_by_that_address(ada: Member) -> None:
    birthday = make_campaign()
    order = make_checkout(birthday, email="typo@example.org")
    payment = make_payment(ada, birthday, "2026-11-10 12:00", checkout=order)
    found = search_everything("typo@example.org")
    assert found.payments == [payment]
    assert found.purchases == [order]


@pytest.mark.parametrize(
    "typed", ["pi_3Qabcdef123", "ch_3Qabcdef123", "in_1Qabcdef123", "re_3Qabcdef123"]
)
def test_a_payment_is_found_by_each_of_its_ids_at_stripe(payment: Payment, typed: str) -> None:
    assert search_everything(typed).payments == [payment]


@pytest.mark.parametrize(
    ("typed", "is_found"),
    [
        ("60", True),
        ("€60", True),
        ("60.00", True),
        ("60,00", True),
        ("60 2026-11-10", True),
        ("10.11.2026", True),
        ("2026-11-10", True),
        ("7", False),
        ("60.01", False),
        ("60 2026-11-09", False),
        ("2026-13-45", False),
    ],
)
def test_a_payment_is_found_by_amount_and_day(payment: Payment, typed: str, is_found: bool) -> None:
    assert (search_everything(typed).payments == [payment]) is is_found


def test_a_gift_is_found_by_its_code_its_hint_and_its_recipient(gift: Gift) -> None:
    for typed in (gift.code, gift.code.lower().replace("-", " "), gift.code_hint, "bitdiddle"):
        assert search_everything(typed).gifts == [gift], typed


def test_an_event_of_a_payment_that_is_not_ours_is_found_by_the_payments_id() -> None:
    event = store_event()
    StripeEvent.objects.filter(pk=event.pk).update(object_id="ch_foreign123")
    found = search_everything("ch_foreign123")
    assert found.events == [event]
    assert found.payments == []


@pytest.mark.parametrize("typed", ["", "   ", "%", "_", "\0", "x" * 10_000, "@", "' OR 1=1 --"])
def test_a_search_that_means_nothing_finds_nothing(payment: Payment, typed: str) -> None:
    assert search_everything(typed).rows == []


def test_no_more_than_a_page_of_each_kind_is_shown() -> None:
    for number in range(MOST + 5):
        _make_named(f"reader{number}@example.org", "Common Name")
    assert len(search_everything("common").people) == MOST


def test_an_order_that_was_never_paid_is_found_by_its_name(ada: Member) -> None:
    order = make_checkout(make_campaign(), email="eve@example.org")
    Checkout.objects.filter(pk=order.pk).update(name="Eve Online")
    assert search_everything("eve online").purchases == [order]
