"""/v1/credit_notes"""

from newsroom.sandbox import credit_notes, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import INT, LIST_PARAMS, META, STR

from .routing import endpoint


@endpoint(
    "POST",
    "/v1/credit_notes",
    {
        "amount": INT,
        "credit_amount": INT,
        "invoice*": STR,
        "memo": STR,
        "metadata": META,
        "out_of_band_amount": INT,
        "reason": {"duplicate", "fraudulent", "order_change", "product_unsatisfactory"},
        "refund_amount": INT,
    },
)
def create_credit_note(params: Document) -> Document:
    return credit_notes.create_credit_note(params).body


@endpoint("GET", "/v1/credit_notes", {**LIST_PARAMS, "customer": STR, "invoice": STR})
def list_credit_notes(params: Document) -> Document:
    links = {name: params[name] for name in ("customer", "invoice") if name in params}
    return documents.make_page(
        documents.select("credit_note", **links), params, url="/v1/credit_notes"
    )


@endpoint("GET", "/v1/credit_notes/{id}")
def retrieve_credit_note(params: Document, *, id: str) -> Document:
    return documents.get("credit_note", id).body
