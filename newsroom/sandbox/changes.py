"""Changes to a subscription: price, end date, trial, and the prorations that follow."""

import copy

from newsroom.sandbox import (
    catalogue,
    clock,
    discounts,
    documents,
    events,
    invoices,
    subscriptions,
    trials,
)
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.periods import add_intervals, prorate_amount


def update_subscription(row: StripeObject, params: Document) -> None:  # noqa: PLR0912
    """Apply the API's checked `params` and send one customer.subscription.updated event."""
    is_ended = row.body["status"] in subscriptions.ENDED
    if is_ended and not params.keys() <= {"cancellation_details", "metadata"}:
        raise ApiError(
            "A canceled subscription can only update its cancellation_details and metadata."
        )
    before = copy.deepcopy(row.body)
    behaviour = params.get("proration_behavior", "create_prorations")
    since = _check_proration_date(row, params)
    for name in ("description", "default_payment_method"):
        if name in params:
            row.body[name] = params[name] or None
    if row.body["default_payment_method"] is not None:
        documents.get(
            "payment_method",
            row.body["default_payment_method"],
            param="default_payment_method",
            status=400,
        )
    if "metadata" in params:
        row.body["metadata"] = documents.merge_metadata(row.body["metadata"], params["metadata"])
    if "discounts" in params:
        discounts.set_discounts(row, params["discounts"])
    if "trial_settings" in params:
        row.body["trial_settings"] = params["trial_settings"]
    if "pause_collection" in params:
        pause = params["pause_collection"]
        row.body["pause_collection"] = {"resumes_at": None, **pause} if pause else None
    _change_cancellation(row, params)
    trial_end = params.get("trial_end")
    if params.get("items"):
        into_trial = trial_end not in (None, "now")
        if into_trial and row.body["status"] == "active" and behaviour != "none":
            raise ApiError(
                "The sandbox can change items and start a trial together only without prorations.",
                param="proration_behavior",
            )
        change_items(row, params["items"], behaviour=behaviour, bills=not into_trial, since=since)
    begun = False
    if trial_end == "now":
        begun = _end_trial(row)
    elif trial_end is not None:
        _change_trial(row, trial_end, behaviour=behaviour)
    renews = params.get("billing_cycle_anchor") == "now" and not begun
    if renews and row.body["status"] == "active":
        _start_period(row, _make_prorations(row, [], behaviour=behaviour))
    if params.get("payment_behavior") == "error_if_incomplete":
        _reject_unpaid(row, before)
    subscriptions.save_subscription(row)
    events.emit_change("customer.subscription.updated", row, before)


def _check_proration_date(row: StripeObject, params: Document) -> int | None:
    since: int | None = params.get("proration_date")
    start, end = subscriptions.get_period(row)
    if since is not None and not start <= since <= end:
        raise ApiError(
            "Cannot specify a proration date outside of the current period of the subscription.",
            param="proration_date",
        )
    return since


def _reject_unpaid(row: StripeObject, before: Document) -> None:
    """Raise the bank's decline as an ApiError, which undoes the whole change."""
    if row.body["status"] != "past_due" or before["status"] == "past_due":
        return
    payment = documents.select("invoice_payment", invoice=row.body["latest_invoice"]).first()
    intent = documents.fetch(payment.body["payment"]["payment_intent"]) if payment else None
    error = (intent.body["last_payment_error"] if intent else None) or {}
    raise ApiError(
        error.get("message", "Your card was declined."),
        status=402,
        type="card_error",
        code=error.get("code", "card_declined"),
        decline_code=error.get("decline_code"),
    )


