"""A form leads to one open session at Stripe, even after errors and repeats."""

from dataclasses import replace
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import LazySettings
from django.urls import reverse
from stripe._encode import _api_encode

from campaigns import checkout as checkouts
from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Checkout, Price, Tally
from campaigns.origins import Origin
from campaigns.stripe_api import connection
from newsroom.sandbox.control import SandboxControl
from tests.sandbox import schema
from tests.support.lost_answers import SESSIONS, lose_answers
from tests.support.threads import race

CARD = "4242424242424242"
UNREACHABLE = "http://127.0.0.1:9"  # no server listens on this port


@pytest.fixture
def order(campaign: Campaign) -> checkouts.Order:
    return checkouts.Order(
        kind=Checkout.Kind.JOIN,
        price=Price.objects.get(kind="year"),
        email="ada@example.org",
        name="Ada Reader",
        language="en",
        campaign=campaign,
        origin=Origin(placement="article_end"),
    )


def gift_order(order: checkouts.Order, *, gifts: int = 1) -> checkouts.Order:
    wanted = {"recipient_name": "Ben", "recipient_email": "ben@example.org", "message": "Read!"}
    return replace(
        order,
        kind=Checkout.Kind.GIFT,
        price=Price.objects.get(kind="gift"),
        typed={"gifts": [wanted] * gifts},
    )


def sessions() -> list[dict[str, Any]]:
    """Return every session at the sandbox, newest first."""
    page = stripe_api.client().v1.checkout.sessions.list({"limit": 100})
    return [session.to_dict() for session in page.auto_paging_iter()]


def open_sessions() -> list[str]:
    return [session["id"] for session in sessions() if session["status"] == "open"]


# The request


@pytest.mark.parametrize("kind", ["month", "year", "once"])
@pytest.mark.parametrize("language", ["en", "uk"])
def test_the_request_matches_stripes_schema(
    order: checkouts.Order, kind: str, language: str
) -> None:
    order = replace(order, price=Price.objects.get(kind=kind), language=language)
    checkout = checkouts.start_checkout(uuid4(), order)
    params = checkouts.session_params(checkout)
    schema.check_request("POST", SESSIONS, _encode(params))
    assert params["mode"] == ("payment" if kind == "once" else "subscription")
    assert params["locale"] == {"en": "en", "uk": "auto"}[language]
    assert params["line_items"] == [{"price": order.price.stripe_price_id, "quantity": 1}]
    assert str(checkout.pk) in params["success_url"]
    assert params["cancel_url"].endswith(
        reverse("campaigns:cancelled", kwargs={"checkout_id": checkout.pk})
    )


def test_several_gifts_are_one_line_item(order: checkouts.Order) -> None:
    checkout = checkouts.start_checkout(uuid4(), gift_order(order, gifts=3))
    params = checkouts.session_params(checkout)
    schema.check_request("POST", SESSIONS, _encode(params))
    assert params["mode"] == "payment"
    assert params["line_items"][0]["quantity"] == 3
    assert checkout.amount_minor == 3 * order.price.amount_minor
    assert sessions()[0]["amount_total"] == checkout.amount_minor


def _encode(params: dict[str, Any]) -> str:
    return "&".join(f"{name}={value}" for name, value in _api_encode(params))


@pytest.mark.parametrize("kind", ["year", "once", "gift"])
def test_the_only_metadata_is_the_id_of_the_checkout(
    order: checkouts.Order, sandbox: SandboxControl, kind: str
) -> None:
    order = replace(order, price=Price.objects.get(kind=kind))
    checkout = checkouts.start_checkout(uuid4(), gift_order(order) if kind == "gift" else order)
    sandbox.pay(str(checkout.session_id), card=CARD)
    ours = {"checkout": str(checkout.pk)}
    v1, session = stripe_api.client().v1, sessions()[0]
    assert session["metadata"] == ours
    if kind == "year":
        subscription = v1.subscriptions.retrieve(session["subscription"])
        assert subscription.to_dict()["metadata"] == ours
    else:
        intent = v1.payment_intents.retrieve(session["payment_intent"])
        assert intent.to_dict()["metadata"] == ours
    customer = v1.customers.retrieve(session["customer"])
    assert customer.to_dict()["metadata"] == {}
    assert session["client_reference_id"] is None


# A single session


def test_the_row_is_saved_before_stripe_is_called(
    order: checkouts.Order, settings: LazySettings
) -> None:
    settings.STRIPE_API_BASE = UNREACHABLE
    checkout_id, order = uuid4(), gift_order(order)
    with pytest.raises(stripe_api.StripeUnavailable):
        checkouts.start_checkout(checkout_id, order)
    checkout = Checkout.objects.get()
    assert (checkout.pk, checkout.status, checkout.session_id) == (checkout_id, "starting", None)
    assert (checkout.email, checkout.placement) == ("ada@example.org", "article_end")
    assert checkout.typed == order.typed


