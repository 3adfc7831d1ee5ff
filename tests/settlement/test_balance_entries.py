"""Amounts that refunds and disputes moved at Stripe, in the payout currency."""

import io
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from campaigns import payments, progress, settlement, stripe_api
from campaigns.models import Campaign, Checkout, Dispute, Payment, Price, Refund, Tally
from campaigns.reports import formats, gather_report
from campaigns.settlement.differences import Reconciliation, describe_difference, read_movement
from campaigns.stripe_api.snapshots import read_balance_transaction, read_dispute
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import CARD, Clock, clock  # noqa: F401 - a fixture
from tests.support.factories import at, make_campaign, make_member, make_payment, make_price
from tests.support.reconciliation import REFUND_FAILS, intent_of, reconcile, refund_intent
from tests.support.sales import buy_without_settling

CURRENCIES = ("eur", "usd", "uah")
LATER = at("2099-01-01 00:00")


@pytest.fixture
def shop(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> Campaign:
    """Sell in three currencies; hryvnias are paid out in euros."""
    for currency in ("usd", "uah"):
        for kind in ("month", "once", "gift"):
            make_price(kind, currency=currency, amount_minor=7300, stripe_price_id="")
    call_command("stripe_setup", "--no-webhook", stdout=io.StringIO())
    sandbox.set_rates(uah="eur 0.0209")
    return campaign


def buy_in(
    currency: str, campaign: Campaign, sandbox: SandboxControl, kind: str, **how: Any
) -> Checkout:
    """Let a new person buy at the price in that currency, without a settlement."""
    return buy_without_settling(
        campaign,
        sandbox,
        kind,
        price=Price.objects.get(kind=kind, currency=currency),
        email=f"{uuid4().hex}@example.org",
        **how,
    )


def live_through_a_year(campaign: Campaign, sandbox: SandboxControl, clock: Clock) -> None:  # noqa: F811
    """Make sales, renewals, refunds and disputes of every outcome in each currency."""
    monthly, failing, disputes = [], [], []
    for currency in CURRENCIES:
        whole, part = (buy_in(currency, campaign, sandbox, "gift") for _ in range(2))
        failing.append(buy_in(currency, campaign, sandbox, "gift", card=REFUND_FAILS))
        disputed = [buy_in(currency, campaign, sandbox, "once") for _ in range(3)]
        monthly.append(buy_in(currency, campaign, sandbox, "month"))
        clock.move_to(at("2026-11-12 09:00"))
        sandbox.set_rates(uah="eur 0.0223")
        refund_intent(intent_of(whole), 2500)
        refund_intent(intent_of(whole), 3500)
        refund_intent(intent_of(part), 1234)
        refund_intent(intent_of(failing[-1]), 3210)
        disputes += [sandbox.open_dispute(payment_intent=intent_of(sale)) for sale in disputed]
    sandbox.set_rates(uah="eur 0.0187")
    clock.move_to(at("2026-11-20 09:00"))
    for position, dispute in enumerate(disputes):
        for status in (("lost",), ("won",), ("lost", "won"))[position % 3]:
            sandbox.close_dispute(dispute["id"], status=status)
    clock.move_to(at("2027-11-20 09:00"))
    for checkout in monthly:
        session = stripe_api.fetch_session(str(checkout.session_id))
        sandbox.renew(session.subscription_id, outcome="paid")


def ours(**only: Any) -> dict[str, dict[str, int]]:
    return {
        row.currency: {
            "gross_minor": row.gross_minor,
            "fees_minor": row.fees_minor + row.dispute_fees_minor,
            "refunded_minor": row.refunded_minor,
            "disputed_minor": row.disputed_minor,
            "net_minor": row.net_minor,
        }
        for row in progress.sum_payouts(Payment.objects.filter(**only))
    }


def theirs(sandbox: SandboxControl) -> dict[str, dict[str, int]]:
    books = sandbox.books()["currencies"]
    for book in books.values():
        del book["counts"]
    return dict(books)


@pytest.mark.both_databases
@pytest.mark.thorough
def test_after_a_year_the_net_amounts_equal_stripes_in_every_payout_currency(
    shop: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    live_through_a_year(shop, sandbox, clock)
    code, output = reconcile()
    assert code == 0, output
    assert "Our figures equal Stripe's to the minor unit." in output
    books = theirs(sandbox)
    assert set(books) == {"eur", "usd"}  # hryvnias are paid out as euros
    assert ours() == books
    assert all(book["disputed_minor"] and book["refunded_minor"] for book in books.values())
    assert {payment.currency for payment in Payment.objects.all()} == set(CURRENCIES)
    # Bought, disputed and refunded at three rates, our sums still equal Stripe's.
    converted = ours(currency="uah")
    assert set(converted) == {"eur"}
    nets = [ours(pk=payment.pk) for payment in Payment.objects.all()]
    assert sum(net.get("eur", {}).get("net_minor", 0) for net in nets) == books["eur"]["net_minor"]


@pytest.mark.thorough
@pytest.mark.parametrize("since", ["2026-11-01", "2099-01-01"])
def test_older_rows_without_amounts_moved_are_corrected(
    shop: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
    since: str,
) -> None:
    for currency in ("eur", "uah"):
        refund_intent(intent_of(buy_in(currency, shop, sandbox, "gift")), 1000)
        sandbox.open_dispute(payment_intent=intent_of(buy_in(currency, shop, sandbox, "once")))
        asked = buy_in(currency, shop, sandbox, "once")
        sandbox.open_dispute(payment_intent=intent_of(asked), inquiry=True)
    assert reconcile()[0] == 0
    right = ours()
    for model in (Refund, Dispute):
        model.objects.update(
            taken_minor=None, returned_minor=None, fee_minor=None, settled_currency=""
        )
    assert ours() != right
    code, output = reconcile("--since", since, "--dry-run")
    assert code == 1
    assert "taken None, at Stripe" in output
    code, output = reconcile("--since", since)
    assert code == 0, output
    assert "different and corrected: 4" in output
    assert ours() == right == theirs(sandbox)
    if since > "2027":  # an inquiry moves no money, so the balance doesn't list it
        assert not Dispute.objects.filter(taken_minor=None).exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"taken_minor": 1}, "taken 1, at Stripe"),
        ({"returned_minor": 1}, "returned 1, at Stripe"),
        ({"fee_minor": 7}, "fee 7, at Stripe"),
        ({"settled_currency": "uah"}, "paid out in uah, at Stripe eur"),
    ],
)
@pytest.mark.parametrize("model", [Refund, pytest.param(Dispute, marks=pytest.mark.thorough)])
def test_a_row_that_differs_from_the_balance_is_reported_and_corrected(
    shop: Campaign,
    sandbox: SandboxControl,
    model: type[Refund] | type[Dispute],
    change: dict[str, Any],
    said: str,
) -> None:
    sandbox.fail_refund(refund_intent(intent_of(buy_in("uah", shop, sandbox, "gift")), 3000))
    opened = sandbox.open_dispute(payment_intent=intent_of(buy_in("uah", shop, sandbox, "once")))
    sandbox.close_dispute(opened["id"], status="won")
    assert reconcile()[0] == 0
    model.objects.update(**change)
    code, output = reconcile("--dry-run")
    assert code == 1
    assert said in output
    code, output = reconcile()
    assert code == 0, output
    assert ours() == theirs(sandbox)


