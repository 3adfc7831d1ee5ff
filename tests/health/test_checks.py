"""Each broken part is noticed, and noticed to work again."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone
from kombu import Connection

from campaigns import banners, emails, health, stripe_api
from campaigns.health import processes
from campaigns.health.problems import list_open_problems
from campaigns.health.watch import watch_everything, watch_processes
from campaigns.models import Campaign, Checkout, OutgoingMail, Problem, Sign
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_campaign
from tests.support.mails import make_mail_of_kind
from tests.support.sales import place_order
from tests.support.staff import store_event
from tests.support.webhooks import post

NOON = "2026-11-10 12:00Z"
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock(sandbox: SandboxControl, transactional_db: None) -> Iterator[Any]:
    """Our clock, at the time at which the sandbox's clock is frozen."""
    sandbox.freeze(1794312000)
    with time_machine.travel(NOON, tick=False) as clock:
        see_processes()
        yield clock


def see_processes() -> None:
    for of in (Sign.Of.WORKER, Sign.Of.BEAT):
        health.record_sign(of)


def watch() -> dict[str, str]:
    """Run the worker's checks, and return the details of open problems by kind."""
    see_processes()
    watch_everything()
    return {problem.kind: problem.detail for problem in list_open_problems()}


def sell(campaign: Campaign, sandbox: SandboxControl) -> None:
    """Sell a membership of which only Stripe knows."""
    sandbox.pay(str(place_order(campaign, "year").session_id))
    Checkout.objects.update(due_at=None)


def wait(clock: Any, sandbox: SandboxControl, *, minutes: int) -> None:
    clock.shift(minutes * MINUTE)
    sandbox.advance(minutes * 60)


def test_nothing_is_wrong_at_first(clock: Any) -> None:
    assert watch() == {}


@pytest.mark.parametrize(("of", "kind"), [("worker", "worker"), ("beat", "beat")])
def test_a_stopped_process_is_noticed(clock: Any, of: str, kind: str) -> None:
    clock.shift(3 * MINUTE)
    health.record_sign(Sign.Of.BEAT if of == "worker" else Sign.Of.WORKER)
    watch_processes()
    assert [problem.kind for problem in list_open_problems()] == [kind]
    health.record_sign(Sign.Of(of))
    watch_processes()
    assert list_open_problems() == []


def test_a_process_that_never_started_is_noticed(clock: Any) -> None:
    Sign.objects.all().delete()
    watch_processes()
    assert list_open_problems() == []
    clock.shift(processes.STALE + timedelta(seconds=1))
    watch_processes()
    assert [problem.kind for problem in list_open_problems()] == ["worker", "beat"]


