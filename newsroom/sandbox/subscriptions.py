"""Subscriptions: created by a checkout, renewed, paused and ended."""

import copy

from newsroom.sandbox import catalogue, clock, documents, events, invoices, trials
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.periods import add_intervals

ENDED = ("canceled", "incomplete_expired")
HOURS_TO_COMPLETE = 23  # to make the first payment of an incomplete subscription


def create_subscription(
    customer: StripeObject,
    chosen: list[tuple[Document, int]],
    *,
    method: StripeObject | None,
    metadata: dict[str, str],
    trial_end: int | None = None,
    description: str | None = None,
    missing_payment_method: str = "create_invoice",
) -> StripeObject:
    """Create a subscription from (recurring price, quantity) pairs, with a trial if it has an end.

    It is active even while a bank debit is pending, as at Stripe.
    """
    now = clock.now()
    recurring = chosen[0][0]["recurring"]
    for price, _ in chosen[1:]:
        if price["recurring"] != recurring:
            raise ApiError(
                "In the sandbox all prices of a subscription must have the same interval."
            )
    stripe_id = documents.make_id("subscription")
    anchor = trial_end or now
    end = trial_end or add_intervals(anchor, recurring, 1)
    items = [make_item(stripe_id, price, quantity, (now, end)) for price, quantity in chosen]
    row = documents.create(
        {
            "id": stripe_id,
            "object": "subscription",
            "application": None,
            "application_fee_percent": None,
            "automatic_tax": {"disabled_reason": None, "enabled": False, "liability": None},
            "billing_cycle_anchor": anchor,
            "billing_cycle_anchor_config": None,
            "billing_mode": {
                "flexible": {"proration_discounts": "included"},
                "type": "flexible",
            },
            "billing_schedules": [],
            "billing_thresholds": None,
            "cancel_at": None,
            "cancel_at_period_end": False,
            "canceled_at": None,
            "cancellation_details": {
                "comment": None,
                "feedback": None,
                "feedback_option": None,
                "reason": None,
            },
            "collection_method": "charge_automatically",
            "created": now,
            "currency": chosen[0][0]["currency"],
            "customer": customer.stripe_id,
            "days_until_due": None,
            "default_payment_method": method.stripe_id if method else None,
            "default_source": None,
            "default_tax_rates": [],
            "description": description,
            "discounts": [],
            "ended_at": None,
            "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
            "items": documents.make_list(
                items, url=f"/v1/subscription_items?subscription={stripe_id}"
            ),
            "latest_invoice": None,
            "livemode": False,
            "metadata": metadata,
            "next_pending_invoice_item_invoice": None,
            "on_behalf_of": None,
            "pause_collection": None,
            "payment_settings": {
                "payment_method_options": None,
                "payment_method_types": None,
                "save_default_payment_method": "off",
            },
            "pending_invoice_item_interval": None,
            "pending_setup_intent": None,
            "pending_update": None,
            "schedule": None,
            "start_date": now,
            "status": "trialing" if trial_end else "active",
            "test_clock": None,
            "transfer_data": None,
            "trial_end": trial_end,
            "trial_settings": {"end_behavior": {"missing_payment_method": missing_payment_method}},
            "trial_start": now if trial_end else None,
        },
        notes={"cycle": 0 if trial_end else 1, "pending_lines": []},
    )
    return save_subscription(row)


def make_item(
    subscription: str, price: Document, quantity: int, period: tuple[int, int]
) -> Document:
    return {
        "id": documents.make_id("subscription_item"),
        "object": "subscription_item",
        "billing_thresholds": None,
        "created": clock.now(),
        "current_period_end": period[1],
        "current_period_start": period[0],
        "discounts": [],
        "metadata": {},
        "price": copy.deepcopy(price),
        "quantity": quantity,
        "subscription": subscription,
        "tax_rates": [],
    }


def save_subscription(row: StripeObject) -> StripeObject:
    """Save the subscription, its next due time, and its items under their own ids."""
    row.due_at = _find_next_due(row)
    documents.save(row)
    item_ids = set()
    for item in row.body["items"]["data"]:
        item_ids.add(item["id"])
        found = documents.find(item["id"])
        if found is None:
            documents.create(copy.deepcopy(item))
        elif found.body != item:
            found.body = copy.deepcopy(item)
            documents.save(found)
    for stale in documents.select("subscription_item", subscription=row.stripe_id):
        if stale.stripe_id not in item_ids:
            stale.delete()
    return row


