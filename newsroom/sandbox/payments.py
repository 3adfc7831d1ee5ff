"""Payments: completes sessions, settles debits, pays and retries invoices."""

from dataclasses import dataclass
from typing import Literal

from newsroom.sandbox import (
    checkouts,
    clock,
    context,
    discounts,
    disputes,
    documents,
    events,
    intents,
    invoices,
    starts,
    subscriptions,
    taxes,
)
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.payment_methods import (
    Instrument,
    create_customer,
    create_payment_method,
    get_bank_account,
    get_card,
)


@dataclass(frozen=True)
class Attempt:
    """The result of an attempt to pay, with a message for the payer."""

    status: Literal["paid", "processing", "declined", "requires_action"]
    message: str = ""
    code: str = ""


def pay_session(
    session: StripeObject, instrument: Instrument | None, *, email: str | None
) -> Attempt:
    """Pay a session. `instrument` is None if nothing is due and no card is needed.

    Raise ApiError if the session is not open or doesn't accept the instrument.
    """
    if session.body["status"] == "open" and session.body["expires_at"] <= clock.now():
        checkouts.expire_session(session)
    if session.body["status"] != "open":
        raise ApiError(
            f"This Checkout Session is {session.body['status']}, so it cannot be paid.",
            code="checkout_session_not_open",
        )
    email = session.body["customer_email"] or _find_customer_email(session) or email
    if not email:
        raise ApiError("Enter an e-mail address to pay.", code="email_missing", param="email")
    if instrument is None:
        needs = session.body["payment_method_collection"] == "always"
        if needs or session.body["amount_total"] > 0:
            raise ApiError("Enter a card or a bank account to pay.", param="card")
        _complete_free(session, None, email=email, name=None)
        return Attempt("paid")
    kind = "card" if instrument.card is not None else "sepa_debit"
    if kind not in session.body["payment_method_types"]:
        raise ApiError(f"This Checkout Session does not accept {kind}.", param=kind)
    method = create_payment_method(instrument, customer=session.body["customer"], email=email)
    session.notes["email"] = email
    card = instrument.card
    if session.body["amount_total"] == 0:
        if card is not None and card.decline is not None:
            return Attempt("declined", card.decline.message, card.decline.code)
        _complete_free(session, method, email=email, name=instrument.name)
        return Attempt("paid")
    intent = _find_or_create_intent(session, email=email)
    if card is not None and card.decline is not None:
        intents.decline_intent(intent, method, card.decline)
        return Attempt("declined", card.decline.message, card.decline.code)
    if card is not None and card.three_d_secure:
        url = f"{context.address.base_url}/c/pay/{session.stripe_id}/check"
        intents.request_authentication(intent, method, url=url)
        return Attempt("requires_action", "The bank asks for 3-D Secure.")
    return _complete_payment(session, intent, method)


def finish_three_d_secure(session: StripeObject, *, complete: bool) -> Attempt:
    """Complete or decline the payment after the bank's 3-D Secure page."""
    intent = documents.find(session.notes["intent"])
    if (
        session.body["status"] != "open"
        or intent is None
        or intent.body["status"] != "requires_action"
    ):
        raise ApiError("This Checkout Session has no open 3-D Secure check.")
    method = documents.fetch(intent.body["payment_method"])
    if not complete:
        decline = intents.AUTHENTICATION_FAILED
        intents.decline_intent(intent, method, decline, charged=False)
        return Attempt("declined", decline.message, decline.code)
    intent.notes["authenticated"] = True
    return _complete_payment(session, intent, method)


def _find_customer_email(session: StripeObject) -> str | None:
    customer = documents.find(session.body["customer"])
    return customer.body["email"] if customer else None


