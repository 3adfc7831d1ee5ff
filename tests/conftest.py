"""The ground that tests stand on: a real sandbox a test process, as new in each test."""

import io
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client, TransactionTestCase
from django.utils import translation
from playwright.sync_api import Browser

from campaigns import webhooks
from campaigns.models import Campaign, Plan, Price
from newsroom.sandbox.control import SandboxControl
from newsroom.sandbox.process import SandboxProcess, start_sandbox
from tests.support.browser import Reader, open_reader, run_chromium
from tests.support.database import empty_tables
from tests.support.factories import make_campaign, make_price

WEBHOOK_SECRET = "whsec_tests"
# In this order they share one site.
JOURNEYS = ("test_sign_up", "test_account", "test_erasure", "test_gifts")
# The day of every test, whatever the machine's clock says: late in the campaign, and before gifts
# that were sold in it expire.
TODAY = 1795521600  # 2026-11-24 12:00 UTC


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start what takes minutes; the journeys share a site, and the one that moves time is last."""
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, _place(item)))


def _place(item: pytest.Item) -> int:
    name = item.path.stem
    return JOURNEYS.index(name) if item.path.parent.name == "journeys" and name in JOURNEYS else 0


@pytest.fixture(autouse=True)
def today(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test depends on when it is run; a test may still travel to a day of its own.

    What runs in processes of its own lives by the machine's clock, and so do the tests that go
    along with it: those are the ones that have a group to themselves.
    """
    if request.node.get_closest_marker("xdist_group"):
        yield
    else:
        with time_machine.travel(TODAY, tick=True):
            yield


@pytest.fixture(autouse=True, scope="session")
def quick_flush() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with start_sandbox(
        tmp_path_factory.mktemp("sandbox"), webhook_secret=WEBHOOK_SECRET
    ) as process:
        yield process


@pytest.fixture
def sandbox(
    sandbox_process: SandboxProcess, settings: LazySettings, today: None
) -> Iterator[SandboxControl]:
    """The pretend Stripe, as new; our client talks to it and its events are signed for us."""
    control = SandboxControl(sandbox_process.url)
    control.reset()
    control.advance(int(time.time()) - control.now())  # the two have one day
    settings.STRIPE_API_BASE = sandbox_process.url
    settings.STRIPE_SECRET_KEY = sandbox_process.secret_key
    settings.STRIPE_WEBHOOK_SECRET = [WEBHOOK_SECRET]
    yield control
    control.close()


@pytest.fixture(autouse=True)
def clean_ground(settings: LazySettings, tmp_path: Path) -> Iterator[None]:
    """Nothing that one test published, counted or spoke reaches the next."""
    settings.PUBLISH_DIR = tmp_path / "published"
    # WhiteNoise warns of a folder that `collectstatic` has not made yet.
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    cache.clear()
    with translation.override("en"):  # a request leaves its reader's language behind
        yield


@pytest.fixture(scope="session")
def on_sale() -> dict[str, str]:
    """What the sandbox calls our plan and its prices, once they were set up there."""
    return {}


@pytest.fixture
def campaign(sandbox: SandboxControl, on_sale: dict[str, str], transactional_db: None) -> Campaign:
    """A running campaign whose plans are on sale at the sandbox; frozen at 10 November 2026."""
    sandbox.freeze(1794312000)  # 2026-11-10 12:00 UTC
    campaign = make_campaign()
    prices = [make_price(kind) for kind in ("month", "year", "gift", "once")]
    if on_sale:  # the command would make the same again
        sandbox.restore_snapshot()
        Plan.objects.filter(pk=prices[0].plan_id).update(stripe_product_id=on_sale["plan"])
        for price in prices:
            Price.objects.filter(pk=price.pk).update(stripe_price_id=on_sale[price.kind])
    else:
        call_command("stripe_setup", "--no-webhook", stdout=io.StringIO())
        sandbox.save_snapshot()
        on_sale["plan"] = Plan.objects.get().stripe_product_id
        on_sale.update(Price.objects.values_list("kind", "stripe_price_id"))
    return campaign


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with run_chromium() as browser:
        yield browser


@pytest.fixture
def reader(chromium: Browser) -> Iterator[Reader]:
    with open_reader(chromium) as reader:
        yield reader


def deliver_events(sandbox: SandboxControl, client: Client, event_ids: list[str]) -> None:
    """Bring events to the webhook's door, signed, and let a worker's function do its work."""
    for event_id in event_ids:
        body, header = sandbox.sign_event(event_id)
        response = client.post(
            "/stripe/webhook/",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": header},
        )
        assert response.status_code == 200, response.content
        webhooks.replay_events([event_id])  # a repetition is worked on as well
        webhooks.work_on_event(event_id)
