"""Events, each with the object as it was at that moment."""

from newsroom.sandbox import clock, deliveries, documents
from newsroom.sandbox.context import current_request
from newsroom.sandbox.documents import Document
from newsroom.sandbox.models import Event, StripeObject

API_VERSION = "2026-10-28.endive"


def emit(event_type: str, row: StripeObject, *, previous: Document | None = None) -> Event:
    """Store the event and queue its webhooks. `previous` becomes previous_attributes."""
    request = current_request.get()
    data: Document = {"object": documents.copy(row.body)}
    if previous is not None:
        data["previous_attributes"] = previous
    stripe_id = documents.make_id("event")
    receivers = deliveries.find_receivers(event_type)
    body: Document = {
        "id": stripe_id,
        "object": "event",
        "api_version": API_VERSION,
        "created": clock.now(),
        "data": data,
        "livemode": False,
        "pending_webhooks": len(receivers),
        "request": {"id": request.id, "idempotency_key": request.idempotency_key},
        "type": event_type,
    }
    event = Event.objects.create(
        stripe_id=stripe_id, type=event_type, created=body["created"], body=body
    )
    deliveries.queue_event(event, receivers)
    return event


def emit_change(event_type: str, row: StripeObject, before: Document) -> Event | None:
    """Emit an event with the old values of the changed fields; none if nothing changed."""
    previous = {key: before.get(key) for key, value in row.body.items() if before.get(key) != value}
    return emit(event_type, row, previous=previous) if previous else None
