"""Invoices: created, finalised, collected, paid or voided."""

import copy
from typing import Literal

from newsroom.sandbox import clock, context, discounts, documents, events, intents, limits, taxes
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.instruments import DECLINED, Decline
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.payment_methods import get_card

Outcome = Literal["paid", "processing", "failed"]
# Days until each retry of a failed payment. After the last one, see `outcome_after_retries`.
RETRY_DAYS = (3, 5, 7)


def make_line(
    *,
    amount: int,
    price: Document,
    quantity: int,
    description: str,
    period: tuple[int, int],
    metadata: dict[str, str],
    subscription: str | None = None,
    item: str | None = None,
    proration: bool = False,
) -> Document:
    parent = {
        "invoice_item_details": None,
        "subscription_item_details": {
            "invoice_item": None,
            "proration": proration,
            "proration_details": {"credited_items": None},
            "subscription": subscription,
            "subscription_item": item,
        },
        "type": "subscription_item_details",
    }
    return {
        "id": documents.make_id("line_item"),
        "object": "line_item",
        "amount": amount,
        "currency": price["currency"],
        "description": description,
        "discount_amounts": [],
        "discountable": not proration,
        "discounts": [],
        "invoice": None,
        "livemode": False,
        "metadata": metadata,
        "parent": parent if item else None,
        "period": {"end": period[1], "start": period[0]},
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": quantity,
        "subtotal": amount,
        "subscription": subscription,
        "taxes": [],
    }


def create_invoice(
    customer: StripeObject,
    lines: list[Document],
    *,
    currency: str,
    reason: str,
    period: tuple[int, int],
    subscription: StripeObject | None = None,
) -> StripeObject:
    """Create a draft. For a renewal, `period` is the billing period that just ended."""
    stripe_id = documents.make_id("invoice")
    for line in lines:
        line["invoice"] = stripe_id
    subtotal = sum(line["amount"] for line in lines)
    discounted = discounts.apply_discounts(lines, subscription) if subscription else []
    total = subtotal - sum(each["amount"] for each in discounted)
    now = clock.now()
    parent = None
    if subscription is not None:
        parent = {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription.body["metadata"]),
                "subscription": subscription.stripe_id,
            },
            "type": "subscription_details",
        }
    balance: int = customer.body["balance"]
    due = max(total + balance, 0)
    if limits.is_too_small(due, currency):  # it is added to the next invoice instead
        due = 0
    row = documents.create(
        {
            "id": stripe_id,
            "object": "invoice",
            "account_country": "DE",
            "account_name": "Pretend newsroom",
            "account_tax_ids": None,
            "amount_due": due,
            "amount_overpaid": 0,
            "amount_paid": 0,
            "amount_paid_off_stripe": 0,
            "amount_remaining": due,
            "amount_shipping": 0,
            "application": None,
            "attempt_count": 0,
            "attempted": False,
            "auto_advance": True,
            "automatic_tax": taxes.describe_invoice(subscription.body if subscription else None),
            "automatically_finalizes_at": None,
            "billing_reason": reason,
            "collection_method": "charge_automatically",
            "created": now,
            "currency": currency,
            "custom_fields": None,
            "customer": customer.stripe_id,
            "customer_address": customer.body["address"],
            "customer_email": customer.body["email"],
            "customer_name": customer.body["name"],
            "customer_phone": customer.body["phone"],
            "customer_shipping": None,
            "customer_tax_exempt": "none",
            "customer_tax_ids": [],
            "default_payment_method": None,
            "default_source": None,
            "default_tax_rates": [],
            "description": None,
            "discounts": [each["discount"] for each in discounted],
            "due_date": None,
            "effective_at": None,
            "ending_balance": None,
            "footer": None,
            "from_invoice": None,
            "hosted_invoice_url": None,
            "invoice_pdf": None,
            "issuer": {"type": "self"},
            "last_finalization_error": None,
            "latest_revision": None,
            "lines": documents.make_list(lines, url=f"/v1/invoices/{stripe_id}/lines"),
            "livemode": False,
            "metadata": {},
            "next_payment_attempt": None,
            "number": None,
            "on_behalf_of": None,
            "parent": parent,
            "payment_settings": {
                "default_mandate": None,
                "payment_method_options": None,
                "payment_method_types": None,
            },
            "period_end": period[1],
            "period_start": period[0],
            "post_payment_credit_notes_amount": 0,
            "pre_payment_credit_notes_amount": 0,
            "receipt_number": None,
            "rendering": None,
            "shipping_cost": None,
            "shipping_details": None,
            "starting_balance": balance,
            "statement_descriptor": None,
            "status": "draft",
            "status_transitions": {
                "finalized_at": None,
                "marked_uncollectible_at": None,
                "paid_at": None,
                "voided_at": None,
            },
            "subtotal": subtotal,
            "subtotal_excluding_tax": subtotal,
            "test_clock": None,
            "total": total,
            "total_discount_amounts": discounted,
            "total_excluding_tax": total,
            "total_pretax_credit_amounts": [],
            "total_taxes": [],
            "webhooks_delivered_at": now,
        }
    )
    events.emit("invoice.created", row)
    return row


