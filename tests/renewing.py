"""A subscription through its months: who pays it by which card, and what Stripe asked for."""

from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urlsplit

from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Membership
from newsroom.sandbox.control import SandboxControl
from tests.test_settlement import order_membership

GOOD, DECLINED_LATER = "4242424242424242", "4000000000000341"


def subscribe(
    drive: Campaign, sandbox: SandboxControl, card: str = GOOD, kind: str = "month"
) -> Membership:
    checkout = order_membership(drive, kind)
    sandbox.pay(str(checkout.session_id), card=card)
    settlement.settle_checkout(checkout.pk)
    return Membership.objects.get(checkout=checkout)


def settle(membership: Membership) -> str:
    """Its status by what Stripe has now."""
    assert membership.checkout_id is not None
    settlement.settle_checkout(membership.checkout_id)
    membership.refresh_from_db()
    return membership.status


def change(membership: Membership, **changes: Any) -> None:
    """At Stripe, as from its dashboard; our row knows nothing of it yet."""
    subscriptions = stripe_api.client().v1.subscriptions
    subscriptions.update(str(membership.subscription_id), changes)  # type: ignore[arg-type]


def invoices_of(membership: Membership) -> list[dict[str, Any]]:
    """The newest first."""
    return stripe_api.list_invoices(str(membership.subscription_id))


def pay_newest(membership: Membership) -> None:
    stripe_api.client().v1.invoices.pay(invoices_of(membership)[0]["id"])


def mend_card(membership: Membership, card: str = GOOD) -> None:
    """On Stripe's own page."""
    assert membership.checkout is not None
    url = stripe_api.create_portal_session(
        membership.checkout.customer_id, return_url="http://127.0.0.1:9/", language="auto"
    )
    parts = urlsplit(f"{url}/card")
    typed = {"method": "card", "number": card, "expiry": "04 / 31", "cvc": "123", "name": "Ada"}
    connection = HTTPConnection(parts.hostname or "", parts.port)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", parts.path, urlencode(typed), headers)
    assert connection.getresponse().status == 303
    connection.close()
