"""Each part breaks in turn in a running site; the admin's first page and /health/ name it.

Faults that take long, such as a full disk, are in tests/health/.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from newsroom.demo.campaign import STAFF_NAME, STAFF_PASSWORD
from tests.support.browser import Reader, open_reader
from tests.support.processes import CAMPAIGN, Site, run_site, wait_until

pytestmark = [
    pytest.mark.xdist_group("journeys"),
    pytest.mark.long,
    pytest.mark.once,
    pytest.mark.thorough,
]

ROWS = f"""{CAMPAIGN}
from campaigns.models import Plan, Price
Price.objects.create(
    plan=Plan.objects.get(slug="member"), kind="once", months=12, amount_minor=6000, currency="eur"
)
"""
# In the site's own environment: names that the steps below use.
NAMES = """
import os
from datetime import timedelta
from django.core.cache import cache
from django.utils import timezone
from campaigns import emails, health, settlement, stripe_api
from campaigns.models import (
    AttemptCount, Campaign, OutgoingMail, Payment, Price, Problem, Sign, StripeEvent
)
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import buy, place_order, sell_at_stripe, settle_payment
sandbox = SandboxControl(os.environ["STRIPE_API_BASE"])
campaign = Campaign.objects.get()
"""


@dataclass
class Newsroom:
    """A running site, and the editor who watches its first page."""

    site: Site
    reader: Reader

    def run(self, code: str, **environment: str) -> None:
        known = dict(self.site.environment)
        self.site.environment.update(environment)
        try:
            self.site.manage("shell", "-c", NAMES + code)
        finally:
            self.site.environment.clear()
            self.site.environment.update(known)

    def watch(self, **environment: str) -> None:
        """Check all services as the worker does each minute."""
        # Stripe is asked rarely while all is well.
        self.run(
            "AttemptCount.objects.all().delete(); cache.clear(); health.watch_everything()",
            **environment,
        )

    def sees(self, name: str, words: str, link: str) -> None:
        """Look at the first page: it says so, and leads to the rows."""
        page = self.reader.page
        page.goto(f"{self.site.url}/admin/")
        attention = page.get_by_role("region", name="Needs attention")
        item = attention.get_by_role("listitem").filter(has_text=words)
        self.reader.check_page(f"attention-{name}")
        item.get_by_role("link").first.click()
        page.wait_for_url(f"**/admin/campaigns/{link}")
        self.reader.check_page(f"attention-{name}-list")

    def health_says(self, kind: str) -> None:
        answer = self.reader.page.request.get(f"{self.site.url}/health/")
        facts = json.loads(answer.body())
        assert (answer.status, facts["status"]) == (503, "broken")
        assert kind in [problem["kind"] for problem in facts["problems"]]


@pytest.fixture
def newsroom(tmp_path: Path, chromium: Browser) -> Iterator[Newsroom]:
    with (
        run_site(tmp_path / "site", rows=ROWS, worker=False) as site,
        open_reader(chromium) as reader,
    ):
        page = reader.page
        page.goto(f"{site.url}/admin/")
        page.get_by_label("User name").fill(STAFF_NAME)
        page.get_by_label("Password").fill(STAFF_PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.get_by_role("heading", name="Needs attention").wait_for()
        yield Newsroom(site, reader)


def break_mail(newsroom: Newsroom) -> None:
    """Nobody listens at the mail server's port."""
    newsroom.run(
        """
from django.conf import settings
settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
buy(campaign, sandbox, "once")
for _ in range(2):
    OutgoingMail.objects.update(due_at=timezone.now())
    emails.deliver_mail(OutgoingMail.objects.get(kind="receipt").pk)
"""
    )
    newsroom.watch()


def break_publishing(newsroom: Newsroom) -> None:
    """A file is where the folder was: not even root can write into it."""
    folder = newsroom.site.folder / "published"
    folder.rename(folder.with_name("published-before"))
    folder.write_text("")
    newsroom.watch()
    folder.unlink()
    folder.with_name("published-before").rename(folder)


def break_key(newsroom: Newsroom) -> None:
    newsroom.watch(STRIPE_SECRET_KEY="sk_test_revoked_long_ago")


def break_stripe(newsroom: Newsroom) -> None:
    newsroom.watch(STRIPE_API_BASE="http://127.0.0.1:9")


def break_broker(newsroom: Newsroom) -> None:
    newsroom.watch(CELERY_BROKER_URL="redis://127.0.0.1:9/0")