def _find_or_create_intent(session: StripeObject, *, email: str) -> StripeObject:
    known = documents.find(session.notes["intent"])
    if known is not None:
        return known
    body = session.body
    payment = body["mode"] == "payment"
    data = session.notes["payment_intent_data"] if payment else {}
    intent = intents.create_intent(
        amount=body["amount_total"],
        currency=body["currency"],
        customer=body["customer"],
        types=body["payment_method_types"],
        metadata=documents.merge_metadata(None, data.get("metadata", {})),
        description=data.get("description") or (None if payment else "Subscription creation"),
        receipt_email=data.get("receipt_email"),
        setup_future_usage=data.get("setup_future_usage") if payment else "off_session",
        notes={"session": session.stripe_id},
    )
    session.notes["intent"] = intent.stripe_id
    if payment:
        body["payment_intent"] = intent.stripe_id
    documents.save(session)
    return intent


def _ensure_customer(
    session: StripeObject, method: StripeObject | None, *, email: str, name: str | None
) -> StripeObject | None:
    known = documents.find(session.body["customer"])
    if known is None:
        payment = session.body["mode"] == "payment"
        data = session.notes["payment_intent_data"]
        keeps = session.body["customer_creation"] == "always" or data.get("setup_future_usage")
        if payment and not keeps:
            return None
        known = create_customer(email=email, name=name)
        session.body["customer"] = known.stripe_id
    if method is not None:
        method.body["customer"] = known.stripe_id
        documents.save(method)
    return known


def _complete_payment(session: StripeObject, intent: StripeObject, method: StripeObject) -> Attempt:
    email, billing = session.notes["email"], method.body["billing_details"]
    customer = _ensure_customer(session, method, email=email, name=billing["name"])
    intent.body["customer"] = customer.stripe_id if customer else None
    invoice = None
    if session.body["mode"] == "subscription" and customer is not None:
        _, invoice = _start_subscription(session, customer, method)
        invoices.attach_intent(invoice, intent)
    card = get_card(method)
    charge = (
        intents.complete_intent(intent, method) if card else intents.start_debit(intent, method)
    )
    if card and invoice is not None:
        invoices.mark_paid(invoice)
    _complete_session(session, method, email=email, payment_status="paid" if card else "unpaid")
    if card and card.disputed:
        disputes.open_dispute(charge, reason="fraudulent")
    return Attempt("paid" if card else "processing")


def _complete_free(
    session: StripeObject, method: StripeObject | None, *, email: str, name: str | None
) -> None:
    customer = _ensure_customer(session, method, email=email, name=name)
    if session.body["mode"] == "subscription" and customer is not None:
        _, invoice = _start_subscription(session, customer, method)
        invoices.mark_paid(invoice)
    _complete_session(session, method, email=email, payment_status="no_payment_required")


def _start_subscription(
    session: StripeObject, customer: StripeObject, method: StripeObject | None
) -> tuple[StripeObject, StripeObject]:
    data = session.notes["subscription_data"]
    lines = session.notes["line_items"]
    recurring = [line for line in lines if line["price"]["type"] == "recurring"]
    behaviour = data.get("trial_settings", {}).get("end_behavior", {}).get("missing_payment_method")
    subscription = subscriptions.create_subscription(
        customer,
        [(line["price"], line["quantity"]) for line in recurring],
        method=method,
        metadata=documents.merge_metadata(None, data.get("metadata", {})),
        trial_end=session.notes["trial_end"],
        description=data.get("description"),
        missing_payment_method=behaviour or "create_invoice",
    )
    subscription.body["discounts"] = [
        discounts.start_discount(subscription, each, session=session.stripe_id)
        for each in session.body["discounts"]
    ]
    if session.body["automatic_tax"]["enabled"]:
        taxes.switch_on(subscription.body)
    now = clock.now()
    more_lines = [
        invoices.make_line(
            amount=line["amount_subtotal"],
            price=line["price"],
            quantity=line["quantity"],
            description=line["description"],
            period=(now, now),
            metadata={},
        )
        for line in lines
        if line["price"]["type"] == "one_time"
    ]
    invoice = starts.bill_first_period(subscription, customer, more_lines=more_lines)
    session.body.update(subscription=subscription.stripe_id, invoice=invoice.stripe_id)
    return subscription, invoice


