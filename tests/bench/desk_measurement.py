"""Child process of the desk's benchmark: fills a PostgreSQL database and prints milliseconds."""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from math import inf
from pathlib import Path

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the set-up
from django.contrib.auth.models import User  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.utils import timezone  # noqa: E402

from campaigns.models import (  # noqa: E402
    Campaign,
    Checkout,
    Dispute,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    StripeEvent,
    Tally,
)
from campaigns.reports import kept  # noqa: E402
from tests.bench.desk_rows import fill_desk  # noqa: E402
from tests.support.factories import make_campaign  # noqa: E402
from tests.support.staff import sign_in_staff  # noqa: E402

TIMES = 15  # that each page is opened
_ADMIN = "/admin/campaigns"
# Of payments: a page in the middle, found by its first row.
_MIDDLE = f"{_ADMIN}/payment/?after={{middle}}"
PAGES = {
    "home, nothing kept": "/admin/",
    "home": "/admin/",
    "payments": f"{_ADMIN}/payment/",
    "payments, a page in the middle": _MIDDLE,
    "payments of a day": f"{_ADMIN}/payment/?from={{day}}&until={{day}}",
    "payments of a campaign": f"{_ADMIN}/payment/?campaign__id__exact={{campaign}}",
    "payments by amount": f"{_ADMIN}/payment/?o=-2",
    "payments by name": f"{_ADMIN}/payment/?q=Quine",
    "pending payments": f"{_ADMIN}/payment/?state=pending",
    "refunded payments": f"{_ADMIN}/payment/?state=refunded",
    "partly refunded payments": f"{_ADMIN}/payment/?state=partly_refunded",
    "disputed payments": f"{_ADMIN}/payment/?state=disputed",
    "disputes to answer": f"{_ADMIN}/payment/?needs=unanswered",
    "a payment": f"{_ADMIN}/payment/{{payment}}/change/",
    "refunds": f"{_ADMIN}/refund/",
    "failed refunds": f"{_ADMIN}/refund/?status__exact=failed",
    "disputes": f"{_ADMIN}/dispute/",
    "purchases": f"{_ADMIN}/checkout/",
    "unfinished purchases": f"{_ADMIN}/checkout/?status__exact=expired",
    "purchases by name": f"{_ADMIN}/checkout/?q=Quine",
    "members": f"{_ADMIN}/member/",
    "members by name": f"{_ADMIN}/member/?q=Quine",
    "members, sorted by name": f"{_ADMIN}/member/?o=1",
    "members of a campaign": f"{_ADMIN}/member/?campaign=birthday",
    "members who are past due": f"{_ADMIN}/member/?membership_status=past_due",
    "a member": f"{_ADMIN}/member/{{member}}/change/",
    "memberships": f"{_ADMIN}/membership/",
    "memberships by name": f"{_ADMIN}/membership/?q=Quine",
    "memberships past due": f"{_ADMIN}/membership/?status__exact=past_due",
    "memberships from gifts": f"{_ADMIN}/membership/?source__exact=gift",
    "memberships, next to end": f"{_ADMIN}/membership/?o=5",
    "gifts": f"{_ADMIN}/gift/",
    "gifts by name": f"{_ADMIN}/gift/?q=Quine",
    "claimed gifts": f"{_ADMIN}/gift/?status__exact=claimed",
    "gifts, next to expire": f"{_ADMIN}/gift/?o=6",
    "a gift": f"{_ADMIN}/gift/{{gift}}/change/",
    "e-mails": f"{_ADMIN}/outgoingmail/",
    "e-mails by address": f"{_ADMIN}/outgoingmail/?q=copy77@example.org",
    "bounced e-mails": f"{_ADMIN}/outgoingmail/?bounced_at__isempty=0",
    "e-mails of a kind": f"{_ADMIN}/outgoingmail/?kind__exact=gift_invitation",
    "Stripe events": f"{_ADMIN}/stripeevent/",
    "failed Stripe events": f"{_ADMIN}/stripeevent/?status__exact=failed",
    "Stripe events that aren't ours": f"{_ADMIN}/stripeevent/?status__exact=ignored",
    "Stripe events by ID": f"{_ADMIN}/stripeevent/?q=pi_copy_77",
    "search by name": "/admin/search/?q=Quine",
    "search by address": "/admin/search/?q=copy77@example.org",
    "search by amount and day": "/admin/search/?q=60 {day}",
    "search by Stripe ID": "/admin/search/?q=pi_copy_77",
}


