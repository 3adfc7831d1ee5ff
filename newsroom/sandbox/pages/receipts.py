"""The pages of receipts and invoices."""

from django.http import HttpRequest, HttpResponse

from newsroom.sandbox import documents

from .rendering import render_message, render_page


def show_receipt(request: HttpRequest, charge_id: str) -> HttpResponse:
    charge = documents.select("charge", stripe_id=charge_id).first()
    if charge is None:
        return _render_not_found(request)
    context = {
        "charge": charge.body,
        "remaining": charge.body["amount"] - charge.body["amount_refunded"],
    }
    return render_page(request, "receipt.html", context)


def show_invoice(request: HttpRequest, invoice_id: str) -> HttpResponse:
    invoice = documents.select("invoice", stripe_id=invoice_id).first()
    if invoice is None:
        return _render_not_found(request)
    return render_page(request, "invoice.html", {"invoice": invoice.body})


def _render_not_found(request: HttpRequest) -> HttpResponse:
    return render_message(
        request,
        title="Page not found",
        text="The address is incomplete, or the sandbox was reset.",
        status=404,
    )
