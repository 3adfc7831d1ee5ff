"""One engine works on all that is due: one row at a time, by one worker, while its turn lasts."""

import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.core import mail as mailbox
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from campaigns import banners, jobs, stripe_api, tasks
from campaigns.jobs.engine import STRIPE
from campaigns.models import Campaign, JobFailure, JobRun, OutgoingMail
from campaigns.models.due import LEASE, claim_row, select_due
from tests.support.factories import make_member
from tests.support.sign_in import ADA, request_link
from tests.support.threads import race

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


def make_mails(number: int) -> list[OutgoingMail]:
    member = make_member()
    return [
        OutgoingMail.objects.create(key=f"sign_in:{i}", kind="sign_in", member=member)
        for i in range(number)
    ]


def make_job(work: Callable[[int], object]) -> jobs.Job:
    def finish(pk: int) -> None:
        work(pk)
        OutgoingMail.objects.filter(pk=pk).update(due_at=None)

    return jobs.Job("test", "Test", STRIPE, OutgoingMail.objects.all, finish)


def due() -> QuerySet[Any]:
    return select_due(OutgoingMail.objects.all(), at=timezone.now())


def test_a_run_works_on_each_due_row_once_the_longest_due_first() -> None:
    first, second, later = make_mails(3)
    now = timezone.now()
    for mail, due_at in ((first, -1), (second, -2), (later, 60)):
        OutgoingMail.objects.filter(pk=mail.pk).update(due_at=now + timedelta(seconds=due_at))
    worked: list[int] = []
    assert jobs.run_job(make_job(worked.append)) == jobs.Outcome(2, 0, is_rest_due=False)
    assert worked == [second.pk, first.pk]
    assert JobRun.objects.get().worked_at is not None


def test_a_row_is_claimed_only_when_the_one_before_is_done() -> None:
    make_mails(3)
    left: list[int] = []
    jobs.run_job(make_job(lambda _pk: left.append(due().count())))
    assert left == [2, 1, 0]


def test_a_run_stops_after_its_turn_and_says_that_rows_are_left() -> None:
    make_mails(3)
    job = make_job(lambda _pk: time.sleep(0.02))
    assert jobs.run_job(job, turn=timedelta(seconds=0.01)) == jobs.Outcome(1, 0, is_rest_due=True)
    assert due().count() == 2


def test_a_row_that_fails_is_recorded_and_does_not_stop_the_others() -> None:
    first, second = make_mails(2)

    def fail_first(pk: int) -> None:
        if pk == first.pk:
            raise stripe_api.StripeUnavailable("ada@example.org is in this text")

    job = make_job(fail_first)
    assert jobs.run_job(job) == jobs.Outcome(1, 1)
    failure = JobFailure.objects.get()
    assert (failure.row, failure.error, failure.attempts) == (
        str(first.pk),
        "StripeUnavailable",
        1,
    )
    assert OutgoingMail.objects.get(pk=second.pk).due_at is None
    # It is due again when its lease ends, or when staff ask for it.
    assert jobs.run_job(job) == jobs.Outcome()
    assert jobs.retry_row(job, str(first.pk))
    assert jobs.run_job(job) == jobs.Outcome(0, 1)
    assert JobFailure.objects.get().attempts == 2


def test_a_failure_is_forgotten_once_the_row_succeeds() -> None:
    [mail] = make_mails(1)
    JobFailure.objects.create(job="test", row=str(mail.pk), error="StripeUnavailable")
    JobFailure.objects.create(job="other", row=str(mail.pk), error="StripeUnavailable")
    jobs.run_job(make_job(lambda _pk: None))
    assert [failure.job for failure in JobFailure.objects.all()] == ["other"]


def test_the_soft_time_limit_ends_the_run() -> None:
    _first, second = make_mails(2)

    def run_out_of_time(pk: int) -> None:
        raise SoftTimeLimitExceeded

    with pytest.raises(SoftTimeLimitExceeded):
        jobs.run_job(make_job(run_out_of_time))
    assert [mail.pk for mail in due()] == [second.pk]
    assert not JobFailure.objects.exists()


