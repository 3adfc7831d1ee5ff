"""Which API request is being worked on, for the `request` field of the events that it causes."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class CurrentRequest:
    id: str | None = None
    idempotency_key: str | None = None


@dataclass
class Address:
    """Where this sandbox answers; the server fills it in when it knows its port."""

    base_url: str = ""


# What happens by itself (a renewal, a settled debit) or on a page has no API request.
NO_REQUEST = CurrentRequest()
current_request: ContextVar[CurrentRequest] = ContextVar("current_request", default=NO_REQUEST)
address = Address()
