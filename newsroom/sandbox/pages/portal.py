"""/p/session/…: the billing portal, where a member changes the card or cancels."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from newsroom.sandbox import catalogue, changes, documents, events, payments, subscriptions
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.instruments import CARDS
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.payment_methods import create_payment_method

from .forms import PaymentForm, add_decline, read_form
from .rendering import render_message, render_page


def _find_portal(session_id: str) -> StripeObject | None:
    return documents.select("billing_portal.session", stripe_id=session_id).first()


def _render_not_found(request: HttpRequest) -> HttpResponse:
    return render_message(
        request,
        title="Page not found",
        text="The address is incomplete, or the sandbox was reset. "
        "Go back to the newsroom's page and start again.",
        status=404,
    )


def _redirect_to_portal(session_id: str) -> HttpResponse:
    response = HttpResponseRedirect(reverse("portal", args=[session_id]))
    response.status_code = 303
    return response


def show_portal(request: HttpRequest, session_id: str) -> HttpResponse:
    portal = _find_portal(session_id)
    return _render_portal(request, portal) if portal else _render_not_found(request)


def _render_portal(
    request: HttpRequest, portal: StripeObject, *, refusal: str = "", status: int = 200
) -> HttpResponse:
    customer = documents.fetch(portal.body["customer"])
    rows = documents.select("subscription", customer=customer.stripe_id)
    features = documents.fetch(portal.body["configuration"]).body["features"]
    context: dict[str, Any] = {
        "portal": portal.body,
        "customer": customer.body,
        "subscriptions": [_describe_subscription(row) for row in rows],
        "charges": [
            row.body
            for row in documents.select("charge", customer=customer.stripe_id)
            if row.body["status"] != "failed"
        ],
        "features": features,
        "open_invoices": [
            row.body
            for row in documents.select("invoice", customer=customer.stripe_id)
            if row.body["status"] == "open"
        ],
        "refusal": refusal,
    }
    redirects_to = (portal.body["return_url"],)
    return render_page(request, "portal.html", context, status=status, redirects_to=redirects_to)


def _describe_subscription(row: StripeObject) -> Document:
    item = row.body["items"]["data"][0]
    method = subscriptions.find_payment_method(row)
    return {
        **row.body,
        "name": catalogue.get_product_name(item["price"]),
        "amount": sum(
            other["price"]["unit_amount"] * other["quantity"] for other in row.body["items"]["data"]
        ),
        "interval": item["price"]["recurring"],
        "period_end": item["current_period_end"],
        "method": method.body if method else None,
        "is_ended": row.body["status"] in subscriptions.ENDED,
    }


def _find_own_subscription(portal: StripeObject, subscription_id: str) -> StripeObject | None:
    """Return the subscription if it belongs to the portal's customer."""
    return documents.select(
        "subscription", stripe_id=subscription_id, customer=portal.body["customer"]
    ).first()


@csrf_exempt
def cancel_subscription(
    request: HttpRequest, session_id: str, subscription_id: str
) -> HttpResponse:
    """Ask for confirmation, then cancel as the portal's configuration says."""
    portal = _find_portal(session_id)
    row = _find_own_subscription(portal, subscription_id) if portal else None
    if portal is None or row is None:
        return _render_not_found(request)
    features = documents.fetch(portal.body["configuration"]).body["features"]
    ends_now = features["subscription_cancel"]["mode"] == "immediately"
    if request.method != "POST":
        context = {
            "portal": portal.body,
            "subscription": _describe_subscription(row),
            "ends_now": ends_now,
        }
        return render_page(request, "portal_cancel.html", context)
    with documents.write_transaction():
        row = documents.fetch(subscription_id)
        if ends_now:
            subscriptions.end_subscription(row, reason="cancellation_requested")
        elif row.body["status"] not in subscriptions.ENDED:
            changes.update_subscription(row, {"cancel_at_period_end": True})
    return _redirect_to_portal(session_id)


@csrf_exempt
def resume_subscription(
    request: HttpRequest, session_id: str, subscription_id: str
) -> HttpResponse:
    portal = _find_portal(session_id)
    row = _find_own_subscription(portal, subscription_id) if portal else None
    if portal is None or row is None:
        return _render_not_found(request)
    if request.method == "POST" and row.body["status"] not in subscriptions.ENDED:
        with documents.write_transaction():
            row = documents.fetch(subscription_id)
            changes.update_subscription(row, {"cancel_at_period_end": False})
    return _redirect_to_portal(session_id)


@csrf_exempt
def pay_invoice(request: HttpRequest, session_id: str, invoice_id: str) -> HttpResponse:
    """Pay an open invoice of the customer, and show the bank's message if it fails."""
    portal = _find_portal(session_id)
    own = portal and documents.select(
        "invoice", stripe_id=invoice_id, customer=portal.body["customer"]
    )
    if portal is None or not own or request.method != "POST":
        return _render_not_found(request)
    refused = ""
    with documents.write_transaction():
        try:
            payments.pay_invoice(documents.fetch(invoice_id))
        except ApiError as refusal:  # caught inside the transaction, to keep the failed charge
            refused = str(refusal)
    if refused:
        return _render_portal(request, portal, refusal=refused, status=422)
    return _redirect_to_portal(session_id)


@csrf_exempt
def change_card(request: HttpRequest, session_id: str) -> HttpResponse:
    portal = _find_portal(session_id)
    if portal is None:
        return _render_not_found(request)
    if request.method != "POST":
        return _render_card(request, portal, PaymentForm({"method": "card", "name": ""}))
    form = read_form(request.POST, email_fixed=True, methods=["card"])
    card = form.instrument.card if form.instrument else None
    if card is not None and card.decline is not None:
        add_decline(form, code=card.decline.code, message=card.decline.message)
    if form.errors or form.instrument is None:
        return _render_card(request, portal, form)
    try:
        with documents.write_transaction():
            customer = documents.fetch(portal.body["customer"])
            method = create_payment_method(
                form.instrument, customer=customer.stripe_id, email=customer.body["email"]
            )
            events.emit("payment_method.attached", method)
            before = dict(customer.body)
            settings = customer.body["invoice_settings"]
            customer.body["invoice_settings"] = {
                **settings,
                "default_payment_method": method.stripe_id,
            }
            documents.save(customer)
            events.emit_change("customer.updated", customer, before)
            for row in documents.select("subscription", customer=customer.stripe_id):
                if row.body["status"] not in subscriptions.ENDED:
                    changes.update_subscription(row, {"default_payment_method": method.stripe_id})
    except ApiError as refusal:
        add_decline(form, code="", message=str(refusal))
        return _render_card(request, portal, form)
    return _redirect_to_portal(session_id)


def _render_card(request: HttpRequest, portal: StripeObject, form: PaymentForm) -> HttpResponse:
    context = {
        "portal": portal.body,
        "values": form.values,
        "errors": form.errors,
        "cards": CARDS.values(),
    }
    status = 422 if form.errors else 200
    return render_page(request, "portal_card.html", context, status=status)
