"""/v1/events"""

from django.db.models import Exists, OuterRef, QuerySet

from newsroom.sandbox import deliveries, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError, make_missing_error
from newsroom.sandbox.models import Delivery, Event
from newsroom.sandbox.parameters import BOOL, LIST_PARAMS, STR

from .routing import endpoint


@endpoint(
    "GET",
    "/v1/events",
    {**LIST_PARAMS, "delivery_success": BOOL, "type": STR, "types": [STR]},
)
def list_events(params: Document) -> Document:
    rows = documents.filter_created(Event.objects.order_by("-seq"), params)
    if "type" in params and "types" in params:
        raise ApiError("You may use only one of these parameters: type, types.")
    if "type" in params:
        rows = _filter_type(rows, params["type"])
    if "types" in params:
        rows = rows.filter(type__in=params["types"])
    if "delivery_success" in params:
        undelivered = Exists(
            Delivery.objects.filter(event=OuterRef("pk")).exclude(state=Delivery.State.DELIVERED)
        )
        rows = rows.exclude(undelivered) if params["delivery_success"] else rows.filter(undelivered)
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError("This value must be between 1 and 100.", param="limit")
    if "ending_before" in params:
        after = rows.filter(seq__gt=_find_event(params["ending_before"], status=400).seq)
        found = list(after.order_by("seq")[: limit + 1])
        chosen = list(reversed(found[:limit]))
    else:
        if "starting_after" in params:
            rows = rows.filter(seq__lt=_find_event(params["starting_after"], status=400).seq)
        found = list(rows[: limit + 1])
        chosen = found[:limit]
    pending = deliveries.count_pending_by_event(chosen)
    data = [{**event.body, "pending_webhooks": pending[event.pk]} for event in chosen]
    return documents.make_list(data, url="/v1/events", has_more=len(found) > limit)


def _filter_type(rows: QuerySet[Event], wanted: str) -> QuerySet[Event]:
    if wanted.endswith("*"):
        return rows.filter(type__startswith=wanted.rstrip("*"))
    return rows.filter(type=wanted)


@endpoint("GET", "/v1/events/{event}")
def retrieve_event(params: Document, *, event: str) -> Document:
    row = _find_event(event, status=404)
    return {**row.body, "pending_webhooks": deliveries.count_pending(event=row)}


def _find_event(stripe_id: str, *, status: int) -> Event:
    row = Event.objects.filter(stripe_id=stripe_id).first()
    if row is None:
        raise make_missing_error("event", stripe_id, status=status)
    return row