def test_an_unreachable_queue_is_noticed_and_not_blamed_on_the_worker(
    clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.shift(3 * MINUTE)
    monkeypatch.setattr(
        current_app._get_current_object(),  # type: ignore[attr-defined]
        "connection_for_write",
        lambda: Connection("redis://127.0.0.1:1/0"),
    )
    watch_processes()
    assert {problem.kind: problem.detail for problem in list_open_problems()} == {
        "broker": "OperationalError"
    }


@pytest.mark.usefixtures("clock")
def test_a_mail_server_that_refuses_is_noticed_until_a_mail_is_sent(
    clock: Any, settings: LazySettings
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    mail = make_mail_of_kind("receipt", None)
    for _ in range(2):
        emails.deliver_mail(mail.pk)
        clock.shift(2 * MINUTE)
    assert watch() == {"mail": "ConnectionRefusedError"}
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert emails.deliver_mail(mail.pk)
    assert watch() == {}


def test_a_refused_recipient_is_no_problem_of_the_mail_server(clock: Any) -> None:
    OutgoingMail.objects.create(
        key="one", kind="receipt", attempts=3, error="SMTPRecipientsRefused"
    )
    OutgoingMail.objects.update(due_at=timezone.now() + MINUTE)
    assert watch() == {}


def test_a_folder_that_cannot_be_written_is_noticed(
    clock: Any, settings: LazySettings, tmp_path: Path
) -> None:
    good, settings.PUBLISH_DIR = settings.PUBLISH_DIR, tmp_path / "file" / "published"
    (tmp_path / "file").write_text("")
    assert watch() == {"publishing": "Not a directory"}
    settings.PUBLISH_DIR = good
    clock.shift(MINUTE)
    assert watch() == {"publishing": "Not a directory"}, "another machine may still see it"
    clock.shift(MINUTE)
    assert watch() == {}
    assert list(Path(good).iterdir()) == [], "the probe leaves nothing"


def test_a_campaign_that_cannot_be_published_is_noticed_in_any_storage(
    clock: Any, settings: LazySettings
) -> None:
    storage = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = settings.STORAGES | {"published": storage}
    settings.PUBLISH_DIR = Path("/dev/null/nowhere")  # nobody writes there
    campaign = make_campaign(slug="winter")
    banners.publish_campaign(campaign.pk)
    for _time in range(2):  # this storage never replaces a file
        with pytest.raises(banners.StorageRefused):
            banners.publish_campaign(campaign.pk)
        clock.shift(MINUTE)
    assert watch()["publishing"].startswith("StorageRefused: PUBLISH_STORAGE keeps old files")
    campaign.delete()
    clock.shift(3 * MINUTE)
    assert "publishing" not in watch()


def test_late_work_is_noticed_by_its_job(clock: Any) -> None:
    store_event(status="new", due_at=timezone.now() - 6 * MINUTE)
    OutgoingMail.objects.create(key="one", kind="receipt", due_at=timezone.now() - 4 * MINUTE)
    assert watch() == {"work": "events"}


def test_a_refused_key_is_noticed_and_no_other_fault_of_stripe_at_first(
    clock: Any, sandbox: SandboxControl, settings: LazySettings
) -> None:
    good, settings.STRIPE_SECRET_KEY = settings.STRIPE_SECRET_KEY, "sk_test_of_nobody"
    assert watch() == {"stripe_key": "401"}
    settings.STRIPE_SECRET_KEY = good
    assert watch() == {}


def test_stripe_is_asked_every_five_minutes_and_more_often_while_it_is_broken(
    clock: Any, settings: LazySettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    find = stripe_api.find_newest_event

    def count(*args: Any, **kwargs: Any) -> Any:
        asked.append(timezone.now())
        return find(*args, **kwargs)

    monkeypatch.setattr(stripe_api, "find_newest_event", count)
    for _ in range(6):
        watch()
        clock.shift(MINUTE)
    assert len(asked) == 2
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    clock.shift(5 * MINUTE)
    assert watch() == {"stripe": "StripeUnavailable"}
    assert watch() == {"stripe": "StripeUnavailable"}
    assert len(asked) == 4


def test_webhooks_that_do_not_arrive_are_noticed(
    campaign: Campaign, clock: Any, sandbox: SandboxControl, client: Client
) -> None:
    assert watch() == {}
    wait(clock, sandbox, minutes=1)
    sell(campaign, sandbox)
    wait(clock, sandbox, minutes=6)
    assert watch() == {}, "webhooks may take some minutes"
    wait(clock, sandbox, minutes=6)
    assert watch() == {"webhooks": "none received"}
    body, _ = sandbox.sign_event(sandbox.events()[-1]["id"])
    assert post(client, body, "t=1,v1=wrong").status_code == 400
    assert watch() == {"webhooks": "refused: the signature is wrong"}
    body, header = sandbox.sign_event(sandbox.events()[-1]["id"])
    assert post(client, body, header).status_code == 200
    assert watch() == {}


def test_events_from_before_this_installation_are_not_missed(
    campaign: Campaign, clock: Any, sandbox: SandboxControl
) -> None:
    sell(campaign, sandbox)
    wait(clock, sandbox, minutes=30)
    assert watch() == {}
    assert not Problem.objects.exists()