def test_a_dead_worker_s_row_is_due_again_after_its_lease() -> None:
    [mail] = make_mails(1)
    mails = OutgoingMail.objects.all()
    assert claim_row(mails) == mail.pk
    assert claim_row(mails) is None
    OutgoingMail.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert claim_row(mails) == mail.pk
    assert OutgoingMail.objects.get().attempts == 2
    leased_until = OutgoingMail.objects.get().due_at
    assert leased_until is not None
    assert leased_until - timezone.now() <= LEASE


@pytest.mark.django_db(transaction=True)
def test_workers_at_once_never_work_on_the_same_row() -> None:
    mails = make_mails(40)
    worked: list[int] = []

    def work_all() -> None:
        job = make_job(worked.append)
        while due().exists():
            jobs.run_job(job, turn=timedelta(seconds=1))

    assert race(*[work_all] * 4) == [None] * 4
    assert Counter(worked) == Counter(mail.pk for mail in mails)


@pytest.mark.django_db(transaction=True)
def test_without_claims_workers_at_once_work_on_the_same_row_control() -> None:
    make_mails(40)
    worked: list[int] = []

    def work_all() -> None:
        for pk in list(due().values_list("pk", flat=True)):
            worked.append(pk)
            time.sleep(0.001)
            OutgoingMail.objects.filter(pk=pk).update(due_at=None)

    race(*[work_all] * 4)
    assert max(Counter(worked).values()) > 1


# The table of jobs


def test_every_job_is_a_task_on_the_queue_of_its_kind() -> None:
    assert set(tasks.TASKS) == {job.name for job in jobs.JOBS}
    app = tasks.TASKS["mails"].app
    scheduled = {
        entry["task"]: entry["options"].get("queue") for entry in app.conf.beat_schedule.values()
    }
    for job in jobs.JOBS:
        task = tasks.TASKS[job.name]
        assert job.queue in jobs.QUEUES
        assert scheduled[task.name] == task.kind == job.queue
        assert set(job.then) <= set(tasks.TASKS), "it names a job that doesn't exist"
    assert {queue.name for queue in app.conf.task_queues} == set(jobs.QUEUES)


def test_a_sign_in_mail_is_sent_by_the_job_of_mails_alone(client: Client) -> None:
    make_member(ADA)
    request_link(client)
    jobs.run_job(jobs.find_job("mails"))
    assert len(mailbox.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_a_burst_of_requests_sends_few_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "send", sent.append)
    for _ in range(200):
        tasks.hurry("mails", "banners")
    deadline = time.monotonic() + 5
    while not {"mails", "banners"} <= set(sent) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert {"mails", "banners"} <= set(sent)
    assert len(sent) < 20


@pytest.mark.django_db(transaction=True)
def test_a_burst_of_sales_is_published_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[str] = []
    monkeypatch.setattr(tasks, "send", sent.append)
    until = time.monotonic() + 1.5
    while time.monotonic() < until:
        tasks.hurry("mails", "banners")
        time.sleep(0.02)
    time.sleep(1)  # the last one is not forgotten
    assert 2 <= sent.count("banners") <= 4
    assert sent.count("mails") > 6


def test_a_number_that_changes_while_it_is_published_is_published_after_the_pause(
    campaign: Campaign,
) -> None:
    job = jobs.find_job("banners")
    jobs.run_job(job)
    assert jobs.seconds_until_due(job, within=timedelta(seconds=5)) is None
    banners.request_publishing(campaign.pk)
    assert jobs.seconds_until_due(job, within=timedelta(seconds=5)) == 1
    Campaign.objects.update(publish_lease_until=timezone.now() + timedelta(seconds=30))
    assert jobs.seconds_until_due(job, within=timedelta(seconds=5)) is None  # by another process