def _find_next_due(row: StripeObject) -> int | None:
    if row.body["status"] in ENDED or row.body["status"] == "paused":
        return None
    if row.body["status"] == "incomplete":
        return int(row.body["created"]) + HOURS_TO_COMPLETE * 3600
    moments = [get_period(row)[1]]
    reminder_at = trials.find_reminder_time(row)
    if reminder_at is not None:
        moments.append(reminder_at)
    if row.body["cancel_at"]:
        moments.append(row.body["cancel_at"])
    pause = row.body["pause_collection"]
    if pause and pause["resumes_at"]:
        moments.append(pause["resumes_at"])
    return min(moments)


def get_period(row: StripeObject) -> tuple[int, int]:
    item = row.body["items"]["data"][0]
    return item["current_period_start"], item["current_period_end"]


def set_period(row: StripeObject, period: tuple[int, int]) -> None:
    for item in row.body["items"]["data"]:
        item["current_period_start"], item["current_period_end"] = period


def make_lines(row: StripeObject, period: tuple[int, int]) -> list[Document]:
    """Return the invoice lines for a period; their amounts are 0 during a trial."""
    trial = row.body["status"] == "trialing"
    lines = []
    for item in row.body["items"]["data"]:
        price = item["price"]
        name = catalogue.get_product_name(price)
        description = f"Trial period for {name}" if trial else f"{item['quantity']} × {name}"
        lines.append(
            invoices.make_line(
                amount=0 if trial else price["unit_amount"] * item["quantity"],
                price=price,
                quantity=item["quantity"],
                description=description,
                period=period,
                metadata=dict(row.body["metadata"]),
                subscription=row.stripe_id,
                item=item["id"],
            )
        )
    return lines


def take_pending_lines(row: StripeObject) -> list[Document]:
    lines: list[Document] = row.notes["pending_lines"]
    row.notes["pending_lines"] = []
    return lines


def find_payment_method(row: StripeObject) -> StripeObject | None:
    customer = documents.fetch(row.body["customer"])
    chosen = row.body["default_payment_method"] or (
        customer.body.get("invoice_settings") or {}
    ).get("default_payment_method")
    return documents.find(chosen)


def bill_lines(
    row: StripeObject,
    lines: list[Document],
    *,
    reason: str,
    period: tuple[int, int],
    outcome: str | None = None,
) -> StripeObject:
    """Create an invoice and collect it. If the payment fails, set the status to past_due."""
    customer = documents.fetch(row.body["customer"])
    invoice = invoices.create_invoice(
        customer,
        lines,
        currency=row.body["currency"],
        reason=reason,
        period=period,
        subscription=row,
    )
    row.body["latest_invoice"] = invoice.stripe_id
    pause = row.body["pause_collection"]
    if row.body["status"] == "unpaid" or (pause and pause["behavior"] == "keep_as_draft"):
        invoice.body["auto_advance"] = False
        documents.save(invoice)
        return invoice
    invoices.finalise_invoice(invoice)
    if pause and pause["behavior"] == "void":
        invoices.void_invoice(invoice)
    elif pause:
        invoices.close_invoice(invoice, status="uncollectible", moment="marked_uncollectible_at")
        events.emit("invoice.marked_uncollectible", invoice)
    else:
        result, _ = invoices.collect_payment(invoice, find_payment_method(row), outcome=outcome)
        if result == "failed":
            row.body["status"] = "past_due"
    return invoice


def renew_subscription(row: StripeObject, *, outcome: str | None = None) -> StripeObject:
    """Start the next period at the end of the last one, and return its invoice."""
    if row.body["status"] in ENDED:
        raise ApiError(f"This subscription is {row.body['status']}, so it cannot renew.")
    before = copy.deepcopy(row.body)
    old = get_period(row)
    if row.body["status"] == "trialing":
        row.notes["cycle"] = 0
        row.body["billing_cycle_anchor"] = old[1]
        row.body["status"] = "active"
    row.notes["cycle"] += 1
    recurring = row.body["items"]["data"][0]["price"]["recurring"]
    new_end = add_intervals(row.body["billing_cycle_anchor"], recurring, row.notes["cycle"])
    set_period(row, (old[1], new_end))
    lines = [*take_pending_lines(row), *make_lines(row, (old[1], new_end))]
    invoice = bill_lines(row, lines, reason="subscription_cycle", period=old, outcome=outcome)
    save_subscription(row)
    events.emit_change("customer.subscription.updated", row, before)
    return invoice


