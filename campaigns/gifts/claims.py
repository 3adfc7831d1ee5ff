"""Inner steps of a claim: turn a gift into a membership, exactly once.

Only `campaigns.actions` calls them: claiming a gift also changes who counts.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import memberships
from campaigns.gifts.announcements import announce_gift
from campaigns.gifts.lookups import (
    ConfirmationRequired,
    GiftNotClaimable,
    read_confirmation,
    refuse_unless_claimable,
)
from campaigns.gifts.mails import schedule_mail
from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Gift, Member, Membership, OutgoingMail, find_zone
from campaigns.models.codes import possible_hashes

# A second click within this time sends no second e-mail.
_RESEND_AFTER = timedelta(minutes=2)


def apply_claim(code: str, *, email: str, name: str, language: str) -> Gift | ConfirmationRequired:
    """Turn the gift into a membership of the person with this e-mail address, exactly once.

    The same person claiming again gets the same gift; anyone else gets GiftNotClaimable. If the
    person is a member already, an e-mail with a confirmation link is scheduled to their address
    and ConfirmationRequired is returned: the caller raises it after the commit.
    """
    now = timezone.now()
    with transaction.atomic():
        gift = _lock_gift(Q(code_hash__in=possible_hashes(code)), missing="unknown")
        member = Member.objects.lock_by_email(email, language=language)
        if gift.status == Gift.Status.CLAIMED and gift.claimed_by_id == member.pk:
            return gift
        refuse_unless_claimable(gift, at=now)
        current = memberships.lock_current_memberships(member, at=now)
        if not current:
            # A name that is known already is not overwritten.
            Member.objects.get_or_create_by_email(email, name=name)
            return _claim(gift, member, current, language=language, at=now)
        _schedule_confirmation(gift, member, language=language, at=now)
        return ConfirmationRequired(gift, member)


def apply_confirmation(token: str, *, language: str) -> Gift:
    """Add the gift to the membership of the person who confirmed it, exactly once.

    The gift is locked by its primary key and generation, so a signed link works without the key
    that made the claim code. Raises GiftNotClaimable.
    """
    now = timezone.now()
    gift, member = read_confirmation(token)
    with transaction.atomic():
        same_code = Q(pk=gift.pk, generation=gift.generation)
        locked = _lock_gift(same_code, missing="replaced")
        if locked.status == Gift.Status.CLAIMED and locked.claimed_by_id == member.pk:
            return locked
        refuse_unless_claimable(locked, at=now)
        try:
            current = memberships.lock_current_memberships(member, at=now)
        except Member.DoesNotExist as error:  # erased or merged since the link was read
            raise GiftNotClaimable("unknown") from error
        return _claim(locked, member, current, language=language, at=now)


def _lock_gift(condition: Q, *, missing: str) -> Gift:
    gift = (
        Gift.objects.select_for_update(of=("self",), no_key=True)
        .select_related("checkout__campaign", "price__plan")
        .filter(condition)
        .first()
    )
    if gift is None:
        raise GiftNotClaimable(missing)
    return gift


def _schedule_confirmation(gift: Gift, member: Member, *, language: str, at: datetime) -> None:
    mail = schedule_mail(
        gift, OutgoingMail.Kind.GIFT_CONFIRM, number=f"{gift.generation}-{member.pk}"
    )
    OutgoingMail.objects.filter(pk=mail.pk, member__isnull=True).update(
        member=member, language=language
    )
    given_up = Q(sent_at__isnull=True, due_at__isnull=True)
    OutgoingMail.objects.filter(given_up | Q(sent_at__lt=at - _RESEND_AFTER), pk=mail.pk).update(
        sent_at=None, due_at=at, attempts=0, failed_at=None, bounced_at=None, error=""
    )


def _claim(
    gift: Gift, member: Member, current: list[Membership], *, language: str, at: datetime
) -> Gift:
    """Claim a locked gift for a member whose current memberships are locked as well."""
    grant_gift(gift, member, current, at=at)
    gift.claimed_at = at
    gift.move_to(Gift.Status.CLAIMED)
    gift.bounced_at = None
    plan_next_step(gift)
    gift.save()
    announce_gift("gift.claimed", gift, member)
    assert gift.membership is not None
    memberships.welcome(gift.membership, language=language)
    schedule_mail(gift, OutgoingMail.Kind.GIFT_CLAIMED)
    return gift


def grant_gift(gift: Gift, member: Member, current: list[Membership], *, at: datetime) -> None:
    """Create the membership of a locked gift for this member. The caller saves the gift."""
    gift.membership = memberships.add_gift(
        member,
        plan=gift.price.plan,
        months=gift.months,
        zone=find_zone(gift.checkout.campaign),
        current=current,
        at=at,
    )
    gift.claimed_by = member