def _change_cancellation(row: StripeObject, params: Document) -> None:
    if "cancel_at" in params and "cancel_at_period_end" in params:
        raise ApiError(
            "Pass either cancel_at or cancel_at_period_end, not both.", param="cancel_at"
        )
    details = row.body["cancellation_details"]
    if "cancellation_details" in params:
        details.update(
            {name: value or None for name, value in params["cancellation_details"].items()}
        )
    if "cancel_at_period_end" in params:
        ends = params["cancel_at_period_end"]
        row.body["cancel_at_period_end"] = ends
        row.body["cancel_at"] = subscriptions.get_period(row)[1] if ends else None
    elif "cancel_at" in params:
        cancel_at = params["cancel_at"] or None
        if cancel_at is not None and cancel_at <= clock.now():
            raise ApiError("The cancel_at timestamp must be in the future.", param="cancel_at")
        row.body.update(cancel_at=cancel_at, cancel_at_period_end=False)
    else:
        return
    asked = row.body["cancel_at"] is not None
    row.body["canceled_at"] = clock.now() if asked else None
    details["reason"] = "cancellation_requested" if asked else None


def change_items(  # noqa: PLR0912
    row: StripeObject,
    changes: list[Document],
    *,
    behaviour: str,
    bills: bool = True,
    since: int | None = None,
) -> None:
    """Change, add or remove items, and charge for the difference.

    As at Stripe, a change without an id adds an item, and one with `deleted` removes it.
    `bills` is False when a trial starts with the change, because nothing is charged then.
    """
    old = copy.deepcopy(row.body["items"]["data"])
    items = {item["id"]: item for item in copy.deepcopy(old)}
    period = subscriptions.get_period(row)
    for i, change in enumerate(changes):
        price = _find_price(change, currency=row.body["currency"], path=f"items[{i}]")
        if "id" not in change:
            if price is None:
                raise ApiError("Missing required param: price.", param=f"items[{i}][price]")
            item = subscriptions.make_item(row.stripe_id, price, change.get("quantity", 1), period)
            items[item["id"]] = item
            continue
        if change["id"] not in items:
            raise ApiError(
                f"No such subscription_item: '{change['id']}'",
                code="resource_missing",
                param=f"items[{i}][id]",
            )
        if change.get("deleted"):
            del items[change["id"]]
            continue
        item = items[change["id"]]
        if price is not None:
            item["price"] = price
        if "quantity" in change:
            item["quantity"] = change["quantity"]
        if "metadata" in change:
            item["metadata"] = documents.merge_metadata(item["metadata"], change["metadata"])
    if not items:
        raise ApiError("A subscription must have at least one item.", param="items")
    recurring = [item["price"]["recurring"] for item in items.values()]
    if any(interval != recurring[0] for interval in recurring):
        raise ApiError("In the sandbox all prices of a subscription must have the same interval.")
    row.body["items"]["data"] = list(items.values())
    if row.body["status"] == "trialing" or not bills:
        return
    lines = _make_prorations(row, old, behaviour=behaviour, since=since)
    if recurring[0] != old[0]["price"]["recurring"]:
        _start_period(row, [line for line in lines if line["amount"] < 0])
    elif behaviour == "always_invoice" and lines:
        subscriptions.bill_lines(row, lines, reason="subscription_update", period=period)
    else:
        row.notes["pending_lines"] += lines


def _find_price(change: Document, *, currency: str, path: str) -> Document | None:
    """Return the price that a change names or describes; None if it keeps the old one."""
    if "price" in change and "price_data" in change:
        raise ApiError(
            "You may only specify one of these parameters: price, price_data.", param=path
        )
    if "price_data" in change:
        path = f"{path}[price_data]"
        price = catalogue.create_price(change["price_data"], active=False).body
    elif "price" in change:
        path = f"{path}[price]"
        price = documents.get("price", change["price"], param=path, status=400).body
    else:
        return None
    if price["recurring"] is None:
        raise ApiError("A subscription needs a recurring price.", param=path)
    if price["currency"] != currency:
        raise ApiError("The currency of a subscription cannot change.", param=path)
    return copy.deepcopy(price)


