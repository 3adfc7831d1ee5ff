"""Fixtures of the tests of reconciliation."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from campaigns import stripe_api
from campaigns.models import Campaign, Payment
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import buy


@pytest.fixture
def no_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Stripe have no events, as for sales older than 30 days."""

    def none(*, since: datetime) -> Iterator[stripe_api.Event]:
        return iter(())

    monkeypatch.setattr(stripe_api, "walk_events", none)


@pytest.fixture
def settled_payment(campaign: Campaign, sandbox: SandboxControl) -> Payment:
    """Sell and settle one gift, and nothing else."""
    buy(campaign, sandbox, "gift")
    return Payment.objects.get()
