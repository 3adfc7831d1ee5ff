"""The sandbox's levers from Python: a small HTTP client, one kept connection, no Django."""

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

Json = dict[str, Any]


class SandboxError(Exception):
    """The sandbox would not: `status` and the API's error are on it."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(f"{status}: {error.get('message', error)}")
        self.status = status
        self.error = error


class SandboxControl:
    """One for each test process is enough; it may be shared by threads."""

    def __init__(self, url: str) -> None:
        self.url = url
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._connection: http.client.HTTPConnection | None = None
        self._lock = threading.Lock()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None

    def _call(self, method: str, path: str, data: Json | None = None) -> Json:
        body = json.dumps(data or {}).encode() if method != "GET" else None
        with self._lock:
            for attempt in (1, 2):
                if self._connection is None:
                    self._connection = http.client.HTTPConnection(*self._address, timeout=60)
                fresh = self._connection.sock is None
                try:
                    self._connection.request(method, f"/_sandbox/{path}", body)
                    response = self._connection.getresponse()
                    status, text = response.status, response.read()
                    break
                except (OSError, http.client.HTTPException):
                    self._connection.close()
                    self._connection = None
                    # A kept connection may have gone with a restart; a new
                    # one that fails is a failure.
                    if fresh or attempt == 2:
                        raise
        answer: Json = json.loads(text)
        if status != 200:
            raise SandboxError(status, answer.get("error", answer))
        return answer

    def reset(self) -> None:
        """As new: objects, events, faults, clock and receiver."""
        self._call("POST", "reset")

    def save_snapshot(self) -> None:
        """Remembers every object and event, for `restore_snapshot`."""
        self._call("POST", "snapshot/save")

    def restore_snapshot(self) -> None:
        """After a reset: what was kept last is there again."""
        self._call("POST", "snapshot/restore")

    def now(self) -> int:
        return int(self._call("GET", "clock")["now"])

    def freeze(self, now: int) -> int:
        """Stops the clock at `now` (epoch seconds) and does what is due by then."""
        return int(self._call("POST", "clock", {"now": now})["now"])

    def advance(self, seconds: int = 0, *, days: int = 0) -> int:
        """Moves the clock ahead; what falls due on the way happens, each at its own time."""
        moved = {"advance": seconds + days * 86400}
        return int(self._call("POST", "clock", moved)["now"])

    def run_real_clock(self) -> int:
        return int(self._call("POST", "clock", {"real": True})["now"])

    def pay(
        self,
        session_id: str,
        *,
        card: str | None = None,
        iban: str | None = None,
        three_d_secure: str | None = None,
        email: str | None = None,
        name: str | None = None,
        no_card: bool = False,
        currency: str | None = None,
    ) -> Json:
        """Pays as on the hosted page: {"status": paid | processing | declined | requires_action,
        ...}.
        """
        given = {
            "card": card,
            "iban": iban,
            "three_d_secure": three_d_secure,
            "email": email,
            "name": name,
            "no_card": no_card or None,
            "currency": currency,
        }
        data = {key: value for key, value in given.items() if value is not None}
        return self._call("POST", f"checkout/{session_id}/pay", data)

    def add_fault(
        self,
        target: str,
        *,
        match: str,
        kind: str,
        seconds: float = 0,
        status: int = 500,
        times: int = 1,
    ) -> None:
        """`target` api: delay, error, lose_answer. `target` webhook: delay, error, drop, hold,
        duplicate, reorder.
        """
        self._call(
            "POST",
            "faults",
            {
                "target": target,
                "match": match,
                "kind": kind,
                "seconds": seconds,
                "status": status,
                "times": times,
            },
        )

    def remove_faults(self) -> None:
        """Also lets go the webhooks that a `hold` kept back."""
        self._call("DELETE", "faults")

    def open_dispute(
        self,
        *,
        charge: str | None = None,
        payment_intent: str | None = None,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> Json:
        named = {"charge": charge} if charge else {"payment_intent": payment_intent}
        return self._call("POST", "disputes", {**named, "reason": reason, "inquiry": inquiry})

    def close_dispute(self, dispute_id: str, *, status: str) -> Json:
        return self._call("POST", f"disputes/{dispute_id}/close", {"status": status})

    def fail_refund(self, refund_id: str) -> Json:
        return self._call("POST", f"refunds/{refund_id}/fail")

    def renew(self, subscription_id: str, *, outcome: str | None = None) -> Json:
        """Renews now instead of at the period's end; answers the invoice."""
        data = {"outcome": outcome} if outcome else {}
        return self._call("POST", f"subscriptions/{subscription_id}/renew", data)

    def set_outcome_after_retries(self, outcome: str) -> None:
        """What becomes of a subscription after the last try to collect: cancel (as it is at
        first), past_due or unpaid.
        """
        self._call("POST", "outcome-after-retries", {"outcome": outcome})

    def settle_debit(self, payment_intent_id: str, *, outcome: str = "succeeded") -> Json:
        return self._call(
            "POST", f"payment_intents/{payment_intent_id}/settle-debit", {"outcome": outcome}
        )

    def events(self, event_type: str | None = None) -> list[Json]:
        """All events, oldest first, each with its `deliveries`."""
        found: list[Json] = self._call("GET", "events")["data"]
        return [each for each in found if event_type in (None, each["type"])]

    def sign_event(self, event_id: str, *, secret: str | None = None) -> tuple[str, str]:
        """(body, Stripe-Signature header), signed now by the caller's clock, which judges it."""
        query = {"at": int(time.time()), **({"secret": secret} if secret else {})}
        answer = self._call("GET", f"events/{event_id}/signed?{urlencode(query)}")
        return answer["body"], answer["header"]

    def resend_event(self, event_id: str) -> int:
        """Sends the event once more to everybody who listens now."""
        return int(self._call("POST", f"events/{event_id}/resend")["receivers"])

    def books(self, *, rows: bool = False) -> Json:
        """{"currencies": {"eur": {gross_minor, fees_minor, ...}}} with `rows` every movement."""
        return self._call("GET", "books?rows=1" if rows else "books")

    def set_rates(self, **rates: str) -> None:
        """`uah="eur 0.0209"`: hryvnias are paid out in euros at that rate; none: all as it is."""
        self._call("POST", "rates", {"rates": rates})

    def webhooks(self) -> Json:
        """Deliveries by state: pending, delivered, failed, held, dropped."""
        return self._call("GET", "webhooks")

    def wait_for_webhooks(self, *, seconds: float = 10.0) -> None:
        """Until none is pending. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while self.webhooks()["pending"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"webhooks still pending after {seconds} s: {self.webhooks()}")
            time.sleep(0.01)

    def set_webhook(self, url: str, *, secret: str | None = None) -> None:
        data = {"url": url, **({"secret": secret} if secret else {})}
        self._call("POST", "webhook", data)
