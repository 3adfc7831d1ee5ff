"""Customers as typed snapshots. Stripe expands one together with its subscription."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer; only the id unless it was expanded, or if it was deleted at Stripe."""

    id: str = ""
    email: str = ""
    name: str = ""
    languages: tuple[str, ...] = ()  # in the customer's order
    balance_minor: int = 0  # negative: credit that the next invoices use up
    has_discount: bool = False


def read_customer(raw: Any) -> Customer:
    """Read a customer, or the id of one that was not expanded."""
    if not isinstance(raw, dict):
        return Customer(raw or "")
    return Customer(
        id=raw["id"],
        email=raw.get("email") or "",
        name=raw.get("name") or "",
        languages=tuple(raw.get("preferred_locales") or ()),
        balance_minor=raw.get("balance") or 0,
        has_discount=bool(raw.get("discount")),
    )
