"""The page of jobs says what is due, what failed, and lets staff run it now."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.jobs import JOBS
from campaigns.models import JobFailure, JobRun, OutgoingMail
from tests.support.factories import make_member
from tests.support.pages import main_of

pytestmark = pytest.mark.django_db

RUNS = "/admin/campaigns/jobrun/"
FAILURES = "/admin/campaigns/jobfailure/"


@pytest.fixture
def mail() -> OutgoingMail:
    """An e-mail that the job failed on, due in half a minute."""
    mail = OutgoingMail.objects.create(
        key="sign_in:1",
        kind="sign_in",
        member=make_member(),
        due_at=timezone.now() + timedelta(seconds=30),
    )
    JobFailure.objects.create(job="mails", row=str(mail.pk), error="OSError", attempts=3)
    return mail


def test_every_job_is_listed_even_if_it_never_ran(admin_client: Client) -> None:
    page = admin_client.get(RUNS).content.decode()
    for job in JOBS:
        assert str(job.label) in page
    assert JobRun.objects.count() == len(JOBS)


def test_the_page_shows_how_much_is_due_and_failed(
    admin_client: Client, mail: OutgoingMail
) -> None:
    since = timezone.now() - timedelta(hours=2)
    OutgoingMail.objects.update(due_at=since)
    page = main_of(admin_client.get(RUNS))
    row = page[page.index("Send e-mails") :].partition("</tr>")[0]
    assert '<td class="field-due">1</td>' in row
    assert f'<a href="{FAILURES}?job=mails">1</a>' in row


def test_staff_retry_a_failed_row_now(admin_client: Client, mail: OutgoingMail) -> None:
    failure = JobFailure.objects.get()
    answer = admin_client.post(
        FAILURES, {"action": "retry", "_selected_action": [failure.pk]}, follow=True
    )
    assert "1 row will be retried now." in answer.content.decode()
    mail.refresh_from_db()
    assert mail.due_at is not None
    assert mail.due_at <= timezone.now()


def test_a_row_that_keeps_failing_needs_attention(admin_client: Client, mail: OutgoingMail) -> None:
    page = admin_client.get("/admin/").content.decode()
    assert "Rows that a job couldn’t finish in three attempts" in page
    JobFailure.objects.update(attempts=2)
    page = admin_client.get("/admin/").content.decode()
    assert "Rows that a job couldn’t finish in three attempts" not in page


def test_without_permission_nobody_retries(client: Client, mail: OutgoingMail) -> None:
    viewer = User.objects.create_user("viewer", is_staff=True)
    client.force_login(viewer)
    assert client.get(RUNS).status_code == 403
    answer = client.post(
        FAILURES, {"action": "retry", "_selected_action": [JobFailure.objects.get().pk]}
    )
    assert answer.status_code == 403
