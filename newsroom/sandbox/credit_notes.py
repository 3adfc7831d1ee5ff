"""Credit notes: what is taken off an invoice after it was finalised.

On an open invoice they lower what is still to pay. On a paid one the amount goes to the customer's
balance, back to the card, or is given outside Stripe. https://docs.stripe.com/invoicing/credit-notes
"""

import copy

from newsroom.sandbox import clock, context, documents, events, invoices, refunds, subscriptions
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

_PARTS = ("credit_amount", "refund_amount", "out_of_band_amount")


def create_credit_note(params: Document) -> StripeObject:
    invoice = documents.get("invoice", params["invoice"], param="invoice", status=400)
    body = invoice.body
    if body["status"] not in ("open", "paid"):
        raise ApiError(
            f"Credit notes can only be created for open or paid invoices; {invoice.stripe_id} is "
            f"{body['status']}.",
            param="invoice",
        )
    parts = {name: params.get(name, 0) for name in _PARTS}
    amount = params.get("amount", sum(parts.values()))
    is_paid = body["status"] == "paid"
    _check_amount(invoice, amount, parts if is_paid else None)
    row = documents.create(_make_body(invoice, amount, params, parts=parts, is_paid=is_paid))
    before = copy.deepcopy(body)
    if is_paid:
        _pay_out(invoice, row, parts)
        body["post_payment_credit_notes_amount"] += amount
        documents.save(invoice)
    else:
        body["pre_payment_credit_notes_amount"] += amount
        body["amount_due"] -= amount
        body["amount_remaining"] -= amount
        documents.save(invoice)
        _lower_intent(invoice)
    events.emit("credit_note.created", row)
    events.emit_change("invoice.updated", invoice, before)
    if body["status"] == "open" and body["amount_remaining"] == 0:
        _close(invoice)
    return row


def _check_amount(invoice: StripeObject, amount: int, parts: dict[str, int] | None) -> None:
    body = invoice.body
    if amount < 1:
        raise ApiError(
            "This value must be greater than or equal to 1.",
            code="parameter_invalid_integer",
            param="amount",
        )
    left = body["amount_remaining"]
    if body["status"] == "paid":
        left = body["total"] - body["post_payment_credit_notes_amount"]
        left -= body["pre_payment_credit_notes_amount"]
    if amount > left:
        raise ApiError(
            f"The credit note's amount ({amount}) is greater than what is left of the invoice "
            f"({left}).",
            code="amount_too_large",
            param="amount",
        )
    if parts is not None and sum(parts.values()) != amount:
        raise ApiError(
            "The sum of credit amount, refund amount and out of band amount "
            f"({sum(parts.values())}) must equal the credit note amount ({amount}).",
            param="amount",
        )


def _pay_out(invoice: StripeObject, row: StripeObject, parts: dict[str, int]) -> None:
    """Refund the card and credit the balance, as the note of a paid invoice says."""
    if parts["refund_amount"]:
        payment = documents.select("invoice_payment", invoice=invoice.stripe_id).first()
        intent = payment and documents.find(payment.body["payment"].get("payment_intent"))
        if intent is None or intent.body["latest_charge"] is None:
            raise ApiError("This invoice has no payment to refund.", param="refund_amount")
        charge = documents.fetch(intent.body["latest_charge"])
        refund = refunds.create_refund(charge, amount=parts["refund_amount"])
        row.body["refunds"] = [
            {
                "amount_refunded": parts["refund_amount"],
                "payment_record_refund": None,
                "refund": refund.stripe_id,
                "type": "refund",
            }
        ]
        documents.save(row)
    if parts["credit_amount"]:
        customer = documents.fetch(invoice.body["customer"])
        before = dict(customer.body)
        customer.body["balance"] -= parts["credit_amount"]
        documents.save(customer)
        events.emit_change("customer.updated", customer, before)


def _lower_intent(invoice: StripeObject) -> None:
    """Let the open payment of the invoice ask for what is left."""
    intent = invoices.find_open_intent(invoice)
    if intent is not None and invoice.body["amount_remaining"]:
        intent.body["amount"] = invoice.body["amount_remaining"]
        documents.save(intent)


def _close(invoice: StripeObject) -> None:
    """Mark an invoice with nothing left to pay as paid."""
    invoices.mark_paid(invoice, out_of_band=True)  # cancels its open payment
    subscription = documents.find(documents.find_subscription_id(invoice.body))
    if subscription is not None:
        subscriptions.handle_paid_invoice(subscription, invoice)


def _make_body(
    invoice: StripeObject, amount: int, params: Document, *, parts: dict[str, int], is_paid: bool
) -> Document:
    stripe_id = documents.make_id("credit_note")
    number = documents.select("credit_note", invoice=invoice.stripe_id).count() + 1
    line: Document = {
        "id": documents.make_id("credit_note_line_item"),
        "object": "credit_note_line_item",
        "amount": amount,
        "description": params.get("memo") or "Credit",
        "discount_amount": 0,
        "discount_amounts": [],
        "livemode": False,
        "metadata": {},
        "pretax_credit_amounts": [],
        "quantity": 1,
        "tax_rates": [],
        "taxes": [],
        "type": "custom_line_item",
        "unit_amount": amount,
        "unit_amount_decimal": str(amount),
    }
    return {
        "id": stripe_id,
        "object": "credit_note",
        "amount": amount,
        "amount_shipping": 0,
        "created": clock.now(),
        "currency": invoice.body["currency"],
        "customer": invoice.body["customer"],
        "customer_balance_transaction": None,
        "discount_amount": 0,
        "discount_amounts": [],
        "effective_at": clock.now(),
        "invoice": invoice.stripe_id,
        "lines": documents.make_list([line], url=f"/v1/credit_notes/{stripe_id}/lines"),
        "livemode": False,
        "memo": params.get("memo"),
        "metadata": documents.merge_metadata(None, params.get("metadata", {})),
        "number": f"{invoice.body['number']}-CN-{number:02d}",
        "out_of_band_amount": parts["out_of_band_amount"] or None,
        "pdf": f"{context.address.base_url}/credit-notes/{stripe_id}",
        "post_payment_amount": amount if is_paid else 0,
        "pre_payment_amount": 0 if is_paid else amount,
        "pretax_credit_amounts": [],
        "reason": params.get("reason"),
        "refunds": [],
        "shipping_cost": None,
        "status": "issued",
        "subtotal": amount,
        "subtotal_excluding_tax": amount,
        "total": amount,
        "total_excluding_tax": amount,
        "total_taxes": [],
        "type": "post_payment" if is_paid else "pre_payment",
        "voided_at": None,
    }
