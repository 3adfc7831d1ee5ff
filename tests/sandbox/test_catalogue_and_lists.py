import http.client
from urllib.parse import urlsplit

import pytest
import stripe

from newsroom.sandbox.control import SandboxControl
from newsroom.sandbox.process import SandboxProcess

from . import schema
from .conftest import OpenSession


def test_products_and_prices_can_be_created_found_changed_and_deleted(
    control: SandboxControl, stripe_client: stripe.StripeClient, year_price: stripe.Price
) -> None:
    products, prices = stripe_client.v1.products, stripe_client.v1.prices
    with pytest.raises(stripe.InvalidRequestError) as exists:
        products.create({"id": "membership", "name": "Again"})
    assert exists.value.code == "resource_already_exists"
    products.update("membership", {"name": "Membership plus", "metadata": {"tier": "1"}})
    assert products.retrieve("membership").name == "Membership plus"
    assert [p.id for p in products.list({"active": True, "ids": ["membership"]}).data] == [
        "membership"
    ]
    with pytest.raises(stripe.InvalidRequestError, match="prices"):
        products.delete("membership")
    spare = products.create({"name": "Spare"})
    assert products.delete(spare.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="lookup key"):
        prices.create(
            {
                "product": "membership",
                "currency": "eur",
                "unit_amount": 1,
                "lookup_key": "membership-year",
            }
        )
    transferred = prices.create(
        {
            "product_data": {"name": "Dearer"},
            "currency": "EUR",
            "unit_amount": 7000,
            "recurring": {"interval": "year"},
            "lookup_key": "membership-year",
            "transfer_lookup_key": True,
        }
    )
    found = prices.list({"lookup_keys": ["membership-year"], "expand": ["data.product"]}).data
    assert [price.id for price in found] == [transferred.id]
    assert isinstance(found[0].product, stripe.Product)
    assert found[0].product.name == "Dearer"
    prices.update(year_price.id, {"active": False, "nickname": "old"})
    assert prices.retrieve(year_price.id).active is False
    assert [p.id for p in prices.list({"active": True}).data] == [transferred.id]
    recurring = prices.list({"recurring": {"interval": "year"}, "type": "recurring"}).data
    assert len(recurring) == 2


def test_lists_expand_as_many_levels_as_stripes_do(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_membership: OpenSession
) -> None:
    """See https://docs.stripe.com/api/expanding_objects and
    https://github.com/stripe/stripe-java/issues/2011."""
    for _ in range(2):
        control.pay(open_membership().id, card="4242424242424242")
    invoices = stripe_client.v1.invoices.list({"expand": ["data.payments"]}).data
    assert [len(invoice["payments"]["data"]) for invoice in invoices] == [1, 1]
    assert "payments" not in stripe_client.v1.invoices.list().data[0]
    charged = ["data.latest_charge.balance_transaction", "data.latest_charge.refunds"]
    for intent in stripe_client.v1.payment_intents.list({"expand": charged}).data:
        charge = intent["latest_charge"]
        assert charge["balance_transaction"]["source"] == charge["id"]
        assert charge["refunds"]["data"] == []
    with pytest.raises(stripe.InvalidRequestError, match="more than 4 levels of a property"):
        stripe_client.v1.invoices.list({"expand": ["data.payments.data.payment.payment_intent"]})
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        stripe_client.v1.invoices.list({"expand": ["data.nothing"]})


