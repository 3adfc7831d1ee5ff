"""What the buyer or staff change about a gift, each noted with who and why.

Each takes the gift's lock, looks again and raises ForbiddenMove if it can no longer be done.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns import memberships
from campaigns.emails import LEASE as SENDING_LEASE
from campaigns.gifts.claims import grant_gift
from campaigns.gifts.mails import INVITATIONS, schedule_invitation
from campaigns.gifts.sales import expiry_of, reopen_gift, reversed_at_of
from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Gift, GiftChange, Member, OutgoingMail, ReplacedCode
from campaigns.models.moves import ForbiddenMove

What = GiftChange.What


@contextmanager
def _changing(gift: Gift, what: What, *, by: User | None, why: str) -> Iterator[Gift]:
    """The gift under its lock; saved with its next step and a note of the change."""
    with transaction.atomic():
        locked = (
            Gift.objects.select_for_update(of=("self",), no_key=True)
            .select_related("checkout__campaign", "price__plan", "membership")
            .get(pk=gift.pk)
        )
        yield locked
        plan_next_step(locked)
        locked.save()
        GiftChange.objects.create(
            gift=locked,
            what=what,
            made_by=by,
            staff_name=by.get_username() if by else "",
            why=why,
        )


def _refuse_unless(condition: bool, reason: str) -> None:
    if not condition:
        raise ForbiddenMove(reason)


def resend_gift(
    gift: Gift, *, with_new_code: bool = False, by: User | None = None, why: str = ""
) -> None:
    """Send the invitation of an unclaimed gift now; with a new code, the old one is void."""
    what = What.NEW_CODE if with_new_code else What.RESENT
    with _changing(gift, what, by=by, why=why) as locked:
        _refuse_unless(locked.is_claimable, "only an unclaimed gift is sent")
        if with_new_code:
            _renew_code(locked)
        locked.deliver_at = min(locked.deliver_at, timezone.now())
        _send_now(locked)


def _send_now(gift: Gift) -> None:
    """Owe its invitation now, unless one is on its way anyhow."""
    now = timezone.now()
    gift.bounced_at = None
    waiting = OutgoingMail.objects.filter(
        gift=gift, kind__in=INVITATIONS, sent_at__isnull=True, next_attempt_at__isnull=False
    )
    if not waiting.exists():
        schedule_invitation(gift, due_at=now)
    # One that a worker may be sending at this moment is left to it.
    waiting.filter(next_attempt_at__gt=now + SENDING_LEASE).update(next_attempt_at=now)


def _went_out(gift: Gift) -> bool:
    """Whether its code may be with somebody, even if nobody has noted the delivery yet."""
    mails = OutgoingMail.objects.filter(gift=gift, kind__in=INVITATIONS, attempts__gt=0)
    return gift.delivered_at is not None or mails.filter(failed_at__isnull=True).exists()


def _renew_code(gift: Gift) -> None:
    ReplacedCode.objects.get_or_create(code_hash=gift.code_hash, defaults={"gift": gift})
    gift.generation += 1
    gift.set_code()


def change_delivery(
    gift: Gift, *, deliver_at: datetime, zone: str = "", by: User | None = None, why: str = ""
) -> None:
    """Deliver an undelivered gift at another moment; its time to be claimed moves along."""
    with _changing(gift, What.DATE, by=by, why=why) as locked:
        _refuse_unless(locked.status == Gift.Status.PAID, "it was delivered already")
        locked.deliver_at, locked.zone = max(deliver_at, timezone.now()), zone
        locked.expires_at = expiry_of(locked.checkout, delivered_at=locked.deliver_at)
        schedule_invitation(locked, due_at=locked.deliver_at)


def change_recipient(
    gift: Gift, *, name: str, email: str, by: User | None = None, why: str = ""
) -> None:
    """Give an unclaimed gift to another recipient; without an address the buyer hands it over.

    Once its code went to somebody, that code is void.
    """
    with _changing(gift, What.RECIPIENT, by=by, why=why) as locked:
        _refuse_unless(locked.is_claimable, "only an unclaimed gift has another recipient")
        is_elsewhere = locked.recipient_email != email
        locked.recipient_name, locked.recipient_email = name, email
        if not is_elsewhere:
            return
        locked.bounced_at = None
        if _went_out(locked):
            _renew_code(locked)
        due_at = max(locked.deliver_at, timezone.now())
        schedule_invitation(locked, due_at=due_at)


def forget_recipient(gift: Gift) -> None:
    """Nothing of a locked gift tells for whom it is any more; one to be sent, its buyer passes on.

    The code stays good for whoever has it.
    """
    is_to_be_sent = gift.status == Gift.Status.PAID and not (gift.is_handed_over or _went_out(gift))
    gift.recipient_name = gift.recipient_email = gift.message = ""
    gift.bounced_at = None
    gift.save(update_fields=["recipient_name", "recipient_email", "message", "bounced_at"])
    if is_to_be_sent:
        schedule_invitation(gift, due_at=max(gift.deliver_at, timezone.now()))


def revoke_gift(gift: Gift, *, by: User, why: str) -> list[Member]:
    """Take a gift back, claimed or not; whom it concerned. The money is another matter."""
    now = timezone.now()
    with _changing(gift, What.REVOKED, by=by, why=why) as locked:
        _refuse_unless(locked.status != Gift.Status.REVOKED, "it was revoked already")
        if locked.status == Gift.Status.CLAIMED and locked.membership is not None:
            memberships.revoke_access(locked.membership, at=now)
        locked.move_to(Gift.Status.REVOKED)
        locked.revoked_at, locked.revoked_for = now, Gift.Cause.STAFF
        return [locked.claimed_by] if locked.claimed_by else []


def restore_gift(gift: Gift, *, by: User, why: str) -> list[Member]:
    """Bring back a gift that expired or was revoked, with its full time to be claimed.

    One that nobody had claimed comes back only while its payment stands; one that somebody had
    is kept from then on, whatever became of the money.
    """
    now = timezone.now()
    with _changing(gift, What.RESTORED, by=by, why=why) as locked:
        revivable = {Gift.Status.EXPIRED, Gift.Status.REVOKED}
        _refuse_unless(locked.status in revivable, "only what ended comes back")
        if locked.membership is not None and locked.claimed_by is not None:
            memberships.restore_access(locked.membership, at=now)
            locked.move_to(Gift.Status.CLAIMED)
            locked.revoked_at, locked.revoked_for = None, ""
            locked.reversed_at = reversed_at_of(locked)
            locked.is_pardoned = locked.reversed_at is not None
            return [locked.claimed_by]
        _refuse_unless(reversed_at_of(locked) is None, "its payment no longer stands")
        locked.expires_at = expiry_of(locked.checkout, delivered_at=now)
        locked.stepped_until = now
        if locked.status == Gift.Status.REVOKED:
            reopen_gift(locked)
        else:
            locked.move_to(Gift.Status.DELIVERED if locked.delivered_at else Gift.Status.PAID)
        return []


def pardon_gift(gift: Gift, *, by: User, why: str) -> None:
    """Let a claimed gift be, though its payment no longer stands."""
    with _changing(gift, What.KEPT, by=by, why=why) as locked:
        _refuse_unless(locked.needs_decision, "it waits for no decision")
        locked.is_pardoned = True


def reassign_gift(gift: Gift, *, email: str, name: str, by: User, why: str) -> list[Member]:
    """Give a claimed gift to another person, who has its whole time; whom it concerned."""
    now = timezone.now()
    with _changing(gift, What.REASSIGNED, by=by, why=why) as locked:
        _refuse_unless(locked.status == Gift.Status.CLAIMED, "nobody has claimed it")
        before, old = locked.claimed_by, locked.membership
        assert before is not None, "a claimed gift has a claimed_by"
        assert old is not None, "and a membership"
        after = Member.objects.get_or_create_by_email(email, name=name, language=before.language)
        _refuse_unless(after.pk != before.pk, "it belongs to that person")
        # Both people in one order, so that two who are exchanged at once do not wait for ever.
        people = Member.objects.select_for_update(no_key=True).order_by("pk")
        locked_people = people.filter(pk__in=[before.pk, after.pk])
        _refuse_unless(len(locked_people) == 2, "one of them was merged with another meanwhile")
        memberships.revoke_access(old, at=now)
        grant_gift(locked, after, memberships.lock_current_memberships(after, at=now), at=now)
        locked.claimed_at, locked.stepped_until = now, now
        assert locked.membership is not None
        memberships.welcome(locked.membership, language=after.language)
        return [before, after]