def _complete_session(
    session: StripeObject, method: StripeObject | None, *, email: str, payment_status: str
) -> None:
    billing = method.body["billing_details"] if method else {}
    taxes.complete_session(session.body)
    if session.body["mode"] == "payment":  # a subscription has redeemed its own
        for each in session.body["discounts"]:
            discounts.redeem(each)
    session.body.update(
        status="complete",
        payment_status=payment_status,
        url=None,
        customer_details=checkouts.make_customer_details(
            email=email,
            name=billing.get("name"),
            country=(billing.get("address") or {}).get("country"),
        ),
    )
    session.due_at = None
    documents.save(session)
    events.emit("checkout.session.completed", session)


def settle_debit(intent: StripeObject, *, succeeded: bool | None = None) -> None:
    """Record the bank's answer to a debit and update session, invoice and subscription.

    By default the test account decides the answer.
    """
    if succeeded is None:
        method = documents.find(intent.body["payment_method"])
        account = get_bank_account(method) if method else None
        succeeded = account is None or account.succeeds
    intents.finish_debit(intent, succeeded=succeeded)
    invoice = documents.find(intent.notes.get("invoice"))
    if invoice is not None and invoice.body["status"] == "open":
        subscription = documents.find(documents.find_subscription_id(invoice.body))
        if succeeded:
            invoices.mark_paid(invoice)
        else:
            invoice.body["attempt_count"] = max(invoice.body["attempt_count"], 1)
            invoice.body["attempted"] = True
            invoices.schedule_retry(invoice)
        if subscription is not None:
            if succeeded:
                subscriptions.handle_paid_invoice(subscription, invoice)
            else:
                subscriptions.handle_unpaid_invoice(subscription, invoice)
    session = documents.find(intent.notes.get("session"))
    if session is not None:
        if succeeded:
            session.body["payment_status"] = "paid"
            documents.save(session)
        outcome = "succeeded" if succeeded else "failed"
        events.emit(f"checkout.session.async_payment_{outcome}", session)


def pay_invoice(
    invoice: StripeObject,
    *,
    method: StripeObject | None = None,
    out_of_band: bool = False,
    outcome: str | None = None,
) -> None:
    """Collect an open invoice. A decline is recorded and raised as a card error."""
    if invoice.body["status"] == "draft":
        invoices.finalise_invoice(invoice)
    if invoice.body["status"] not in ("open", "uncollectible"):
        raise ApiError(
            "Invoice is already paid"
            if invoice.body["status"] == "paid"
            else f"This invoice is {invoice.body['status']}, so it cannot be paid.",
            code="invoice_already_paid" if invoice.body["status"] == "paid" else None,
        )
    subscription = documents.find(documents.find_subscription_id(invoice.body))
    if out_of_band:
        invoices.mark_paid(invoice, out_of_band=True)
        result, decline = "paid", None
    else:
        if method is None and subscription is not None:
            method = subscriptions.find_payment_method(subscription)
        result, decline = invoices.collect_payment(invoice, method, outcome=outcome)
    if subscription is not None and result != "processing":
        if result == "paid":
            subscriptions.handle_paid_invoice(subscription, invoice)
        else:
            subscriptions.handle_unpaid_invoice(subscription, invoice)
    if decline is not None:
        raise ApiError(
            decline.message,
            status=402,
            type="card_error",
            code=decline.code,
            decline_code=decline.decline_code,
            keeps_changes=True,
        )


def retry_invoice(invoice: StripeObject) -> None:
    """Retry an invoice. If the last retry fails, apply the account's setting."""
    invoice.due_at = None
    documents.save(invoice)
    try:
        pay_invoice(invoice)
    except ApiError:
        subscription = documents.find(documents.find_subscription_id(invoice.body))
        was_last = invoice.body["attempt_count"] > len(invoices.RETRY_DAYS)
        if was_last and subscription is not None:
            subscriptions.apply_outcome_after_retries(documents.fetch(subscription.stripe_id))
