"""Calls of Ghost's Admin API. Source: https://docs.ghost.org/admin-api, version 5."""

import hashlib
import hmac
import json
import re
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils import timezone

from campaigns import outgoing_addresses, outgoing_requests
from campaigns.models import GhostSite
from campaigns.outgoing_addresses import RefusedAddress, Unreachable

# For one request: a page of a hundred members takes a real Ghost less than a second.
TIME_LIMIT_SECONDS = 10.0
PAGE = 100  # Ghost answers no more at once
_VERSION = "v5.0"
_LASTS = timedelta(minutes=5)
_MOST_BYTES = 8_000_000
_KEY = re.compile(r"([0-9a-f]{24}):([0-9a-f]{64})", re.IGNORECASE)
# The settings that have a value once Ghost is connected to Stripe, by its own page or directly.
_STRIPE_KEYS = {"stripe_connect_secret_key", "stripe_secret_key"}
# The kinds and fields of Ghost's errors look like this; they name nobody.
_WORDS = re.compile(r"[A-Za-z_]{1,40}")
_STRANGE = "Its answer is not one of Ghost’s Admin API."


class GhostDown(Exception):
    """Ghost doesn't answer, or asks us to wait: `retry_after` seconds, if it says so.

    `is_error` is whether it answered that it failed itself, perhaps because of one person.
    """

    def __init__(
        self, reason: str, retry_after: int | None = None, *, is_error: bool = False
    ) -> None:
        super().__init__(reason)
        self.retry_after, self.is_error = retry_after, is_error


class GhostRefusesKey(Exception):
    """GHOST_ADMIN_KEY was revoked, or is of another Ghost."""


class GhostUnusable(Exception):
    """Ghost works, but can't give complimentary access: `trouble` says why."""

    def __init__(self, trouble: GhostSite.Trouble, detail: str = "") -> None:
        super().__init__(detail)
        self.trouble = trouble


class GhostRefused(Exception):
    """Ghost refused one request. Its text has no personal data."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


ERRORS = (GhostDown, GhostRefusesKey, GhostUnusable, GhostRefused)


@dataclass(frozen=True)
class Person:
    """A member as Ghost has it."""

    id: str
    email: str
    status: str  # free, comped or paid
    note: str
    tiers: dict[str, datetime | None]  # ends of the tiers, by id
    labels: tuple[str, ...]
    newsletters: tuple[str, ...]  # ids
    is_paying: bool


def read_key(text: str) -> tuple[str, bytes]:
    """Return the id and the secret of an Admin API key. Raises ValueError."""
    found = _KEY.fullmatch(text)
    if found is None:
        raise ValueError("not an Admin API key")
    return found[1], bytes.fromhex(found[2])


def make_token(key: str, *, at: datetime) -> str:
    """Return the JSON Web Token (RFC 7519, HS256) that proves the key for five minutes."""
    key_id, secret = read_key(key)
    issued_at = int(at.timestamp())
    claims = {
        "iat": issued_at,
        "exp": issued_at + int(_LASTS.total_seconds()),
        "aud": "/admin/",
    }
    header = {"alg": "HS256", "typ": "JWT", "kid": key_id}
    signed = f"{_encode_json(header)}.{_encode_json(claims)}"
    return f"{signed}.{_encode(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _encode_json(value: dict[str, Any]) -> str:
    return _encode(json.dumps(value, separators=(",", ":")).encode())


def list_tiers() -> list[dict[str, Any]]:
    return _ask("tiers", "GET", "/tiers/?limit=all")


def list_newsletters() -> list[dict[str, Any]]:
    return _ask("newsletters", "GET", "/newsletters/?limit=all")


def is_connected_to_stripe() -> bool:
    """Return whether Ghost is connected to Stripe; also True if it doesn't say."""
    try:
        settings_there = _ask("settings", "GET", "/settings/")
    except (GhostRefused, GhostRefusesKey):
        return True
    keys = [each.get("value") for each in settings_there if each.get("key") in _STRIPE_KEYS]
    return not keys or any(keys)


def read_person(ghost_id: str) -> Person | None:
    """Return a member by Ghost's ID; None if there is none."""
    try:
        return _ask_about_one("GET", f"/members/{ghost_id}/")
    except GhostRefused as error:
        if error.status == 404:
            return None
        raise


def find_person(email: str) -> Person | None:
    """Return the member with an address, in capital letters or not; None if there is none.

    Databases of Ghost also find addresses with other accents, which belong to other people.
    """
    escaped = email.replace("\\", "\\\\").replace("'", "\\'")
    query = _browse(f"email:'{escaped}'", order="id asc")
    people = map(_read, _ask("members", "GET", "/members/?" + urlencode(query)))
    return next((each for each in people if fold(each.email) == fold(email)), None)


def fold(email: str) -> str:
    return email.strip().casefold()


