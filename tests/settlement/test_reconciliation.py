"""Our figures equal Stripe's to the minor unit, even if webhooks are lost."""

from datetime import UTC, datetime
from typing import Any

import pytest
import structlog

from campaigns import settlement, stripe_api, tasks, webhooks
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Membership,
    Payment,
    Refund,
    StripeCursor,
    StripeEvent,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import CARD, REFUSED, Clock, clock  # noqa: F401 - a fixture
from tests.support.factories import at, make_member, make_payment
from tests.support.reconciliation import (
    add_up_ours,
    add_up_theirs,
    intent_of,
    live_through_a_year,
    make_unrelated_charge,
    reconcile,
    refund_intent,
)
from tests.support.sales import buy_without_settling

pytestmark = [pytest.mark.usefixtures("clock"), pytest.mark.both_databases]


def copy_rows() -> list[Any]:
    """Return every row that a run may write."""
    return [
        list(model.objects.order_by("pk").values())
        for model in (Checkout, Payment, Refund, Dispute, Membership, StripeEvent, StripeCursor)
    ]


# Lost webhooks


def test_stripes_events_import_everything_if_every_webhook_was_lost(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    live_through_a_year(campaign, sandbox, clock)
    code, output = reconcile()
    assert code == 0, output
    assert "Our figures equal Stripe's to the minor unit." in output
    assert "missing" not in output
    assert add_up_ours() == add_up_theirs(sandbox)
    assert not StripeEvent.objects.exclude(status="done").exists()
    assert not StripeEvent.objects.filter(type="charge.refund.updated").exists()
    assert StripeCursor.objects.count() == 2


@pytest.mark.thorough
@pytest.mark.usefixtures("no_events")
def test_sales_older_than_stripes_events_are_found_in_its_balance(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    live_through_a_year(campaign, sandbox, clock)
    report = settlement.reconcile()
    assert report.is_equal
    assert report.imported.count == report.movements > 15
    assert add_up_ours() == add_up_theirs(sandbox)
    [currency] = report.currencies
    book = sandbox.books()["currencies"][currency]
    for books in (report.ours, report.theirs):
        assert {f"{name}_minor": getattr(books["eur"], f"{name}_minor") for name in FIGURES} == {
            f"{name}_minor": book[f"{name}_minor"] for name in FIGURES
        }
    assert sum(report.imported.days.values()) == report.imported.count
    assert {payment.role for payment in Payment.objects.all()} == {"first", "gift", "renewal"}
    assert {refund.status for refund in Refund.objects.all()} == {"succeeded", "failed"}
    assert {dispute.status for dispute in Dispute.objects.all()} == {"lost", "won"}


FIGURES = ("gross", "refunded", "disputed", "fees", "net")


@pytest.mark.usefixtures("no_events")
def test_a_renewal_is_found_after_the_sale_is_no_longer_settled_daily(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    checkout = buy_without_settling(campaign, sandbox, "month")
    for day in ("2026-11-10 13:00", "2027-03-11 13:00"):
        clock.move_to(at(day))
        assert reconcile()[0] == 0
    checkout.refresh_from_db()
    assert checkout.due_at is None
    known = Payment.objects.count()
    clock.move_to(at("2027-04-10 13:00"))
    code, output = reconcile()
    assert code == 0, output
    assert "missing here and imported: 1 (€6)" in output
    assert Payment.objects.count() == known + 1
    assert add_up_ours() == add_up_theirs(sandbox)


def test_a_repeated_run_changes_nothing(campaign: Campaign, sandbox: SandboxControl) -> None:
    checkout = buy_without_settling(campaign, sandbox, "once")
    refund_intent(intent_of(checkout), 1000)
    sandbox.open_dispute(payment_intent=intent_of(buy_without_settling(campaign, sandbox, "gift")))
    reconcile()
    before = copy_rows()
    assert reconcile()[0] == 0
    assert reconcile("--since", "2026-11-01")[0] == 0
    assert copy_rows() == before


def test_a_dry_run_reports_missing_movements_and_changes_nothing(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    buy_without_settling(campaign, sandbox, "gift")
    make_unrelated_charge(sandbox)
    before = copy_rows()
    code, output = reconcile("--dry-run")
    assert code == 1
    assert "had not arrived and would be imported" in output
    assert "missing here: 1 (€60)" in output
    assert "not ours: without one of our Checkouts, left out below: 1 (€50)" in output
    assert copy_rows() == before
    assert reconcile()[0] == 0
    assert reconcile("--dry-run")[0] == 0


def test_a_run_before_the_first_sale_reports_nothing(campaign: Campaign) -> None:
    code, output = reconcile()
    assert (code, output.splitlines()) == (
        0,
        [
            "Nothing has been sold through Stripe yet.",
            "Our figures equal Stripe's to the minor unit.",
        ],
    )


# Outages


def test_an_outage_in_the_middle_keeps_imported_rows_and_moves_no_cursor(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    buy_without_settling(campaign, sandbox, "gift")
    sandbox.add_fault("api", match="GET /v1/balance_transactions", kind="error", times=-1)
    code, output = reconcile()
    assert code == 2
    assert "Stripe did not answer" in output
    assert "The next run starts where this one started" in output
    assert Payment.objects.count() == 1  # imported from the events
    assert not StripeCursor.objects.filter(of="balance").exists()
    sandbox.remove_faults()
    assert reconcile()[0] == 0


@pytest.mark.usefixtures("no_events")
def test_an_outage_while_settling_keeps_the_settled_sales(
    campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    buy_without_settling(campaign, sandbox, "gift")
    buy_without_settling(campaign, sandbox, "once")
    fetch, asked = stripe_api.fetch_charge, []

    def fetch_once(charge_id: str) -> stripe_api.Charge:
        asked.append(charge_id)
        if len(asked) > 1:
            raise stripe_api.StripeUnavailable("no connection")
        return fetch(charge_id)

    monkeypatch.setattr(stripe_api, "fetch_charge", fetch_once)
    assert reconcile()[0] == 2
    assert Payment.objects.count() == 1
    assert not StripeCursor.objects.exists()


def test_the_cursor_has_stripes_time_and_moves_only_past_read_movements(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    buy_without_settling(campaign, sandbox, "gift")
    clock.move_to(at("2026-12-24 12:00"))
    buy_without_settling(campaign, sandbox, "gift")
    assert reconcile("--since", "2026-12-24")[0] == 0  # it skipped movements that were never read
    assert not StripeCursor.objects.exists()
    clock.move_to(at("2026-12-25 12:00"))
    assert reconcile()[0] == 0
    times = set(StripeCursor.objects.values_list("read_until", flat=True))
    assert times == {datetime(2026, 12, 24, 12, tzinfo=UTC)}
    assert Payment.objects.count() == 2


def test_an_invalid_date_is_reported() -> None:
    for text in ("yesterday", "2026-02-30"):
        code, output = reconcile("--since", text)
        assert (code, output) == (1, f"“{text}” is not a date. Write it as 2026-11-01.")


# Every night


def test_the_nightly_run_logs_its_result(
    campaign: Campaign, sandbox: SandboxControl, settled_payment: Payment
) -> None:
    with structlog.testing.capture_logs() as logs:
        tasks.reconcile()
        make_payment(make_member(), campaign, "2026-11-10 12:00")
        tasks.reconcile()
        sandbox.add_fault("api", match="GET /v1/events", kind="error", times=-1)
        tasks.reconcile()
    results = [(line["event"], line["log_level"]) for line in logs if "reconcil" in line["event"]]
    assert results == [("reconciled", "info"), ("reconcile_unfinished", "warning")]
    [drift] = [line for line in logs if line["event"] == "figures_differ_from_stripe"]
    assert (drift["log_level"], drift["missing_there"]) == ("error", 1)


def test_an_event_that_is_stored_twice_is_one_row(settled_payment: Payment) -> None:
    event = next(stripe_api.walk_events(since=at("2026-11-01 00:00")))
    for _ in range(2):
        webhooks.store_fetched_event(event)
    assert StripeEvent.objects.filter(event_id=event.id).count() == 1
