"""A slow Stripe: no page waits for long, and pages that don't need Stripe are not stopped."""

import threading
import time

import pytest
from django.test import Client

from campaigns import stripe_api
from campaigns.models import Campaign
from campaigns.stripe_api import patience
from newsroom import middleware
from newsroom.sandbox.control import SandboxControl
from tests.support.pages import JOIN, join_fields, main_of, sessions
from tests.support.processes import wait_until


def test_a_reader_waits_for_a_slow_stripe_only_for_the_limit(
    client: Client, campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "WAIT_SECONDS", 1.0)
    sandbox.add_fault("api", match="POST /v1/*", kind="delay", seconds=3)
    start = time.monotonic()
    response = client.post(JOIN, join_fields(client))
    assert time.monotonic() - start < 2.5
    assert response.status_code == 503
    assert "Payment is temporarily unavailable" in main_of(response)
    wait_until(sessions, seconds=10)  # Stripe does it all the same, later


def test_all_calls_of_a_page_share_its_limit(sandbox: SandboxControl) -> None:
    sandbox.add_fault("api", match="GET /v1/*", kind="delay", seconds=0.4, times=-1)
    start = time.monotonic()
    with stripe_api.answer_within(1.0):
        stripe_api.try_key()
        stripe_api.try_key()
        with pytest.raises(stripe_api.StripeUnavailable):
            stripe_api.try_key()
    assert time.monotonic() - start < 3
    sandbox.remove_faults()
    stripe_api.try_key()


def test_when_too_many_pages_wait_the_next_one_does_not(
    sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    one_place = threading.BoundedSemaphore(1)
    monkeypatch.setattr(patience, "places", lambda: one_place)
    monkeypatch.setattr(patience, "PLACE_SECONDS", 0.1)
    with stripe_api.answer_within(10):
        stripe_api.try_key()
        one_place.acquire()
        with pytest.raises(stripe_api.StripeUnavailable, match="Too many pages"):
            stripe_api.try_key()
        one_place.release()
        stripe_api.try_key()
