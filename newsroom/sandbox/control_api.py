"""/_sandbox/: the API by which tests and the demo control the sandbox. JSON, without a key."""

import json
import re
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from newsroom.sandbox import (
    balance,
    books,
    checkouts,
    clock,
    deliveries,
    disputes,
    documents,
    endpoints,
    faults,
    intents,
    payments,
    refunds,
    runtime,
    schedule,
    subscriptions,
)
from newsroom.sandbox.endpoints import is_receiver
from newsroom.sandbox.errors import ApiError, make_missing_error
from newsroom.sandbox.instruments import BANK_ACCOUNTS, find_card
from newsroom.sandbox.models import (
    BookEntry,
    Delivery,
    Event,
    IdempotentRequest,
    StripeObject,
)
from newsroom.sandbox.payment_methods import Instrument, create_payment_method

SNAPSHOT_MODELS: tuple[Any, ...] = (StripeObject, IdempotentRequest, BookEntry)
_snapshot: dict[Any, list[Any]] = {}

Control = Callable[..., Any]
_controls: list[tuple[str, re.Pattern[str], Control]] = []


def control(method: str, template: str) -> Callable[[Control], Control]:
    def register(answer: Control) -> Control:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + r"\Z")
        _controls.append((method, pattern, answer))
        return answer

    return register


@csrf_exempt
def answer_control(request: HttpRequest, path: str) -> HttpResponse:
    try:
        data = json.loads(request.body or b"{}")
        if not isinstance(data, dict):
            raise ApiError("The body must be a JSON object.")
        data.update(request.GET.dict())
        for method, pattern, answer in _controls:
            if method == request.method and (found := pattern.match(path)):
                result = answer(data, **found.groupdict())
                return JsonResponse(result)
        raise ApiError(f"No such control: {request.method} {path}", status=404)
    except json.JSONDecodeError:
        refusal = ApiError("The body must be JSON.")
    except (KeyError, TypeError, ValueError) as error:
        refusal = ApiError(f"{type(error).__name__}: {error}")
    except ApiError as error:
        refusal = error
    return JsonResponse(refusal.body, status=refusal.status)


@control("POST", "reset")
def reset(data: dict[str, Any]) -> Any:
    """Delete everything, follow the wall clock and use the command line's webhook receiver."""
    with deliveries.pause_sending(), documents.write_transaction(), connection.cursor() as cursor:
        for model in (Delivery, Event, *SNAPSHOT_MODELS):
            cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608
        faults.remove_faults()
        clock.use_wall_clock()
        state = clock.load_state()
        state.webhook_url = state.webhook_secret = ""
        state.rates = {}
        state.outcome_after_retries = "cancel"
        runtime.set_default_receiver()
    return {}


@control("POST", "snapshot/save")
def save_snapshot(data: dict[str, Any]) -> Any:
    """Remember all objects and events until this process ends, but no deliveries or settings."""
    _snapshot.update({model: list(model.objects.all()) for model in (Event, *SNAPSHOT_MODELS)})
    _snapshot[StripeObject] = [row for row in _snapshot[StripeObject] if not is_receiver(row)]
    return {"objects": len(_snapshot[StripeObject])}


@control("POST", "snapshot/restore")
def restore_snapshot(data: dict[str, Any]) -> Any:
    """Add the objects and events of the snapshot to those that exist now."""
    with documents.write_transaction():
        for model, rows in _snapshot.items():
            model.objects.bulk_create(rows)
    return {"objects": len(_snapshot.get(StripeObject, []))}


@control("GET", "clock")
def show_clock(data: dict[str, Any]) -> Any:
    return {"now": clock.now(), "frozen": clock.is_frozen()}


@control("POST", "clock")
def set_clock(data: dict[str, Any]) -> Any:
    with documents.write_transaction():
        if "now" in data:
            clock.freeze(int(data["now"]))
        elif "advance" in data:
            clock.advance(int(data["advance"]))
        elif data.get("real"):
            clock.use_wall_clock()
        else:
            raise ApiError("Pass one of these parameters: now, advance, real.")
    happened = schedule.run_due_objects()
    return {"now": clock.now(), "frozen": clock.is_frozen(), "happened": happened}