def end_subscription(row: StripeObject, *, reason: str, details: Document | None = None) -> None:
    """End the subscription now. Nothing is refunded."""
    if row.body["status"] in ENDED:
        raise ApiError(
            f"No such subscription: '{row.stripe_id}'",
            status=404,
            code="resource_missing",
            param="id",
        )
    now = clock.now()
    row.body.update(status="canceled", ended_at=now, cancel_at_period_end=False)
    row.body["canceled_at"] = row.body["canceled_at"] or now
    old_details = row.body["cancellation_details"]
    row.body["cancellation_details"] = {
        **old_details,
        "reason": old_details["reason"] or reason,
        **(details or {}),
    }
    save_subscription(row)
    for invoice in documents.select("invoice", subscription=row.stripe_id):
        if invoice.due_at is not None:
            invoice.body["next_payment_attempt"] = None
            invoice.due_at = None
            documents.save(invoice)
    events.emit("customer.subscription.deleted", row)


def apply_outcome_after_retries(row: StripeObject) -> None:
    """After the last retry, cancel the subscription, leave it past due or set it to unpaid."""
    outcome = clock.load_state().outcome_after_retries
    if outcome == "cancel":
        end_subscription(row, reason="payment_failed")
    elif outcome == "unpaid" and row.body["status"] == "past_due":
        before = copy.deepcopy(row.body)
        row.body["status"] = "unpaid"
        save_subscription(row)
        events.emit_change("customer.subscription.updated", row, before)


def handle_paid_invoice(row: StripeObject, invoice: StripeObject) -> None:
    """Set the subscription to active if its latest invoice is paid; ignore older invoices."""
    if row.body["latest_invoice"] != invoice.stripe_id:
        return
    if row.body["status"] in ("past_due", "incomplete", "unpaid"):
        before = copy.deepcopy(row.body)
        row.body["status"] = "active"
        save_subscription(row)
        events.emit_change("customer.subscription.updated", row, before)


def handle_unpaid_invoice(row: StripeObject, invoice: StripeObject) -> None:
    """Set the subscription to past due if its latest invoice failed; ignore older invoices."""
    if row.body["latest_invoice"] != invoice.stripe_id:
        return
    if row.body["status"] in ("active", "trialing"):
        before = copy.deepcopy(row.body)
        row.body["status"] = "past_due"
        save_subscription(row)
        events.emit_change("customer.subscription.updated", row, before)


def run_due_subscription(row: StripeObject) -> None:
    """Do the step that is due: cancel, end a pause, remind of a trial's end, or renew."""
    now = clock.now()
    if row.body["status"] == "incomplete":
        expire_subscription(row)
        return
    if row.body["cancel_at"] and row.body["cancel_at"] <= now:
        end_subscription(row, reason="cancellation_requested")
        return
    pause = row.body["pause_collection"]
    if pause and pause["resumes_at"] and pause["resumes_at"] <= now:
        before = copy.deepcopy(row.body)
        row.body["pause_collection"] = None
        save_subscription(row)
        events.emit_change("customer.subscription.updated", row, before)
        return
    if trials.send_reminder_if_due(row):
        save_subscription(row)
        return
    if row.body["status"] == "trialing" and find_payment_method(row) is None:
        match row.body["trial_settings"]["end_behavior"]["missing_payment_method"]:
            case "cancel":
                end_subscription(row, reason="payment_failed")
                return
            case "pause":
                pause_subscription(row)
                return
    renew_subscription(row)


def expire_subscription(row: StripeObject) -> None:
    """Give up on a subscription whose first invoice was never paid."""
    before = copy.deepcopy(row.body)
    row.body.update(status="incomplete_expired", ended_at=clock.now())
    save_subscription(row)
    invoices.void_invoice(documents.fetch(row.body["latest_invoice"]))
    events.emit_change("customer.subscription.updated", row, before)


def pause_subscription(row: StripeObject) -> None:
    before = copy.deepcopy(row.body)
    row.body["status"] = "paused"
    save_subscription(row)
    events.emit("customer.subscription.paused", row)
    events.emit_change("customer.subscription.updated", row, before)


def resume_subscription(row: StripeObject) -> None:
    """Resume a subscription that was paused at the end of its trial; start a new period now."""
    if row.body["status"] != "paused":
        raise ApiError(
            f"This subscription is {row.body['status']}. Only paused subscriptions can be resumed."
        )
    before = copy.deepcopy(row.body)
    now = clock.now()
    recurring = row.body["items"]["data"][0]["price"]["recurring"]
    row.body.update(status="active", billing_cycle_anchor=now)
    row.notes["cycle"] = 1
    period = (now, add_intervals(now, recurring, 1))
    set_period(row, period)
    bill_lines(row, make_lines(row, period), reason="subscription_cycle", period=period)
    save_subscription(row)
    events.emit("customer.subscription.resumed", row)
    events.emit_change("customer.subscription.updated", row, before)
