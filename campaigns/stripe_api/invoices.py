"""Invoices as typed snapshots, like the other objects in `snapshots`."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from campaigns.stripe_api.connection import Json, moment
from campaigns.stripe_api.fields import read_id, read_metadata, read_time

InvoiceStatus = Literal["draft", "open", "paid", "uncollectible", "void"]


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    amount_minor: int
    period_starts_at: datetime
    period_ends_at: datetime
    price_id: str = ""


@dataclass(frozen=True, slots=True)
class InvoicePayment:
    id: str
    invoice_id: str
    intent_id: str = ""  # empty if something else than a payment intent paid it
    checkout_ref: str = ""  # that of its intent, if it was expanded
    invoice: "Invoice | None" = None  # only if it was expanded


@dataclass(frozen=True, slots=True)
class Invoice:
    """An invoice or the preview of one; its payments only if `list_invoices` read it."""

    id: str
    status: InvoiceStatus
    created_at: datetime
    total_minor: int
    due_minor: int
    currency: str
    lines: tuple[InvoiceLine, ...]
    billing_reason: str = ""
    discount_minor: int = 0
    offline_minor: int = 0  # paid outside Stripe, and marked as paid in the dashboard
    subscription_id: str = ""
    checkout_ref: str = ""  # that of its subscription: now if expanded, else when it was finalized
    is_collected: bool = False  # Stripe finalizes it and collects it by itself
    was_attempted: bool = False
    paid_at: datetime | None = None
    payments: tuple[InvoicePayment, ...] = ()

    @property
    def price_ids(self) -> list[str]:
        return [line.price_id for line in self.lines if line.price_id]


def read_invoice(raw: Json, *, payments: tuple[InvoicePayment, ...] = ()) -> Invoice:
    parent = (raw.get("parent") or {}).get("subscription_details") or {}
    subscription = parent.get("subscription")
    return Invoice(
        id=raw["id"],
        status=raw["status"],
        created_at=moment(raw["created"]),
        total_minor=raw["total"],
        due_minor=raw["amount_due"],
        currency=raw["currency"],
        lines=tuple(
            InvoiceLine(
                amount_minor=line["amount"],
                period_starts_at=moment(line["period"]["start"]),
                period_ends_at=moment(line["period"]["end"]),
                price_id=_read_price_id(line),
            )
            for line in raw["lines"]["data"]
        ),
        billing_reason=raw["billing_reason"] or "",
        discount_minor=sum(each["amount"] for each in raw.get("total_discount_amounts") or ()),
        offline_minor=raw.get("amount_paid_off_stripe") or 0,
        subscription_id=read_id(subscription),
        checkout_ref=read_metadata(
            subscription if isinstance(subscription, dict) else parent, "checkout"
        ),
        is_collected=raw["auto_advance"],
        was_attempted=raw["attempted"],
        paid_at=read_time(raw["status_transitions"]["paid_at"]),
        payments=payments,
    )


def read_invoice_payment(raw: Json) -> InvoicePayment:
    payment, invoice = raw["payment"], raw["invoice"]
    intent = payment["payment_intent"] if payment["type"] == "payment_intent" else None
    return InvoicePayment(
        id=raw["id"],
        invoice_id=read_id(invoice),
        intent_id=read_id(intent),
        checkout_ref=read_metadata(intent, "checkout") if isinstance(intent, dict) else "",
        # A deleted invoice was a draft: nobody paid it.
        invoice=read_invoice(invoice) if isinstance(invoice, dict) and "lines" in invoice else None,
    )


def _read_price_id(line: Json) -> str:
    details = (line.get("pricing") or {}).get("price_details") or {}
    return read_id(details.get("price"))
