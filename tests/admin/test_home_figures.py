"""Slow figures of the home page are kept for all staff, and a job measures them ahead."""

from datetime import datetime, timedelta

import pytest
from django.test import Client
from django.utils import timezone

from campaigns import jobs
from campaigns.models import Campaign, KeptFigure, Phase
from campaigns.progress import MoneyTotal
from campaigns.reports import attention, glance, kept
from tests.support.factories import (
    at,
    make_campaign,
    make_member,
    make_payment,
    recount_campaign,
)
from tests.support.staff import read_page

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make all figures take too long to wait for."""
    monkeypatch.setattr(kept, "SLOW_SECONDS", 0)


def show(campaign: Campaign, moment: datetime, language: str = "en") -> glance.Glance:
    return glance.load_glances([campaign], at=moment, language=language)[0]


def fail(*_: object, **__: object) -> None:
    raise AssertionError("the page measures")


@pytest.mark.usefixtures("slow")
def test_a_slow_glance_is_kept_for_all_and_says_of_when_it_is(birthday: Campaign) -> None:
    make_payment(make_member(), birthday, "2026-11-10 10:00")
    moment = at("2026-11-10 12:00")
    first = show(birthday, moment)
    make_payment(make_member(), birthday, "2026-11-10 11:00")
    assert show(birthday, at("2026-11-10 12:01")) == first
    assert first.progress is not None
    assert first.progress.as_of == moment
    assert "<svg" in first.curve
    assert first.money == [MoneyTotal("eur", 1, 6000, 0, 0)]
    in_ukrainian = show(birthday, at("2026-11-10 12:01"), "uk")
    assert in_ukrainian.progress == first.progress
    assert in_ukrainian.verdict != first.verdict
    assert show(birthday, at("2026-11-10 12:11")) != first  # the job has stopped
    assert show(birthday, at("2026-12-10 12:00")).phase is Phase.ENDED


@pytest.mark.usefixtures("slow")
def test_a_kept_glance_holds_as_long_as_the_goal(birthday: Campaign) -> None:
    moment = at("2026-11-10 12:00")
    show(birthday, moment)
    birthday.goals.update(target=77)
    shown = show(Campaign.objects.get(), moment).progress
    assert shown is not None
    assert shown.target == 77


@pytest.mark.usefixtures("slow")
def test_a_glance_that_another_release_has_kept_is_measured_again(birthday: Campaign) -> None:
    moment = at("2026-11-10 12:00")
    first = show(birthday, moment)
    other: list[object] = [{}, [], {"en": {}}, {"en": {"phase": "sideways"}}, {"en": None}]
    for value in other:
        KeptFigure.objects.update(value=value)
        assert show(birthday, moment) == first


@pytest.mark.usefixtures("slow", "editor")
def test_a_job_measures_what_is_slow_before_staff_ask(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = timezone.now()
    campaign = make_campaign(starts_at=now - timedelta(days=9), ends_at=now + timedelta(days=9))
    client.get("/admin/")
    make_payment(make_member(), campaign, (now - timedelta(days=1)).isoformat())
    recount_campaign(campaign)
    assert jobs.run_due_jobs("figures") == 0  # they are fresh
    assert "Net, EUR" not in read_page(client.get("/admin/"))
    KeptFigure.objects.update(measured_at=now - timedelta(minutes=2))
    assert jobs.run_due_jobs("figures") == 1 + len(attention.CONCERNS)
    monkeypatch.setattr(glance, "measure_glance", fail)
    monkeypatch.setattr(attention, "count_concern", fail)
    assert "Net, EUR" in read_page(client.get("/admin/"))


@pytest.mark.usefixtures("slow", "editor")
def test_what_is_quick_by_now_or_not_shown_is_kept_no_longer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = make_campaign()
    client.get("/admin/")
    campaign.goals.update(target=88)
    client.get("/admin/")
    glances = KeptFigure.objects.filter(key__startswith="glance:")
    concerns = KeptFigure.objects.filter(key__startswith="concern:")
    assert (glances.count(), concerns.count()) == (2, len(attention.CONCERNS))
    KeptFigure.objects.update(measured_at=timezone.now() - timedelta(minutes=2))
    jobs.run_due_jobs("figures")
    assert (glances.count(), concerns.count()) == (1, len(attention.CONCERNS))
    monkeypatch.setattr(kept, "SLOW_SECONDS", 60)
    KeptFigure.objects.update(measured_at=timezone.now() - timedelta(minutes=2))
    jobs.run_due_jobs("figures")
    assert not KeptFigure.objects.exists()
