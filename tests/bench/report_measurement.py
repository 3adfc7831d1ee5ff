"""Child process of the report benchmark: fills a PostgreSQL database and prints milliseconds."""

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.cache import cache  # noqa: E402 - needs the set-up
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns import reports  # noqa: E402
from campaigns.models import (  # noqa: E402
    Campaign,
    Checkout,
    Gift,
    Member,
    Membership,
    Payment,
    Refund,
    Tally,
)
from campaigns.reports import (  # noqa: E402
    amounts,
    days,
    gift_funnel,
    kept,
    money,
    retention,
    sources,
    standing,
)
from campaigns.reports.contents import gather_contents  # noqa: E402
from campaigns.reports.page import Choice  # noqa: E402
from tests.bench.measurement import measure_milliseconds  # noqa: E402
from tests.bench.report_sql import compute_figures, simplify_report  # noqa: E402
from tests.support.factories import (  # noqa: E402
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    make_price,
    make_refund,
)

FIRST = 1000  # rows with lower ids are the copied ones
UUID = "('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid"
NUMBER = f"n + {FIRST}"  # the id of member, payment and membership `n`
_IS_GIFT = "n % 5 = 0"


def copy_row(row: Model, *, size: int, where: str = "true", **changes: str) -> None:
    """Copy a row that often; `changes` are SQL expressions of `n`, which counts from 1."""
    quote = connection.ops.quote_name
    columns = [str(field.column) for field in row._meta.concrete_fields]
    where = where.replace("%", "%%")
    values = ", ".join(changes.get(column, f"t.{quote(column)}") for column in columns)
    values = values.replace("%", "%%")
    table = quote(row._meta.db_table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(map(quote, columns))}) "  # noqa: S608
            f"SELECT {values} FROM {table} t, generate_series(1, {size}) n "
            f"WHERE t.id = %s AND {where}",
            [row.pk],
        )


def spread_times(campaign: Campaign, *, size: int) -> str:
    """Return the SQL of the time of sale `n` of so many: evenly over 30 days."""
    return f"timestamptz '{campaign.starts_at.isoformat()}' + n * interval '30 days' / {size + 1}"


def fill(
    campaign: Campaign, *, size: int, changes: Mapping[str, Mapping[str, str]] | None = None
) -> None:
    """Create so many sales. `changes` are SQL of other columns and rows, by the name of a model."""

    def copy(row: Model, **columns: str) -> None:
        more = (changes or {}).get(str(row._meta.model_name), {})
        copy_row(row, size=size, **{**columns, **more})

    paid_at = spread_times(campaign, size=size)
    gift = make_gift(make_member(), campaign, campaign.starts_at.isoformat())
    checkout = gift.checkout
    payment = make_payment(
        make_member(), campaign, campaign.starts_at.isoformat(), method="card", checkout=checkout
    )
    refund = make_refund(payment, campaign.starts_at.isoformat())
    tally = Tally.objects.create(
        campaign=campaign, member=payment.member, payment=payment, counted_from=payment.paid_at
    )
    year, month = make_price("year").pk, make_price("month").pk
    copy(
        payment.member,
        id=NUMBER,
        email="'copy' || n || '@example.org'",
    )
    copy(
        checkout,
        id=UUID,
        member_id=NUMBER,
        session_id="'cs_copy_' || n",
        price_id=f"CASE WHEN {_IS_GIFT} THEN {gift.price_id} WHEN n % 3 = 0 THEN {month} "
        f"ELSE {year} END",
        placement="(array['top', 'inline', 'end', ''])[1 + n % 4]",
        page_url="'https://www.example.org/2026/11/story-' || n::bigint * 7919 % 1000",
        page_title="'Story ' || n::bigint * 7919 % 1000",
        referrer="(array['example.org', 'google.com', 't.co', ''])[1 + n % 7 % 4]",
        utm_source="(array['newsletter', 'facebook', '', ''])[1 + n % 11 % 4]",
        utm_campaign="'mail-' || n % 30",
        device="(array['phone', 'phone', 'desk'])[1 + n % 3]",
        country="(array['DE', 'UA', 'PL', 'FR', ''])[1 + n % 13 % 5]",
    )
    assert payment.membership is not None
    copy(
        payment.membership,
        where=f"NOT ({_IS_GIFT})",
        id=NUMBER,
        member_id=NUMBER,
        started_at=paid_at,
        subscription_id="'sub_copy_' || n",
        checkout_id=UUID,
    )
    copy(
        payment,
        id=NUMBER,
        member_id=NUMBER,
        membership_id=f"CASE WHEN {_IS_GIFT} THEN NULL ELSE {NUMBER} END",
        role=f"CASE WHEN {_IS_GIFT} THEN 'gift' ELSE 'first' END",
        checkout_id=UUID,
        intent_id="'pi_copy_' || n",
        charge_id="'ch_' || n",
        amount_minor="(array[600, 6000, 7000])[1 + n % 3]",
        paid_at=paid_at,
        refund_state="CASE WHEN n % 50 = 0 THEN 'refunded' ELSE '' END",
    )
    copy(
        gift,
        where=_IS_GIFT,
        id=UUID,
        checkout_id=UUID,
        payment_id=NUMBER,
        buyer_id=NUMBER,
        code_hash="'hash' || n",
        paid_at=paid_at,
        delivered_at=paid_at,
    )
    copy(
        tally,
        id=NUMBER,
        member_id=f"CASE WHEN {_IS_GIFT} THEN NULL ELSE {NUMBER} END",
        gift_id=f"CASE WHEN {_IS_GIFT} THEN {UUID} END",
        payment_id=NUMBER,
        counted_from=paid_at,
        counted_until=f"CASE WHEN n % 50 = 0 THEN {paid_at} + interval '1 hour' END",
    )
    copy(
        refund,
        where="n % 50 = 0",
        id=NUMBER,
        payment_id=NUMBER,
        refund_id="'re_copy_' || n",
        refunded_at=f"{paid_at} + interval '1 hour'",
    )


