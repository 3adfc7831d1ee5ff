"""Changes of a member's address: requested and confirmed at both addresses, or made by staff."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from campaigns import deliveries, emails, newsletters
from campaigns.emails import links
from campaigns.members.merges import MergeRefused, merge_members
from campaigns.models import (
    AddressChange,
    Erasure,
    FormerAddress,
    GhostMember,
    Member,
    OptOut,
    OutgoingMail,
)
from campaigns.models.address_change import Side

# Repeated requests can't flood someone else's mailbox.
MOST_CHANGES = 3
_LIMIT_PERIOD = timedelta(hours=1)
_KEPT = timedelta(days=30)
_TRIES = 5


class TooManyChanges(Exception):
    """The member reached the limit of requests per hour."""


class ChangeClosed(Exception):
    """The link has expired, was replaced by a newer one or never existed."""


class _AddressChanged(Exception):
    """The member's address changed meanwhile, so this change is dropped."""


def request_address_change(
    member: Member, email: str, *, language: str, at: datetime
) -> AddressChange:
    """Save the request and schedule an e-mail to both addresses.

    The steps don't show whether the new address belongs to a member. Raises TooManyChanges, and
    ChangeClosed if the member was erased.
    """
    with transaction.atomic():
        locked = Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
        if locked is None or _is_erased(locked):
            raise ChangeClosed
        if member.address_changes.filter(asked_at__gt=at - _LIMIT_PERIOD).count() >= MOST_CHANGES:
            raise TooManyChanges
        change = AddressChange.objects.create(
            member=member, email=email, language=language, asked_at=at
        )
        for kind in (OutgoingMail.Kind.ADDRESS_OLD, OutgoingMail.Kind.ADDRESS_NEW):
            _schedule_mail(change, kind, at=at)
    return change


def find_open_change(member: Member, *, at: datetime) -> AddressChange | None:
    """Return the change that still has to be confirmed, if any."""
    return AddressChange.objects.open(at=at).filter(member=member).first()


def read_change(token: str, *, at: datetime) -> tuple[AddressChange, Side]:
    """Return the change and side of a link, if open or made within a day. Raises ChangeClosed."""
    try:
        change_id, side = links.read_address_token(token)
    except links.BadLink as error:
        raise ChangeClosed from error
    changes = AddressChange.objects.select_related("member")
    made = changes.filter(made_at__isnull=False, asked_at__gt=at - AddressChange.LASTS)
    open_ = AddressChange.objects.open(at=at).select_related("member")
    change = open_.filter(pk=change_id).first() or made.filter(pk=change_id).first()
    if change is None:
        raise ChangeClosed
    return change, side


def confirm_change(token: str, *, at: datetime) -> None:
    """Confirm one side, and make the change if both are confirmed. Raises ChangeClosed.

    Safe to repeat: the updates are conditional.
    """
    change, side = read_change(token, at=at)
    AddressChange.objects.open(at=at).filter(pk=change.pk, **{side.field: None}).update(
        **{side.field: at}
    )
    make_change(change.pk, at=at)


def select_old_changes(*, at: datetime) -> QuerySet[AddressChange]:
    """Return changes that were not made within a month; their e-mails are deleted with them."""
    return AddressChange.objects.filter(made_at=None, asked_at__lt=at - _KEPT)


def select_confirmed_changes(*, at: datetime) -> QuerySet[AddressChange]:
    """Return changes that are confirmed at both addresses and not made yet (after a crash)."""
    return AddressChange.objects.open(at=at).filter(
        old_confirmed_at__isnull=False, new_confirmed_at__isnull=False
    )


def make_change(change_id: int, *, at: datetime | None = None) -> bool:
    """Make a change that is confirmed at both addresses, once; return whether it was made now."""
    at = at or timezone.now()
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _make(change_id, at=at)
        except _AddressChanged:
            return False
        except (IntegrityError, MergeRefused):
            # Someone signed up with that address meanwhile, or its owner is changing too.
            continue
    return False  # the job tries again for a day


def _make(change_id: int, *, at: datetime) -> bool:
    change = select_confirmed_changes(at=at).filter(pk=change_id).select_related("member").first()
    if change is None:
        return False
    other = Member.objects.filter(email=change.email).exclude(pk=change.member_id).first()
    if other is not None:
        # One person reads both mailboxes. The merge locks all rows that move, in order.
        merge_members(kept=change.member, gone=other, why="address confirmed at both")
    member = Member.objects.select_for_update(no_key=True).filter(pk=change.member_id).first()
    if member is None:  # merged; the change was deleted
        raise _AddressChanged
    made = AddressChange.objects.filter(pk=change_id, made_at=None).update(made_at=at)
    moved = member.email != change.member.email
    if not made or moved or _is_erased(member):
        raise _AddressChanged
    set_address(member, change.email, at=at)
    _schedule_mail(change, OutgoingMail.Kind.ADDRESS_CHANGED, at=at)
    return True


def _is_erased(member: Member) -> bool:
    return member.erased_at is not None or Erasure.objects.filter(member=member).exists()


def set_address(member: Member, email: str, *, at: datetime) -> None:
    """Give a locked member a new address; the previous one still leads to them.

    If the new address used to belong to another member, it no longer leads to that member.
    """
    before = member.email
    if before == email:
        return
    FormerAddress.objects.filter(email=email).delete()
    FormerAddress.objects.update_or_create(email=before, defaults={"member": member, "left_at": at})
    # Links in the old mailbox stop working.
    member.sign_in_links.filter(used_at=None).update(used_at=at)
    if OptOut.objects.holds(before):
        emails.stop_reminders(email)
    newsletters.move_subscriptions(before, email, at=at)
    member.email, member.due_at, member.duplicate_of = email, at, None
    with transaction.atomic():
        member.save(update_fields=["email", "due_at", "duplicate_of"])
        deliveries.write_event(
            "member.address_changed",
            {"previous": {"id": member.pk, "email": before}},
            member=member,
            happened_at=at,
        )
        GhostMember.objects.note_changes([member.pk])


def _schedule_mail(change: AddressChange, kind: OutgoingMail.Kind, *, at: datetime) -> None:
    OutgoingMail.objects.create(
        key=f"{kind}:{change.pk}",
        kind=kind,
        address_change=change,
        member_id=change.member_id,
        language=change.language,
        due_at=at,
    )
