"""/c/pay/…: the payment page and the 3-D Secure page."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from newsroom.sandbox import checkouts, clock, documents, payments
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.instruments import BANK_ACCOUNTS, CARDS
from newsroom.sandbox.models import StripeObject

from .forms import PaymentForm, add_decline, read_form
from .rendering import render_message, render_page

BUTTONS = {"donate": "Donate", "subscribe": "Subscribe", "book": "Book"}


def _redirect(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def _find_session(session_id: str) -> StripeObject | None:
    return documents.select("checkout.session", stripe_id=session_id).first()


def _render_closed(request: HttpRequest, session: StripeObject | None) -> HttpResponse | None:
    """Return a page for a session that is missing, paid or expired; None if it is open."""
    if session is None:
        return render_message(
            request,
            title="Payment not found",
            text="The address is incomplete, or the sandbox was reset. You have not been charged. "
            "Go back to the newsroom's page and start again.",
            status=404,
        )
    if session.body["status"] == "complete":
        is_pending = session.body["payment_status"] == "unpaid"
        return render_message(
            request,
            title="Payment pending" if is_pending else "Payment already completed",
            text="We're waiting for your bank. You don't have to pay again."
            if is_pending
            else "You won't be charged again.",
            link=checkouts.make_success_url(session),
            link_text="Continue to the newsroom",
        )
    if session.body["status"] == "expired" or session.body["expires_at"] <= clock.now():
        return render_message(
            request,
            title="This payment page has expired",
            text="A payment page is valid for 24 hours. You have not been charged. "
            "Go back to the newsroom's page and start again.",
            status=410,
            link=session.body["cancel_url"],
            link_text="Back to the newsroom",
        )
    return None


@csrf_exempt
def show_payment(request: HttpRequest, session_id: str) -> HttpResponse:  # noqa: PLR0911
    session = _find_session(session_id)
    closed = _render_closed(request, session)
    if closed is not None or session is None:
        return closed or HttpResponse(status=404)
    methods: list[str] = session.body["payment_method_types"]
    email = _find_email(session)
    if request.method != "POST":
        return _render(request, session, _make_empty_form(session, email=email))
    if "promotion_code" in request.POST:
        return _apply_code(request, session, request.POST["promotion_code"], email=email)
    needs_no_card = _needs_no_card(session)
    form = read_form(request.POST, email_fixed=bool(email), methods=methods)
    if needs_no_card:
        form.errors = {name: text for name, text in form.errors.items() if name == "email"}
    if form.errors:
        return _render(request, session, form)
    with documents.write_transaction():
        session = documents.fetch(session_id)
        try:
            attempt = payments.pay_session(
                session, None if needs_no_card else form.instrument, email=form.values["email"]
            )
        except ApiError as refusal:
            closed = _render_closed(request, session)
            if closed is not None:
                return closed
            add_decline(form, code=refusal.body["error"].get("code", ""), message=str(refusal))
            return _render(request, session, form)
    if attempt.status == "requires_action":
        return _redirect(reverse("check", args=[session_id]))
    if attempt.status == "declined":
        add_decline(form, code=attempt.code, message=attempt.message)
        return _render(request, session, form)
    return _redirect(checkouts.make_success_url(session))


def _make_empty_form(session: StripeObject, *, email: str | None) -> PaymentForm:
    method = session.body["payment_method_types"][0]
    return PaymentForm(
        {"method": method, "email": email or "", "name": "", "iban": "", "holder": ""}
    )


def _apply_code(
    request: HttpRequest, session: StripeObject, code: str, *, email: str | None
) -> HttpResponse:
    """Discount the session and show its page again, or say that the code is invalid."""
    form = _make_empty_form(session, email=email)
    try:
        with documents.write_transaction():
            session = documents.fetch(session.stripe_id)
            checkouts.apply_promotion_code(session, code)
    except ApiError as refusal:
        form.values["promotion_code"] = code
        form.errors["promotion_code"] = str(refusal)
        return _render(request, session, form)
    return _redirect(reverse("pay", args=[session.stripe_id]))


def _find_email(session: StripeObject) -> str | None:
    details = session.body["customer_details"] or {}
    email: str | None = session.body["customer_email"] or details.get("email")
    return email


def _needs_no_card(session: StripeObject) -> bool:
    body = session.body
    return bool(body["amount_total"] == 0 and body["payment_method_collection"] == "if_required")


def _render(request: HttpRequest, session: StripeObject, form: PaymentForm) -> HttpResponse:
    body = session.body
    lines = session.notes["line_items"]
    recurring = [line for line in lines if line["price"]["type"] == "recurring"]
    context: dict[str, Any] = {
        "session": body,
        "lines": lines,
        "recurring": _describe_recurring(recurring, trial_end=session.notes["trial_end"]),
        "errors": form.errors,
        "values": form.values,
        "email_fixed": _find_email(session),
        "needs_no_card": _needs_no_card(session),
        "methods": body["payment_method_types"],
        "button": BUTTONS.get(body["submit_type"] or "", "Pay"),
        "cards": CARDS.values(),
        "accounts": BANK_ACCOUNTS.values(),
    }
    return render_page(
        request,
        "pay.html",
        context,
        status=422 if form.errors else 200,
        redirects_to=(body["success_url"], body["cancel_url"]),
    )


def _describe_recurring(lines: list[Document], *, trial_end: int | None) -> dict[str, Any] | None:
    if not lines:
        return None
    interval = lines[0]["price"]["recurring"]
    count = interval["interval_count"]
    every = interval["interval"] if count == 1 else f"{count} {interval['interval']}s"
    return {
        "amount": sum(line["amount_subtotal"] for line in lines),
        "every": every,
        "trial_end": trial_end,
    }


@csrf_exempt
def show_check(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the bank's 3-D Secure page and handle its answer."""
    session = _find_session(session_id)
    closed = _render_closed(request, session)
    if closed is not None or session is None:
        return closed or HttpResponse(status=404)
    intent = documents.find(session.notes["intent"])
    if intent is None or intent.body["status"] != "requires_action":
        return _redirect(reverse("pay", args=[session_id]))
    if request.method != "POST":
        context = {"session": session.body, "method": documents.find(intent.body["payment_method"])}
        return render_page(
            request, "check.html", context, redirects_to=(session.body["success_url"],)
        )
    method = documents.fetch(intent.body["payment_method"])
    with documents.write_transaction():
        session = documents.fetch(session_id)
        try:
            complete = request.POST.get("answer") == "complete"
            attempt = payments.finish_three_d_secure(session, complete=complete)
        except ApiError:
            return _redirect(reverse("pay", args=[session_id]))
    if attempt.status != "declined":
        return _redirect(checkouts.make_success_url(session))
    values = {
        "method": "card",
        "email": method.body["billing_details"]["email"] or "",
        "name": method.body["billing_details"]["name"] or "",
        "iban": "",
        "holder": "",
    }
    return _render(request, session, PaymentForm(values, errors={"number": attempt.message}))
