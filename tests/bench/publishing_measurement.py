"""Child process of the publishing benchmark: fills a PostgreSQL database, prints milliseconds."""

import json
import sys
import time
from datetime import timedelta

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the set-up
from django.utils import timezone  # noqa: E402

from campaigns.banners import publish_campaign  # noqa: E402
from campaigns.models import Campaign, Goal  # noqa: E402
from tests.bench.report_measurement import FIRST, make_filled_campaign  # noqa: E402
from tests.support.factories import make_campaign  # noqa: E402

# The fastest of these is reported: other work on the machine makes publishing only slower.
TIMES = 15
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


def measure_publishing(campaign: Campaign) -> float:
    took = []
    for _ in range(TIMES):
        began = time.perf_counter()
        assert publish_campaign(campaign.pk) is not None
        took.append((time.perf_counter() - began) * 1000)
    return min(took)


def main(size: int) -> None:
    now = timezone.now()
    large = make_filled_campaign(size + COUNTED, now=now)
    running = make_campaign(
        slug="running", starts_at=large.starts_at, ends_at=now + timedelta(days=1)
    )
    with connection.cursor() as cursor:
        for table, rows in MOVED.items():
            cursor.execute(f"UPDATE {table} SET campaign_id = {running.pk} WHERE {rows}")  # noqa: S608
    settle()
    took = {"of 1,000 payments, beside them": measure_publishing(running)}
    took["of all of them"] = measure_publishing(large)
    Goal.objects.create(campaign=large, kind=Goal.Kind.MONEY, target=6_000_000)
    took["of all of them, with a money goal"] = measure_publishing(large)
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]))
