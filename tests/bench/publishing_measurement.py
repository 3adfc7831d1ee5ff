"""Child process of the publishing benchmark: fills a PostgreSQL database, publishes on request."""

import sys
import time
from datetime import timedelta

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up
from django.utils import timezone  # noqa: E402

from campaigns.banners import publish_campaign  # noqa: E402
from campaigns.models import Goal  # noqa: E402
from tests.bench.report_measurement import FIRST, make_filled_campaign  # noqa: E402
from tests.support.factories import make_campaign  # noqa: E402

COUNTED = 1_000
_MOVED = f"id > {FIRST} AND id <= {FIRST + COUNTED}"
_PURCHASES = f"id IN (SELECT checkout_id FROM campaigns_payment WHERE {_MOVED})"  # noqa: S608
MOVED = {
    "campaigns_checkout": _PURCHASES,
    "campaigns_payment": _MOVED,
    "campaigns_tally": _MOVED,
}


def settle() -> None:
    """Let the database end what filling it has caused, which is no part of publishing."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
        while True:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker' "
                "AND datname = current_database()"
            )
            if cursor.fetchone() == (0,):
                break
            time.sleep(1)


def main(size: int) -> None:
    """Fill the database; publish the campaign of each name that comes, and print milliseconds."""
    now = timezone.now()
    large = make_filled_campaign(size + COUNTED, now=now)
    running = make_campaign(
        slug="running", starts_at=large.starts_at, ends_at=now + timedelta(days=1)
    )
    with connection.cursor() as cursor:
        for table, rows in MOVED.items():
            cursor.execute(f"UPDATE {table} SET campaign_id = {running.pk} WHERE {rows}")  # noqa: S608
    settle()
    campaigns = {"running": running, "large": large, "money": large}
    print("ready", flush=True)
    for line in sys.stdin:
        name = line.strip()
        if name == "money" and not large.goals.filter(kind=Goal.Kind.MONEY).exists():
            Goal.objects.create(campaign=large, kind=Goal.Kind.MONEY, target=6_000_000)
        began = time.perf_counter()
        assert publish_campaign(campaigns[name].pk) is not None
        print((time.perf_counter() - began) * 1000, flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
