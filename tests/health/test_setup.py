"""Is everything set up? The same findings in the admin, as JSON and by `manage.py check`."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.checks import Error, register
from django.core.checks.registry import registry
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from campaigns import health
from campaigns.health import facts, setup
from campaigns.models import Problem, Sign
from tests.support.staff import read_page, sign_in_staff, store_event

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def database_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """The database's server has the real date; give it that of the tests."""
    monkeypatch.setattr(setup, "read_database_clock", timezone.now)


def findings() -> dict[str, health.Finding]:
    return {finding.name: finding for finding in health.check_setup(at=timezone.now())}


def test_parts_that_never_worked_say_what_to_do() -> None:
    found = findings()
    for name in ("webhooks", "mail", "worker", "beat", "publishing", "reconciliation"):
        assert found[name].state is health.State.UNKNOWN
        assert found[name].cure
    assert found["clock"].is_good


def test_a_part_that_works_says_when() -> None:
    store_event()
    now = timezone.now()
    Sign.objects.create(of=Sign.Of.WORKER, seen_at=now)
    found = findings()
    assert found["worker"].is_good
    assert found["worker"].worked_at == now
    assert found["webhooks"].is_good


def test_a_clock_that_differs_from_the_databases_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late = timezone.now() - timedelta(minutes=10)
    monkeypatch.setattr(setup, "read_database_clock", lambda: late)
    clock = findings()["clock"]
    assert not clock.is_good
    assert "600" in clock.detail


@pytest.mark.parametrize("kind", Problem.Kind)
def test_every_problem_is_a_red_line_with_its_cure(kind: Problem.Kind) -> None:
    problem = Problem.objects.create(kind=kind, detail="SomeError")
    [bad] = [each for each in findings().values() if each.state is health.State.BAD]
    assert (bad.cure, bad.detail) == (problem.cure, "SomeError")


def test_a_test_key_is_marked_outside_of_the_demo(settings: LazySettings) -> None:
    settings.DEMO = settings.REHEARSAL = False
    settings.STRIPE_SECRET_KEY = "sk_test_0123456789"
    assert findings()["stripe"].state is health.State.WARNING
    settings.STRIPE_SECRET_KEY = "sk_live_0123456789"
    assert findings()["stripe"].is_good


def test_a_full_disk_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup, "measure_disks", lambda: [("PUBLISH_DIR", 10**9, 100 * 10**9)])
    finding = findings()["disk PUBLISH_DIR"]
    assert finding.state is health.State.BAD
    assert "1 of 100 GB" in finding.detail
    assert facts.measure_disks()


def test_an_event_from_the_future_shows_that_our_clock_is_behind() -> None:
    store_event(created_at=timezone.now() + timedelta(minutes=2))
    finding = findings()["clock"]
    assert finding.state is health.State.BAD
    assert "NTP" in str(finding.cure)


def test_the_page_shows_system_checks_and_parts(client: Client) -> None:
    def check_oven(**_: Any) -> list[Error]:
        return [Error("The oven is cold.", hint="Light it.", id="tests.E001")]

    Problem.objects.create(kind=Problem.Kind.MAIL, detail="SMTPException")
    sign_in_staff(client, User.objects.create_superuser("editor"))
    register(check_oven)
    try:
        page = read_page(client.get("/admin/setup/"))
        answer = client.get("/health/").json()
    finally:
        registry.registered_checks.discard(check_oven)
    for words in ("The oven is cold.", "Light it.", "tests.E001", "SMTPException", "EMAIL_URL"):
        assert words in page
    names = {line["name"]: line["state"] for line in answer["setup"]}
    assert names["tests.E001"] == names["mail"] == "bad"
    assert answer["stripe_mode"] == "test"
    assert answer["clock_skew_seconds"] < 60


def test_the_same_is_printed_by_the_check_before_a_deployment() -> None:
    Problem.objects.create(kind=Problem.Kind.MAIL, detail="SMTPException")
    printed = io.StringIO()
    given = {"deploy": True, "databases": ["default"], "stderr": printed, "stdout": printed}
    call_command("check", tags=["database"], **given)
    assert "(campaigns.W053) E-mail: SMTPException" in printed.getvalue()


def test_only_administrators_open_the_page(client: Client) -> None:
    user = User.objects.create_user("desk", is_staff=True)
    user.groups.add(Group.objects.get(name="supporter desk"))
    sign_in_staff(client, user)
    assert client.get("/admin/setup/").status_code == 403
    assert "/admin/setup/" not in read_page(client.get("/admin/"))
    user.groups.set([Group.objects.get(name="administrator")])
    assert client.get("/admin/setup/").status_code == 200
    assert 'href="/admin/setup/"' in read_page(client.get("/admin/"))
