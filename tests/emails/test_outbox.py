"""The outbox: retries, giving up, and sending each mail once."""

import smtplib
from collections.abc import Callable, Sequence
from datetime import timedelta
from functools import partial

import pytest
from django.conf import LazySettings
from django.conf import settings as site
from django.core import mail as mailbox
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.message import EmailMessage
from django.utils import timezone

from campaigns import emails
from campaigns.emails.outbox import LAST_ATTEMPT
from campaigns.models import Campaign, OutgoingMail
from campaigns.models.due import LEASE
from tests.support.due import list_due
from tests.support.factories import make_campaign
from tests.support.mails import make_mail_of_kind, send_mail
from tests.support.threads import race

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


class BrokenBackend(BaseEmailBackend):
    """A provider that refuses for now; like SMTP servers, its error names the address."""

    code = 451

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        (address,) = email_messages[0].to
        raise smtplib.SMTPRecipientsRefused({address: (self.code, f"{address} busy".encode())})


class RefusingBackend(BrokenBackend):
    """A provider that does not know the mailbox."""

    code = 550


def attempt(mail: OutgoingMail) -> None:
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=timezone.now())
    assert not emails.deliver_mail(mail.pk)
    mail.refresh_from_db()
    assert mail.sent_at is None
    assert mail.error == "SMTPRecipientsRefused"  # and no address


def test_a_deferred_mail_is_retried_with_growing_pauses(
    birthday: Campaign, settings: LazySettings
) -> None:
    mail = make_mail_of_kind("receipt", birthday)
    settings.EMAIL_BACKEND = f"{__name__}.{BrokenBackend.__name__}"
    pauses = []
    for number in range(1, LAST_ATTEMPT):
        before = timezone.now()
        attempt(mail)
        assert (mail.attempts, mail.failed_at) == (number, None)
        assert mail.due_at is not None
        pauses.append((mail.due_at - before).total_seconds())
        assert not emails.deliver_mail(mail.pk)  # not due yet
        assert mail.pk not in list_due("mails", at=timezone.now())
    assert 30 <= pauses[0] < 40
    assert 60 <= pauses[1] < 70
    assert pauses[-1] == pytest.approx(6 * 3600, abs=10)
    assert pauses == sorted(pauses[:10]) + pauses[10:]

    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=timezone.now())
    assert emails.deliver_mail(mail.pk)
    mail.refresh_from_db()
    assert (mail.due_at, mail.error, len(mailbox.outbox)) == (None, "", 1)


def test_a_mail_deferred_for_days_is_given_up(birthday: Campaign, settings: LazySettings) -> None:
    mail = make_mail_of_kind("receipt", birthday)
    settings.EMAIL_BACKEND = f"{__name__}.{BrokenBackend.__name__}"
    OutgoingMail.objects.filter(pk=mail.pk).update(attempts=LAST_ATTEMPT - 1)
    attempt(mail)
    assert (mail.attempts, mail.due_at) == (LAST_ATTEMPT, None)
    assert mail.failed_at is not None


def test_a_permanently_refused_mail_is_tried_once(
    birthday: Campaign, settings: LazySettings
) -> None:
    mail = make_mail_of_kind("gift_invitation", birthday)
    settings.EMAIL_BACKEND = f"{__name__}.{RefusingBackend.__name__}"
    attempt(mail)
    assert (mail.attempts, mail.due_at) == (1, None)
    assert mail.failed_at is not None
    assert not list_due("mails", at=timezone.now() + timedelta(days=365))
    assert not emails.deliver_mail(mail.pk)
    # Staff can resend it once the address is corrected.
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert emails.reschedule_mail([mail.pk]) == 1
    send_mail(mail)
    assert mail.failed_at is None


def test_a_mail_is_sent_once_even_if_delivered_repeatedly(birthday: Campaign) -> None:
    mail = make_mail_of_kind("receipt", birthday)
    assert [emails.deliver_mail(mail.pk) for _ in range(3)] == [True, False, False]
    assert len(mailbox.outbox) == 1


def test_a_mail_is_due_again_if_its_worker_died(birthday: Campaign) -> None:
    mail = make_mail_of_kind("receipt", birthday)
    now = timezone.now()
    # The row as a worker leaves it that was killed after taking the lease.
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=now + LEASE, attempts=1)
    assert mail.pk not in list_due("mails", at=now)
    assert not emails.deliver_mail(mail.pk)
    assert list_due("mails", at=now + LEASE) == [mail.pk]
    assert timedelta(seconds=45) > LEASE
    assert timedelta(seconds=site.EMAIL_TIMEOUT) < LEASE
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=now)
    assert emails.deliver_mail(mail.pk)


@pytest.mark.django_db(transaction=True)
def test_concurrent_workers_send_a_mail_once(birthday: Campaign) -> None:
    mails = [make_mail_of_kind("gift_invitation", birthday) for _ in range(20)]
    for mail in mails:
        work: Callable[[], object] = partial(emails.deliver_mail, mail.pk)
        assert sorted(map(str, race(work, work, work))) == ["False", "False", "True"]
    assert len(mailbox.outbox) == len(mails)
    assert set(OutgoingMail.objects.values_list("attempts", "error")) == {(1, "")}