@pytest.mark.django_db
def test_a_dispute_fee_may_be_returned_with_the_money() -> None:
    """Our row has one fee, and Stripe's balance has two."""
    payment = make_payment(make_member(), make_campaign(), "2026-11-10 12:00")
    entries: list[dict[str, Any]] = [
        {
            "id": f"txn_{number}",
            "type": "adjustment",
            "amount": minor,
            "fee": fee,
            "net": minor - fee,
        }
        | {"currency": "usd", "created": 1_794_400_000 + number}
        for number, (minor, fee) in enumerate([(-6600, 1500), (6500, -1400)])
    ]
    dispute = {
        "id": "du_1",
        "object": "dispute",
        "amount": 6000,
        "currency": "eur",
        "charge": payment.charge_id,
        "status": "won",
        "created": 1_794_400_000,
        "balance_transactions": entries,
    }
    row = payments.record_dispute(payment, read_dispute(dispute))
    assert (row.taken_minor, row.returned_minor, row.fee_minor) == (6600, 6500, 100)
    movements = [
        read_movement(read_balance_transaction({**entry, "source": dispute})) for entry in entries
    ]
    for listed in (movements, movements[1:]):  # a list may begin between the two
        report = Reconciliation(since=None)
        for movement in listed:
            assert movement is not None
            assert describe_difference(movement, row) == ""
            report.enter(movement, row)
        assert report.is_equal
        assert report.ours["usd"].net_minor == sum(
            entry["net"] for entry in entries[-len(listed) :]
        )


