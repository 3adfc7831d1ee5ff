"""/v1/refunds"""

from newsroom.sandbox import documents, events, refunds
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject
from newsroom.sandbox.parameters import INT, LIST_PARAMS, META, STR

from .routing import endpoint


@endpoint(
    "POST",
    "/v1/refunds",
    {
        "amount": INT,
        "charge": STR,
        "metadata": META,
        "payment_intent": STR,
        "reason": {"duplicate", "fraudulent", "requested_by_customer"},
    },
)
def create_refund(params: Document) -> Document:
    return refunds.create_refund(
        _find_charge(params),
        amount=params.get("amount"),
        reason=params.get("reason"),
        metadata=documents.merge_metadata(None, params.get("metadata", {})),
    ).body


def _find_charge(params: Document) -> StripeObject:
    if "charge" in params:
        return documents.get("charge", params["charge"], param="charge")
    if "payment_intent" not in params:
        raise ApiError(
            "One of the following params should be provided for this request: payment_intent or "
            "charge.",
            code="parameter_missing",
        )
    intent = documents.get("payment_intent", params["payment_intent"], param="payment_intent")
    charge = documents.find(intent.body["latest_charge"])
    if charge is None or charge.body["status"] != "succeeded":
        raise ApiError(
            f"This PaymentIntent ({intent.stripe_id}) does not have a successful charge to refund.",
            code="payment_intent_unexpected_state",
        )
    return charge


@endpoint("GET", "/v1/refunds", {**LIST_PARAMS, "charge": STR, "payment_intent": STR})
def list_refunds(params: Document) -> Document:
    links = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    return documents.make_page(documents.select("refund", **links), params, url="/v1/refunds")


@endpoint("GET", "/v1/refunds/{refund}")
def retrieve_refund(params: Document, *, refund: str) -> Document:
    return documents.get("refund", refund).body


@endpoint("POST", "/v1/refunds/{refund}", {"metadata": META})
def update_refund(params: Document, *, refund: str) -> Document:
    row = documents.get("refund", refund)
    before = dict(row.body)
    row.body["metadata"] = documents.merge_metadata(
        row.body["metadata"], params.get("metadata", {})
    )
    documents.save(row)
    events.emit_change("refund.updated", row, before)
    return row.body


@endpoint("POST", "/v1/refunds/{refund}/cancel")
def cancel_refund(params: Document, *, refund: str) -> Document:
    row = documents.get("refund", refund)
    refunds.cancel_refund(row)
    return row.body
