"""The command that sets up prices, customer portal and webhook at Stripe."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.core.management import CommandError

from campaigns import stripe_api
from campaigns.management.commands.stripe_setup import refuse_misconfiguration
from campaigns.models import Plan, Price
from newsroom.sandbox.control import SandboxControl
from tests.support.commands import run_command
from tests.support.factories import make_price


def list_at_stripe(kind: str) -> list[dict[str, Any]]:
    v1 = stripe_api.client().v1
    source: Any = {
        "products": v1.products,
        "prices": v1.prices,
        "webhook_endpoints": v1.webhook_endpoints,
        "configurations": v1.billing_portal.configurations,
    }[kind]
    return [row.to_dict() for row in source.list({"limit": 100}).data]


@pytest.fixture
def shop(sandbox: SandboxControl, db: None) -> Plan:
    """A plan that Stripe doesn't know yet, with two active prices and an inactive one."""
    make_price("year")
    make_price("gift")
    make_price("month", is_active=False)
    return Plan.objects.get()


@pytest.mark.usefixtures("shop")
def test_the_setup_creates_prices_and_a_webhook_and_prints_its_secret() -> None:
    output = run_command("stripe_setup")
    assert [product["id"] for product in list_at_stripe("products")] == ["plan_member"]
    prices = {price["lookup_key"]: price["id"] for price in list_at_stripe("prices")}
    assert prices == {
        price.lookup_key: price.stripe_price_id for price in Price.objects.filter(is_active=True)
    }
    [endpoint] = list_at_stripe("webhook_endpoints")
    assert endpoint["url"] == "http://127.0.0.1:8000/stripe/webhook/"
    assert "checkout.session.completed" in endpoint["enabled_events"]
    assert output.count("whsec_") == 1
    assert "Set STRIPE_WEBHOOK_SECRET=whsec_" in output


@pytest.mark.usefixtures("shop")
def test_a_second_setup_creates_nothing_and_prints_no_secret() -> None:
    run_command("stripe_setup")
    kinds = ("products", "prices", "webhook_endpoints", "configurations")
    before = {kind: [row["id"] for row in list_at_stripe(kind)] for kind in kinds}
    output = run_command("stripe_setup")
    after = {kind: [row["id"] for row in list_at_stripe(kind)] for kind in kinds}
    assert after == before
    assert "whsec_" not in output


@pytest.mark.usefixtures("shop")
def test_a_second_setup_sends_changes_to_stripe(settings: LazySettings, shop: Plan) -> None:
    run_command("stripe_setup")
    settings.NEWSROOM_NAME = "The Evening Post"
    shop.copies.update(name="Friend")
    make_price("year", amount_minor=7000)
    run_command("stripe_setup")
    [configuration] = list_at_stripe("configurations")
    assert configuration["business_profile"]["headline"] == "The Evening Post"
    assert [product["name"] for product in list_at_stripe("products")] == ["Friend"]
    assert {price["unit_amount"] for price in list_at_stripe("prices")} == {6000, 7000}


@pytest.mark.usefixtures("shop")
def test_the_portal_uses_the_configuration_of_the_setup() -> None:
    run_command("stripe_setup")
    customer = stripe_api.client().v1.customers.create({"email": "ada@example.org"})
    stripe_api.create_portal_session(customer.id, return_url="http://127.0.0.1/", language="en")
    # If it wasn't passed on, Stripe would create a second one, the account's default.
    [configuration] = list_at_stripe("configurations")
    assert configuration["features"]["subscription_cancel"]["mode"] == "at_period_end"


@pytest.mark.usefixtures("shop")
def test_the_webhook_endpoint_can_be_created_first() -> None:
    Price.objects.update(stripe_price_id="")
    output = run_command("stripe_setup", "--only-webhook")
    assert "Set STRIPE_WEBHOOK_SECRET=whsec_" in output
    assert len(list_at_stripe("webhook_endpoints")) == 1
    assert list_at_stripe("products") == []
    assert not Price.objects.exclude(stripe_price_id="").exists()


def test_only_the_webhook_secret_may_be_missing(settings: LazySettings) -> None:
    settings.STRIPE_WEBHOOK_SECRET = []
    refuse_misconfiguration()
    settings.SITE_URL = "no address"
    with pytest.raises(CommandError, match=r"campaigns\.E009"):
        refuse_misconfiguration()


@pytest.mark.usefixtures("shop")
def test_the_setup_can_skip_the_webhook_endpoint() -> None:
    run_command("stripe_setup", "--no-webhook")
    assert list_at_stripe("webhook_endpoints") == []
    assert len(list_at_stripe("products")) == 1


@pytest.mark.usefixtures("shop")
def test_the_setup_of_a_running_demo_finds_the_endpoint_that_is_there(
    sandbox: SandboxControl,
) -> None:
    sandbox.set_webhook("http://127.0.0.1:8001/stripe/webhook/", secret="whsec_demo")
    [first] = list_at_stripe("webhook_endpoints")
    sandbox.set_webhook("http://127.0.0.1:8000/stripe/webhook/")  # it started on another port
    output = run_command("stripe_setup", "--only-webhook")
    [endpoint] = list_at_stripe("webhook_endpoints")
    assert endpoint["id"] == first["id"]
    assert endpoint["url"] == "http://127.0.0.1:8000/stripe/webhook/"
    assert "whsec_" not in output
    sandbox.set_webhook("")
    assert list_at_stripe("webhook_endpoints") == []


@pytest.mark.usefixtures("shop")
def test_an_endpoint_of_an_earlier_setup_becomes_the_demos_own(sandbox: SandboxControl) -> None:
    run_command("stripe_setup", "--only-webhook")
    [made] = list_at_stripe("webhook_endpoints")
    sandbox.set_webhook("http://127.0.0.1:8001/stripe/webhook/")
    sandbox.set_webhook("http://127.0.0.1:8000/stripe/webhook/")
    assert [row["id"] for row in list_at_stripe("webhook_endpoints")] == [made["id"]]
    sandbox.set_webhook("")


@pytest.mark.usefixtures("shop")
def test_an_error_of_stripe_is_reported_and_the_setup_can_be_repeated(
    sandbox: SandboxControl,
) -> None:
    sandbox.add_fault("api", match="*/v1/prices*", kind="error", status=500, times=20)
    with pytest.raises(CommandError, match=r"Stripe failed .*Run the command again"):
        run_command("stripe_setup")
    sandbox.remove_faults()
    run_command("stripe_setup")
    assert len(list_at_stripe("products")) == 1
    assert len(list_at_stripe("prices")) == 2
