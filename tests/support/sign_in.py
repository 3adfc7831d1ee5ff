"""Signing in to the account page, and reading it."""

from typing import Any
from urllib.parse import urlsplit

from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from campaigns import emails
from campaigns.models import AttemptCount, Membership, OutgoingMail, Payment
from tests.support.mails import find_link
from tests.support.pages import main_of

ACCOUNT = "/membership/account/"
ADA = "ada@example.org"


def request_link(client: Client, email: str = ADA) -> Any:
    AttemptCount.objects.all().delete()
    return client.post(ACCOUNT, {"email": email})


def read_sign_in_mail() -> EmailMultiAlternatives:
    """Send and return the e-mail of the newest link."""
    mail = OutgoingMail.objects.filter(kind="sign_in").latest("pk")
    assert emails.deliver_mail(mail.pk)
    sent = mailbox.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def request_link_path(client: Client, email: str = ADA) -> str:
    """Return the path of the link in the e-mail."""
    assert request_link(client, email).status_code == 200
    return urlsplit(find_link(read_sign_in_mail(), f"{ACCOUNT}open/")).path


def sign_in(client: Client, email: str = ADA) -> None:
    answer = client.post(request_link_path(client, email))
    assert (answer.status_code, answer["Location"]) == (303, ACCOUNT)


def open_account_page(client: Client) -> str:
    answer = client.get(ACCOUNT)
    assert answer.status_code == 200
    return main_of(answer)


def is_signed_in(client: Client) -> bool:
    return "Sign out" in open_account_page(client)


def paths_of_ada() -> list[str]:
    """Return the paths of Ada's own rows."""
    membership, payment = Membership.objects.get(), Payment.objects.get()
    return [
        f"{ACCOUNT}{membership.pk}/cancel/",
        f"{ACCOUNT}{membership.pk}/resume/",
        f"{ACCOUNT}{membership.pk}/card/",
        f"{ACCOUNT}receipts/{payment.pk}.pdf",
    ]
