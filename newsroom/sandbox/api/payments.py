"""/v1/payment_intents, /v1/charges and /v1/balance_transactions"""

from newsroom.sandbox import documents, events, intents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import INT, LIST_PARAMS, META, STR, UNSET

from .routing import endpoint


@endpoint("GET", "/v1/payment_intents", {**LIST_PARAMS, "customer": STR})
def list_intents(params: Document) -> Document:
    links = {"customer": params["customer"]} if "customer" in params else {}
    rows = documents.select("payment_intent", **links)
    return documents.make_page(rows, params, url="/v1/payment_intents")


@endpoint("GET", "/v1/payment_intents/{intent}", {"client_secret": STR})
def retrieve_intent(params: Document, *, intent: str) -> Document:
    return documents.get("payment_intent", intent, param="intent").body


@endpoint(
    "POST",
    "/v1/payment_intents/{intent}",
    {"description": UNSET, "metadata": META, "receipt_email": UNSET},
)
def update_intent(params: Document, *, intent: str) -> Document:
    row = documents.get("payment_intent", intent, param="intent")
    _apply(row.body, params)
    return documents.save(row).body


@endpoint(
    "POST",
    "/v1/payment_intents/{intent}/cancel",
    {"cancellation_reason": {"abandoned", "duplicate", "fraudulent", "requested_by_customer"}},
)
def cancel_intent(params: Document, *, intent: str) -> Document:
    row = documents.get("payment_intent", intent, param="intent")
    intents.cancel_intent(row, reason=params.get("cancellation_reason"))
    return row.body


@endpoint("GET", "/v1/charges", {**LIST_PARAMS, "customer": STR, "payment_intent": STR})
def list_charges(params: Document) -> Document:
    links = {name: params[name] for name in ("customer", "payment_intent") if name in params}
    return documents.make_page(documents.select("charge", **links), params, url="/v1/charges")


@endpoint("GET", "/v1/charges/{charge}")
def retrieve_charge(params: Document, *, charge: str) -> Document:
    return documents.get("charge", charge).body


@endpoint(
    "POST",
    "/v1/charges/{charge}",
    {"description": UNSET, "metadata": META, "receipt_email": UNSET},
)
def update_charge(params: Document, *, charge: str) -> Document:
    row = documents.get("charge", charge)
    before = dict(row.body)
    _apply(row.body, params)
    documents.save(row)
    events.emit_change("charge.updated", row, before)
    return row.body


def _apply(body: Document, params: Document) -> None:
    for name, value in params.items():
        if name == "metadata":
            body["metadata"] = documents.merge_metadata(body["metadata"], value)
        else:
            body[name] = value or None


@endpoint(
    "GET",
    "/v1/balance_transactions",
    {**LIST_PARAMS, "currency": STR, "payout": STR, "source": STR, "type": STR},
)
def list_balance_transactions(params: Document) -> Document:
    links = {"source": params["source"]} if "source" in params else {}
    rows = documents.select("balance_transaction", **links)
    for name in ("currency", "type"):
        if name in params:
            rows = rows.filter(**{f"body__{name}": params[name]})
    if "payout" in params:
        rows = rows.none()
    return documents.make_page(rows, params, url="/v1/balance_transactions")


@endpoint("GET", "/v1/balance_transactions/{transaction}")
def retrieve_balance_transaction(params: Document, *, transaction: str) -> Document:
    return documents.get("balance_transaction", transaction).body


_LIMIT_ONLY = {"limit": INT, "starting_after": STR, "ending_before": STR}


@endpoint("GET", "/v1/charges/{charge}/refunds", _LIMIT_ONLY)
def list_refunds_of_charge(params: Document, *, charge: str) -> Document:
    documents.get("charge", charge)
    return documents.make_page(
        documents.select("refund", charge=charge), params, url=f"/v1/charges/{charge}/refunds"
    )