@control("POST", "faults")
def add_fault(data: dict[str, Any]) -> Any:
    with documents.write_transaction():
        fault = faults.add_fault(
            data["target"],
            match=data["match"],
            kind=data["kind"],
            seconds=float(data.get("seconds", 0)),
            status=int(data.get("status", 500)),
            times=int(data.get("times", 1)),
        )
    return {"id": fault.pk}


@control("DELETE", "faults")
def remove_faults(data: dict[str, Any]) -> Any:
    """Remove all faults and send the webhooks that were held."""
    with documents.write_transaction():
        removed = faults.remove_faults()
    return {"removed": removed, "released": deliveries.release_held()}


def make_instrument(data: dict[str, Any]) -> Instrument:
    if "iban" in data:
        account = BANK_ACCOUNTS.get(data["iban"].replace(" ", "").upper())
        if account is None:
            raise ApiError("Unknown IBAN: only the test accounts work here.", param="iban")
        return Instrument(bank_account=account, name=data.get("name", "Test Reader"))
    number = data.get("card", "4242424242424242").replace(" ", "")
    return Instrument(card=find_card(number), name=data.get("name", "Test Reader"))


@control("POST", "checkout/{session}/pay")
def pay_checkout(data: dict[str, Any], *, session: str) -> Any:
    """Pay as on the hosted page.

    A 3-D Secure card waits unless `three_d_secure` is "complete" or "fail". `currency` pays in
    another currency of the price, as a reader abroad would. `promotion_code` is typed first.
    """
    with documents.write_transaction():
        row = documents.get("checkout.session", session)
        instrument = None if data.get("no_card") else make_instrument(data)
        email = data.get("email", "reader@example.org")
        if "currency" in data:
            checkouts.change_currency(row, data["currency"])
        if "promotion_code" in data:
            checkouts.apply_promotion_code(row, data["promotion_code"])
        attempt = payments.pay_session(row, instrument, email=email)
        if attempt.status == "requires_action" and "three_d_secure" in data:
            complete = data["three_d_secure"] == "complete"
            attempt = payments.finish_three_d_secure(row, complete=complete)
        return {
            "status": attempt.status,
            "message": attempt.message,
            "code": attempt.code,
            "session": row.body,
        }


@control("POST", "customers/{customer}/card")
def add_card(data: dict[str, Any], *, customer: str) -> Any:
    """Save a card as the customer's default, as staff can in Stripe's dashboard."""
    with documents.write_transaction():
        row = documents.get("customer", customer)
        method = create_payment_method(
            make_instrument(data), customer=customer, email=row.body["email"]
        )
        row.body["invoice_settings"]["default_payment_method"] = method.stripe_id
        documents.save(row)
        return method.body


@control("POST", "disputes")
def open_dispute(data: dict[str, Any]) -> Any:
    with documents.write_transaction():
        charge_id = data.get("charge")
        if charge_id is None:
            intent = documents.get("payment_intent", data["payment_intent"])
            charge_id = intent.body["latest_charge"] or ""
        charge = documents.get("charge", charge_id)
        return disputes.open_dispute(
            charge,
            reason=data.get("reason", "fraudulent"),
            inquiry=bool(data.get("inquiry", False)),
        ).body


@control("POST", "disputes/{dispute}/close")
def close_dispute(data: dict[str, Any], *, dispute: str) -> Any:
    with documents.write_transaction():
        row = documents.get("dispute", dispute)
        return disputes.close_dispute(row, status=data["status"]).body


@control("POST", "refunds/{refund}/fail")
def fail_refund(data: dict[str, Any], *, refund: str) -> Any:
    with documents.write_transaction():
        row = documents.get("refund", refund)
        refunds.fail_refund(row)
        return row.body


@control("POST", "subscriptions/{subscription}/renew")
def renew_subscription(data: dict[str, Any], *, subscription: str) -> Any:
    """Renew now instead of at the period's end, and return the invoice."""
    outcome = data.get("outcome")
    if outcome not in (None, "paid", "failed"):
        raise ApiError("outcome must be paid or failed", param="outcome")
    with documents.write_transaction():
        row = documents.get("subscription", subscription)
        return documents.fetch(
            subscriptions.renew_subscription(row, outcome=outcome).stripe_id
        ).body


