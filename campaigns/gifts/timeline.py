"""The timeline of a gift: reminders until it is claimed, expiry, and the end of its membership.

The row of a gift is enough to list its steps. `stepped_until` says up to when they are done, and
`due_at` when the next one is due; every change of a gift plans the next step again.
"""

from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from campaigns import memberships
from campaigns.gifts.mails import schedule_mail
from campaigns.models import Gift, OutgoingMail

_EXPIRY_NOTICE = timedelta(days=30)
_PLAN_AGAIN = timedelta(days=5)


class Step(Enum):
    REMIND_RECIPIENT = "remind the recipient"
    REMIND_BOTH = "remind the recipient, and the buyer"
    WARN_BUYER = "warn the buyer that it will expire"
    EXPIRE = "expire"
    WARN_MEMBER = "warn the member that the membership will end"


# Time after the delivery of an unclaimed gift.
_REMINDERS = (
    (timedelta(days=14), Step.REMIND_RECIPIENT),
    (timedelta(days=60), Step.REMIND_BOTH),
    (timedelta(days=300), Step.REMIND_BOTH),
)
# Time before the end of the membership from a claimed gift.
_ENDINGS = (timedelta(days=30), timedelta(days=7))


def list_steps(gift: Gift) -> list[tuple[datetime, Step]]:
    """List all steps of the gift in its present state, done or not, in order of time."""
    if gift.status == Gift.Status.CLAIMED:
        return _list_end_warnings(gift)
    if not gift.is_claimable:
        return []
    steps = [(gift.expires_at, Step.EXPIRE)]
    warned_at = gift.expires_at - _EXPIRY_NOTICE
    if warned_at > gift.deliver_at:
        steps.append((warned_at, Step.WARN_BUYER))
    if gift.delivered_at is not None:
        steps += [
            (gift.delivered_at + after, step)
            for after, step in _REMINDERS
            if gift.delivered_at + after < gift.expires_at
        ]
    return sorted(steps, key=lambda step: step[0])


def _list_end_warnings(gift: Gift) -> list[tuple[datetime, Step]]:
    membership = gift.membership
    if membership is None or membership.ends_at is None or gift.claimed_at is None:
        return []
    warnings = [membership.ends_at - before for before in sorted(_ENDINGS, reverse=True)]
    # For a gift of one month, the warning would otherwise come on the day of the claim.
    begun_at = max(gift.claimed_at, membership.started_at)
    return [(at, Step.WARN_MEMBER) for at in warnings if at > begun_at + timedelta(days=3)]


def plan_next_step(gift: Gift) -> None:
    """Set when the next step is due. The caller holds the gift's lock, and saves."""
    done = gift.stepped_until
    ahead = [at for at, _ in list_steps(gift) if done is None or at > done]
    gift.due_at = min(ahead, default=None)
    if gift.status == Gift.Status.CLAIMED and gift.due_at is not None:
        # Its membership can begin earlier if the one before it ends early, so look again soon.
        gift.due_at = min(gift.due_at, timezone.now() + _PLAN_AGAIN)


def take_steps(gift_id: UUID, *, at: datetime | None = None) -> None:
    """Take the step that is due. If several were missed, only the last one is taken."""
    at = at or timezone.now()
    with transaction.atomic():
        gift = (
            Gift.objects.select_for_update(of=("self",), no_key=True)
            .select_related("checkout", "membership")
            .get(pk=gift_id)
        )
        done = gift.stepped_until
        due = [
            (moment, step)
            for moment, step in list_steps(gift)
            if moment <= at and (done is None or moment > done)
        ]
        if due:
            gift.stepped_until = due[-1][0]
            _take(gift, due[-1][1], moment=due[-1][0])
        plan_next_step(gift)
        gift.save(update_fields=["status", "stepped_until", "due_at"])


def _take(gift: Gift, step: Step, *, moment: datetime) -> None:
    kinds = OutgoingMail.Kind
    number = f"{moment:%Y%m%d}"
    match step:
        case Step.EXPIRE:
            gift.move_to(Gift.Status.EXPIRED)
        case Step.WARN_BUYER:
            schedule_mail(gift, kinds.GIFT_EXPIRING, number=number)
        case Step.WARN_MEMBER:
            if _is_the_end(gift, at=moment):
                assert gift.claimed_by is not None, "a claimed gift has a claimed_by"
                schedule_mail(
                    gift, kinds.GIFT_ENDING, number=number, language=gift.claimed_by.language
                )
        case Step.REMIND_RECIPIENT | Step.REMIND_BOTH:
            if gift.is_handed_over or step is Step.REMIND_BOTH:
                schedule_mail(gift, kinds.GIFT_UNCLAIMED, number=number)
            if not gift.is_handed_over:
                schedule_mail(gift, kinds.GIFT_REMINDER, number=number)


def _is_the_end(gift: Gift, *, at: datetime) -> bool:
    """Return whether the member's access ends when the membership from the gift does."""
    membership = gift.membership
    if membership is None:
        return False
    return memberships.access_until(membership.member, at) == membership.ends_at
