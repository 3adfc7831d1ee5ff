"""The account's webhook endpoints. The receiver of the sandbox's owner is one of them."""

import secrets

from newsroom.sandbox import clock, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.events import API_VERSION
from newsroom.sandbox.models import StripeObject


def create_endpoint(params: Document, *, notes: Document) -> StripeObject:
    """Create the endpoint of these parameters; `notes` has the secret, which Stripe shows once."""
    return documents.create(
        {
            "id": documents.make_id("webhook_endpoint"),
            "object": "webhook_endpoint",
            "api_version": params.get("api_version", API_VERSION),
            "application": None,
            "created": clock.now(),
            "description": params.get("description") or None,
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": documents.merge_metadata(None, params.get("metadata", {})),
            "status": "enabled",
            "url": params["url"],
        },
        notes=notes,
    )


def make_secret() -> str:
    """Return a new signing secret."""
    return f"whsec_{secrets.token_hex(16)}"


def is_receiver(row: StripeObject) -> bool:
    """Return whether the row is the endpoint that `set_receiver` keeps."""
    return bool(row.notes.get("is_receiver"))


def set_receiver(url: str, *, secret: str) -> None:
    """Send all events to `url` as well, signed with `secret`; with an empty `url`, to nobody.

    The API lists the receiver, so that a setup finds it and doesn't add its address again. An
    endpoint with the same address becomes the receiver. Call inside a write transaction.
    """
    rows = documents.select("webhook_endpoint")
    row = next(filter(is_receiver, rows), None)
    same = next((row for row in rows if url and row.body["url"] == url), None)
    if row is not None and (not url or same not in {None, row}):
        row.delete()
        row = None
    row = row or same
    if row is not None:
        row.body["url"], row.notes = url, {"secret": secret, "is_receiver": True}
        documents.save(row)
    elif url:
        create_endpoint(
            {"url": url, "enabled_events": ["*"]}, notes={"secret": secret, "is_receiver": True}
        )
