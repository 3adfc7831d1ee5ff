"""Fields that Stripe's objects have in common."""

from datetime import datetime
from typing import Any

from campaigns.stripe_api.connection import Json, moment


def read_id(value: Any) -> str:
    """Return the id of an object that may be expanded; empty if there is none."""
    return str((value["id"] if isinstance(value, dict) else value) or "")


def find_ref(raw: Json) -> str:
    """Return the Checkout that an object names, or its charge, or its intent, if expanded."""
    named = [raw, raw.get("charge"), raw.get("payment_intent")]
    refs = (read_metadata(each, "checkout") for each in named if isinstance(each, dict))
    return next((ref for ref in refs if ref), "")


def find_customer(raw: Json) -> str:
    """Return the customer of a refund's or a dispute's payment, if that is expanded."""
    paid = [raw.get("charge"), raw.get("payment_intent")]
    customers = (read_id(each.get("customer")) for each in paid if isinstance(each, dict))
    return next(filter(None, customers), "")


def read_metadata(raw: Json, name: str) -> str:
    return str((raw.get("metadata") or {}).get(name) or "")


def read_time(seconds: int | None) -> datetime | None:
    return moment(seconds) if seconds else None
