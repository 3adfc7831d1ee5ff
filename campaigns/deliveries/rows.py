"""Due deliveries as the job reads them, and their attempts as it writes them: many at a time.

Model instances of 10,000 deliveries, and a statement for each, would take longer than the posts.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet, TextField
from django.db.models.functions import Cast

from campaigns.deliveries.outbox import ERASED
from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.models.webhook import write_payload

_READ = (
    *("pk", "member_id", "subscriber", "attempts"),
    *(f"event__{name}" for name in ("message_id", "type", "happened_at", "is_farewell")),
)
_WRITTEN = (
    *("attempts", "attempted_at", "status", "answer", "error", "milliseconds"),
    *("delivered_at", "failed_at", "due_at"),
)


@dataclass(slots=True)
class Attempt:
    """A due delivery, and the result of its attempt."""

    id: int
    person: int | str | None
    attempts: int
    message_id: str
    body: bytes
    happened_at: datetime
    is_last: bool  # of a person who is being erased
    attempted_at: datetime | None = None
    status: int | None = None
    answer: str = ""
    error: str = ""
    milliseconds: int = 0
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    due_at: datetime | None = None


def select_due(endpoint: WebhookEndpoint, *, at: datetime) -> QuerySet[WebhookDelivery]:
    """Return due deliveries whose person has no earlier one that still has to wait."""
    earlier = WebhookDelivery.objects.filter(
        endpoint=endpoint, pk__lt=OuterRef("pk"), due_at__gt=at
    )
    due = endpoint.deliveries.filter(
        ~Exists(earlier.filter(member=OuterRef("member"))),
        ~Exists(earlier.filter(~Q(subscriber=""), subscriber=OuterRef("subscriber"))),
        due_at__lte=at,
    )
    return due.order_by("pk")


def read_due(endpoint: WebhookEndpoint, *, after: int, number: int, at: datetime) -> list[Attempt]:
    """Return the next due deliveries after one of them."""
    due = select_due(endpoint, at=at).filter(pk__gt=after)
    data = Cast("event__data", TextField())  # it is sent as it is, so it isn't read
    return [_read(row) for row in due.values_list(*_READ, data)[:number]]


def _read(row: tuple[Any, ...]) -> Attempt:
    pk, member_id, subscriber, attempts, message_id, type_, happened_at, is_farewell, data = row
    return Attempt(
        id=pk,
        person=member_id if member_id is not None else subscriber or None,
        attempts=attempts,
        message_id=message_id,
        body=write_payload(type_, data, happened_at).encode(),
        happened_at=happened_at,
        is_last=is_farewell or type_ == ERASED,
    )


def save_attempts(attempted: list[Attempt]) -> None:
    """Save attempts. A delivery that was dropped meanwhile stays dropped."""
    if not attempted:
        return
    table = connection.ops.quote_name(WebhookDelivery._meta.db_table)
    with transaction.atomic(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A crash of the database may forget the last second, as one of this process does.
            cursor.execute("SET LOCAL synchronous_commit TO off")
            cursor.execute(
                f"UPDATE {table} SET {_list_columns('{0} = new.{0}')} "  # noqa: S608 - our names
                f"FROM json_to_recordset(%s) AS new (id bigint, {_list_columns('{0} {1}')}) "
                f"WHERE {table}.id = new.id",
                [_write_json(attempted)],
            )
        else:
            cursor.executemany(
                f"UPDATE {table} SET {_list_columns('{0} = %s')} WHERE id = %s",  # noqa: S608
                [
                    [*(_adapt(getattr(each, name)) for name in _WRITTEN), each.id]
                    for each in attempted
                ],
            )


def _list_columns(template: str) -> str:
    """Return the columns that are written; the template has their name and type."""
    fields = [WebhookDelivery._meta.get_field(name) for name in _WRITTEN]
    return ", ".join(template.format(each.name, each.db_type(connection)) for each in fields)


def _write_json(attempted: list[Attempt]) -> str:
    rows = [{name: getattr(each, name) for name in ("id", *_WRITTEN)} for each in attempted]
    return json.dumps(rows, default=datetime.isoformat)


def _adapt(value: Any) -> Any:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value(value)
    return value