def _make_prorations(
    row: StripeObject, old: list[Document], *, behaviour: str, since: int | None = None
) -> list[Document]:
    """Return credits for the unused time of the old items and charges for the new ones.

    Without `old`, only the unused time of the current items is credited.
    """
    if behaviour == "none":
        return []
    start, end = subscriptions.get_period(row)
    now = clock.now() if since is None else since
    current = row.body["items"]["data"]
    credited = old or current
    lines = []
    for sign, items, prefix in (
        (-1, credited, "Unused time on"),
        (1, current if old else [], "Remaining time on"),
    ):
        other = current if sign < 0 else old
        for item in items:
            same = any(
                same_item["price"]["id"] == item["price"]["id"]
                and same_item["quantity"] == item["quantity"]
                for same_item in other
            )
            if old and same:
                continue
            amount = item["price"]["unit_amount"] * item["quantity"]
            lines.append(
                invoices.make_line(
                    amount=sign * prorate_amount(amount, start=start, end=end, since=now),
                    price=item["price"],
                    quantity=item["quantity"],
                    description=f"{prefix} {catalogue.get_product_name(item['price'])}",
                    period=(now, end),
                    metadata=dict(row.body["metadata"]),
                    subscription=row.stripe_id,
                    item=item["id"],
                    proration=True,
                )
            )
    return lines


def _start_period(row: StripeObject, lines: list[Document]) -> None:
    """Start a new billing period now and charge for it."""
    now = clock.now()
    old = subscriptions.get_period(row)
    recurring = row.body["items"]["data"][0]["price"]["recurring"]
    period = (now, add_intervals(now, recurring, 1))
    row.body.update(status="active", billing_cycle_anchor=now)
    row.notes["cycle"] = 1
    subscriptions.set_period(row, period)
    if row.body["cancel_at_period_end"]:
        row.body["cancel_at"] = period[1]
    pending = subscriptions.take_pending_lines(row)
    subscriptions.bill_lines(
        row,
        [*pending, *lines, *subscriptions.make_lines(row, period)],
        reason="subscription_update",
        period=(old[0], now),
    )


def _change_trial(row: StripeObject, trial_end: int, *, behaviour: str) -> None:
    """Start a trial now, or move the end of the current one, and with it the next payment."""
    trials.check_trial_end(trial_end)
    trialing = row.body["status"] == "trialing"
    if trialing and row.body["trial_end"] == trial_end:
        return
    now = clock.now()
    old = subscriptions.get_period(row)
    lines = []
    if row.body["status"] == "active":
        lines = _make_prorations(row, [], behaviour=behaviour)
    row.body.update(status="trialing", trial_end=trial_end, billing_cycle_anchor=trial_end)
    if not trialing:
        row.body["trial_start"] = now
    row.notes.update(cycle=0, reminded=False)
    subscriptions.set_period(row, (now, trial_end))
    if row.body["cancel_at_period_end"]:
        row.body["cancel_at"] = trial_end
    lines += subscriptions.make_lines(row, (now, trial_end))
    subscriptions.bill_lines(row, lines, reason="subscription_update", period=(old[0], now))
    trials.send_reminder_if_due(row)


def _end_trial(row: StripeObject) -> bool:
    """End the trial and start the first paid period. Return False if there is no trial."""
    if row.body["status"] != "trialing":
        return False
    row.body["trial_end"] = clock.now()
    trials.send_reminder(row)
    _start_period(row, [])
    return True


def cancel_immediately(
    row: StripeObject, *, details: Document, invoice_now: bool, prorate: bool
) -> None:
    if row.body["status"] not in subscriptions.ENDED:
        if prorate:
            row.notes["pending_lines"] += _make_prorations(row, [], behaviour="create_prorations")
        if invoice_now and row.notes["pending_lines"]:
            lines = subscriptions.take_pending_lines(row)
            period = subscriptions.get_period(row)
            subscriptions.bill_lines(row, lines, reason="subscription_update", period=period)
    subscriptions.end_subscription(row, reason="cancellation_requested", details=details)