def test_a_charge_with_a_failure_entry_is_read_without_another_call() -> None:
    """Such a charge names a failure entry like a failed refund does."""
    charge = {
        "id": "ch_1",
        "object": "charge",
        "status": "succeeded",
        "amount": 6000,
        "currency": "usd",
        "created": 1_794_400_000,
        "failure_balance_transaction": "txn_2",
    }
    entry = {"id": "txn_1", "type": "charge", "amount": 6000, "fee": 115, "net": 5885}
    more = {"currency": "usd", "created": 1_794_400_000, "source": charge}
    movement = read_movement(read_balance_transaction({**entry, **more}))
    assert movement is not None
    assert (movement.kind, movement.other_fees_minor) == ("charge", 0)


def test_an_inquiry_is_recorded_though_its_charge_is_not_marked_as_disputed(
    shop: Campaign, sandbox: SandboxControl
) -> None:
    checkout = buy_in("eur", shop, sandbox, "once")
    settlement.settle_checkout(checkout.pk)
    opened = sandbox.open_dispute(payment_intent=intent_of(checkout), inquiry=True)
    settlement.settle_checkout(checkout.pk)
    row = Dispute.objects.get()
    assert (row.status, row.taken_minor, row.fee_minor) == ("warning_needs_response", 0, 0)
    assert (row.withdrawn_at, row.settled_currency) == (None, "")
    sandbox.close_dispute(opened["id"], status="warning_closed")
    settlement.settle_checkout(checkout.pk)
    assert Dispute.objects.get().status == "warning_closed"
    assert Tally.objects.get().counted_until is None
    assert ours() == theirs(sandbox)


def test_a_report_shows_payouts_beside_the_amounts_that_readers_paid(
    shop: Campaign, sandbox: SandboxControl
) -> None:
    for currency in CURRENCIES:
        refund_intent(intent_of(buy_in(currency, shop, sandbox, "gift")), 1000)
    sandbox.open_dispute(payment_intent=intent_of(buy_in("uah", shop, sandbox, "once")))
    assert reconcile()[0] == 0
    figures = gather_report(shop, at=LATER)
    assert [figure.currency for figure in figures.money.totals] == ["eur", "uah", "usd"]
    books = theirs(sandbox)
    assert {figure.currency: figure.net_minor for figure in figures.money.payouts} == {
        currency: book["net_minor"] for currency, book in books.items()
    }
    [section] = [
        part for part in formats.as_text(figures).split("\n\n") if "Payouts by Stripe" in part
    ]
    assert section.splitlines()[2].split()[0] == "EUR"
    assert "€15" in section  # the dispute's fee
    assert '"dispute_fees_minor": 1500' in formats.as_json(figures)
    before = gather_report(shop, at=at("2026-11-10 11:00"))
    assert before.money.payouts == ()
