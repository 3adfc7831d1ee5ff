"""Child process of the reconciliation benchmark: fills both sides, or compares them."""

import json
import resource
import sqlite3
import statistics
import sys
import time
from datetime import timedelta
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the set-up
from django.core.management import call_command  # noqa: E402

from campaigns import settlement, stripe_api  # noqa: E402
from campaigns.models import Payment  # noqa: E402
from newsroom.sandbox.control import SandboxControl  # noqa: E402
from tests.support.factories import make_member  # noqa: E402

BATCH_SIZE = 5000


def fill(wanted: int, sandbox_database: str) -> dict[str, float]:
    """Sell one gift at the sandbox, then copy it there and here under other ids."""
    call_command("migrate", verbosity=0)
    session = stripe_api.client().v1.checkout.sessions.create(
        {
            "mode": "payment",
            "success_url": "https://example.org/",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": "eur",
                        "unit_amount": 6000,
                        "product_data": {"name": "A gift"},
                    },
                }
            ],
        }
    )
    SandboxControl(settings.STRIPE_API_BASE).pay(session.id, card="4242424242424242")
    with sqlite3.connect(sandbox_database, timeout=60) as connection:
        for first in range(0, wanted, BATCH_SIZE):
            numbers = range(first, min(first + BATCH_SIZE, wanted))
            _copy_in_sandbox(connection, numbers)
            connection.commit()
            _copy_in_database(numbers)
        connection.execute("DELETE FROM sandbox_stripeobject WHERE stripe_id LIKE 'txn_3%'")
    return {"filled": wanted}


def _copy_in_sandbox(connection: sqlite3.Connection, numbers: range) -> None:
    for kind in ("charge", "balance_transaction"):
        [text] = connection.execute(
            "SELECT body FROM sandbox_stripeobject WHERE object = ? ORDER BY seq LIMIT 1", [kind]
        ).fetchone()
        body: dict[str, Any] = json.loads(text)
        empty = ("customer", "subscription", "invoice", "payment_intent")
        columns = ("stripe_id", "object", "created", *empty, "charge", "source", "body", "notes")
        connection.executemany(
            f"INSERT INTO sandbox_stripeobject ({', '.join(columns)}) "  # noqa: S608
            f"VALUES ({', '.join('?' * len(columns))})",
            [
                (stripe_id, kind, body["created"], "", "", "", "", "", source, copied, "{}")
                for number in numbers
                for stripe_id, source, copied in [_rename(kind, body, number)]
            ],
        )


def _rename(kind: str, body: dict[str, Any], number: int) -> tuple[str, str, str]:
    charge_id, transaction_id = f"ch_bench{number:08}", f"txn_bench{number:08}"
    if kind == "charge":
        renamed = {**body, "id": charge_id, "balance_transaction": transaction_id}
        return charge_id, "", json.dumps(renamed)
    renamed = {**body, "id": transaction_id, "source": charge_id}
    return transaction_id, charge_id, json.dumps(renamed)


def _copy_in_database(numbers: range) -> None:
    listed = stripe_api.walk_balance_transactions(source_id=f"ch_bench{numbers[0]:08}")
    sample = next(listed)
    charge = sample.source
    assert isinstance(charge, stripe_api.Charge)
    member = make_member("ada@example.org")
    Payment.objects.bulk_create(
        [
            Payment(
                role=Payment.Role.GIFT,
                status=Payment.Status.SUCCEEDED,
                amount_minor=charge.amount_minor,
                currency=charge.currency,
                settled_minor=sample.amount_minor,
                fee_minor=sample.fee_minor,
                net_minor=sample.net_minor,
                settled_currency=sample.currency,
                paid_at=sample.created_at,
                member=member,
                intent_id=f"pi_bench{number:08}",
                charge_id=f"ch_bench{number:08}",
            )
            for number in numbers
        ]
    )


def compare(rounds: int) -> dict[str, float]:
    """Measure listing alone and comparing everything with our rows, in turns."""
    first = Payment.objects.earliest("paid_at").paid_at - timedelta(hours=1)
    listing, comparing, listed, before = [], [], 0, 0.0
    for _ in range(rounds):
        began = time.perf_counter()
        listed = sum(1 for _ in stripe_api.walk_balance_transactions(since=first))
        listing.append(time.perf_counter() - began)
        before = before or _peak_megabytes()
        began = time.perf_counter()
        report = settlement.reconcile(since=first)
        comparing.append(time.perf_counter() - began)
        assert report.is_equal, (report.missing_here, report.missing_there, report.different)
        assert report.movements == listed == Payment.objects.count()
    return {
        "movements": listed,
        "listing": statistics.median(listing),
        "comparing": statistics.median(comparing),
        "megabytes_listing": before,
        "megabytes": _peak_megabytes(),
    }


def _peak_megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    done = (
        fill(int(sys.argv[2]), sys.argv[3]) if sys.argv[1] == "fill" else compare(int(sys.argv[2]))
    )
    print(json.dumps(done), flush=True)
