"""Problems begin and end once, and staff get one e-mail for each."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.core.mail import EmailMessage
from django.db import connection
from django.utils import timezone

from campaigns import emails
from campaigns.health.problems import SETTLED, list_open_problems, record_findings
from campaigns.health.processes import Findings
from campaigns.models import OutgoingMail, Problem
from tests.support.due import list_due

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Iterator[Any]:
    with time_machine.travel("2026-11-24 12:00Z", tick=False) as clock:
        yield clock


@pytest.fixture(autouse=True)
def staff_address(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = "staff@example.org"


def find(**details: str | None) -> None:
    findings: Findings = {Problem.Kind[name]: detail for name, detail in details.items()}
    record_findings(findings, at=timezone.now())


def deliver_mails() -> None:
    for mail_id in list_due("mails"):
        emails.deliver_mail(mail_id)


def test_staff_get_one_email_when_a_problem_begins_and_one_when_it_ends(
    clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    for _ in range(3):
        find(MAIL="ConnectionRefusedError", WORKER=None)
        deliver_mails()
        clock.shift(MINUTE)
    assert [problem.kind for problem in list_open_problems()] == ["mail"]
    for _ in range(3):
        find(MAIL=None)
        deliver_mails()
        clock.shift(MINUTE)
    assert list_open_problems() == []
    began, ended = mailoutbox
    assert (began.to, began.subject) == (["staff@example.org"], "Problem: E-mails can’t be sent")
    assert "We noticed this at 24 November 2026, 12:00 UTC." in began.body
    assert "Check the mail server and EMAIL_URL" in began.body
    assert "Details: The other server can’t be reached" in began.body
    assert ended.subject == "Solved: E-mails can’t be sent"
    assert "from 24 November 2026, 12:00 UTC to 24 November 2026, 12:03 UTC" in ended.body


def test_a_problem_that_returns_is_a_new_problem(
    clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    for detail in ("", None, "", None):
        find(WORKER=detail)
        deliver_mails()
        clock.shift(MINUTE)
    assert [mail.subject.split(":")[0] for mail in mailoutbox] == ["Problem", "Solved"] * 2


def test_an_email_that_could_not_be_sent_in_time_is_left_out(
    clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    find(MAIL="TimeoutError")
    clock.shift(MINUTE)
    find(MAIL=None)
    deliver_mails()
    assert [mail.subject for mail in mailoutbox] == ["Solved: E-mails can’t be sent"]


def test_a_short_delay_is_shown_but_not_reported(
    clock: Any, mailoutbox: list[EmailMessage]
) -> None:
    find(WORK="mails")
    assert [problem.kind for problem in list_open_problems()] == ["work"]
    clock.shift(2 * MINUTE)
    find(WORK="mails")
    find(WORK=None)
    assert not OutgoingMail.objects.exists()
    for _ in range(5):
        find(WORK="mails")
        clock.shift(MINUTE)
    deliver_mails()
    assert [mail.subject for mail in mailoutbox] == ["Problem: Due jobs are late"]


def test_a_problem_that_one_machine_sees_is_not_ended_by_another(clock: Any) -> None:
    find(BROKER="OperationalError")
    for _ in range(5):
        clock.shift(MINUTE)
        find(BROKER=None)  # from a machine that reaches the queue
        find(BROKER="OperationalError")
    assert Problem.objects.count() == 1
    clock.shift(SETTLED)
    find(BROKER=None)
    assert list_open_problems() == []


def test_without_an_address_the_admin_shows_problems_all_the_same(settings: LazySettings) -> None:
    settings.STAFF_EMAIL = ""
    find(BEAT="")
    assert [problem.kind for problem in list_open_problems()] == ["beat"]
    assert not OutgoingMail.objects.exists()


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["WORKER", "MAIL"])
def test_simultaneous_checks_report_a_problem_once(kind: str) -> None:
    for detail in ("", None):
        barrier = threading.Barrier(8)

        def check(_: int, detail: str | None = detail, barrier: Any = barrier) -> None:
            barrier.wait()
            try:
                find(**{kind: detail})
            finally:
                connection.close()

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(check, range(8)))
    [problem] = Problem.objects.all()
    keys = OutgoingMail.objects.order_by("pk").values_list("key", flat=True)
    assert list(keys) == [f"problem:{problem.pk}:began", f"problem:{problem.pk}:ended"]