def finalise_invoice(invoice: StripeObject) -> None:
    """Give a draft its number and page, and apply the customer's credit balance."""
    customer = documents.fetch(invoice.body["customer"])
    body = invoice.body
    body["ending_balance"] = body["total"] + body["starting_balance"] - body["amount_due"]
    customer.body["balance"] = body["ending_balance"]
    sequence = customer.body["next_invoice_sequence"]
    customer.body["next_invoice_sequence"] = sequence + 1
    customer.body["currency"] = body["currency"]
    documents.save(customer)
    now = clock.now()
    body.update(
        status="open",
        number=f"{customer.body['invoice_prefix']}-{sequence:04d}",
        effective_at=now,
        hosted_invoice_url=f"{context.address.base_url}/i/{invoice.stripe_id}",
    )
    body["status_transitions"]["finalized_at"] = now
    documents.save(invoice)
    events.emit("invoice.finalized", invoice)


def attach_intent(invoice: StripeObject, intent: StripeObject) -> StripeObject:
    row = documents.create(
        {
            "id": documents.make_id("invoice_payment"),
            "object": "invoice_payment",
            "amount_paid": None,
            "amount_requested": intent.body["amount"],
            "created": clock.now(),
            "currency": intent.body["currency"],
            "invoice": invoice.stripe_id,
            "is_default": True,
            "livemode": False,
            "payment": {"payment_intent": intent.stripe_id, "type": "payment_intent"},
            "status": "open",
            "status_transitions": {"canceled_at": None, "paid_at": None},
        }
    )
    intent.notes["invoice"] = invoice.stripe_id
    documents.save(intent)
    return row


def find_open_intent(invoice: StripeObject) -> StripeObject | None:
    payment = documents.select("invoice_payment", invoice=invoice.stripe_id).first()
    if payment is None or payment.body["status"] != "open":
        return None
    return documents.fetch(payment.body["payment"]["payment_intent"])


