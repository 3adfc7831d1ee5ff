"""Address changes through the pages and e-mails, as a browser makes them."""

from urllib.parse import urlsplit

from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from campaigns import emails
from campaigns.emails import links
from campaigns.models import (
    AddressChange,
    Member,
    OutgoingMail,
)
from campaigns.models.address_change import Side
from tests.support.mails import find_link

MINE = "/membership/account/"
CHANGE = f"{MINE}address/"
NEW = "ada@new.example"


def want(client: Client, email: str = NEW) -> AddressChange:
    """Request a change on the account page."""
    answer = client.post(CHANGE, {"email": email})
    assert (answer.status_code, answer["Location"]) == (303, CHANGE)
    return AddressChange.objects.latest("pk")


def read_mail(change: AddressChange, kind: str) -> EmailMultiAlternatives:
    assert emails.deliver_mail(OutgoingMail.objects.get(address_change=change, kind=kind).pk)
    sent = mailbox.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    return sent


def link_at(change: AddressChange, side: str) -> str:
    """Return the path of the link in the e-mail to that side."""
    sent = read_mail(change, f"address_{side}")
    return urlsplit(find_link(sent, "/membership/address/")).path


def path_of(change: AddressChange, side: Side) -> str:
    return f"/membership/address/{links.make_address_token(change, side)}/"


def confirm(change: AddressChange, *sides: str) -> None:
    for side in sides:
        path = path_of(change, Side(side))
        answer = Client().post(path)
        assert (answer.status_code, answer["Location"]) == (303, path)


def address_of(member: Member) -> str:
    return Member.objects.get(pk=member.pk).email
