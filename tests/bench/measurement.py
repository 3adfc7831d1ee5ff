"""Child process of the progress benchmark: fills its database and prints a line for each size."""

import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the set-up
from django.core.management.color import no_style  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns import progress  # noqa: E402
from campaigns.models import Campaign, Goal, Member, Membership, Payment, Tally  # noqa: E402
from campaigns.reports import gather_report  # noqa: E402
from tests.support.factories import make_campaign, recount_campaign  # noqa: E402

FIRST = 1000
REPORTED_UP_TO = 100_000
DAYS = 30
# One in fifty was refunded, so it no longer counts.
REFUNDED_EVERY = 50


def fill(campaign: Campaign, *, size: int) -> None:
    """Create members with memberships, payments and tallies, spread over the campaign's days.

    The first thousand are created here. The database copies them under new names and ids.
    """
    known = Tally.objects.count()
    if not known:
        known = min(size, FIRST)
        make_rows(campaign, size=known)
    for turn in range(1, size // known):
        copy_rows(Member, size=known, turn=turn, named="email")
        copy_rows(Membership, size=known, turn=turn, named="subscription_id", shifted=["member_id"])
        copy_rows(
            Payment,
            size=known,
            turn=turn,
            named="intent_id",
            shifted=["member_id", "membership_id"],
        )
        copy_rows(Tally, size=known, turn=turn, shifted=["member_id", "payment_id"])
    tables = [Member, Membership, Payment, Tally]
    with connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), tables):
            cursor.execute(statement)  # because the copies have explicit ids


def copy_rows(
    model: type[Model], *, size: int, turn: int, named: str = "", shifted: Sequence[str] = ()
) -> None:
    quote = connection.ops.quote_name
    columns = [str(field.column) for field in model._meta.concrete_fields]
    offset = size * turn
    copied = {name: f"{quote(name)} + {offset}" for name in ("id", *shifted)}
    if named:
        copied[named] = f"'copy{offset}.' || {quote(named)}"
    values = ", ".join(copied.get(column, quote(column)) for column in columns)
    table = quote(model._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "  # noqa: S608
            f"SELECT {values} FROM {table} WHERE id <= {size}"
        )


def make_rows(campaign: Campaign, *, size: int) -> None:
    numbers = range(size)
    moments = [campaign.starts_at + timedelta(days=DAYS) * (number / size) for number in numbers]
    members = Member.objects.bulk_create(
        [Member(email=f"reader{number}@example.org") for number in numbers]
    )
    memberships = Membership.objects.bulk_create(
        [
            Membership(
                member=member,
                source=Membership.Source.SUBSCRIPTION,
                started_at=moment,
                subscription_id=f"sub_{number}",
            )
            for number, member, moment in zip(numbers, members, moments, strict=True)
        ]
    )
    payments = Payment.objects.bulk_create(
        [
            Payment(
                member=membership.member,
                campaign=campaign,
                membership=membership,
                role=Payment.Role.FIRST,
                status=Payment.Status.SUCCEEDED,
                amount_minor=6000,
                currency="eur",
                paid_at=membership.started_at,
                intent_id=f"pi_{number}",
                charge_id=f"ch_{number}",
            )
            for number, membership in zip(numbers, memberships, strict=True)
        ]
    )
    Tally.objects.bulk_create(
        [
            Tally(
                campaign=campaign,
                member=payment.member,
                payment=payment,
                counted_from=payment.paid_at,
                counted_until=None
                if number % REFUNDED_EVERY
                else payment.paid_at + timedelta(hours=1),
            )
            for number, payment in zip(numbers, payments, strict=True)
        ]
    )


def measure_milliseconds(work: Callable[[], object], *, times: int) -> float:
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)


def count_rows(campaign: Campaign, moment: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM campaigns_tally WHERE campaign_id = %s AND counted_from <= %s "
            "AND (counted_until IS NULL OR counted_until > %s)",
            [campaign.pk, moment, moment],
        )
        cursor.fetchone()


def measure_recount(campaign: Campaign) -> float:
    """Return how many tallies are recounted a second. One in fifty of them changes."""
    with transaction.atomic():
        began = time.perf_counter()
        recount_campaign(campaign)
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)  # the next size is copied from these rows
    return campaign.tallies.count() / seconds


def main(sizes: list[int]) -> None:
    call_command("migrate", verbosity=0)
    now = timezone.now()
    campaign = make_campaign(
        starts_at=now - timedelta(days=DAYS + 1), ends_at=now + timedelta(days=1)
    )
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.GIFTS, target=100)
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.MONEY, target=6_000_000)
    for size in sorted(sizes):
        fill(campaign, size=size)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")
        counted, measured = [], []
        for _ in range(5):
            counted.append(measure_milliseconds(lambda: count_rows(campaign, now), times=3))
            measured.append(
                measure_milliseconds(lambda: progress.measure_campaign(campaign, at=now), times=3)
            )
        took = {
            "memberships": size,
            "count": statistics.median(counted),
            "progress": statistics.median(measured),
            "figures": measure_milliseconds(lambda: gather_report(campaign, at=now), times=3)
            if size <= REPORTED_UP_TO
            else None,
            "recount": measure_recount(campaign) if size <= REPORTED_UP_TO else None,
        }
        print(json.dumps(took), flush=True)


if __name__ == "__main__":
    main([int(size) for size in sys.argv[1].split(",")])
