"""Stripe's long lists: read completely, even if single items can't be parsed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns.stripe_api import walks

pytestmark = pytest.mark.once

EVENT = {
    "id": "evt_1",
    "type": "charge.succeeded",
    "livemode": False,
    "created": 1794312000,
    "data": {"object": {"object": "charge", "id": "ch_1"}},
}


def test_an_unreadable_event_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    listed: list[dict[str, Any]] = [
        EVENT,
        EVENT | {"id": "evt_2", "type": "Something Else!"},
        EVENT | {"id": "evt_3"},
    ]
    monkeypatch.setattr(walks, "_walk", lambda read: iter(listed))
    events = walks.walk_events(since=datetime(2026, 11, 1, tzinfo=UTC))
    assert [event.id for event in events] == ["evt_1", "evt_3"]
