"""Ghost's Admin API as the newsroom's own staff or another program uses it."""

import json
import time
import urllib.request
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.error import HTTPError

import jwt

from tests.support.ghost import API


class AnyGhost(Protocol):
    """The real Ghost or the stand-in."""

    url: str
    key: str

    def start_again(self) -> None: ...
    def stop(self) -> None: ...
    def make_tier(self, name: str) -> str: ...
    def archive_tier(self, tier_id: str) -> None: ...
    def pay(self, email: str) -> None: ...
    def revoke_key(self) -> None: ...


@dataclass(frozen=True)
class GhostAdmin:
    """A program with a key of its own."""

    url: str
    key: str

    def call(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the API; return the status and the answer."""
        key_id, secret = self.key.split(":")
        now = int(time.time())
        claims = {"iat": now, "exp": now + 300, "aud": "/admin/"}
        token = jwt.encode(
            claims, bytes.fromhex(secret), algorithm="HS256", headers={"kid": key_id}
        )
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}{API}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Authorization": f"Ghost {token}", "Content-Type": "application/json"},
            method=method,
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except HTTPError as error:
            return error.code, json.loads(error.read())

    def list_members(self) -> list[dict[str, Any]]:
        _status, answer = self.call("GET", "/members/?limit=100&include=tiers&order=id%20asc")
        return list(answer["members"])

    def find(self, email: str) -> dict[str, Any] | None:
        """Return the member with exactly this address."""
        return next((each for each in self.list_members() if each["email"] == email), None)

    def read(self, email: str) -> dict[str, Any]:
        found = self.find(email)
        assert found is not None, [each["email"] for each in self.list_members()]
        return found

    def add(self, email: str, **values: Any) -> dict[str, Any]:
        status, answer = self.call("POST", "/members/", {"members": [{"email": email} | values]})
        assert status == 201, answer
        return dict(answer["members"][0])

    def change(self, member: dict[str, Any], **values: Any) -> dict[str, Any]:
        path = f"/members/{member['id']}/"
        status, answer = self.call("PUT", path, {"members": [values]})
        assert status == 200, answer
        return dict(answer["members"][0])


def tiers_of(member: dict[str, Any]) -> dict[str, Any]:
    return {each["id"]: each["expiry_at"] for each in member["tiers"]}


def labels_of(member: dict[str, Any]) -> list[str]:
    return sorted(each["name"] for each in member["labels"])
