"""/v1/invoices and /v1/invoice_payments"""

from newsroom.sandbox import documents, invoices, payments, previews
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import BOOL, INT, LIST_PARAMS, META, STR, UNSET

from .checkout import page_lines
from .routing import endpoint
from .subscriptions import PRORATION


@endpoint(
    "GET",
    "/v1/invoices",
    {
        **LIST_PARAMS,
        "collection_method": STR,
        "customer": STR,
        "status": {"draft", "open", "paid", "uncollectible", "void"},
        "subscription": STR,
    },
)
def list_invoices(params: Document) -> Document:
    links = {name: params[name] for name in ("customer", "subscription") if name in params}
    rows = documents.select("invoice", **links)
    for name in ("collection_method", "status"):
        if name in params:
            rows = rows.filter(**{f"body__{name}": params[name]})
    return documents.make_page(rows, params, url="/v1/invoices")


@endpoint(
    "POST",
    "/v1/invoices/create_preview",
    {
        "subscription*": STR,
        "subscription_details": {
            "items": [{"id": STR, "price": STR, "quantity": INT}],
            "proration_behavior": PRORATION,
            "proration_date": INT,
        },
    },
)
def preview_invoice(params: Document) -> Document:
    row = documents.get("subscription", params["subscription"], param="subscription", status=400)
    return previews.preview_invoice(row, params.get("subscription_details", {}))


@endpoint("GET", "/v1/invoices/{invoice}")
def retrieve_invoice(params: Document, *, invoice: str) -> Document:
    return documents.get("invoice", invoice).body


@endpoint("POST", "/v1/invoices/{invoice}", {"description": UNSET, "metadata": META})
def update_invoice(params: Document, *, invoice: str) -> Document:
    row = documents.get("invoice", invoice)
    if "metadata" in params:
        row.body["metadata"] = documents.merge_metadata(row.body["metadata"], params["metadata"])
    if "description" in params:
        row.body["description"] = params["description"] or None
    return documents.save(row).body


@endpoint(
    "GET",
    "/v1/invoices/{invoice}/lines",
    {"limit": INT, "starting_after": STR, "ending_before": STR},
)
def list_lines(params: Document, *, invoice: str) -> Document:
    row = documents.get("invoice", invoice)
    return page_lines(row.body["lines"]["data"], params, url=f"/v1/invoices/{invoice}/lines")


@endpoint(
    "POST",
    "/v1/invoices/{invoice}/pay",
    {"off_session": BOOL, "paid_out_of_band": BOOL, "payment_method": STR},
)
def pay_invoice(params: Document, *, invoice: str) -> Document:
    row = documents.get("invoice", invoice)
    method = None
    if "payment_method" in params:
        method = documents.get(
            "payment_method", params["payment_method"], param="payment_method", status=400
        )
    payments.pay_invoice(row, method=method, out_of_band=params.get("paid_out_of_band", False))
    return row.body


@endpoint("POST", "/v1/invoices/{invoice}/void")
def void_invoice(params: Document, *, invoice: str) -> Document:
    row = documents.get("invoice", invoice)
    invoices.void_invoice(row)
    return row.body


@endpoint(
    "GET",
    "/v1/invoice_payments",
    {
        **LIST_PARAMS,
        "invoice": STR,
        "payment": {"payment_intent": STR, "type*": {"payment_intent"}},
        "status": {"canceled", "open", "paid"},
    },
)
def list_invoice_payments(params: Document) -> Document:
    links = {"invoice": params["invoice"]} if "invoice" in params else {}
    if params.get("payment", {}).get("payment_intent"):
        links["payment_intent"] = params["payment"]["payment_intent"]
    rows = documents.select("invoice_payment", **links)
    if "status" in params:
        rows = rows.filter(body__status=params["status"])
    return documents.make_page(rows, params, url="/v1/invoice_payments")


@endpoint("GET", "/v1/invoice_payments/{payment}")
def retrieve_invoice_payment(params: Document, *, payment: str) -> Document:
    return documents.get("invoice_payment", payment).body