def walk_people() -> Iterator[Person]:
    """Yield all members, in the order of their IDs: changes meanwhile hide nobody."""
    last = ""
    while True:
        query = _browse(f"id:>'{last}'" if last else "", order="id asc")
        found = _ask("members", "GET", "/members/?" + urlencode(query))
        for person in map(_read, found):
            if person.id <= last:  # for example a cache in front of it that ignores the filter
                raise GhostDown(_STRANGE)
            yield person
            last = person.id
        if len(found) < PAGE:
            return


def _browse(filter_: str, *, order: str) -> dict[str, str]:
    wanted = {"include": "tiers", "limit": str(PAGE), "order": order}
    return wanted | ({"filter": filter_} if filter_ else {})


def create_person(**values: Any) -> Person:
    """Create a member; Ghost sends no e-mail about it."""
    return _ask_about_one("POST", "/members/", {"members": [values]})


def change_person(ghost_id: str, **values: Any) -> Person:
    """Change these values of a member and no others."""
    return _ask_about_one("PUT", f"/members/{ghost_id}/", {"members": [values]})


def delete_person(ghost_id: str) -> None:
    """Delete a member, unless that is done."""
    try:
        _call("DELETE", f"/members/{ghost_id}/")
    except GhostRefused as error:
        if error.status != 404:
            raise


def write_tiers(tiers: dict[str, datetime | None]) -> list[dict[str, Any]]:
    """Return tiers as Ghost reads them; its times have no fractions of a second."""
    return [
        {"id": tier, "expiry_at": end and f"{end.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.000Z"}
        for tier, end in tiers.items()
    ]


def _read(member: dict[str, Any]) -> Person:
    try:
        return _read_fields(member)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise GhostDown(_STRANGE) from error


def _read_fields(member: dict[str, Any]) -> Person:
    tiers = {each["id"]: _read_moment(each.get("expiry_at")) for each in member.get("tiers", ())}
    # Complimentary access looks like a subscription without an ID.
    paid = [each for each in member.get("subscriptions", ()) if each.get("id")]
    is_paying = any(each.get("status") not in {"canceled", "incomplete_expired"} for each in paid)
    return Person(
        id=member["id"],
        email=member["email"],
        status=member.get("status", ""),
        note=member.get("note") or "",
        tiers=tiers,
        labels=tuple(each["name"] for each in member.get("labels", ())),
        newsletters=tuple(each["id"] for each in member.get("newsletters", ())),
        is_paying=is_paying or member.get("status") == "paid",
    )


def _read_moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _ask_about_one(method: str, path: str, body: dict[str, Any] | None = None) -> Person:
    people = _ask("members", method, path, body)
    if len(people) != 1:
        raise GhostDown(_STRANGE)
    return _read(people[0])


def _ask(
    kind: str, method: str, path: str, body: dict[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Call the API and return the rows of its answer."""
    rows = _call(method, path, body).get(kind)
    if not isinstance(rows, list) or not all(isinstance(each, dict) for each in rows):
        raise GhostDown(_STRANGE)
    return rows


def _call(method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    """Call the API; return its answer, empty if it has none.

    Raises GhostDown, GhostRefusesKey and GhostRefused.
    """
    headers = {
        "Authorization": f"Ghost {make_token(settings.GHOST_ADMIN_KEY, at=timezone.now())}",
        "Accept": "application/json",
        "Accept-Version": _VERSION,
        "Content-Type": "application/json",
        "User-Agent": "newsroom-campaigns/1",
    }
    try:
        target = outgoing_addresses.find_target(
            f"{settings.GHOST_URL}/ghost/api/admin{path}", is_trusted=True
        )
        answer = outgoing_requests.send(
            target,
            method,
            json.dumps(body).encode() if body is not None else None,
            headers=headers,
            seconds=TIME_LIMIT_SECONDS,
            most_bytes=_MOST_BYTES,
        )
    except (Unreachable, RefusedAddress) as error:
        raise GhostDown(str(error)[:200]) from error
    if answer.is_accepted:
        return _parse(answer.text) if answer.text else {}
    _refuse(answer)
    raise AssertionError("unreachable")


def _refuse(answer: outgoing_requests.Answer) -> None:
    """Raise the error that an answer means.

    401, 403 and 404 without an error in Ghost's words come from a server in front of it: they say
    nothing about our key, nor that a member is gone.
    """
    status, reason = answer.status, _find_reason(answer.text)
    is_in_front = not reason and status in {401, 403, 404}
    if is_in_front or status >= 500 or 300 <= status < 400 or status in {408, 429}:
        raise GhostDown(f"HTTP {status}", answer.retry_after, is_error=status == 500)
    words = f"HTTP {status} {reason}".strip()
    if status in {401, 403}:
        raise GhostRefusesKey(words)
    raise GhostRefused(status, words)


def _find_reason(text: str) -> str:
    """Return the code or kind of an error, and the field that it is about; nothing typed."""
    try:
        error = _parse(text)["errors"][0]
        words = [error.get("code") or error.get("type"), error.get("property")]
    except (GhostDown, LookupError, TypeError, AttributeError):
        return ""
    return " ".join(each for each in words if isinstance(each, str) and _WORDS.fullmatch(each))


def _parse(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise GhostDown(_STRANGE)
    return value