def collect_payment(  # noqa: PLR0911
    invoice: StripeObject, method: StripeObject | None, *, outcome: str | None = None
) -> tuple[Outcome, Decline | None]:
    """Charge the payment method off session. `outcome` ("paid" or "failed") forces the result."""
    body = invoice.body
    if body["amount_remaining"] == 0:
        mark_paid(invoice)
        return "paid", None
    body["attempted"] = True
    body["attempt_count"] += 1
    intent = find_open_intent(invoice)
    if intent is None:
        intent = intents.create_intent(
            amount=body["amount_remaining"],
            currency=body["currency"],
            customer=body["customer"],
            types=["card", "sepa_debit"] if body["currency"] == "eur" else ["card"],
            description="Subscription update" if "update" in body["billing_reason"] else None,
            setup_future_usage="off_session",
        )
        attach_intent(invoice, intent)
    if method is None:
        return "failed", _record_decline(invoice, DECLINED)
    card = get_card(method)
    if card is None:
        intents.start_debit(intent, method)
        if outcome is None:
            documents.save(invoice)
            return "processing", None
        intents.finish_debit(intent, succeeded=outcome == "paid")
        if outcome == "paid":
            mark_paid(invoice)
            return "paid", None
        return "failed", _record_decline(invoice, intents.DEBIT_FAILED)
    decline = DECLINED if outcome == "failed" else card.decline or card.renewal_decline
    if decline is None or outcome == "paid":
        intents.complete_intent(intent, method)
        mark_paid(invoice)
        return "paid", None
    intents.decline_intent(intent, method, decline)
    return "failed", _record_decline(invoice, decline)


def _record_decline(invoice: StripeObject, decline: Decline) -> Decline:
    schedule_retry(invoice)
    return decline


def schedule_retry(invoice: StripeObject) -> None:
    """Plan the next retry, if any is left, and emit the failure."""
    tries = invoice.body["attempt_count"]
    due = clock.now() + RETRY_DAYS[tries - 1] * 86400 if tries <= len(RETRY_DAYS) else None
    invoice.body["next_payment_attempt"] = due
    invoice.due_at = due
    documents.save(invoice)
    events.emit("invoice.payment_failed", invoice)


def mark_paid(invoice: StripeObject, *, out_of_band: bool = False) -> None:
    body = invoice.body
    now = clock.now()
    body.update(
        status="paid",
        amount_paid=0 if out_of_band else body["amount_due"],
        amount_paid_off_stripe=body["amount_due"] if out_of_band else 0,
        amount_remaining=0,
        attempted=True,
        auto_advance=False,
        next_payment_attempt=None,
    )
    body["attempt_count"] = max(body["attempt_count"], 1 if body["amount_due"] else 0)
    body["status_transitions"]["paid_at"] = now
    invoice.due_at = None
    documents.save(invoice)
    payment = documents.select("invoice_payment", invoice=invoice.stripe_id).first()
    if payment is not None and out_of_band:
        _cancel_payment(payment)
    elif payment is not None:
        payment.body.update(status="paid", amount_paid=payment.body["amount_requested"])
        payment.body["status_transitions"]["paid_at"] = now
        documents.save(payment)
        events.emit("invoice_payment.paid", payment)
    events.emit("invoice.paid", invoice)
    events.emit("invoice.payment_succeeded", invoice)


def _cancel_payment(payment: StripeObject) -> None:
    """Cancel the open intent of an invoice that needs no payment through Stripe any more."""
    intent = documents.fetch(payment.body["payment"]["payment_intent"])
    if not intent.body["status"].startswith("requires_"):
        return
    intents.cancel_intent(intent, reason="void_invoice")
    payment.body["status"] = "canceled"
    payment.body["status_transitions"]["canceled_at"] = clock.now()
    documents.save(payment)


def void_invoice(invoice: StripeObject) -> None:
    if invoice.body["status"] not in ("open", "uncollectible", "draft"):
        raise ApiError(
            f"You can only void open invoices; this one is {invoice.body['status']}.",
            code="invoice_not_editable",
        )
    before = copy.deepcopy(invoice.body)
    payment = documents.select("invoice_payment", invoice=invoice.stripe_id).first()
    if payment is not None:
        _cancel_payment(payment)
    close_invoice(invoice, status="void", moment="voided_at")
    events.emit("invoice.voided", invoice)
    events.emit_change("invoice.updated", invoice, before)


def close_invoice(invoice: StripeObject, *, status: str, moment: str) -> None:
    invoice.body.update(status=status, auto_advance=False, next_payment_attempt=None)
    invoice.body["status_transitions"][moment] = clock.now()
    invoice.due_at = None
    documents.save(invoice)
