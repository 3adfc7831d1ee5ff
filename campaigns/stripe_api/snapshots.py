"""Stripe's objects as typed snapshots: only the fields that we use, under our own names.

Each `read_*` function turns one raw object of the pinned API version into a snapshot. Amounts are
minor units, times are aware. A field that may be missing or null has a default; a missing required
field raises KeyError. `checkout_ref` is the id of our Checkout as the object's metadata has it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Literal

from campaigns.stripe_api.connection import Json, moment
from campaigns.stripe_api.customers import Customer, read_customer
from campaigns.stripe_api.fields import find_customer, find_ref, read_id, read_metadata, read_time

SessionStatus = Literal["open", "complete", "expired"]
SubscriptionStatus = Literal[
    "incomplete",
    "incomplete_expired",
    "trialing",
    "active",
    "past_due",
    "unpaid",
    "paused",
    "canceled",
]
ChargeStatus = Literal["pending", "succeeded", "failed"]
RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]


@dataclass(frozen=True, slots=True)
class BalanceTransaction:
    """One movement of the Stripe balance, in the currency of the payout; negative if money left."""

    id: str
    type: str
    amount_minor: int
    fee_minor: int
    net_minor: int
    currency: str
    created_at: datetime
    # Only if it was expanded, and is one of these three.
    source: "Charge | Refund | Dispute | None" = None


@dataclass(frozen=True, slots=True)
class Charge:
    object_type: ClassVar[str] = "charge"

    id: str
    status: ChargeStatus
    amount_minor: int
    currency: str
    created_at: datetime
    is_disputed: bool = False
    # False only if the expanded list of its refunds is empty.
    may_have_refunds: bool = True
    intent_id: str = ""
    checkout_ref: str = ""  # or its intent's, if that was expanded
    method: str = ""  # for example "card" or "sepa_debit"
    wallet: str = ""  # for example "apple_pay"
    brand: str = ""
    last4: str = ""  # of the card or the bank account
    country: str = ""
    receipt_url: str = ""
    receipt_number: str = ""
    balance: BalanceTransaction | None = None  # only if it was expanded


@dataclass(frozen=True, slots=True)
class Intent:
    id: str
    checkout_ref: str = ""
    charge: Charge | None = None  # the latest one


@dataclass(frozen=True, slots=True)
class Refund:
    object_type: ClassVar[str] = "refund"

    id: str
    status: RefundStatus
    amount_minor: int
    currency: str
    created_at: datetime
    reason: str = ""
    charge_id: str = ""
    intent_id: str = ""
    checkout_ref: str = ""  # or its charge's or its intent's, if they were expanded
    customer_id: str = ""  # that of its payment, if it was expanded
    order_ref: str = ""  # the id of our RefundOrder, from its metadata
    entries: tuple[BalanceTransaction, ...] = ()  # the expanded ones, oldest first
    has_unread_failure: bool = False  # the entry of its failure was named, not expanded


@dataclass(frozen=True, slots=True)
class Dispute:
    object_type: ClassVar[str] = "dispute"

    id: str
    status: str  # Stripe adds statuses, so this can be any text
    amount_minor: int
    currency: str
    created_at: datetime
    charge_id: str
    reason: str = ""
    intent_id: str = ""
    checkout_ref: str = ""  # or its charge's or its intent's, if they were expanded
    customer_id: str = ""  # that of its payment, if it was expanded
    evidence_due_at: datetime | None = None
    entries: tuple[BalanceTransaction, ...] = ()  # oldest first


@dataclass(frozen=True, slots=True)
class Session:
    """A Checkout Session; its intent and its subscription only if they were expanded."""

    id: str
    status: SessionStatus
    mode: Literal["payment", "subscription", "setup"]
    payment_status: Literal["paid", "unpaid", "no_payment_required"]
    url: str = ""
    customer_id: str = ""
    subscription_id: str = ""
    checkout_ref: str = ""
    intent: Intent | None = None
    subscription: "Subscription | None" = None
    answered_at: datetime | None = None  # by Stripe's clock, in whole seconds


@dataclass(frozen=True, slots=True)
class SubscriptionItem:
    id: str
    price_id: str
    amount_minor: int  # of one period
    product_id: str
    interval: str  # for example "month"
    period_starts_at: datetime
    period_ends_at: datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """Collecting is paused, until `resumes_at` if it is set."""

    resumes_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Subscription:
    id: str
    status: SubscriptionStatus
    currency: str
    started_at: datetime
    items: tuple[SubscriptionItem, ...]
    is_cancelling: bool = False  # at the end of the period or at a date
    pause: Pause | None = None
    trial_ends_at: datetime | None = None
    canceled_at: datetime | None = None
    ended_at: datetime | None = None
    customer: Customer = field(default_factory=Customer)
    has_discount: bool = False
    cancel_reason: str = ""  # one of Stripe's reasons, as its owner chose it
    latest_invoice_id: str = ""
    checkout_ref: str = ""
    # When Stripe answered, by its clock, if `fetch_subscription` read it.
    answered_at: datetime | None = None

    @property
    def customer_id(self) -> str:
        return self.customer.id

    @property
    def price_ids(self) -> list[str]:
        return [item.price_id for item in self.items]


def read_balance_transaction(raw: Json) -> BalanceTransaction:
    source = raw.get("source")
    return BalanceTransaction(
        id=raw["id"],
        type=raw["type"],
        amount_minor=raw["amount"],
        fee_minor=raw["fee"],
        net_minor=raw["net"],
        currency=raw["currency"],
        created_at=moment(raw["created"]),
        source=_read_source(source) if isinstance(source, dict) else None,
    )


def _read_source(raw: Json) -> Charge | Refund | Dispute | None:
    match raw["object"]:
        case "charge":
            return read_charge(raw)
        case "refund":
            return read_refund(raw)
        case "dispute":
            return read_dispute(raw)
    return None


def read_charge(raw: Json) -> Charge:
    details = raw.get("payment_method_details") or {}
    method = details.get("type") or ""
    means = details.get(method) or {}
    balance, refunds = raw.get("balance_transaction"), raw.get("refunds")
    return Charge(
        id=raw["id"],
        status=raw["status"],
        amount_minor=raw["amount"],
        currency=raw["currency"],
        created_at=moment(raw["created"]),
        is_disputed=bool(raw.get("disputed")),
        may_have_refunds=refunds is None or bool(refunds["data"]),
        intent_id=read_id(raw.get("payment_intent")),
        checkout_ref=find_ref(raw),
        method=method,
        wallet=(means.get("wallet") or {}).get("type") or "",
        brand=means.get("brand") or "",
        last4=means.get("last4") or "",
        country=means.get("country") or "",
        receipt_url=raw.get("receipt_url") or "",
        receipt_number=raw.get("receipt_number") or "",
        balance=read_balance_transaction(balance) if isinstance(balance, dict) else None,
    )


def read_intent(raw: Json) -> Intent:
    """Read a payment intent whose latest charge is expanded."""
    charge = raw["latest_charge"]
    return Intent(
        id=raw["id"],
        checkout_ref=read_metadata(raw, "checkout"),
        charge=read_charge(charge) if charge else None,
    )


def read_refund(raw: Json) -> Refund:
    entry, failure = raw.get("balance_transaction"), raw.get("failure_balance_transaction")
    return Refund(
        id=raw["id"],
        status=raw["status"] or "pending",
        amount_minor=raw["amount"],
        currency=raw["currency"],
        created_at=moment(raw["created"]),
        reason=raw.get("reason") or "",
        charge_id=read_id(raw.get("charge")),
        intent_id=read_id(raw.get("payment_intent")),
        checkout_ref=find_ref(raw),
        customer_id=find_customer(raw),
        order_ref=read_metadata(raw, "refund_order"),
        entries=_read_entries([entry, failure]),
        has_unread_failure=isinstance(failure, str),
    )


def read_dispute(raw: Json) -> Dispute:
    return Dispute(
        id=raw["id"],
        status=raw["status"],
        amount_minor=raw["amount"],
        currency=raw["currency"],
        created_at=moment(raw["created"]),
        charge_id=read_id(raw["charge"]),
        reason=raw.get("reason") or "",
        intent_id=read_id(raw.get("payment_intent")),
        checkout_ref=find_ref(raw),
        customer_id=find_customer(raw),
        evidence_due_at=read_time((raw.get("evidence_details") or {}).get("due_by")),
        entries=_read_entries(raw.get("balance_transactions") or []),
    )


def read_session(raw: Json, *, answered_at: datetime | None = None) -> Session:
    intent, subscription = raw.get("payment_intent"), raw.get("subscription")
    return Session(
        id=raw["id"],
        status=raw["status"],
        mode=raw["mode"],
        payment_status=raw["payment_status"],
        url=raw.get("url") or "",
        customer_id=raw.get("customer") or "",
        subscription_id=read_id(subscription),
        checkout_ref=read_metadata(raw, "checkout"),
        intent=read_intent(intent) if isinstance(intent, dict) else None,
        subscription=read_subscription(subscription) if isinstance(subscription, dict) else None,
        answered_at=answered_at,
    )


def read_subscription(raw: Json, *, answered_at: datetime | None = None) -> Subscription:
    pause, latest = raw.get("pause_collection"), raw.get("latest_invoice")
    return Subscription(
        id=raw["id"],
        status=raw["status"],
        currency=raw["currency"],
        started_at=moment(raw["start_date"]),
        items=tuple(
            SubscriptionItem(
                id=item["id"],
                price_id=item["price"]["id"],
                amount_minor=(item["price"].get("unit_amount") or 0) * item.get("quantity", 1),
                product_id=read_id(item["price"].get("product")),
                interval=(item["price"].get("recurring") or {}).get("interval") or "",
                period_starts_at=moment(item["current_period_start"]),
                period_ends_at=moment(item["current_period_end"]),
            )
            for item in raw["items"]["data"]
        ),
        is_cancelling=bool(raw.get("cancel_at_period_end") or raw.get("cancel_at")),
        pause=Pause(read_time(pause.get("resumes_at"))) if pause else None,
        trial_ends_at=read_time(raw.get("trial_end")),
        canceled_at=read_time(raw.get("canceled_at")),
        ended_at=read_time(raw.get("ended_at")),
        customer=read_customer(raw.get("customer")),
        has_discount=bool(raw.get("discounts")),
        cancel_reason=(raw.get("cancellation_details") or {}).get("feedback") or "",
        latest_invoice_id=(latest.get("id") if isinstance(latest, dict) else latest) or "",
        checkout_ref=read_metadata(raw, "checkout"),
        answered_at=answered_at,
    )


def _read_entries(raw: list[Any]) -> tuple[BalanceTransaction, ...]:
    """Read the expanded entries of a refund or a dispute, oldest first."""
    entries = [read_balance_transaction(entry) for entry in raw if isinstance(entry, dict)]
    return tuple(sorted(entries, key=lambda entry: entry.created_at))
