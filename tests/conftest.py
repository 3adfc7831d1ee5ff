"""Fixtures for all tests. Each test process starts one sandbox, which every test resets."""

import gc
import io
import time
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import time_machine
from django.conf import LazySettings
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client, TransactionTestCase
from django.utils import translation
from playwright.sync_api import Browser
from pytest_django.plugin import DjangoDbBlocker

from campaigns import webhooks
from campaigns.models import Campaign, Plan, Price
from campaigns.reports import kept
from newsroom.sandbox.control import SandboxControl
from newsroom.sandbox.process import SandboxProcess, start_sandbox
from tests.support.browser import Reader, open_reader, run_chromium
from tests.support.database import drop_template, empty_tables, make_test_database
from tests.support.factories import make_campaign, make_price

WEBHOOK_SECRET = "whsec_tests"
# These journeys share one site and run in this order.
JOURNEYS = ("test_sign_up", "test_account", "test_erasure", "test_gifts", "test_newsletters")
# The fixed date of every test: late in the campaign, and before its gifts expire.
TODAY = 1795521600  # 2026-11-24 12:00 UTC

# A test doesn't fail because other programs use the machine.
hypothesis.settings.register_profile(
    "unhurried",
    hypothesis.settings.default,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("unhurried")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run long tests first, and the journeys in their order."""
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, _journey_number(item)))


def _journey_number(item: pytest.Item) -> int:
    name = item.path.stem
    return JOURNEYS.index(name) if item.path.parent.name == "journeys" and name in JOURNEYS else 0


def pytest_collection_finish() -> None:
    """Collect garbage less often, and leave out modules and tests, which exist until the end."""
    gc.freeze()
    gc.set_threshold(20_000)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that started the others ends last
        drop_template()


@pytest.fixture(autouse=True)
def today(request: pytest.FixtureRequest) -> Iterator[None]:
    """Set the clock to the fixed date. A test may travel to another one.

    Tests with an `xdist_group` marker keep the real time, because they start other processes, which
    use the machine's clock.
    """
    if request.node.get_closest_marker("xdist_group"):
        yield
    else:
        with time_machine.travel(TODAY, tick=True):
            yield


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker
) -> Iterator[None]:
    """Replace the fixture of pytest-django, which migrates in every process."""
    with django_db_blocker.unblock(), make_test_database():
        yield


@pytest.fixture(autouse=True, scope="session")
def flush_quickly() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_tables)
        yield


@pytest.fixture(scope="session")
def sandbox_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with start_sandbox(
        tmp_path_factory.mktemp("sandbox"), webhook_secret=WEBHOOK_SECRET
    ) as process:
        yield process


@pytest.fixture(scope="session")
def sandbox_control(sandbox_process: SandboxProcess) -> Iterator[SandboxControl]:
    control = SandboxControl(sandbox_process.url)
    yield control
    control.close()


@pytest.fixture
def sandbox(
    sandbox_process: SandboxProcess,
    sandbox_control: SandboxControl,
    settings: LazySettings,
    today: None,
) -> SandboxControl:
    """Reset the sandbox, and use it as Stripe with our webhook secret."""
    control = sandbox_control
    control.reset()
    control.advance(int(time.time()) - control.now())  # the same date as ours
    settings.STRIPE_API_BASE = sandbox_process.url
    settings.STRIPE_SECRET_KEY = sandbox_process.secret_key
    settings.STRIPE_WEBHOOK_SECRET = [WEBHOOK_SECRET]
    return control


@pytest.fixture
def kept_at_once(clean_state: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Keep all figures of pages, and forget them at the end: the next test uses the same ids."""
    cache.clear()
    monkeypatch.setattr(kept, "SLOW_SECONDS", 0)
    yield
    cache.clear()


@pytest.fixture(autouse=True)
def clean_state(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Give each test its own folder for published files, and English."""
    settings.PUBLISH_DIR = tmp_path / "published"
    monkeypatch.setattr(kept, "SLOW_SECONDS", 3600)  # pages are never kept
    # WhiteNoise warns if `collectstatic` hasn't created this folder.
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True)
    with translation.override("en"):  # requests leave their language active
        yield


@pytest.fixture(scope="session")
def stripe_ids() -> dict[str, str]:
    """The sandbox's ids of our plan and its prices, empty until the first setup."""
    return {}


@pytest.fixture
def campaign(
    sandbox: SandboxControl, stripe_ids: dict[str, str], transactional_db: None
) -> Campaign:
    """A running campaign with prices at the sandbox, whose clock is frozen at 10 November 2026."""
    sandbox.freeze(1794312000)  # 2026-11-10 12:00 UTC
    campaign = make_campaign()
    prices = [make_price(kind) for kind in ("month", "year", "gift", "once")]
    if stripe_ids:  # restoring a snapshot is faster than the command
        sandbox.restore_snapshot()
        Plan.objects.filter(pk=prices[0].plan_id).update(stripe_product_id=stripe_ids["plan"])
        for price in prices:
            Price.objects.filter(pk=price.pk).update(stripe_price_id=stripe_ids[price.kind])
    else:
        call_command("stripe_setup", "--no-webhook", stdout=io.StringIO())
        sandbox.save_snapshot()
        stripe_ids["plan"] = Plan.objects.get().stripe_product_id
        stripe_ids.update(Price.objects.values_list("kind", "stripe_price_id"))
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
    """Post signed events to the webhook endpoint and process each one."""
    for event_id in event_ids:
        body, header = sandbox.sign_event(event_id)
        response = client.post(
            "/stripe/webhook/",
            data=body,
            content_type="application/json",
            headers={"Stripe-Signature": header},
        )
        assert response.status_code == 200, response.content
        webhooks.replay_events([event_id])  # process repeated events again
        webhooks.work_on_event(event_id)
