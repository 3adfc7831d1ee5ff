"""/v1/customers"""

from newsroom.sandbox import documents, events, payment_methods, subscriptions
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import check_address, make_missing_error
from newsroom.sandbox.parameters import INT, LIST_PARAMS, META, STR, UNSET

from .routing import endpoint

_ADDRESS = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"), UNSET)
_FIELDS = {
    "address": ({**_ADDRESS}, UNSET),
    "description": UNSET,
    "email": UNSET,
    "metadata": META,
    "name": UNSET,
    "phone": UNSET,
    "preferred_locales": [STR],
}


@endpoint("POST", "/v1/customers", _FIELDS)
def create_customer(params: Document) -> Document:
    params = {name: value for name, value in params.items() if value != ""}
    params["metadata"] = documents.merge_metadata(None, params.get("metadata", {}))
    return payment_methods.create_customer(**params).body


@endpoint("GET", "/v1/customers", {**LIST_PARAMS, "email": STR})
def list_customers(params: Document) -> Document:
    rows = documents.select("customer").filter(body__deleted__isnull=True)
    if "email" in params:
        rows = rows.filter(body__email=params["email"])
    return documents.make_page(rows, params, url="/v1/customers")


@endpoint("GET", "/v1/customers/{customer}")
def retrieve_customer(params: Document, *, customer: str) -> Document:
    return documents.get("customer", customer).body


@endpoint(
    "POST",
    "/v1/customers/{customer}",
    {**_FIELDS, "balance": INT, "invoice_settings": {"default_payment_method": UNSET}},
)
def update_customer(params: Document, *, customer: str) -> Document:
    row = documents.get("customer", customer)
    if row.body.get("deleted"):  # it can be retrieved, but not changed
        raise make_missing_error("customer", customer, param="id")
    check_address(params, "email")
    before = dict(row.body)
    for name, value in params.items():
        if name == "metadata":
            row.body["metadata"] = documents.merge_metadata(row.body["metadata"], value)
        elif name == "invoice_settings":
            chosen = value.get("default_payment_method") or None
            if chosen:
                documents.get(
                    "payment_method",
                    chosen,
                    param="invoice_settings[default_payment_method]",
                    status=400,
                )
            settings = {**row.body["invoice_settings"], "default_payment_method": chosen}
            row.body["invoice_settings"] = settings
        elif name == "address" and isinstance(value, dict):
            row.body["address"] = {**payment_methods.EMPTY_ADDRESS, **value}
        else:
            row.body[name] = None if value == "" else value
    documents.save(row)
    events.emit_change("customer.updated", row, before)
    return row.body


@endpoint("DELETE", "/v1/customers/{customer}")
def delete_customer(params: Document, *, customer: str) -> Document:
    """Delete a customer and end the subscriptions, as Stripe does."""
    row = documents.get("customer", customer)
    if row.body.get("deleted"):
        raise make_missing_error("customer", customer, param="id")
    for subscription in documents.select("subscription", customer=customer):
        if subscription.body["status"] not in subscriptions.ENDED:
            subscriptions.end_subscription(subscription, reason="cancellation_requested")
    events.emit("customer.deleted", row)
    row.body = {"id": customer, "object": "customer", "deleted": True}
    documents.save(row)
    return row.body
