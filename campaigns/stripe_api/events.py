"""The envelope of an event: a hint at one object, beside the JSON as it arrived."""

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
