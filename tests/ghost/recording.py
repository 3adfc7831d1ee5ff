"""Questions to Ghost's Admin API, and the answers that were recorded from a real Ghost 5.130.

`TEST_RECORD=1` writes the file anew from the real one.
"""

import json
import os
from pathlib import Path
from typing import Any

from tests.support.ghost_admin import GhostAdmin, labels_of, tiers_of

FILE = Path(__file__).resolve().parents[1] / "data" / "ghost.json"
END, LATER = "2027-03-01T12:00:00.000Z", "2027-04-01T00:00:00.000Z"
NOBODY = "5" * 24


class Questioner:
    """Asks one Ghost, and notes the answers without its IDs."""

    def __init__(self, admin: GhostAdmin, tiers: dict[str, str], prefix: str) -> None:
        self.admin, self.tiers, self.prefix = admin, tiers, prefix
        self.names = {tier: name for name, tier in tiers.items()} | {NOBODY: "nobody"}
        self.answers: list[dict[str, Any]] = []

    def ask(self, method: str, path: str, **values: Any) -> Any:
        body = {"members": [values]} if method in {"POST", "PUT"} else None
        status, answer = self.admin.call(method, path, body)
        shown: Any = None
        if status >= 400:
            error = answer["errors"][0]
            shown = {name: error.get(name) for name in ("type", "context", "property")}
            shown["context"] = self._hide(shown["context"])
        elif answer is not None:
            shown = [self._show(each) for each in answer["members"]]
        asked = f"{method} {self._hide(path)}"
        self.answers.append({"asked": asked, "status": status, "answer": shown})
        return answer

    def add(self, local: str, **values: Any) -> str:
        email = f"{self.prefix}.{local}@example.org"
        answer = self.ask("POST", "/members/", email=email, **values)
        if "members" not in answer:
            return NOBODY
        member_id = str(answer["members"][0]["id"])
        self.names[member_id] = local.lower()
        return member_id

    def find(self, filter_: str) -> None:
        self.ask("GET", f"/members/?include=tiers&limit=100&order=id%20asc&filter={filter_}")

    def _hide(self, text: str | None) -> str | None:
        for known, name in self.names.items():
            text = text and text.replace(known, f"<{name}>")
        return text

    def _show(self, member: dict[str, Any]) -> dict[str, Any]:
        tiers = {self.names[tier]: end for tier, end in tiers_of(member).items()}
        return {
            "email": member["email"],
            "name": member["name"],
            "note": member["note"],
            "status": member["status"],
            "tiers": tiers,
            "labels": labels_of(member),
            "newsletters": len(member["newsletters"]),
            "subscriptions": [each["id"] for each in member["subscriptions"]],
        }


def ask_everything(admin: GhostAdmin, tiers: dict[str, str], *, prefix: str) -> list[Any]:
    """Ask all that the adapter asks, and what it must not; return the answers.

    `tiers` are the IDs of "own", "other" and "old", which is archived.
    """
    asker = Questioner(admin, tiers, prefix)
    ask, own = asker.ask, {"id": tiers["own"], "expiry_at": END}
    ada = asker.add("Ada", name="Ada", labels=[{"name": "VIP"}], newsletters=[], tiers=[own])
    asker.add("ada")
    asker.add("adá")
    ben = asker.add("o'ben+x", note="friend")
    ask("GET", f"/members/{ada}/")
    asker.find(f"email:'{prefix}.ada@example.org'")
    asker.find(f"email:'{prefix}.ad%C3%A1@example.org'")
    asker.find(f"email:'{prefix}.o\\'ben%2Bx@example.org'")
    asker.find(f"id:>'{ada}'%2Bemail:~'{prefix}.o'")
    for tiers_to_write in (
        [own],
        [own | {"expiry_at": LATER}],
        [own | {"expiry_at": None}],
        [own, {"id": tiers["other"], "expiry_at": None}],
        [{"id": tiers["other"], "expiry_at": None}],
        [{"id": tiers["old"], "expiry_at": None}],
        [],
    ):
        ask("PUT", f"/members/{ben}/", tiers=tiers_to_write)
    ask("PUT", f"/members/{ben}/", labels=[{"name": "VIP"}, {"name": "campaign:birthday"}])
    ask("PUT", f"/members/{ben}/", newsletters=[])
    ask("PUT", f"/members/{ben}/", email=f"{prefix}.new@example.org")
    ask("PUT", f"/members/{ben}/", email=f"{prefix}.ADA@example.org")
    ask("PUT", f"/members/{ben}/", email="wrong")
    asker.add("old", tiers=[{"id": tiers["old"], "expiry_at": None}])
    ask("PUT", f"/members/{ada}/", tiers=[])
    ask("GET", f"/members/{NOBODY}/")
    ask("PUT", f"/members/{NOBODY}/", name="Nobody")
    ask("DELETE", f"/members/{NOBODY}/")
    ask("DELETE", f"/members/{ada}/")
    ask("GET", f"/members/{ada}/")
    wrong = GhostAdmin(admin.url, f"{NOBODY}:{'0' * 64}")
    _status, answer = wrong.call("GET", "/members/")
    return [*asker.answers, {"asked": "with a wrong key", "code": answer["errors"][0]["code"]}]


def read_recording(name: str) -> Any:
    return json.loads(FILE.read_text("utf-8"))[name]


def compare_or_record(name: str, answers: list[Any]) -> None:
    """Compare a real Ghost's answers with the recording, or record them."""
    if os.environ.get("TEST_RECORD"):
        recorded = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
        recorded[name] = answers
        FILE.write_text(json.dumps(recorded, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
    differing = [
        f"{name}: {now['asked']}\n  now {now}\n  was {before}"
        for now, before in zip(answers, read_recording(name), strict=True)
        if now != before
    ]
    assert not differing, "\n".join(differing)
