"""A person's address: asked for on their page, confirmed at both, then made; or made by staff."""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from campaigns import emails
from campaigns.emails import links
from campaigns.members.merging import MergeRefused, merge_members
from campaigns.models import AddressChange, Erasure, FormerAddress, Member, OptOut, OutgoingMail
from campaigns.models.address_change import Side

# Whoever asks again and again in somebody's name fills nobody's mailbox.
MOST_CHANGES = 3
_IN = timedelta(hours=1)
_KEPT = timedelta(days=30)
_TRIES = 5


class TooManyChanges(Exception):
    """The person asked for as many within the hour as they may."""


class ChangeClosed(Exception):
    """The link is too old, another took its place, or it never was one."""


class _Overtaken(Exception):
    """While we looked the person's address became another one: nothing of this change is kept."""


def request_address_change(
    member: Member, email: str, *, language: str, at: datetime
) -> AddressChange:
    """Write the wish down and owe a mail to either address.

    The same steps whoever has the new one. Raises TooManyChanges, and ChangeClosed of somebody
    who was erased.
    """
    with transaction.atomic():
        locked = Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
        if locked is None or _is_to_be_forgotten(locked):
            raise ChangeClosed
        if member.address_changes.filter(asked_at__gt=at - _IN).count() >= MOST_CHANGES:
            raise TooManyChanges
        change = AddressChange.objects.create(
            member=member, email=email, language=language, asked_at=at
        )
        for kind in (OutgoingMail.Kind.ADDRESS_OLD, OutgoingMail.Kind.ADDRESS_NEW):
            _owe_mail(change, kind, at=at)
    return change


def find_open_change(member: Member, *, at: datetime) -> AddressChange | None:
    """What the person waits for."""
    return AddressChange.objects.open(at=at).filter(member=member).first()


def read_change(token: str, *, at: datetime) -> tuple[AddressChange, Side]:
    """The change of a link, open or made within its day, and the side; raises ChangeClosed."""
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
    """Confirm one side, and make the change if that was the last; raises ChangeClosed.

    Pressed twice it does nothing twice, by conditional updates.
    """
    change, side = read_change(token, at=at)
    AddressChange.objects.open(at=at).filter(pk=change.pk, **{side.field: None}).update(
        **{side.field: at}
    )
    make_change(change.pk, at=at)


def forget_changes(*, at: datetime, limit: int = 200) -> None:
    """Delete what came to nothing a month ago, with the mails that asked for it."""
    old = AddressChange.objects.filter(made_at=None, asked_at__lt=at - _KEPT)
    AddressChange.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()


def claim_address_changes(*, at: datetime, limit: int = 200) -> list[int]:
    """What was confirmed at both and is not made: we died in between."""
    return list(_confirmed(at=at).values_list("pk", flat=True)[:limit])


def make_change(change_id: int, *, at: datetime) -> bool:
    """Make a change that was confirmed at both, once; whether it was made now."""
    for _ in range(_TRIES):
        try:
            with transaction.atomic():
                return _make(change_id, at=at)
        except _Overtaken:
            return False
        except (IntegrityError, MergeRefused):
            # Somebody signed up under that address meanwhile, or who had it is being changed too.
            continue
    return False  # the sweep tries again, until the day is over


def _confirmed(*, at: datetime) -> "QuerySet[AddressChange]":
    return AddressChange.objects.open(at=at).filter(
        old_confirmed_at__isnull=False, new_confirmed_at__isnull=False
    )


def _make(change_id: int, *, at: datetime) -> bool:
    change = _confirmed(at=at).filter(pk=change_id).select_related("member").first()
    if change is None:
        return False
    other = Member.objects.filter(email=change.email).exclude(pk=change.member_id).first()
    if other is not None:
        # Whoever reads both mailboxes is both. It takes the locks of all that moves, in order.
        merge_members(kept=change.member, gone=other, why="address confirmed at both")
    member = Member.objects.select_for_update(no_key=True).filter(pk=change.member_id).first()
    if member is None:  # made one with another, and the change went with them
        raise _Overtaken
    made = AddressChange.objects.filter(pk=change_id, made_at=None).update(made_at=at)
    moved = member.email != change.member.email
    if not made or moved or _is_to_be_forgotten(member):
        raise _Overtaken
    adopt_address(member, change.email, at=at)
    _owe_mail(change, OutgoingMail.Kind.ADDRESS_CHANGED, at=at)
    return True


def _is_to_be_forgotten(member: Member) -> bool:
    return member.erased_at is not None or Erasure.objects.filter(member=member).exists()


def adopt_address(member: Member, email: str, *, at: datetime) -> None:
    """Let a locked person be known by that address; the one before leads to them still.

    Whoever was known by it once is not any more: it is this person's now.
    """
    before = member.email
    if before == email:
        return
    FormerAddress.objects.filter(email=email).delete()
    FormerAddress.objects.update_or_create(email=before, defaults={"member": member, "left_at": at})
    # What went to the old mailbox opens nothing any more.
    member.sign_in_links.filter(used_at=None).update(used_at=at)
    if OptOut.objects.holds(before):
        emails.stop_reminders(email)
    member.email, member.tell_stripe_at = email, at
    member.save(update_fields=["email", "tell_stripe_at"])


def _owe_mail(change: AddressChange, kind: OutgoingMail.Kind, *, at: datetime) -> None:
    OutgoingMail.objects.create(
        key=f"{kind}:{change.pk}",
        kind=kind,
        address_change=change,
        member_id=change.member_id,
        language=change.language,
        next_attempt_at=at,
    )
