"""The link to a person's own page: owed by mail, good once and for half an hour."""

from datetime import datetime, timedelta

from django.db import transaction

from campaigns.emails import links
from campaigns.models import Member, OutgoingMail, SignInLink

# Whoever asks again and again in somebody's name fills nobody's mailbox.
MOST_LINKS = 5
_IN = timedelta(hours=1)
_KEPT = timedelta(days=30)


class LinkClosed(Exception):
    """The link was opened already, is too old, or never was one."""


def request_sign_in_link(address: str, *, language: str, at: datetime) -> bool:
    """Owe a link to the person of that address, if there is one; whether a mail is owed now.

    Asked for with a former address, it goes to the one of now: the old mailbox may be another's.
    """
    member = Member.objects.find(address)
    if member is None or member.erased_at:
        return False
    if member.sign_in_links.filter(created_at__gt=at - _IN).count() >= MOST_LINKS:
        return False
    link = SignInLink(member=member, created_at=at)
    link.secret_hash = links.hash_sign_in_token(links.sign_in_token(link))
    with transaction.atomic():
        link.save()
        OutgoingMail.objects.create(
            key=f"sign_in:{link.pk}",
            kind=OutgoingMail.Kind.SIGN_IN,
            sign_in=link,
            member=member,
            language=language,
            next_attempt_at=at,
        )
    return True


def forget_links(*, at: datetime, limit: int = 200) -> None:
    """Delete links that opened nothing for a month by now, with the mails that told of them."""
    old = SignInLink.objects.filter(created_at__lt=at - _KEPT).values_list("pk", flat=True)
    SignInLink.objects.filter(pk__in=list(old[:limit])).delete()


def is_open(token: str, *, at: datetime) -> bool:
    return SignInLink.objects.filter(
        secret_hash=links.hash_sign_in_token(token),
        used_at=None,
        created_at__gt=at - links.SIGN_IN_LASTS,
    ).exists()


def open_link(token: str, *, at: datetime) -> Member:
    """The person of the link, which opens nothing any more; raises LinkClosed.

    Of two that open it at once one does, by a conditional update.
    """
    secret_hash = links.hash_sign_in_token(token)
    opened = SignInLink.objects.filter(
        secret_hash=secret_hash, used_at=None, created_at__gt=at - links.SIGN_IN_LASTS
    ).update(used_at=at)
    if not opened:
        raise LinkClosed
    member = Member.objects.filter(sign_in_links__secret_hash=secret_hash).first()
    if member is None:  # made one with another between the two, and the link went with them
        raise LinkClosed
    return member
