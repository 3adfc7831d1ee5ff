"""A client for the control API of a running sandbox. Needs no Django."""

import http.client
import json
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

Json = dict[str, Any]


class SandboxError(Exception):
    """The sandbox refused a call. `status` and `error` hold its answer."""

    def __init__(self, status: int, error: Json) -> None:
        super().__init__(f"{status}: {error.get('message', error)}")
        self.status = status
        self.error = error


class SandboxControl:
    """Controls a running sandbox over one connection, which threads may share."""

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
                    # A restart of the sandbox closes the old connection: try again.
                    if fresh or attempt == 2:
                        raise
        answer: Json = json.loads(text)
        if status != 200:
            raise SandboxError(status, answer.get("error", answer))
        return answer

    def reset(self) -> None:
        """Delete all objects, events and faults, and reset clock and webhook receiver."""
        self._call("POST", "reset")

    def save_snapshot(self) -> None:
        """Remember all objects and events for `restore_snapshot`."""
        self._call("POST", "snapshot/save")

    def restore_snapshot(self) -> None:
        """Add the objects and events of the last snapshot. Call `reset` first."""
        self._call("POST", "snapshot/restore")

    def now(self) -> int:
        """Return the sandbox's time in epoch seconds."""
        return int(self._call("GET", "clock")["now"])

    def freeze(self, now: int) -> int:
        """Stop the clock at `now` (epoch seconds), do all work due by then, return the time."""
        return int(self._call("POST", "clock", {"now": now})["now"])

    def advance(self, seconds: int = 0, *, days: int = 0) -> int:
        """Move the clock ahead, do all work due on the way at its own time, return the time."""
        moved = {"advance": seconds + days * 86400}
        return int(self._call("POST", "clock", moved)["now"])

    def run_real_clock(self) -> int:
        """Follow the wall clock again and return the time."""
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
        promotion_code: str | None = None,
    ) -> Json:
        """Pay as on the hosted page. By default with a Visa card that works.

        The answer's `status` is paid, processing, declined or requires_action. `three_d_secure` is
        "complete" or "fail". `currency` pays in another currency of the price. `promotion_code` is
        typed on the page first.
        """
        options = {
            "card": card,
            "iban": iban,
            "three_d_secure": three_d_secure,
            "email": email,
            "name": name,
            "no_card": no_card or None,
            "currency": currency,
            "promotion_code": promotion_code,
        }
        data = {key: value for key, value in options.items() if value is not None}
        return self._call("POST", f"checkout/{session_id}/pay", data)

    def add_card(self, customer_id: str, *, card: str = "4242424242424242") -> Json:
        """Save a card as the customer's default, and return the payment method."""
        return self._call("POST", f"customers/{customer_id}/card", {"card": card})

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
        """Make the next `times` matching requests or webhooks fail (-1: until removed).

        `target` is "api" or "webhook". `match` is a prefix or a pattern of a request such as
        "POST /v1/refunds", or of an event type. Kinds for both: delay, error. For the API:
        lose_answer. For webhooks: drop, duplicate, hold, reorder.
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
        """Remove all faults and send the webhooks that a `hold` fault kept back."""
        self._call("DELETE", "faults")

    def open_dispute(
        self,
        *,
        charge: str | None = None,
        payment_intent: str | None = None,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> Json:
        """Open a dispute of a charge or of a payment intent's charge, and return it."""
        disputed = {"charge": charge} if charge else {"payment_intent": payment_intent}
        return self._call("POST", "disputes", {**disputed, "reason": reason, "inquiry": inquiry})

    def close_dispute(self, dispute_id: str, *, status: str) -> Json:
        """Close a dispute as "won" or "lost", or an inquiry as "warning_closed"."""
        return self._call("POST", f"disputes/{dispute_id}/close", {"status": status})

    def fail_refund(self, refund_id: str) -> Json:
        """Let the bank reject a refund that succeeded before, and return it."""
        return self._call("POST", f"refunds/{refund_id}/fail")

    def renew(self, subscription_id: str, *, outcome: str | None = None) -> Json:
        """Renew now instead of at the period's end, and return the invoice.

        `outcome` is "paid" or "failed"; without it the card decides.
        """
        data = {"outcome": outcome} if outcome else {}
        return self._call("POST", f"subscriptions/{subscription_id}/renew", data)

    def set_outcome_after_retries(self, outcome: str) -> None:
        """Set the status of subscriptions whose last payment retry failed.

        `outcome` is "cancel" (the default), "past_due" or "unpaid".
        """
        self._call("POST", "outcome-after-retries", {"outcome": outcome})

    def settle_debit(self, payment_intent_id: str, *, outcome: str = "succeeded") -> Json:
        """Answer a pending bank debit now, as "succeeded" or "failed"."""
        return self._call(
            "POST", f"payment_intents/{payment_intent_id}/settle-debit", {"outcome": outcome}
        )

    def events(self, event_type: str | None = None) -> list[Json]:
        """Return the events, oldest first, each with its `deliveries`."""
        found: list[Json] = self._call("GET", "events")["data"]
        return [event for event in found if event_type in (None, event["type"])]

    def sign_event(self, event_id: str, *, secret: str | None = None) -> tuple[str, str]:
        """Return (body, Stripe-Signature header), signed now by the caller's clock."""
        query = {"at": int(time.time()), **({"secret": secret} if secret else {})}
        answer = self._call("GET", f"events/{event_id}/signed?{urlencode(query)}")
        return answer["body"], answer["header"]

    def resend_event(self, event_id: str) -> int:
        """Send the event again to all current receivers and return their number."""
        return int(self._call("POST", f"events/{event_id}/resend")["receivers"])

    def books(self, *, rows: bool = False) -> Json:
        """Return {"currencies": {"eur": {gross_minor, ...}}}, and all entries with `rows`."""
        return self._call("GET", "books?rows=1" if rows else "books")

    def set_rates(self, **rates: str) -> None:
        """Pay currencies out in another one: `uah="eur 0.0209"`. No rates: no conversion."""
        self._call("POST", "rates", {"rates": rates})

    def webhooks(self) -> Json:
        """Return the number of deliveries by state: pending, delivered, failed, held, dropped."""
        return self._call("GET", "webhooks")

    def wait_for_webhooks(self, *, seconds: float = 10.0) -> None:
        """Wait until no webhook is pending. Raise TimeoutError after `seconds`."""
        deadline = time.monotonic() + seconds
        while self.webhooks()["pending"]:
            if time.monotonic() > deadline:
                raise TimeoutError(f"Webhooks still pending after {seconds} s: {self.webhooks()}")
            time.sleep(0.01)

    def set_webhook(self, url: str, *, secret: str | None = None) -> None:
        """Send webhooks to `url` from now on; with an empty `url`, only record events."""
        data = {"url": url, **({"secret": secret} if secret else {})}
        self._call("POST", "webhook", data)
