"""The current API request, for the `request` field of its events, and the server's address."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class CurrentRequest:
    id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Address:
    """The sandbox's own address, set by the server when it knows its port."""

    base_url: str = ""


# Renewals, settled debits and actions on pages have no API request.
NO_REQUEST = CurrentRequest()
current_request: ContextVar[CurrentRequest] = ContextVar("current_request", default=NO_REQUEST)
address = Address()
