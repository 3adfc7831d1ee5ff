"""/c/pay/…: the payment page, and the bank's pretend 3-D Secure page."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt

from newsroom.sandbox import checkouts, clock, documents, settlements
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.instruments import BANK_ACCOUNTS, CARDS
from newsroom.sandbox.models import StripeObject

from .entries import Entry, place_refusal, read_entry
from .rendering import render_message, render_page

BUTTONS = {"donate": "Donate", "subscribe": "Subscribe", "book": "Book"}


def _see_other(url: str) -> HttpResponse:
    response = HttpResponseRedirect(url)
    response.status_code = 303
    return response


def _find_session(session_id: str) -> StripeObject | None:
    return documents.select("checkout.session", stripe_id=session_id).first()


def _show_closed(request: HttpRequest, session: StripeObject | None) -> HttpResponse | None:
    """The page for a session that nobody can pay any more, or None."""
    if session is None:
        return render_message(
            request,
            title="There is no such payment",
            text="The address is not complete, or the sandbox was set back since. "
            "Go back to the newsroom's page and begin again. Nothing was paid.",
            status=404,
        )
    if session.body["status"] == "complete":
        return render_message(
            request,
            title="This is already paid",
            text="The payment went through before; it will not be taken twice."
            if session.body["payment_status"] != "unpaid"
            else "Your bank has the order already; it will not be given twice.",
            link=checkouts.make_success_url(session),
            link_text="On to the newsroom",
        )
    if session.body["status"] == "expired" or session.body["expires_at"] <= clock.now():
        return render_message(
            request,
            title="This payment page has run out",
            text="A payment page is open for a day. Nothing was paid. "
            "Go back to the newsroom's page and begin again.",
            status=410,
            link=session.body["cancel_url"],
            link_text="Back to the newsroom",
        )
    return None


@csrf_exempt
def show_payment(request: HttpRequest, session_id: str) -> HttpResponse:  # noqa: PLR0911
    session = _find_session(session_id)
    closed = _show_closed(request, session)
    if closed is not None or session is None:
        return closed or HttpResponse(status=404)
    methods: list[str] = session.body["payment_method_types"]
    email = _find_email(session)
    if request.method != "POST":
        values = {"method": methods[0], "email": email or "", "name": "", "iban": "", "holder": ""}
        return _render(request, session, Entry(values))
    asks_no_card = _asks_no_card(session)
    entry = read_entry(request.POST, email_fixed=bool(email), methods=methods)
    if asks_no_card:
        entry.errors = {name: text for name, text in entry.errors.items() if name == "email"}
    if entry.errors:
        return _render(request, session, entry)
    with documents.writing():
        session = documents.fetch(session_id)
        try:
            attempt = settlements.pay_session(
                session, None if asks_no_card else entry.instrument, email=entry.values["email"]
            )
        except ApiError as refusal:
            closed = _show_closed(request, session)
            if closed is not None:
                return closed
            place_refusal(entry, code=refusal.body["error"].get("code", ""), message=str(refusal))
            return _render(request, session, entry)
    if attempt.status == "requires_action":
        return _see_other(reverse("check", args=[session_id]))
    if attempt.status == "declined":
        place_refusal(entry, code=attempt.code, message=attempt.message)
        return _render(request, session, entry)
    return _see_other(checkouts.make_success_url(session))


def _find_email(session: StripeObject) -> str | None:
    details = session.body["customer_details"] or {}
    email: str | None = session.body["customer_email"] or details.get("email")
    return email


def _asks_no_card(session: StripeObject) -> bool:
    body = session.body
    return bool(body["amount_total"] == 0 and body["payment_method_collection"] == "if_required")


def _render(
    request: HttpRequest,
    session: StripeObject,
    entry: Entry,
    *,
    notice: str = "",
) -> HttpResponse:
    body = session.body
    lines = session.notes["line_items"]
    recurring = [each for each in lines if each["price"]["type"] == "recurring"]
    context: dict[str, Any] = {
        "session": body,
        "lines": lines,
        "recurs": _describe_recurring(recurring, trial_end=session.notes["trial_end"]),
        "entry": entry,
        "errors": entry.errors,
        "values": entry.values,
        "notice": notice,
        "email_fixed": _find_email(session),
        "asks_no_card": _asks_no_card(session),
        "methods": body["payment_method_types"],
        "button": BUTTONS.get(body["submit_type"] or "", "Pay"),
        "cards": CARDS.values(),
        "accounts": BANK_ACCOUNTS.values(),
    }
    return render_page(
        request,
        "pay.html",
        context,
        status=422 if entry.errors else 200,
        leads_to=(body["success_url"], body["cancel_url"]),
    )


def _describe_recurring(lines: list[Document], *, trial_end: int | None) -> dict[str, Any] | None:
    if not lines:
        return None
    interval = lines[0]["price"]["recurring"]
    count = interval["interval_count"]
    words = interval["interval"] if count == 1 else f"{count} {interval['interval']}s"
    return {
        "amount": sum(each["amount_total"] for each in lines),
        "every": words,
        "trial_end": trial_end,
    }


@csrf_exempt
def show_check(request: HttpRequest, session_id: str) -> HttpResponse:
    """The bank asks the payer whether it is them."""
    session = _find_session(session_id)
    closed = _show_closed(request, session)
    if closed is not None or session is None:
        return closed or HttpResponse(status=404)
    intent = documents.find(session.notes["intent"])
    if intent is None or intent.body["status"] != "requires_action":
        return _see_other(reverse("pay", args=[session_id]))
    if request.method != "POST":
        context = {"session": session.body, "method": documents.find(intent.body["payment_method"])}
        return render_page(request, "check.html", context, leads_to=(session.body["success_url"],))
    method = documents.fetch(intent.body["payment_method"])
    with documents.writing():
        session = documents.fetch(session_id)
        try:
            complete = request.POST.get("answer") == "complete"
            attempt = settlements.answer_three_d_secure(session, complete=complete)
        except ApiError:
            return _see_other(reverse("pay", args=[session_id]))
    if attempt.status != "declined":
        return _see_other(checkouts.make_success_url(session))
    values = {
        "method": "card",
        "email": method.body["billing_details"]["email"] or "",
        "name": method.body["billing_details"]["name"] or "",
        "iban": "",
        "holder": "",
    }
    return _render(request, session, Entry(values, errors={"number": attempt.message}))
