"""What reconciling reads: lists of any length, the newest first, a page at a time."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, cast

from campaigns.stripe_api.connection import Json, client, plain, translated


def walk_events(*, since: datetime) -> Iterator[Json]:
    """Every event since then that Stripe still has (it keeps them for 30 days)."""
    created = {"gte": int(since.timestamp())}
    return _walk(lambda page: client().v1.events.list(cast(Any, {"created": created, **page})))


def walk_balance_transactions(
    *, since: datetime | None = None, source_id: str = ""
) -> Iterator[Json]:
    """Every movement of money since then, or of one charge, refund or dispute; with its source."""
    wanted: Json = {"expand": ["data.source"]}
    if since is not None:
        wanted["created"] = {"gte": int(since.timestamp())}
    if source_id:
        wanted["source"] = source_id
    return _walk(lambda page: client().v1.balance_transactions.list(cast(Any, {**wanted, **page})))


def _walk(read: Callable[[Json], Any]) -> Iterator[Json]:
    page: Json = {"limit": 100}
    while True:
        answer = translated(read)(page)
        items = [plain(item) for item in answer.data]
        yield from items
        if not answer.has_more or not items:
            return
        page = {"limit": 100, "starting_after": items[-1]["id"]}