def test_customers_can_be_created_changed_and_deleted(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    customers = stripe_client.v1.customers
    ada = customers.create({"email": "ada@example.org", "name": "Ada", "metadata": {"id": "1"}})
    customers.create({"email": "bob@example.org"})
    assert [c.id for c in customers.list({"email": "ada@example.org"}).data] == [ada.id]
    customers.update(ada.id, {"name": "Ada L.", "address": {"country": "DE"}})
    assert customers.retrieve(ada.id, {"expand": ["subscriptions"]}).name == "Ada L."
    with pytest.raises(stripe.InvalidRequestError, match="Invalid email address"):
        customers.update(ada.id, {"email": "ада@example.org"})
    assert customers.delete(ada.id).deleted is True
    assert customers.retrieve(ada.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError, match="No such customer"):
        customers.update(ada.id, {"name": "Ada"})
    assert len(customers.list().data) == 1
    [event] = control.events("customer.updated")
    assert event["data"]["previous_attributes"] == {"name": "Ada", "address": None}


def test_lists_are_paged_in_both_directions(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    created = [
        stripe_client.v1.customers.create({"email": f"{i}@example.org"}).id for i in range(5)
    ]
    newest_first = list(reversed(created))
    customers = stripe_client.v1.customers
    page = customers.list({"limit": 2})
    assert [c.id for c in page.data] == newest_first[:2]
    assert page.has_more is True
    assert [c.id for c in page.auto_paging_iter()] == newest_first
    before = customers.list({"limit": 2, "ending_before": newest_first[4]})
    assert [c.id for c in before.data] == newest_first[2:4]
    with pytest.raises(stripe.InvalidRequestError):
        customers.list({"limit": 101})


def test_events_are_listed_by_type_and_page(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    control.pay(open_gift().id)
    events = stripe_client.v1.events
    everything = list(events.list({"limit": 2}).auto_paging_iter())
    assert [e.id for e in reversed(everything)] == [e["id"] for e in control.events()]
    [completed] = events.list({"type": "checkout.session.completed"}).data
    assert completed.data.object["object"] == "checkout.session"
    assert len(events.list({"types": ["charge.succeeded", "payment_intent.succeeded"]}).data) == 2
    assert events.retrieve(completed.id).request is not None
    after = events.list({"ending_before": everything[1].id}).data
    assert [e.id for e in after] == [everything[0].id]
    with pytest.raises(stripe.InvalidRequestError, match="No such event"):
        events.retrieve("evt_none")


def test_an_event_names_the_request_that_caused_it(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
) -> None:
    stripe_client.v1.customers.create({"name": "Ada"}, {"idempotency_key": "key-1"})
    request_id = http_client.headers["Request-Id"]
    [event] = control.events("customer.created")
    assert event["request"] == {"id": request_id, "idempotency_key": "key-1"}


@pytest.mark.parametrize("key", ["sk_test_wrong_key_entirely", "sk_live_0000000000000000"])
def test_a_wrong_api_key_is_rejected(
    control: SandboxControl, sandbox_process: SandboxProcess, key: str
) -> None:
    client = stripe.StripeClient(
        key,
        base_addresses={"api": sandbox_process.url},
        http_client=(http := stripe.RequestsClient()),
        max_network_retries=0,
    )
    with pytest.raises(stripe.AuthenticationError, match="Invalid API Key") as refusal:
        client.v1.customers.list()
    assert key not in str(refusal.value)
    http.close()  # type: ignore[no-untyped-call]


def test_a_missing_key_an_unknown_path_and_an_old_version_are_rejected(
    control: SandboxControl, sandbox_process: SandboxProcess
) -> None:
    parts = urlsplit(sandbox_process.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    answers = []
    for path, headers in (
        ("/v1/customers", {}),
        ("/v1/nothing", {"Authorization": f"Bearer {sandbox_process.secret_key}"}),
        (
            "/v1/customers",
            {
                "Authorization": f"Bearer {sandbox_process.secret_key}",
                "Stripe-Version": "2020-01-01",
            },
        ),
    ):
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        answers.append(response.status)
    connection.close()
    assert answers == [401, 404, 400]


def test_unknown_ids_are_reported_as_missing(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    with pytest.raises(stripe.InvalidRequestError, match="No such customer") as refusal:
        stripe_client.v1.customers.retrieve("cus_none")
    assert (refusal.value.http_status, refusal.value.code) == (404, "resource_missing")
    with pytest.raises(stripe.InvalidRequestError, match="cannot be expanded"):
        stripe_client.v1.prices.list({"expand": ["nonsense"], "limit": 1})


def test_an_unknown_parameter_is_rejected(
    control: SandboxControl,
    stripe_client: stripe.StripeClient,
    http_client: schema.CheckingClient,
) -> None:
    http_client.checks_requests = False
    wrong: list[tuple[dict[str, object], str]] = [
        ({"colour": "red"}, "parameter_unknown"),
        ({"address": {"planet": "x"}}, "parameter_unknown"),
        ({"email": {"a": "b"}}, ""),
    ]
    try:
        for params, code in wrong:
            with pytest.raises(stripe.InvalidRequestError) as refusal:
                stripe_client.v1.customers.create(params)  # type: ignore[arg-type]
            assert refusal.value.http_status == 400
            assert (refusal.value.code or "") == code
    finally:
        http_client.checks_requests = True


def test_webhook_endpoints_can_be_created_changed_and_deleted(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    endpoints = stripe_client.v1.webhook_endpoints
    created = endpoints.create(
        {"url": "https://news.example/stripe", "enabled_events": ["charge.refunded"]}
    )
    assert created.secret is not None
    assert created.secret.startswith("whsec_")
    assert endpoints.retrieve(created.id).to_dict().get("secret") is None
    changed = endpoints.update(created.id, {"enabled_events": ["*"], "disabled": True})
    assert (changed.status, list(changed.enabled_events)) == ("disabled", ["*"])
    assert len(endpoints.list().data) == 1
    assert endpoints.delete(created.id).deleted is True
    assert endpoints.list().data == []


def test_the_portal_has_configurations_and_sessions(
    control: SandboxControl, stripe_client: stripe.StripeClient
) -> None:
    portal = stripe_client.v1.billing_portal
    customer = stripe_client.v1.customers.create({"email": "ada@example.org"})
    session = portal.sessions.create(
        {"customer": customer.id, "return_url": "http://127.0.0.1:9/account"}
    )
    assert session.url.endswith(f"/p/session/{session.id}")
    [default] = portal.configurations.list({"is_default": True}).data
    assert session.configuration == default.id
    created = portal.configurations.create(
        {
            "features": {"subscription_cancel": {"enabled": True, "mode": "at_period_end"}},
            "business_profile": {"headline": "The newsroom"},
            "default_return_url": "http://127.0.0.1:9/",
        }
    )
    updated = portal.configurations.update(
        created.id, {"features": {"invoice_history": {"enabled": True}}, "active": False}
    )
    assert updated.features.subscription_cancel.enabled is True
    assert updated.features.invoice_history.enabled is True
    assert portal.configurations.retrieve(created.id).active is False
    assert len(portal.configurations.list({"active": True}).data) == 1


def test_intents_and_charges_can_be_updated_and_intents_cancelled(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    session = open_gift()
    control.pay(session.id, card="4000000000000002")
    [intent] = stripe_client.v1.payment_intents.list().data
    stripe_client.v1.payment_intents.update(intent.id, {"metadata": {"note": "x"}})
    cancelled = stripe_client.v1.payment_intents.cancel(
        intent.id, {"cancellation_reason": "abandoned"}
    )
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    [charge] = stripe_client.v1.charges.list({"payment_intent": intent.id}).data
    changed = stripe_client.v1.charges.update(charge.id, {"description": "A note"})
    assert changed.description == "A note"
    with pytest.raises(stripe.InvalidRequestError):
        stripe_client.v1.payment_intents.cancel(intent.id)


def test_invoices_show_their_lines_and_accept_metadata(
    stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    invoice_id = str(subscription.latest_invoice)
    assert stripe_client.v1.invoices.line_items.list(invoice_id).data[0].amount == 6000
    stripe_client.v1.invoices.update(invoice_id, {"metadata": {"seen": "yes"}})
    found = stripe_client.v1.invoices.list(
        {"customer": str(subscription.customer), "status": "paid"}
    ).data
    assert [invoice.id for invoice in found] == [invoice_id]
    [payment] = stripe_client.v1.invoice_payments.list({"invoice": invoice_id}).data
    full = stripe_client.v1.invoice_payments.retrieve(
        payment.id, {"expand": ["payment.payment_intent.latest_charge"]}
    )
    intent = full.payment.payment_intent
    assert isinstance(intent, stripe.PaymentIntent)
    assert isinstance(intent.latest_charge, stripe.Charge)
    refunds = stripe_client.v1.charges.retrieve(intent.latest_charge.id, {"expand": ["refunds"]})
    assert refunds.refunds is not None
    assert refunds.refunds.data == []
