"""The command reconcile, and a year of sales to compare with Stripe's figures."""

import io

from django.core.management import CommandError, call_command

from campaigns import stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Payment,
    Refund,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import CARD, REFUSED, Clock
from tests.support.factories import at
from tests.support.sales import buy_without_settling, place_order

REFUND_FAILS = "4000000000005126"
IBAN = "DE89370400440532013000"


def reconcile(*arguments: str) -> tuple[int, str]:
    """Return the exit code and the output, including the error."""
    out = io.StringIO()
    try:
        call_command("reconcile", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, f"{out.getvalue()}{error}"
    return 0, out.getvalue()


def intent_of(checkout: Checkout) -> str:
    session = stripe_api.fetch_session(str(checkout.session_id))
    assert session.intent is not None
    return session.intent.id


def refund_intent(intent_id: str, minor: int) -> str:
    refund = stripe_api.refund_payment(
        intent_id, amount_minor=minor, idempotency_key=f"back-{intent_id}-{minor}"
    )
    return refund.id


def live_through_a_year(campaign: Campaign, sandbox: SandboxControl, clock: Clock) -> None:
    """Make sales, renewals, refunds and disputes of every outcome, without any webhook."""
    place_order(campaign, email="never@example.org")
    whole, part = (
        buy_without_settling(campaign, sandbox, "gift"),
        buy_without_settling(campaign, sandbox, "once"),
    )
    lost, won = (
        buy_without_settling(campaign, sandbox, "gift"),
        buy_without_settling(campaign, sandbox, "once"),
    )
    monthly = buy_without_settling(campaign, sandbox, "month")
    buy_without_settling(campaign, sandbox, "month", card=REFUSED)
    failing = buy_without_settling(campaign, sandbox, "gift", card=REFUND_FAILS)
    buy_without_settling(campaign, sandbox, "gift", iban=IBAN)
    clock.move_to(at("2026-11-12 09:00"))
    refund_intent(intent_of(whole), 2500)
    refund_intent(intent_of(whole), 3500)
    refund_intent(intent_of(part), 1234)
    refund_intent(intent_of(failing), 6000)
    disputes = [sandbox.open_dispute(payment_intent=intent_of(each)) for each in (lost, won)]
    clock.move_to(at("2026-11-20 09:00"))
    for dispute, status in zip(disputes, ("lost", "won"), strict=True):
        sandbox.close_dispute(dispute["id"], status=status)
    clock.move_to(at("2027-03-20 09:00"))
    session = stripe_api.fetch_session(str(monthly.session_id))
    sandbox.renew(session.subscription_id, outcome="paid")


def add_up_ours() -> dict[str, int]:
    """Add up our rows, without the reconciliation's own sums."""
    succeeded = Payment.objects.filter(status="succeeded").exclude(intent_id=None)
    gross = sum(payment.settled_minor or 0 for payment in succeeded)
    refunded = sum(each.amount_minor for each in Refund.objects.filter(status="succeeded"))
    taken = Dispute.objects.exclude(withdrawn_at=None).filter(reinstated_at=None)
    return {
        "gross_minor": gross,
        "refunded_minor": refunded,
        "disputed_minor": sum(each.amount_minor for each in taken),
        "payment_fees_minor": sum(payment.fee_minor or 0 for payment in succeeded),
        "payment_nets_minor": sum(payment.net_minor or 0 for payment in succeeded),
    }


def add_up_theirs(sandbox: SandboxControl) -> dict[str, int]:
    answer = sandbox.books(rows=True)
    book = answer["currencies"]["eur"]
    fees = sum(row["fee_minor"] for row in answer["rows"] if row["kind"] == "charge")
    return {
        "gross_minor": book["gross_minor"],
        "refunded_minor": book["refunded_minor"],
        "disputed_minor": book["disputed_minor"],
        "payment_fees_minor": fees,
        "payment_nets_minor": book["gross_minor"] - fees,
    }


def make_unrelated_charge(sandbox: SandboxControl, **metadata: str) -> None:
    """Sell something else in the same account, with a session that isn't ours."""
    session = stripe_api.client().v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://example.org/",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 5000,
                        "product_data": {"name": "A mug"},
                    },
                }
            ],
            "payment_intent_data": {"metadata": metadata},
        }
    )
    sandbox.pay(session.id, card=CARD)
