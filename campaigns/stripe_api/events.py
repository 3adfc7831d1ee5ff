"""The envelope of an event: a hint at one object, beside the JSON as it arrived."""

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from campaigns.stripe_api.connection import Json, moment

_EVENT_ID = re.compile(r"[A-Za-z0-9_]{1,255}\Z")
_EVENT_TYPE = re.compile(r"[a-z0-9_.]{1,120}\Z")
_OBJECT_TYPE = re.compile(r"[a-z0-9_.]{1,60}\Z")
_OBJECT_ID = re.compile(r"[A-Za-z0-9_.-]{1,255}\Z")


class UnusableEvent(ValueError):
    """The JSON isn't a Stripe event; the message says why, without any of its content."""


@dataclass(frozen=True, slots=True)
class Event:
    """A webhook or an event of Stripe's list: a hint at one object, and the JSON as it arrived."""

    id: str
    type: str
    is_live: bool
    created_at: datetime
    payload: str
    object_type: str = ""
    object_id: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """The objects that a payload names beside its own, and whether it names one of our Checkouts.

    Stripe never changes which intent a charge belongs to, or which subscription an invoice does. So
    these ids are as good in an old payload as in an answer, unlike amounts, states and metadata.
    `checkout_ref` is None if the payload doesn't show the metadata. Stripe has our metadata from
    the moment when it creates an object, so a payload without it is not about a new sale of ours.
    """

    charge_id: str = ""
    intent_id: str = ""
    invoice_id: str = ""
    subscription_id: str = ""
    checkout_ref: str | None = None
    price_ids: tuple[str, ...] = ()  # those of a subscription's items

    @property
    def names_checkout(self) -> bool | None:
        return None if self.checkout_ref is None else bool(self.checkout_ref)

    @property
    def ids(self) -> list[str]:
        ids = (self.charge_id, self.intent_id, self.invoice_id, self.subscription_id)
        return [each for each in ids if each]


def read_named(payload: str) -> Named:
    """Read what a stored payload of the pinned API version names; anything else is left out."""
    try:
        raw = json.loads(payload)["data"]["object"]
        kind = raw["object"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return Named()
    named = Named()
    match kind:
        case "charge":
            named = Named(intent_id=_id(raw, "payment_intent"), checkout_ref=_read_ref(raw))
        case "payment_intent" | "checkout.session":
            named = Named(checkout_ref=_read_ref(raw))
        case "subscription":
            named = Named(checkout_ref=_read_ref(raw), price_ids=_list_prices(raw))
        case "refund" | "dispute":
            named = Named(_id(raw, "charge"), _id(raw, "payment_intent"))
        case "invoice":
            parent = _dict(_dict(raw, "parent"), "subscription_details")
            named = Named(
                subscription_id=_id(parent, "subscription"), checkout_ref=_read_ref(parent)
            )
        case "invoice_payment":
            intent_id = _id(_dict(raw, "payment"), "payment_intent")
            named = Named(intent_id=intent_id, invoice_id=_id(raw, "invoice"))
    return named


def _dict(raw: Json, key: str) -> Json:
    value = raw.get(key)
    return value if isinstance(value, dict) else {}


def _id(raw: Json, key: str) -> str:
    value = raw.get(key)
    return value if isinstance(value, str) and _OBJECT_ID.match(value) else ""


def _list_prices(raw: Json) -> tuple[str, ...]:
    items = _dict(raw, "items").get("data")
    listed = [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []
    prices = (_id(_dict(item, "price"), "id") for item in listed)
    return tuple(filter(None, prices))


def _read_ref(raw: Json) -> str | None:
    metadata = raw.get("metadata")
    return str(metadata.get("checkout") or "") if isinstance(metadata, dict) else None


def read_event(raw: Any, *, payload: str) -> Event:
    """Read an event whose JSON is `payload`; raises UnusableEvent.

    Only its envelope is checked: the object that it names is fetched from Stripe before use.
    """
    if not isinstance(raw, dict):
        raise UnusableEvent("signed, but not a JSON object")
    event_id, event_type, created = raw.get("id"), raw.get("type"), raw.get("created")
    if not isinstance(event_id, str) or not _EVENT_ID.match(event_id):
        raise UnusableEvent("the event has no usable id")
    if not isinstance(event_type, str) or not _EVENT_TYPE.match(event_type):
        raise UnusableEvent("the event has no usable type")
    if not isinstance(raw.get("livemode"), bool):
        raise UnusableEvent("the event doesn't say whether it is live or test")
    if type(created) is not int or not 0 < created < 2**40:
        raise UnusableEvent("the event has no usable time")
    try:
        created_at = moment(created)
    except (ValueError, OverflowError, OSError) as error:
        raise UnusableEvent("the event has no usable time") from error
    object_type, object_id = _read_named_object(raw)
    return Event(
        id=event_id,
        type=event_type,
        is_live=raw["livemode"],
        created_at=created_at,
        payload=payload,
        object_type=object_type,
        object_id=object_id,
    )


def _read_named_object(raw: Json) -> tuple[str, str]:
    """Return the type and id of the object that an event names; empty if it names none."""
    data = raw.get("data")
    named = data.get("object") if isinstance(data, dict) else None
    if not isinstance(named, dict):
        return "", ""
    object_type, object_id = named.get("object"), named.get("id")
    if not isinstance(object_type, str) or not isinstance(object_id, str):
        return "", ""
    if not _OBJECT_TYPE.match(object_type) or not _OBJECT_ID.match(object_id):
        return "", ""
    return object_type, object_id
