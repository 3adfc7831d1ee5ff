"""Subscriptions that start: with a paid checkout, or by the API as in Stripe's dashboard."""

from newsroom.sandbox import clock, discounts, documents, events, invoices, subscriptions, trials
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.instruments import Decline
from newsroom.sandbox.models import StripeObject


def bill_first_period(
    subscription: StripeObject, customer: StripeObject, *, more_lines: list[Document]
) -> StripeObject:
    """Create and finalise the first invoice of a new subscription, and announce both."""
    now = clock.now()
    lines = subscriptions.make_lines(subscription, subscriptions.get_period(subscription))
    invoice = invoices.create_invoice(
        customer,
        [*lines, *more_lines],
        currency=subscription.body["currency"],
        reason="subscription_create",
        period=(now, now),
        subscription=subscription,
    )
    subscription.body["latest_invoice"] = invoice.stripe_id
    subscriptions.save_subscription(subscription)
    events.emit("customer.subscription.created", subscription)
    invoices.finalise_invoice(invoice)
    return invoice


def start_by_api(params: Document) -> StripeObject:
    """Create a subscription and charge the customer's card, as the API's checked `params` ask.

    If the first payment fails, the subscription is incomplete and expires after 23 hours.
    """
    customer = documents.get("customer", params["customer"], param="customer", status=400)
    method = _find_method(params, customer)
    subscription = subscriptions.create_subscription(
        customer,
        _read_items(params.get("items", [])),
        method=method if "default_payment_method" in params else None,
        metadata=documents.merge_metadata(None, params.get("metadata", {})),
        trial_end=_find_trial_end(params),
        description=params.get("description"),
        missing_payment_method=params.get("trial_settings", {})
        .get("end_behavior", {})
        .get("missing_payment_method", "create_invoice"),
    )
    discounts.set_discounts(subscription, params.get("discounts", []))
    if params.get("cancel_at_period_end"):
        end = subscriptions.get_period(subscription)[1]
        subscription.body.update(cancel_at_period_end=True, cancel_at=end, canceled_at=clock.now())
        subscription.body["cancellation_details"]["reason"] = "cancellation_requested"
    is_free = subscription.body["status"] == "trialing"
    if not is_free:
        subscription.body["status"] = "incomplete"
    invoice = bill_first_period(subscription, customer, more_lines=[])
    if is_free or invoice.body["amount_remaining"] == 0:
        invoices.mark_paid(invoice)
        subscriptions.handle_paid_invoice(subscription, invoice)
        return subscription
    behaviour = params.get("payment_behavior", "allow_incomplete")
    if behaviour == "default_incomplete":
        return subscription
    if method is None:
        raise ApiError(
            "This customer has no attached payment source or default payment method. Please "
            "consider adding a default payment method.",
            code="resource_missing",
        )
    _collect_first_payment(
        subscription, invoice, method, must_succeed=behaviour == "error_if_incomplete"
    )
    return subscription


def _collect_first_payment(
    subscription: StripeObject, invoice: StripeObject, method: StripeObject, *, must_succeed: bool
) -> None:
    result, decline = invoices.collect_payment(invoice, method)
    if decline is not None:
        if must_succeed:
            raise _make_card_error(decline)
        # A first payment isn't retried; the customer can pay the invoice.
        invoice.body["next_payment_attempt"] = invoice.due_at = None
        documents.save(invoice)
        return
    # With a bank debit, a subscription is active while the bank decides.
    subscriptions.handle_paid_invoice(subscription, invoice)
    if result == "processing":
        documents.save(invoice)


def _make_card_error(decline: Decline) -> ApiError:
    return ApiError(
        decline.message,
        status=402,
        type="card_error",
        code=decline.code,
        decline_code=decline.decline_code,
    )


def _find_method(params: Document, customer: StripeObject) -> StripeObject | None:
    if "default_payment_method" in params:
        method = documents.get(
            "payment_method",
            params["default_payment_method"],
            param="default_payment_method",
            status=400,
        )
        if method.body["customer"] != customer.stripe_id:
            raise ApiError(
                "The payment method must be attached to the customer.",
                param="default_payment_method",
            )
        return method
    return documents.find(customer.body["invoice_settings"]["default_payment_method"])


def _read_items(items: list[Document]) -> list[tuple[Document, int]]:
    if not items:
        raise ApiError("Missing required param: items.", code="parameter_missing", param="items")
    chosen = []
    for i, item in enumerate(items):
        price = documents.get("price", item["price"], param=f"items[{i}][price]", status=400).body
        if not price["active"]:
            raise ApiError("The price specified is inactive.", param=f"items[{i}][price]")
        if price["recurring"] is None:
            raise ApiError(
                "The price specified is set to `type=one_time` but this field only accepts prices "
                "with `type=recurring`.",
                param=f"items[{i}][price]",
            )
        chosen.append((price, item.get("quantity", 1)))
    if len({price["currency"] for price, _ in chosen}) > 1:
        raise ApiError("All prices of a subscription must have the same currency.", param="items")
    return chosen


def _find_trial_end(params: Document) -> int | None:
    if "trial_end" in params and "trial_period_days" in params:
        raise ApiError(
            "You can not pass both trial_end and trial_period_days.", param="trial_period_days"
        )
    if "trial_period_days" in params:
        trial_end = clock.now() + int(params["trial_period_days"]) * trials.DAY
        trials.check_trial_end(trial_end, param="trial_period_days")
        return trial_end
    if params.get("trial_end", "now") == "now":
        return None
    trials.check_trial_end(params["trial_end"])
    return int(params["trial_end"])