def break_webhooks(newsroom: Newsroom) -> None:
    """A sale was made half an hour ago, and none of its webhooks arrived."""
    newsroom.run(
        """
sandbox.add_fault("webhook", match="*", kind="drop", times=-1)
sandbox.freeze(sandbox.now() - 1800)
buy(campaign, sandbox, "once", email="late@example.org")
sandbox.run_real_clock()
sandbox.remove_faults()
StripeEvent.objects.all().delete()
Sign.objects.update_or_create(
    of=Sign.Of.WEBHOOK, defaults={"seen_at": None}
)
Sign.objects.update(created_at=timezone.now() - timedelta(hours=1))
"""
    )
    newsroom.watch()


def break_processes(newsroom: Newsroom) -> None:
    """Worker and beat were killed some minutes ago."""
    site = newsroom.site
    site.start_worker()
    site.start_beat()
    wait_until(lambda: site.count("sign", "of IN ('worker', 'beat')") == 2, seconds=60)
    site.kill("worker")
    site.kill("beat")
    newsroom.run(
        """
Sign.objects.update(seen_at=timezone.now() - timedelta(minutes=5))
OutgoingMail.objects.update(due_at=timezone.now() - timedelta(minutes=10))
health.watch_everything()
"""
    )


PROBLEMS: tuple[tuple[str, Callable[[Newsroom], None], str, str], ...] = (
    ("mail", break_mail, "E-mails can’t be sent", "outgoingmail/"),
    ("publishing", break_publishing, "Banners can’t be published", "campaign/"),
    ("stripe_key", break_key, "Stripe refuses our key", "checkout/"),
    ("stripe", break_stripe, "Stripe doesn’t answer", "checkout/"),
    ("broker", break_broker, "The queue can’t be reached", "jobrun/"),
    ("webhooks", break_webhooks, "Stripe’s webhooks don’t arrive", "stripeevent/"),
)


def test_each_broken_part_is_named_with_its_cure_and_a_link(newsroom: Newsroom) -> None:
    for kind, break_it, words, link in PROBLEMS:
        break_it(newsroom)
        newsroom.sees(kind, words, link)
        newsroom.health_says(kind)
        newsroom.run("Problem.objects.all().delete()")
    break_processes(newsroom)
    for kind, words in (
        ("worker", "The worker has stopped"),
        ("beat", "Celery beat has stopped"),
        ("work", "Due jobs are late"),
    ):
        newsroom.sees(kind, words, "jobrun/")
        newsroom.health_says(kind)


CONCERNS = (
    (
        "refused-price",
        """
price = Price.objects.get(kind="year")
stripe_api.client().v1.prices.update(price.stripe_price_id, {"active": False})
try:
    place_order(campaign, "year")
except stripe_api.StripeRefused:
    pass
""",
        "Plans with prices that Stripe refused",
        "plan/?needs=refused-price",
    ),
    (
        "dispute",
        """
buy(campaign, sandbox, "once")
payment = Payment.objects.get()
sandbox.open_dispute(payment_intent=payment.intent_id)
settle_payment(payment)
""",
        "Disputes that need a response",
        "payment/?needs=unanswered",
    ),
    (
        "refused-refund",
        """
from django.contrib.auth.models import User
from campaigns import actions
from campaigns.models import RefundOrder
buy(campaign, sandbox, "once", email="ben@example.org")
payment = Payment.objects.get(member__email="ben@example.org")
sandbox.open_dispute(payment_intent=payment.intent_id)
actions.refund_payment(
    payment,
    amount_minor=6000,
    reason=RefundOrder.Reason.REQUESTED,
    why="asked by phone",
    by=User.objects.get(),
    newest_seen=0,
)
""",
        "Refunds that Stripe refused",
        "refundorder/?needs=refused",
    ),
    (
        "still-running",
        """
buy(campaign, sandbox, "month", email="cleo@example.org")
payment = Payment.objects.get(member__email="cleo@example.org")
stripe_api.refund_payment(payment.intent_id, amount_minor=600, idempotency_key="all")
settle_payment(payment)
""",
        "Refunded or lost payments whose subscription still renews",
        "payment/?needs=still-running",
    ),
    (
        "sold-at-stripe",
        """
sold = sell_at_stripe(sandbox, "month", email="dan@example.org")
settlement.settle_object("subscription", sold)
""",
        "Subscriptions sold at Stripe at our prices",
        "stripesale/?needs=sold-at-stripe",
    ),
)


def test_each_row_that_needs_a_decision_is_listed_with_a_link(newsroom: Newsroom) -> None:
    for name, code, words, link in CONCERNS:
        newsroom.run(code)
        newsroom.sees(name, words, link)