def test_the_same_order_again_returns_its_session(order: checkouts.Order) -> None:
    checkout_id = uuid4()
    first = checkouts.start_checkout(checkout_id, order)
    again = checkouts.start_checkout(
        checkout_id, replace(order, origin=Origin(placement="top_bar"))
    )
    assert (again.session_id, again.session_url) == (first.session_id, first.session_url)
    assert again.status == Checkout.Status.OPEN
    assert len(sessions()) == 1


def test_after_an_outage_the_same_attempt_opens_the_session(
    order: checkouts.Order, settings: LazySettings
) -> None:
    checkout_id, sandbox_url = uuid4(), settings.STRIPE_API_BASE
    settings.STRIPE_API_BASE = UNREACHABLE
    with pytest.raises(stripe_api.StripeUnavailable):
        checkouts.start_checkout(checkout_id, order)
    settings.STRIPE_API_BASE = sandbox_url
    checkout = checkouts.start_checkout(checkout_id, order)
    assert (checkout.attempt, open_sessions()) == (1, [checkout.session_id])


def test_a_lost_answer_is_requested_again_within_the_call(
    order: checkouts.Order, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("api", match=f"POST {SESSIONS}", kind="lose_answer")
    checkout = checkouts.start_checkout(uuid4(), order)
    assert [session["id"] for session in sessions()] == [checkout.session_id]


def test_the_next_attempt_after_a_lost_answer_gets_the_same_session(
    order: checkouts.Order, settings: LazySettings
) -> None:
    checkout_id = uuid4()
    with lose_answers(settings, times=2):
        with pytest.raises(stripe_api.StripeUnavailable):
            checkouts.start_checkout(checkout_id, order)
        opened = open_sessions()
        assert len(opened) == 1
        checkout = checkouts.start_checkout(checkout_id, order)
    assert [checkout.session_id] == opened == open_sessions()
    assert len(sessions()) == 1


def test_a_changed_form_after_a_lost_answer_leaves_one_payable_session(
    order: checkouts.Order, settings: LazySettings
) -> None:
    """The lost session is open at Stripe, but nobody has its URL."""
    checkout_id = uuid4()
    with lose_answers(settings, times=2), pytest.raises(stripe_api.StripeUnavailable):
        checkouts.start_checkout(checkout_id, order)
    changed = replace(order, price=Price.objects.get(kind="month"))
    checkout = checkouts.start_checkout(checkout_id, changed)
    assert checkout.attempt == 2
    assert checkout.amount_minor == changed.price.amount_minor
    assert sessions()[0]["id"] == checkout.session_id


def test_a_slow_answer_makes_no_second_session(
    order: checkouts.Order, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_TIMEOUT", (1, 0.3))
    connection._client.cache_clear()
    sandbox.add_fault("api", match=f"POST {SESSIONS}", kind="delay", seconds=2)
    checkout_id = uuid4()
    try:
        with pytest.raises(stripe_api.StripeUnavailable):
            checkouts.start_checkout(checkout_id, order)
    finally:
        monkeypatch.undo()
        connection._client.cache_clear()
    checkout = _retry(checkout_id, order)
    assert (checkout.attempt, open_sessions()) == (1, [checkout.session_id])
    assert len(sessions()) == 1


def _retry(checkout_id: UUID, order: checkouts.Order) -> Checkout:
    """Send the form until it works, because Stripe may still be busy with the first request."""
    for _ in range(5):
        try:
            return checkouts.start_checkout(checkout_id, order)
        except stripe_api.StripeUnavailable:
            continue
    raise AssertionError("five tries were not enough")


def test_the_attempt_after_a_recorded_5xx_has_a_new_key(
    order: checkouts.Order, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("api", match=f"POST {SESSIONS}", kind="error", status=500)
    checkout_id = uuid4()
    with pytest.raises(stripe_api.StripeFailed):
        checkouts.start_checkout(checkout_id, order)
    assert sessions() == []
    assert Checkout.objects.get().attempt == 2
    checkout = checkouts.start_checkout(checkout_id, order)
    assert [session["id"] for session in sessions()] == [checkout.session_id]


def test_a_refused_order_works_once_the_cause_is_fixed(order: checkouts.Order) -> None:
    price_id, checkout_id = order.price.stripe_price_id, uuid4()
    stripe_api.client().v1.prices.update(price_id, {"active": False})
    with pytest.raises(stripe_api.StripeRefused):
        checkouts.start_checkout(checkout_id, order)
    assert Checkout.objects.get().status == Checkout.Status.STARTING
    stripe_api.client().v1.prices.update(price_id, {"active": True})
    checkout = checkouts.start_checkout(checkout_id, order)
    assert [session["id"] for session in sessions()] == [checkout.session_id]


def test_a_changed_form_expires_the_old_session_and_opens_another(
    order: checkouts.Order,
) -> None:
    checkout_id = uuid4()
    old = checkouts.start_checkout(checkout_id, order)
    changed = replace(order, price=Price.objects.get(kind="month"), email="ada.r@example.org")
    new = checkouts.start_checkout(checkout_id, changed)
    assert Checkout.objects.count() == 1
    assert new.session_id != old.session_id
    assert open_sessions() == [new.session_id]
    assert {session["id"]: session["status"] for session in sessions()} == {
        old.session_id: "expired",
        new.session_id: "open",
    }
    assert (new.amount_minor, new.email) == (600, "ada.r@example.org")
    assert sessions()[0]["customer_email"] == "ada.r@example.org"


def test_an_expired_session_starts_the_next_attempt(
    order: checkouts.Order, sandbox: SandboxControl
) -> None:
    checkout_id = uuid4()
    old = checkouts.start_checkout(checkout_id, order)
    sandbox.advance(days=2)
    new = checkouts.start_checkout(checkout_id, order)
    assert new.session_id != old.session_id
    assert (new.attempt, open_sessions()) == (2, [new.session_id])


@pytest.mark.parametrize("is_known", [True, False], ids=["known to us", "not yet known"])
@pytest.mark.parametrize("is_changed", [True, False], ids=["changed", "the same"])
def test_a_paid_checkout_is_not_opened_again(
    order: checkouts.Order, sandbox: SandboxControl, is_known: bool, is_changed: bool
) -> None:
    checkout_id = uuid4()
    first = checkouts.start_checkout(checkout_id, order)
    sandbox.pay(str(first.session_id), card=CARD)
    if is_known:
        settlement.settle_checkout(checkout_id)
    if is_changed:
        order = replace(order, price=Price.objects.get(kind="month"))
    again = checkouts.start_checkout(checkout_id, order)
    assert (again.status, again.session_id) == ("paid", first.session_id)
    assert again.is_complete
    assert len(sessions()) == 1
    assert Tally.objects.count() == 1


def test_a_session_paid_during_a_change_is_not_replaced(
    order: checkouts.Order, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout_id = uuid4()
    first = checkouts.start_checkout(checkout_id, order)
    expire = stripe_api.expire_session

    def pay_first(session_id: str) -> None:
        sandbox.pay(session_id, card=CARD)
        expire(session_id)

    monkeypatch.setattr(stripe_api, "expire_session", pay_first)
    changed = replace(order, price=Price.objects.get(kind="month"))
    again = checkouts.start_checkout(checkout_id, changed)
    assert (again.status, again.session_id) == ("paid", first.session_id)
    assert again.price.kind == "year"
    assert len(sessions()) == 1


# At the same time


@pytest.mark.both_databases
def test_two_clicks_at_once_make_one_session(order: checkouts.Order) -> None:
    for _ in range(5):
        start = partial(checkouts.start_checkout, uuid4(), order)
        outcomes = race(start, start)
        assert all(isinstance(outcome, Checkout) for outcome in outcomes), outcomes
        assert len({outcome.session_id for outcome in outcomes}) == 1  # type: ignore[attr-defined]
    assert len(sessions()) == Checkout.objects.count() == 5


@pytest.mark.both_databases
def test_two_clicks_at_once_after_expiry_make_one_new_session(
    order: checkouts.Order, sandbox: SandboxControl
) -> None:
    checkout_id = uuid4()
    checkouts.start_checkout(checkout_id, order)
    sandbox.advance(days=2)
    start = partial(checkouts.start_checkout, checkout_id, order)
    outcomes = race(start, start)
    assert all(isinstance(outcome, Checkout) for outcome in outcomes), outcomes
    assert len(sessions()) == 2
    assert open_sessions() == [Checkout.objects.get().session_id]


@pytest.mark.both_databases
def test_two_tabs_with_different_forms_leave_one_session_open(order: checkouts.Order) -> None:
    """The last form wins; both tabs get its session, or an error to try again."""
    changed = replace(order, price=Price.objects.get(kind="month"))
    for _ in range(5):
        checkout_id = uuid4()
        outcomes = race(
            partial(checkouts.start_checkout, checkout_id, order),
            partial(checkouts.start_checkout, checkout_id, changed),
        )
        for outcome in outcomes:
            assert isinstance(outcome, Checkout | stripe_api.StripeError), outcomes
            if isinstance(outcome, Checkout):
                assert outcome.session_url
        checkout = Checkout.objects.get(pk=checkout_id)
        ours = [
            session for session in sessions() if session["metadata"]["checkout"] == str(checkout_id)
        ]
        assert [session["id"] for session in ours if session["status"] == "open"] == [
            checkout.session_id
        ]
        open_one = next(session for session in ours if session["status"] == "open")
        assert open_one["amount_total"] == checkout.amount_minor
