"""Customers and their payment methods."""

from dataclasses import dataclass

from newsroom.sandbox import clock, documents, events
from newsroom.sandbox.documents import Document
from newsroom.sandbox.instruments import BANK_ACCOUNTS, BankAccount, Card, find_card
from newsroom.sandbox.models import StripeObject

EMPTY_ADDRESS: Document = dict.fromkeys(
    ("city", "country", "line1", "line2", "postal_code", "state")
)


@dataclass(frozen=True)
class Instrument:
    """A card or bank account, with the owner's name and the card's expiry date."""

    card: Card | None = None
    bank_account: BankAccount | None = None
    name: str | None = None
    exp_month: int = 12
    exp_year: int = 2034


def create_customer(
    *,
    email: str | None = None,
    name: str | None = None,
    phone: str | None = None,
    description: str | None = None,
    metadata: dict[str, str] | None = None,
    address: Document | None = None,
    preferred_locales: list[str] | None = None,
) -> StripeObject:
    row = documents.create(
        {
            "id": documents.make_id("customer"),
            "object": "customer",
            "address": {**EMPTY_ADDRESS, **address} if address else None,
            "balance": 0,
            "created": clock.now(),
            "currency": None,
            "default_source": None,
            "delinquent": False,
            "description": description,
            "discount": None,
            "email": email,
            "invoice_prefix": documents.make_id("product")[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": metadata or {},
            "name": name,
            "next_invoice_sequence": 1,
            "phone": phone,
            "preferred_locales": preferred_locales or [],
            "shipping": None,
            "tax_exempt": "none",
            "test_clock": None,
        }
    )
    events.emit("customer.created", row)
    return row


def create_payment_method(
    instrument: Instrument, *, customer: str | None, email: str | None
) -> StripeObject:
    body: Document = {
        "id": documents.make_id("payment_method"),
        "object": "payment_method",
        "allow_redisplay": "limited",
        "billing_details": make_billing_details(instrument, email=email),
        "created": clock.now(),
        "customer": customer,
        "livemode": False,
        "metadata": {},
    }
    notes: Document = {}
    if instrument.card is not None:
        card = instrument.card
        body["type"] = "card"
        body["card"] = {
            "brand": card.brand,
            "checks": _CHECKS,
            "country": card.country,
            "display_brand": card.brand,
            "exp_month": instrument.exp_month,
            "exp_year": instrument.exp_year,
            "fingerprint": f"pretend{card.last4}",
            "funding": card.funding,
            "generated_from": None,
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
            "wallet": None,
        }
        notes["number"] = card.number
    elif instrument.bank_account is not None:
        account = instrument.bank_account
        body["type"] = "sepa_debit"
        body["sepa_debit"] = {
            "bank_code": account.iban[4:12],
            "branch_code": "",
            "country": account.iban[:2],
            "fingerprint": f"pretend{account.last4}",
            "generated_from": {"charge": None, "setup_attempt": None},
            "last4": account.last4,
        }
        notes["iban"] = account.iban
    return documents.create(body, notes=notes)


_CHECKS: Document = {
    "address_line1_check": None,
    "address_postal_code_check": None,
    "cvc_check": "pass",
}


def make_billing_details(instrument: Instrument, *, email: str | None) -> Document:
    country = None
    if instrument.card is not None:
        country = instrument.card.country
    elif instrument.bank_account is not None:
        country = instrument.bank_account.iban[:2]
    return {
        "address": {**EMPTY_ADDRESS, "country": country},
        "email": email,
        "name": instrument.name,
        "phone": None,
        "tax_id": None,
    }


def get_card(method: StripeObject) -> Card | None:
    number = method.notes.get("number")
    return find_card(number) if number else None


def get_bank_account(method: StripeObject) -> BankAccount | None:
    iban = method.notes.get("iban")
    return BANK_ACCOUNTS.get(iban) if iban else None


def describe_method(method: StripeObject, *, three_d_secure: bool) -> Document:
    """Return a charge's payment_method_details."""
    if method.body["type"] == "sepa_debit":
        details = {
            key: value
            for key, value in method.body["sepa_debit"].items()
            if key != "generated_from"
        }
        return {"sepa_debit": {**details, "mandate": None}, "type": "sepa_debit"}
    card = method.body["card"]
    kept = (
        "brand",
        "checks",
        "country",
        "exp_month",
        "exp_year",
        "fingerprint",
        "funding",
        "last4",
    )
    secure = {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": None,
        "version": "2.2.0",
    }
    return {
        "card": {
            **{key: card[key] for key in kept},
            "installments": None,
            "mandate": None,
            "network": card["brand"],
            "network_token": {"used": False},
            "regulated_status": "unregulated",
            "three_d_secure": secure if three_d_secure else None,
            "wallet": None,
        },
        "type": "card",
    }
