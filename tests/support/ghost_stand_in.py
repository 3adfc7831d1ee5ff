"""A small stand-in for Ghost's Admin API, for the quick tests.

It knows the calls that we make, and answers as the real Ghost does that is connected to Stripe:
`tests/ghost/test_life.py` and `test_real_ghost.py` compare the two. Like Ghost, it keeps addresses
as they are written, and finds them in capital letters or not, with accents or without.
"""

import json
import re
import threading
import time
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import jwt

from tests.support.ghost import API

_FIELDS = {"email", "name", "note", "labels", "newsletters", "tiers"}


class _Refused(Exception):
    def __init__(
        self,
        status: int,
        kind: str,
        context: str | None,
        property_: str | None,
        code: str | None = None,
    ) -> None:
        super().__init__(context)
        self.status = status
        self.error = {"type": kind, "context": context, "property": property_, "code": code}


def _fold(email: str) -> str:
    plain = unicodedata.normalize("NFKD", email).casefold()
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _clean(tiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": each["id"], "expiry_at": each["expiry_at"]} for each in tiers]


def _refuse(context: str, *, status: int = 400, kind: str = "BadRequestError") -> _Refused:
    return _Refused(status, kind, context, None)


@dataclass
class GhostStandIn:
    """Its address and key, what it holds, and how it misbehaves.

    `answers` are the next answers: a status and its headers, or None to drop the connection. Each
    is an error, unless `text` is set.
    """

    url: str = ""
    key: str = f"{'a' * 24}:{'b' * 64}"
    is_connected: bool = True  # to Stripe
    answers: list[tuple[int, dict[str, str]] | None] = field(default_factory=list)
    text: str | None = None
    is_down: bool = False
    breaks_on: str = ""  # an address about which it always answers 500
    requests: list[str] = field(default_factory=list)
    members: dict[str, dict[str, Any]] = field(default_factory=dict)
    tiers: dict[str, dict[str, Any]] = field(default_factory=dict)
    newsletters: list[dict[str, Any]] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(0x6B0C43))
    _clock_began: float = field(default_factory=lambda: time.time() - time.monotonic())

    def __post_init__(self) -> None:
        self.add_tier("Free", type="free")
        self.add_tier("The Meridian Post", slug="default-product")
        self.newsletters = [
            {"id": self.make_id(), "slug": "default-newsletter", "status": "active"}
        ]

    def _read_clock(self) -> float:
        """Return its own time: tests that set our clock leave it alone."""
        return self._clock_began + time.monotonic()

    def make_id(self) -> str:
        return f"{next(self._numbers):024x}"

    def add_tier(self, name: str, **changes: Any) -> str:
        tier = {"id": self.make_id(), "name": name, "slug": name.lower(), "active": True}
        tier |= {"type": "paid"} | changes
        self.tiers[str(tier["id"])] = tier
        return str(tier["id"])

    def make_tier(self, name: str) -> str:
        return self.add_tier(name)

    def archive_tier(self, tier_id: str) -> None:
        self.tiers[tier_id]["active"] = False

    def start_again(self) -> None:
        self.is_down = False

    def stop(self) -> None:
        self.is_down = True

    def connect_to_stripe(self) -> None:
        self.is_connected = True

    def pay(self, email: str) -> None:
        """Let a member begin a subscription in Ghost."""
        member = self._find(email)
        assert member is not None
        tier = next(each["id"] for each in self.tiers.values() if each["type"] == "paid")
        member["status"], member["tiers"] = "paid", [{"id": tier, "expiry_at": None}]
        member["paid"] = "sub_1"

    def revoke_key(self) -> None:
        self.key = f"{'c' * 24}:{'d' * 64}"

    def does_break(self, path: str, raw: bytes) -> bool:
        named = unquote(path) + raw.decode()
        return bool(self.breaks_on) and self.breaks_on in named

    def answer(
        self, method: str, path: str, authorization: str, body: Any
    ) -> tuple[int, dict[str, Any]]:
        """Answer one request, as the Admin API does."""
        try:
            self._check(authorization)
            return self._route(method, urlsplit(path), body)
        except _Refused as error:
            return error.status, {"errors": [error.error]}

    def _check(self, authorization: str) -> None:
        token = authorization.removeprefix("Ghost ")
        key_id, secret = self.key.split(":")
        if jwt.get_unverified_header(token).get("kid") != key_id:
            raise _Refused(401, "UnauthorizedError", None, None, code="UNKNOWN_ADMIN_API_KEY")
        try:
            claims = jwt.decode(
                token,
                bytes.fromhex(secret),
                algorithms=["HS256"],
                audience="/admin/",
                options={"verify_exp": False, "verify_iat": False},  # by its own clock, below
            )
        except jwt.InvalidTokenError:
            raise _Refused(401, "UnauthorizedError", None, None, code="INVALID_JWT") from None
        assert claims["exp"] - claims["iat"] == 300
        if self._read_clock() >= claims["exp"]:
            raise _Refused(401, "UnauthorizedError", None, None, code="INVALID_JWT")

    def _route(self, method: str, url: Any, body: Any) -> tuple[int, dict[str, Any]]:
        kind, *known = url.path.removeprefix(API).strip("/").split("/")
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        if kind != "members":
            assert method == "GET", f"{method} {url.path} is not known here"
            secret = "••••••••" if self.is_connected else None
            lists = {
                "tiers": list(self.tiers.values()),
                "newsletters": self.newsletters,
                "settings": [{"key": "stripe_connect_secret_key", "value": secret}],
            }
            return 200, {kind: lists[kind]}
        if not known:
            if method == "GET":
                return 200, {"members": self._browse(query)}
            return 201, {"members": [self._show(self._add(body["members"][0]))]}
        member = self._get(known[0], method)
        if method == "DELETE":
            del self.members[known[0]]
            return 204, {}
        if method == "PUT":
            self._edit(member, body["members"][0])
        return 200, {"members": [self._show(member)]}

    def _get(self, member_id: str, method: str) -> dict[str, Any]:
        if member_id not in self.members:
            contexts = {
                "GET": "Member not found.",
                "PUT": f"Could not find Member {member_id}",
                "DELETE": "Resource could not be found.",
            }
            raise _refuse(contexts[method], status=404, kind="NotFoundError")
        return self.members[member_id]

    def _find(self, email: str) -> dict[str, Any] | None:
        found = (each for each in self.members.values() if _fold(each["email"]) == _fold(email))
        return next(found, None)

    def _browse(self, query: dict[str, str]) -> list[dict[str, Any]]:
        found = sorted(self.members.values(), key=lambda member: str(member["id"]))
        filter_ = query.get("filter", "")
        if email := re.fullmatch(r"email:'(.*)'", filter_):
            wanted = re.sub(r"\\(.)", r"\1", email[1])
            found = [each for each in found if _fold(each["email"]) == _fold(wanted)]
        elif after := re.fullmatch(r"id:>'(.*)'", filter_):
            found = [each for each in found if each["id"] > after[1]]
        else:
            assert not filter_, filter_
        shown = [self._show(each) for each in found[: min(int(query.get("limit", 15)), 100)]]
        if "tiers" not in query.get("include", ""):
            for each in shown:
                del each["tiers"]
        return shown

    def _add(self, values: dict[str, Any]) -> dict[str, Any]:
        self._check_email(values["email"], None, verb="add")
        self._check_tiers(values.get("tiers", []), [])
        tiers = _clean(values.get("tiers", []))
        default = [{"id": each["id"]} for each in self.newsletters]
        member = {
            "id": self.make_id(),
            "email": values["email"],
            "name": values.get("name"),
            "note": values.get("note"),
            "labels": values.get("labels", []),
            "newsletters": values.get("newsletters", default),
            "tiers": tiers,
            "status": "comped" if len(tiers) == 1 else "free",
        }
        assert values.keys() <= _FIELDS
        self.members[str(member["id"])] = member
        return member

    def _edit(self, member: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
        assert values.keys() <= _FIELDS
        if "email" in values:
            self._check_email(values["email"], member, verb="edit")
        if "tiers" in values:
            if self.is_connected:
                self._check_tiers(values["tiers"], member["tiers"])
                self._change_status(member, values["tiers"])
            values["tiers"] = _clean(values["tiers"])
        member |= values
        return member

    def _change_status(self, member: dict[str, Any], tiers: list[dict[str, Any]]) -> None:
        before = {each["id"] for each in member["tiers"]}
        after = {each["id"] for each in tiers}
        if before - after and member.get("paid"):
            raise _refuse(
                "Cannot delete a non-comped Product from a Member, because it has an active "
                "Subscription for the same product"
            )
        if before - after and not after:
            member["status"] = "free"
        if after - before:
            member["status"] = "comped"

    def _check_tiers(self, tiers: list[dict[str, Any]], before: list[Any]) -> None:
        if len(tiers) > max(1, len(before)):
            raise _refuse("A member cannot have more than one Product")
        known = {each["id"] for each in before}
        for each in tiers:
            if each["id"] not in known and not self.tiers[each["id"]]["active"]:
                raise _refuse("Cannot use archived Tiers")

    def _check_email(self, email: str, member: dict[str, Any] | None, *, verb: str) -> None:
        context = ""
        if not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", email):
            context = "Invalid Email"
        elif self._find(email) not in (None, member):
            context = "Member already exists. "
            context += f"Attempting to {verb} member with existing email address"
        if context:
            raise _Refused(422, "ValidationError", context, "email")

    def _show(self, member: dict[str, Any]) -> dict[str, Any]:
        shown = json.loads(json.dumps(member))
        paid = shown.pop("paid", None)
        subscriptions = [{"id": "", "status": "active"} for _each in shown["tiers"]]
        if paid:
            subscriptions = [{"id": paid, "status": "active"}]
        return dict(shown) | {"subscriptions": subscriptions}


@contextmanager
def run_stand_in() -> Iterator[GhostStandIn]:
    """Run the stand-in for the block."""
    ghost = GhostStandIn()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            ghost.requests.append(f"{self.command} {self.path}")
            planned = ghost.answers.pop(0) if ghost.answers else (0, {})
            if planned is None or ghost.is_down:
                self.close_connection = True
                return
            status, headers = planned
            status = 500 if ghost.does_break(self.path, raw) else status
            answer: Any = {"errors": [{"type": "InternalServerError"}]}
            if not status:
                status, answer = ghost.answer(
                    self.command,
                    self.path,
                    self.headers.get("Authorization", ""),
                    json.loads(raw) if raw else None,
                )
            elif ghost.text is not None:
                answer = ghost.text
            text = answer if isinstance(answer, str) else json.dumps(answer)
            raw = text.encode() if status != 204 else b""
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def do_PUT(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # the other side hung up

    server = Server(("127.0.0.1", 0), Handler)
    ghost.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield ghost
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
