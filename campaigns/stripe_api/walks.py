"""Stripe's long lists, newest first, read a page at a time."""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any, cast

import structlog

from campaigns.stripe_api.connection import Json, client, plain, translated
from campaigns.stripe_api.events import Event, UnusableEvent, read_event
from campaigns.stripe_api.snapshots import BalanceTransaction, read_balance_transaction

log = structlog.get_logger(__name__)


def walk_events(*, since: datetime) -> Iterator[Event]:
    """Yield every event since then that Stripe still has (it keeps them for 30 days).

    An event that we can't read is skipped: it must not hold up the others.
    """
    created = {"gte": int(since.timestamp())}
    events = _walk(lambda page: client().v1.events.list(cast(Any, {"created": created, **page})))
    for raw in events:
        try:
            # The library reads decimals, which JSON has no type for.
            event = read_event(raw, payload=json.dumps(raw, default=str))
        except UnusableEvent as error:
            log.warning("event_skipped", event_id=str(raw.get("id"))[:40], error=str(error))
            continue
        yield event


def find_newest_event(types: Sequence[str], *, until: datetime) -> Event | None:
    """Return the newest event of at most 20 types that happened until then."""
    wanted = {"types": list(types), "created": {"lte": int(until.timestamp())}, "limit": 1}
    page = translated(lambda: client().v1.events.list(cast(Any, wanted)))()
    for raw in page.data:
        return read_event(plain(raw), payload="")
    return None


def walk_balance_transactions(
    *, since: datetime | None = None, source_id: str = ""
) -> Iterator[BalanceTransaction]:
    """Yield every movement of the balance since then, or of one charge, refund or dispute.

    Each comes with its source if that is a charge, a refund or a dispute.
    """
    wanted: Json = {"expand": ["data.source"]}
    if since is not None:
        wanted["created"] = {"gte": int(since.timestamp())}
    if source_id:
        wanted["source"] = source_id
    transactions = _walk(
        lambda page: client().v1.balance_transactions.list(cast(Any, {**wanted, **page}))
    )
    for raw in transactions:
        yield read_balance_transaction(raw)


def _walk(read: Callable[[Json], Any]) -> Iterator[Json]:
    page: Json = {"limit": 100}
    while True:
        answer = translated(read)(page)
        items = [plain(item) for item in answer.data]
        yield from items
        if not answer.has_more or not items:
            return
        page = {"limit": 100, "starting_after": items[-1]["id"]}