@control("POST", "outcome-after-retries")
def set_outcome_after_retries(data: dict[str, Any]) -> Any:
    """Set the status of subscriptions whose last retry failed, as in Stripe's dashboard."""
    if data["outcome"] not in ("cancel", "past_due", "unpaid"):
        raise ApiError("outcome must be cancel, past_due or unpaid", param="outcome")
    with documents.write_transaction():
        state = clock.load_state()
        state.outcome_after_retries = data["outcome"]
        state.save()
    return {"outcome": state.outcome_after_retries}


@control("POST", "payment_intents/{intent}/settle-debit")
def settle_debit(data: dict[str, Any], *, intent: str) -> Any:
    outcome = data.get("outcome", "succeeded")
    if outcome not in ("succeeded", "failed"):
        raise ApiError("outcome must be succeeded or failed", param="outcome")
    with documents.write_transaction():
        row = documents.get("payment_intent", intent)
        payments.settle_debit(row, succeeded=outcome == "succeeded")
        return row.body


@control("POST", "payment_intents/{intent}/cancel")
def cancel_intent(data: dict[str, Any], *, intent: str) -> Any:
    with documents.write_transaction():
        row = documents.get("payment_intent", intent)
        intents.cancel_intent(row, reason=data.get("reason"))
        return row.body


@control("GET", "events")
def list_events(data: dict[str, Any]) -> Any:
    """Return all events, oldest first, each with its deliveries."""
    deliveries_by_event: dict[int, list[dict[str, Any]]] = {}
    for delivery in Delivery.objects.select_related("event").order_by("pk"):
        deliveries_by_event.setdefault(delivery.event.pk, []).append(
            {
                "url": delivery.url,
                "state": delivery.state,
                "attempts": delivery.attempts,
                "answers": delivery.answers,
            }
        )
    return {
        "data": [
            {**event.body, "deliveries": deliveries_by_event.get(event.seq, [])}
            for event in Event.objects.order_by("seq")
        ]
    }


def _find_event(stripe_id: str) -> Event:
    event = Event.objects.filter(stripe_id=stripe_id).first()
    if event is None:
        raise make_missing_error("event", stripe_id)
    return event


@control("GET", "events/{event}/signed")
def sign_event(data: dict[str, Any], *, event: str) -> Any:
    """Return body and signature for a test that posts the webhook itself, signed now or `at`."""
    body = deliveries.render_body(_find_event(event))
    secret = data.get("secret") or clock.load_state().webhook_secret
    at = int(data["at"]) if "at" in data else None
    return {"body": body, "header": deliveries.sign_body(body, secret=secret, at=at)}


@control("POST", "events/{event}/resend")
def resend_event(data: dict[str, Any], *, event: str) -> Any:
    return {"receivers": deliveries.resend_event(_find_event(event))}


@control("GET", "books")
def show_books(data: dict[str, Any]) -> Any:
    answer: dict[str, Any] = {"currencies": books.sum_by_currency()}
    if data.get("rows"):
        answer["rows"] = books.list_rows()
    return answer


@control("POST", "rates")
def set_rates(data: dict[str, Any]) -> Any:
    """Set the currencies that are paid out in another one, and their exchange rates."""
    with documents.write_transaction():
        balance.set_exchange_rates(data["rates"])
    return {"rates": data["rates"]}


@control("GET", "webhooks")
def show_webhooks(data: dict[str, Any]) -> Any:
    counts = {
        state: Delivery.objects.filter(state=state).count() for state in Delivery.State.values
    }
    state = clock.load_state()
    return {**counts, "url": state.webhook_url}


@control("POST", "webhook")
def set_webhook(data: dict[str, Any]) -> Any:
    """Send webhooks to `url` from now on; with an empty `url`, only record events."""
    url = data.get("url", "")
    if url and not deliveries.is_loopback(url):
        raise ApiError("Webhooks can only go to this machine: http://127.0.0.1:…", param="url")
    with documents.write_transaction():
        state = clock.load_state()
        state.webhook_url = url
        if data.get("secret"):
            state.webhook_secret = data["secret"]
        state.save()
        endpoints.set_receiver(url, secret=state.webhook_secret)
    return {"url": state.webhook_url, "secret": state.webhook_secret}