def open_page(client: Client, url: str) -> None:
    response = client.get(url, follow=True)
    assert response.status_code == 200, url


def measure_once(client: Client, url: str) -> float:
    began = time.perf_counter()
    open_page(client, url)
    return (time.perf_counter() - began) * 1000


def measure_fastest(client: Client, url: str) -> float:
    """Return the milliseconds of the fastest opening: other work makes a page only slower."""
    open_page(client, url)
    return min(measure_once(client, url) for _ in range(TIMES))


def measure_processor(client: Client, url: str) -> float:
    """Return the milliseconds of the processor of an opening: here and in the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET max_parallel_workers_per_gather = 0")
        cursor.execute("SELECT pg_backend_pid()")
        database = cursor.fetchone()[0]
    open_page(client, url)
    began = read_seconds(database) + time.process_time()
    for _ in range(TIMES):
        open_page(client, url)
    return (read_seconds(database) + time.process_time() - began) * 1000 / TIMES


def read_seconds(process_id: int) -> float:
    """Return the processor's time that a process took so far, on Linux."""
    stat = Path(f"/proc/{process_id}/stat").read_text()
    user, system = stat.rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def list_urls(campaign: Campaign, *, size: int) -> dict[str, str]:
    """Return the URL of every page. Rows that are opened are in the middle of all."""
    middle = Payment.objects.order_by("-paid_at", "-pk")[size // 2]
    facts = {
        "day": (campaign.starts_at + timedelta(days=22)).date().isoformat(),
        "campaign": campaign.pk,
        "middle": middle.pk,
        "payment": Payment.objects.filter(refund_state="refunded")[9].pk,
        "member": Payment.objects.exclude(membership=None)[9].member_id,
        "gift": Gift.objects.filter(status="claimed")[9].pk,
    }
    return {name: address.format(**facts) for name, address in PAGES.items()}


def measure_pages(
    client: Client,
    urls: dict[str, str],
    *,
    measure: Callable[[Client, str], float] = measure_fastest,
) -> dict[str, float]:
    """Return the milliseconds of every page. Nothing is kept for the first one."""
    took = {}
    for name, url in urls.items():
        kept.SLOW_SECONDS = inf if name == "home, nothing kept" else 0.25
        took[name] = measure(client, url)
    return took


def make_desk(size: int) -> Campaign:
    """Empty the database and fill it with so many sales."""
    call_command("migrate", verbosity=0)
    sold = (Refund, Dispute, Tally, Gift, Payment, Membership, Checkout, Member)
    for model in (OutgoingMail, StripeEvent, *sold):
        model._default_manager.all()._raw_delete(using="default")
    Campaign.objects.all().delete()
    User.objects.all().delete()
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=31), ends_at=now + timedelta(days=1))
    fill_desk(campaign, size=size)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    User.objects.create_superuser("editor")
    return campaign


def main(size: int, only: str, *options: str) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.REQUIRE_SECOND_FACTOR = False
    campaign = make_desk(size)
    client = Client()
    sign_in_staff(client, User.objects.get(username="editor"))
    measure = measure_processor if "--cpu" in options else measure_fastest
    urls = {name: url for name, url in list_urls(campaign, size=size).items() if only in name}
    print(json.dumps(measure_pages(client, urls, measure=measure)))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
