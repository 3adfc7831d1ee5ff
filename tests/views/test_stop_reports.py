"""The link in each report that stops them: a page with a button, and one click in mail programs."""

from email import message_from_bytes, policy
from urllib.parse import urlsplit

import pytest
from django.core import mail as mailbox
from django.test import Client

from campaigns import emails
from campaigns.models import OutgoingMail, ReportMail
from tests.support.factories import make_campaign
from tests.support.mails import assert_no_longer_wanted, read_html, send_mail
from tests.support.reports import make_report_outgoing

pytestmark = pytest.mark.django_db


@pytest.fixture
def mail() -> OutgoingMail:
    return make_report_outgoing(make_campaign())


def find_stop_path(mail: OutgoingMail) -> str:
    [link] = {link for link in read_html(send_mail(mail)).links if "/reports/stop/" in link}
    return urlsplit(link).path


def is_stopped() -> bool:
    chosen = ReportMail.objects.get()
    return not (chosen.daily or chosen.weekly or chosen.milestones or chosen.due_at)


def test_opening_the_link_asks_and_the_button_stops_reports(mail: OutgoingMail) -> None:
    client, path = Client(enforce_csrf_checks=True), find_stop_path(mail)
    page = client.get(path)
    assert "Stop reports?" in page.content.decode()
    assert page["Referrer-Policy"] == "strict-origin"
    assert not is_stopped()
    answer = client.post(path, follow=True)
    assert "You won’t get any more reports" in answer.content.decode()
    assert is_stopped()
    OutgoingMail.objects.update(due_at=mail.created_at, sent_at=None, attempts=0)
    assert_no_longer_wanted(mail)


def test_the_button_of_a_mail_program_stops_reports(mail: OutgoingMail) -> None:
    """https://www.rfc-editor.org/rfc/rfc8058"""
    path = find_stop_path(mail)
    message = message_from_bytes(mailbox.outbox[0].message().as_bytes(), policy=policy.default)
    assert urlsplit(message["List-Unsubscribe"].strip("<> ")).path == path
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    answer = Client(enforce_csrf_checks=True).post(path, {"List-Unsubscribe": "One-Click"})
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert is_stopped()


def test_a_changed_link_stops_nothing(mail: OutgoingMail, client: Client) -> None:
    path = find_stop_path(mail)
    assert client.post(path[:-3] + "x/").status_code == 410
    assert not is_stopped()


def test_the_curve_is_in_the_e_mail_itself(mail: OutgoingMail) -> None:
    assert emails.deliver_mail(mail.pk)
    message = message_from_bytes(mailbox.outbox[0].message().as_bytes(), policy=policy.default)
    assert message.get_content_type() == "multipart/related"
    body, picture = message.iter_parts()
    assert body.get_content_type() == "multipart/alternative"
    assert (picture.get_content_type(), picture["Content-ID"]) == ("image/png", "<curve-1>")
    html = message.get_body(("html",))
    assert html is not None
    assert 'src="cid:curve-1"' in html.get_content()
