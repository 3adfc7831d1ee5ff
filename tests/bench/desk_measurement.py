"""Child process of the desk's benchmark: fills a PostgreSQL database and prints milliseconds."""

import json
import sys
import time
from datetime import timedelta

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
    Gift,
    Member,
    Membership,
    Payment,
    Refund,
    Tally,
)
from tests.bench.report_measurement import fill  # noqa: E402
from tests.support.factories import make_campaign  # noqa: E402
from tests.support.staff import sign_in_staff  # noqa: E402

# The fastest of these is reported: other work on the machine makes a page only slower.
TIMES = 15
PAGES = {
    "home": "/admin/",
    "payments": "/admin/campaigns/payment/",
    "payments, a page in the middle": "",
    "payments of a day": "/admin/campaigns/payment/?from={day}&until={day}",
    "refunded payments": "/admin/campaigns/payment/?state=refunded",
    "payments by name": "/admin/campaigns/payment/?q=Quine",
    "members": "/admin/campaigns/member/",
    "members by name": "/admin/campaigns/member/?q=Quine",
    "search by name": "/admin/search/?q=Quine",
    "search by address": "/admin/search/?q=copy77@example.org",
    "search by amount and day": "/admin/search/?q=60 {day}",
    "memberships": "/admin/campaigns/membership/",
    "gifts": "/admin/campaigns/gift/",
    "purchases": "/admin/campaigns/checkout/",
}


def open_page(client: Client, url: str) -> None:
    response = client.get(url, follow=True)
    assert response.status_code == 200, url


def measure_once(client: Client, url: str) -> float:
    began = time.perf_counter()
    open_page(client, url)
    return (time.perf_counter() - began) * 1000


def main(size: int) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.REQUIRE_SECOND_FACTOR = False
    call_command("migrate", verbosity=0)
    for model in (Refund, Tally, Gift, Payment, Membership, Checkout, Member):
        model._default_manager.all()._raw_delete(using="default")
    Campaign.objects.all().delete()
    User.objects.all().delete()
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=31), ends_at=now + timedelta(days=1))
    fill(campaign, size=size)
    # Twenty people are called Quine, however many there are.
    named = Member.objects.filter(email__regex="^copy[0-9]{2}@").values("pk")[:20]
    Member.objects.filter(pk__in=named).update(name="Willa Quine")
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client()
    sign_in_staff(client, User.objects.create_superuser("editor"))
    day = (now - timedelta(days=9)).date().isoformat()
    took = {}
    for name, address in PAGES.items():
        url = address.format(day=day)
        if not url:
            middle = Payment.objects.order_by("-paid_at", "-pk")[size // 2]
            url = f"/admin/campaigns/payment/?after={middle.pk}"
        open_page(client, url)
        took[name] = min(measure_once(client, url) for _ in range(TIMES))
    print(json.dumps(took))


if __name__ == "__main__":
    main(int(sys.argv[1]))
