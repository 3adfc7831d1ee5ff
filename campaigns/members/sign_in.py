"""Sign-in links to the account page: sent by e-mail, valid once and for half an hour."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import QuerySet

from campaigns.emails import links
from campaigns.models import Member, OutgoingMail, SignInLink

# Repeated requests for someone else's address can't flood their mailbox.
MOST_LINKS = 5
_LIMIT_PERIOD = timedelta(hours=1)
_KEPT = timedelta(days=30)


class LinkClosed(Exception):
    """The link was used already, has expired or never existed."""


def request_sign_in_link(address: str, *, language: str, at: datetime) -> bool:
    """Schedule a link for the member with that address; return whether an e-mail was scheduled.

    A request with a former address goes to the current one: someone else may own the old mailbox.
    """
    member = Member.objects.find(address)
    if member is None or member.erased_at:
        return False
    if member.sign_in_links.filter(created_at__gt=at - _LIMIT_PERIOD).count() >= MOST_LINKS:
        return False
    link = SignInLink(member=member, created_at=at)
    link.secret_hash = links.hash_sign_in_token(links.make_sign_in_token(link))
    with transaction.atomic():
        link.save()
        OutgoingMail.objects.create(
            key=f"sign_in:{link.pk}",
            kind=OutgoingMail.Kind.SIGN_IN,
            sign_in=link,
            member=member,
            language=language,
            due_at=at,
        )
    return True


def select_old_links(*, at: datetime) -> QuerySet[SignInLink]:
    """Return links that are a month old; their e-mails are deleted with them."""
    return SignInLink.objects.filter(created_at__lt=at - _KEPT)


def is_link_open(token: str, *, at: datetime) -> bool:
    return SignInLink.objects.filter(
        secret_hash=links.hash_sign_in_token(token),
        used_at=None,
        created_at__gt=at - links.SIGN_IN_LASTS,
    ).exists()


def open_link(token: str, *, at: datetime) -> Member:
    """Use up the link and return its member. Raises LinkClosed.

    A conditional update lets only one of two simultaneous requests use it.
    """
    secret_hash = links.hash_sign_in_token(token)
    opened = SignInLink.objects.filter(
        secret_hash=secret_hash, used_at=None, created_at__gt=at - links.SIGN_IN_LASTS
    ).update(used_at=at)
    if not opened:
        raise LinkClosed
    member = Member.objects.filter(sign_in_links__secret_hash=secret_hash).first()
    if member is None:  # merged in between; the link was deleted
        raise LinkClosed
    return member
