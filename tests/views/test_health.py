"""The addresses for monitoring: who sees what, and what they answer."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import health
from campaigns.models import JobFailure, OutgoingMail, Problem, Sign
from tests.support.factories import at, make_campaign
from tests.support.processes import wait_until
from tests.support.staff import grant_permissions, read_page, store_event

pytestmark = pytest.mark.django_db
TOKEN = "a-token-for-monitoring"


@pytest.fixture(autouse=True)
def clock(settings: LazySettings) -> Iterator[Any]:
    settings.HEALTH_TOKEN = TOKEN
    with time_machine.travel("2026-11-24 12:00Z", tick=False) as clock:
        for of in (Sign.Of.WORKER, Sign.Of.BEAT):
            health.record_sign(of)
        yield clock


def ask(client: Client, path: str = "", token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    return client.get(f"/health/{path}", headers=headers)


def test_monitoring_may_ask_by_any_host_and_without_tls(
    client: Client, settings: LazySettings
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    for path, text in (("live/", "alive"), ("ready/", "ready")):
        answer = client.get(f"/health/{path}", headers={"host": "10.0.0.7:8000"})
        assert (answer.status_code, answer.content.decode()) == (200, text)
        assert "no-store" in answer["Cache-Control"]
    assert client.get("/health/", headers={"host": "10.0.0.7:8000"}).status_code == 400
    answer = client.get(
        "/health/", headers={"host": "10.0.0.7:8000", "Authorization": f"Bearer {TOKEN}"}
    )
    assert answer.status_code == 200


def test_everybody_sees_whether_something_is_broken_and_no_details(client: Client) -> None:
    answer = ask(client)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})
    Problem.objects.create(kind="mail", detail="ConnectionRefusedError")
    for token in ("", "wrong", TOKEN[:-1]):
        answer = ask(client, token=token)
        assert (answer.status_code, answer.json()) == (503, {"status": "broken"})


def test_details_need_the_token_or_a_staff_account(client: Client, settings: LazySettings) -> None:
    make_campaign(published_at=at("2026-11-24 11:59"))
    store_event(received_at=at("2026-11-24 11:30"))
    due = timezone.now() - timedelta(minutes=2)
    OutgoingMail.objects.create(key="one", kind="receipt", due_at=due)
    answer = ask(client, token=TOKEN)
    facts = answer.json()
    assert answer.status_code == 200
    assert (facts["status"], facts["problems"]) == ("ok", [])
    assert facts["seen_at"] == {"worker": "2026-11-24T12:00:00Z", "beat": "2026-11-24T12:00:00Z"}
    assert facts["jobs"]["mails"] == {
        "due": 1,
        "oldest_due_at": "2026-11-24T11:58:00Z",
        "failed": 0,
    }
    assert facts["oldest_due_at"] == "2026-11-24T11:58:00Z"
    assert facts["last_event_at"] == "2026-11-24T11:30:00Z"
    assert facts["last_publish_at"] == "2026-11-24T11:59:00Z"
    assert facts["last_reconcile_at"] is None
    assert 0 < facts["disk"]["PUBLISH_DIR"]["free"] <= facts["disk"]["PUBLISH_DIR"]["total"]
    ada = User.objects.create_user("ada", is_staff=True)
    client.force_login(ada)
    assert ask(client).json() == {"status": "ok"}
    grant_permissions(ada, "view_problem")
    # Other programs use the same disk: its free space is also in a line of the set-up.
    moving = {name: facts[name] for name in ("disk", "clock_skew_seconds", "setup")}
    seen = ask(client).json()
    assert seen | moving == facts
    lines = [[(line["name"], line["state"]) for line in each["setup"]] for each in (seen, facts)]
    assert lines[0] == lines[1]
    client.force_login(User.objects.create_user("ben"))
    assert ask(client).json() == {"status": "ok"}
    settings.HEALTH_TOKEN = ""
    assert Client().get("/health/", headers={"Authorization": "Bearer "}).json() == {"status": "ok"}


def test_metrics_need_the_token(client: Client, settings: LazySettings) -> None:
    Problem.objects.create(kind="mail", detail="ConnectionRefusedError")
    due = timezone.now() - timedelta(minutes=2)
    OutgoingMail.objects.create(key="one", kind="receipt", due_at=due)
    JobFailure.objects.create(job="mails", row="1", error="OSError")
    for token in ("", "wrong"):
        answer = ask(client, "metrics/", token)
        assert (answer.status_code, answer.content) == (401, b"")
    lines = ask(client, "metrics/", TOKEN).content.decode().splitlines()
    for line in (
        'newsroom_problem{kind="mail"} 1.0',
        'newsroom_problem{kind="worker"} 0.0',
        'newsroom_job_due_rows{job="mails"} 1.0',
        'newsroom_job_oldest_due_seconds{job="mails"} 120.0',
        'newsroom_job_failed_rows{job="mails"} 1.0',
        'newsroom_last_seen_timestamp_seconds{of="beat"} 1.7955216e+09',
    ):
        assert line in lines
    settings.HEALTH_TOKEN = ""
    assert ask(client, "metrics/", "").status_code == 401


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/health/", "/admin/"])
def test_the_web_server_reports_a_stopped_worker_itself(
    client: Client, settings: LazySettings, clock: Any, mailoutbox: list[Any], path: str
) -> None:
    settings.STAFF_EMAIL = "staff@example.org"
    client.force_login(User.objects.create_superuser("ada"))
    clock.shift(timedelta(minutes=3))
    for _ in range(3):
        page = read_page(client.get(path))
        clock.shift(timedelta(seconds=30))
    assert ("The worker has stopped" if path == "/admin/" else "worker") in page
    wait_until(lambda: len(mailoutbox) == 2, seconds=10)
    wait_until(lambda: OutgoingMail.objects.filter(sent_at=None).count() == 0, seconds=10)
    assert sorted(mail.subject for mail in mailoutbox) == [
        "Problem: Celery beat has stopped",
        "Problem: The worker has stopped",
    ]


def test_pages_check_the_processes_only_every_ten_seconds(client: Client, clock: Any) -> None:
    clock.shift(timedelta(minutes=3))
    for _ in range(5):
        ask(client)
    Sign.objects.update(seen_at=timezone.now())
    assert json.loads(ask(client).content) == {"status": "broken"}
    clock.shift(timedelta(seconds=10))
    assert json.loads(ask(client).content) == {"status": "ok"}