def make_filled_campaign(size: int, *, now: datetime) -> Campaign:
    """Empty the database and create a campaign with so many payments."""
    call_command("migrate", verbosity=0)
    for model in (Refund, Tally, Gift, Payment, Membership, Checkout, Member):
        model._default_manager.all()._raw_delete(using="default")
    Campaign.objects.all().delete()
    campaign = make_campaign(starts_at=now - timedelta(days=31), ends_at=now + timedelta(days=1))
    fill(campaign, size=size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return campaign


def check_agreement(campaign: Campaign, *, at: datetime) -> None:
    """Raise unless the report and the statements by hand give the same figures."""
    report = simplify_report(reports.gather_report(campaign, at=at))
    by_hand = compute_figures(campaign, at=at)
    different = {
        name: (report[name], by_hand[name]) for name in report if report[name] != by_hand[name]
    }
    if different:
        raise AssertionError(f"These figures differ: {different}")


def measure(campaign: Campaign, *, at: datetime, rounds: int) -> dict[str, Any]:
    """Return the milliseconds of the report, of SQL by hand, of the page and of the page again."""
    check_agreement(campaign, at=at)
    kept.SLOW_SECONDS = 0  # so that a small report is kept as well

    def show() -> None:
        gather_contents(campaign, Choice(), at=at, language="en", may_be_kept=True)

    cache.clear()
    show()
    # At once, because the rounds take longer than a page is kept.
    again = [measure_milliseconds(show, times=1) for _ in range(rounds)]
    # In turns: what slows the machine down for a while slows all of them down.
    work = {
        "report": lambda: reports.gather_report(campaign, at=at),
        "by hand": lambda: compute_figures(campaign, at=at),
        "page": lambda: gather_contents(campaign, Choice(), at=at, language="en"),
    }
    taken: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(rounds):
        for name, each in work.items():
            taken[name].append(measure_milliseconds(each, times=1))
    ratios = [report / hand for report, hand in zip(taken["report"], taken["by hand"], strict=True)]
    return {
        **{name: statistics.median(times) for name, times in taken.items()},
        "again": statistics.median(again),
        "ratio": statistics.median(ratios),
        "cpu": measure_cpu(work["report"], rounds=rounds),
        "cpu by hand": measure_cpu(work["by hand"], rounds=rounds),
        "figures": measure_figures(campaign, at=at),
    }


def measure_cpu(work: Callable[[], object], *, rounds: int) -> float:
    """Return the CPU seconds of this process and of its one database process, on Linux.

    They hardly depend on what else the machine does.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        stat = Path(f"/proc/{cursor.fetchone()[0]}/stat")

    def read() -> float:
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK") + time.process_time()

    taken = []
    for _ in range(rounds):
        began = read()
        work()
        taken.append(read() - began)
    with connection.cursor() as cursor:
        cursor.execute("RESET max_parallel_workers_per_gather")
    return statistics.median(taken)


def measure_figures(campaign: Campaign, *, at: datetime) -> dict[str, float]:
    """Return the milliseconds of each figure by itself."""
    whole = (campaign, reports.choose_period(campaign, at=at))
    work = {
        "standing": lambda: standing.measure_standing(campaign, at=at, raised_minor={}),
        "days and hours": lambda: days.list_days(*whole, at=at),
        "sources": lambda: sources.break_down_sources(*whole, at=at),
        "gifts": lambda: gift_funnel.count_gift_steps(*whole, at=at),
        "money": lambda: money.sum_money(*whole, at=at),
        "amounts": lambda: amounts.describe_amounts(*whole, at=at),
        "retention": lambda: retention.measure_retention(*whole, at=at),
    }
    return {name: measure_milliseconds(each, times=1) for name, each in work.items()}


if __name__ == "__main__":
    now = timezone.now()
    filled = make_filled_campaign(int(sys.argv[1]), now=now)
    print(json.dumps(measure(filled, at=now, rounds=int(sys.argv[2]))))
