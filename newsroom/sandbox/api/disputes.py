"""/v1/disputes"""

from newsroom.sandbox import disputes, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.parameters import BOOL, LIST_PARAMS, META, STR, UNSET

from .routing import endpoint


@endpoint("GET", "/v1/disputes", {**LIST_PARAMS, "charge": STR, "payment_intent": STR})
def list_disputes(params: Document) -> Document:
    links = {name: params[name] for name in ("charge", "payment_intent") if name in params}
    return documents.make_page(documents.select("dispute", **links), params, url="/v1/disputes")


@endpoint("GET", "/v1/disputes/{dispute}")
def retrieve_dispute(params: Document, *, dispute: str) -> Document:
    return documents.get("dispute", dispute).body


@endpoint(
    "POST",
    "/v1/disputes/{dispute}",
    {
        "evidence": dict.fromkeys(disputes.EVIDENCE_NAMES, UNSET),
        "metadata": META,
        "submit": BOOL,
    },
)
def update_dispute(params: Document, *, dispute: str) -> Document:
    """Change evidence and metadata. The evidence is submitted unless `submit` is false."""
    row = documents.get("dispute", dispute)
    if "metadata" in params:
        row.body["metadata"] = documents.merge_metadata(row.body["metadata"], params["metadata"])
        documents.save(row)
    if "evidence" in params or "submit" in params:
        disputes.submit_evidence(
            row, evidence=params.get("evidence", {}), submit=params.get("submit", True)
        )
    return row.body


@endpoint("POST", "/v1/disputes/{dispute}/close")
def close_dispute(params: Document, *, dispute: str) -> Document:
    """Accept the dispute, which closes it as lost."""
    row = documents.get("dispute", dispute)
    return disputes.close_dispute(row, status="lost").body
