"""Fixtures: a sandbox that is empty before each test and checked against Stripe's schema after."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl
from newsroom.sandbox.process import SandboxProcess

from . import schema

NOON = 1_793_534_400  # 1 November 2026, 12:00 UTC
SUCCESS_URL = "http://127.0.0.1:9/thanks?session={CHECKOUT_SESSION_ID}"
CANCEL_URL = "http://127.0.0.1:9/back"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run these tests once: the sandbox uses its own database, not the application's."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.once)


@pytest.fixture(autouse=True)
def today() -> None:
    """Don't travel in time: the sandbox's clock follows the machine's."""


@pytest.fixture(scope="session")
def _shared_control(sandbox_process: SandboxProcess) -> Iterator[SandboxControl]:
    control = SandboxControl(sandbox_process.url)
    yield control
    control.close()


@pytest.fixture(scope="session")
def http_client() -> Iterator[schema.CheckingClient]:
    client = schema.CheckingClient()
    yield client
    client.close()


@pytest.fixture
def control(
    _shared_control: SandboxControl, stripe_client: stripe.StripeClient
) -> Iterator[SandboxControl]:
    """Yield the control; after the test, check the objects of all events and the books."""
    _shared_control.reset()
    yield _shared_control
    _shared_control.remove_faults()
    for event in _shared_control.events():
        event.pop("deliveries")
        schema.check_object(event)
        schema.check_object(event["data"]["object"])
    assert _shared_control.books()["currencies"] == sum_transactions(stripe_client)


def sum_transactions(client: stripe.StripeClient) -> dict[str, Any]:
    """Compute the books from the API's balance transactions."""
    books: dict[str, Any] = {}
    for txn in client.v1.balance_transactions.list({"limit": 100}).auto_paging_iter():
        book = books.setdefault(txn.currency, defaultdict(int))
        column = {
            "charge": "gross_minor",
            "refund": "refunded_minor",
            "refund_failure": "refunded_minor",
            "dispute": "disputed_minor",
            "dispute_reversal": "disputed_minor",
        }[txn.reporting_category]
        book[column] += txn.amount if column == "gross_minor" else -txn.amount
        book["fees_minor"] += txn.fee
        book["net_minor"] += txn.net
        book[txn.reporting_category] += 1
    kinds = ("charge", "refund", "refund_failure", "dispute", "dispute_reversal")
    return {
        currency: {
            **{
                name: book[name]
                for name in (
                    "gross_minor",
                    "fees_minor",
                    "refunded_minor",
                    "disputed_minor",
                    "net_minor",
                )
            },
            "counts": {kind: book[kind] for kind in kinds},
        }
        for currency, book in books.items()
    }


@pytest.fixture
def stripe_client(
    sandbox_process: SandboxProcess, http_client: schema.CheckingClient
) -> stripe.StripeClient:
    return stripe.StripeClient(
        sandbox_process.secret_key,
        base_addresses={"api": sandbox_process.url},
        http_client=http_client,
        max_network_retries=0,
    )


@pytest.fixture
def year_price(control: SandboxControl, stripe_client: stripe.StripeClient) -> stripe.Price:
    product = stripe_client.v1.products.create({"id": "membership", "name": "Membership"})
    return stripe_client.v1.prices.create(
        {
            "product": product.id,
            "currency": "eur",
            "unit_amount": 6000,
            "recurring": {"interval": "year"},
            "lookup_key": "membership-year",
        }
    )


@pytest.fixture
def month_price(year_price: stripe.Price, stripe_client: stripe.StripeClient) -> stripe.Price:
    return stripe_client.v1.prices.create(
        {
            "product": "membership",
            "currency": "eur",
            "unit_amount": 600,
            "recurring": {"interval": "month"},
        }
    )


OpenSession = Callable[..., stripe.checkout.Session]


@pytest.fixture
def open_gift(control: SandboxControl, stripe_client: stripe.StripeClient) -> OpenSession:
    """Return a function that opens a session in payment mode for a gift of €48."""

    def open_session(*, currency: str = "eur", **more: Any) -> stripe.checkout.Session:
        line = {
            "price_data": {
                "currency": currency,
                "unit_amount": 4800,
                "product_data": {"name": "Gift membership, 12 months"},
            },
            "quantity": 1,
        }
        params: Any = {
            "mode": "payment",
            "line_items": [line],
            "success_url": SUCCESS_URL,
            "cancel_url": CANCEL_URL,
            "metadata": {"checkout": "7"},
            "payment_intent_data": {"metadata": {"checkout": "7"}},
            **more,
        }
        return stripe_client.v1.checkout.sessions.create(params)

    return open_session


@pytest.fixture
def open_membership(year_price: stripe.Price, stripe_client: stripe.StripeClient) -> OpenSession:
    """Return a function that opens a session in subscription mode, by default €60 a year."""

    def open_session(*, price: str | None = None, **more: Any) -> stripe.checkout.Session:
        params: Any = {
            "mode": "subscription",
            "line_items": [{"price": price or year_price.id, "quantity": 1}],
            "success_url": SUCCESS_URL,
            "cancel_url": CANCEL_URL,
            "customer_email": "reader@example.org",
            "metadata": {"checkout": "8"},
            **more,
        }
        params.setdefault("subscription_data", {"metadata": {"checkout": "8"}})
        return stripe_client.v1.checkout.sessions.create(params)

    return open_session


@pytest.fixture
def subscription(
    control: SandboxControl, open_membership: OpenSession, stripe_client: stripe.StripeClient
) -> stripe.Subscription:
    """Return a paid subscription of €60 a year."""
    session = open_membership()
    control.pay(session.id)
    done = stripe_client.v1.checkout.sessions.retrieve(session.id)
    return stripe_client.v1.subscriptions.retrieve(str(done.subscription))


def at(year: int, month: int, day: int) -> int:
    return int(datetime(year, month, day, 12, tzinfo=UTC).timestamp())


def start_subscription(
    control: SandboxControl,
    client: stripe.StripeClient,
    session: stripe.checkout.Session,
    *,
    card: str = "4242424242424242",
) -> stripe.Subscription:
    assert control.pay(session.id, card=card)["status"] == "paid"
    done = client.v1.checkout.sessions.retrieve(session.id)
    return client.v1.subscriptions.retrieve(str(done.subscription))


def get_period(subscription: stripe.Subscription) -> tuple[int, int]:
    item = subscription["items"].data[0]
    return item.current_period_start, item.current_period_end
