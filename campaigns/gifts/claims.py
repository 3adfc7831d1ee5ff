"""A code becomes a membership of whoever claims it, exactly once."""

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import memberships
from campaigns.emails import links
from campaigns.gifts.mails import schedule_mail
from campaigns.gifts.timeline import plan_next_step
from campaigns.models import Gift, Member, Membership, OutgoingMail, ReplacedCode
from campaigns.models.codes import possible_hashes
from campaigns.models.member import canonical_email

# Whoever clicks again gets no second mail at once.
_ASK_AGAIN = timedelta(minutes=2)


class GiftNotClaimable(Exception):
    """The gift cannot be claimed; `reason` is its status, "replaced" or "unknown"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfirmationRequired(Exception):
    """The address belongs to a member: the gift adds to that membership once it is confirmed
    from there."""

    def __init__(self, gift: Gift, member: Member) -> None:
        super().__init__(str(gift))
        self.gift = gift
        self.member = member


def find_gift(code: str) -> Gift | None:
    """The gift of a code as somebody typed it."""
    return (
        Gift.objects.select_related("checkout__campaign", "buyer", "price__plan", "membership")
        .filter(code_hash__in=possible_hashes(code))
        .first()
    )


def is_replaced(code: str) -> bool:
    """Whether the code was good until a newer one took its place."""
    return ReplacedCode.objects.filter(code_hash__in=possible_hashes(code)).exists()


def refuse_unless_claimable(gift: Gift, *, at: datetime) -> None:
    """Raise GiftNotClaimable with the reason that the reader should be told."""
    if not gift.is_claimable:
        raise GiftNotClaimable(gift.status)
    if gift.expires_at <= at:
        raise GiftNotClaimable(Gift.Status.EXPIRED)


def refuse_if_claimed_by_other(code: str, *, email: str) -> None:
    """Raise GiftNotClaimable of a gift that somebody else has claimed.

    Before anything is locked, so that whoever comes late, or tries codes out, holds up nobody.
    """
    claimed = Gift.objects.filter(
        code_hash__in=possible_hashes(code), status=Gift.Status.CLAIMED
    ).first()
    if claimed is not None:
        known = Member.objects.find(canonical_email(email))
        if known is None or known.pk != claimed.claimed_by_id:
            raise GiftNotClaimable(Gift.Status.CLAIMED)


def apply_claim(
    code: str, *, email: str, name: str, language: str
) -> "Gift | ConfirmationRequired":
    """Turn the gift into a membership of whoever claims it, exactly once.

    The same person claiming it again gets the same gift back; anybody else is refused by
    GiftNotClaimable. If it would add to a membership that runs already, a mail with a link to
    `confirm_claim` is owed to that membership's address instead: then ConfirmationRequired is given
    back, for the caller to raise once that is kept.
    """
    now = timezone.now()
    with transaction.atomic():
        gift = _lock(code)
        claimed_by = Member.objects.lock_by_email(email, language=language)
        if gift.status == Gift.Status.CLAIMED and gift.claimed_by_id == claimed_by.pk:
            return gift
        refuse_unless_claimable(gift, at=now)
        current = memberships.lock_current_memberships(claimed_by, at=now)
        if not current:
            Member.objects.get_or_create_by_email(
                email, name=name
            )  # whoever is known keeps their name
            return _give(gift, claimed_by, current, language=language, at=now)
        _schedule_confirmation(gift, claimed_by, language=language, at=now)
        return ConfirmationRequired(gift, claimed_by)


def _lock(code: str) -> Gift:
    gift = (
        Gift.objects.select_for_update(of=("self",), no_key=True)
        .select_related("checkout__campaign", "price__plan")
        .filter(code_hash__in=possible_hashes(code))
        .first()
    )
    if gift is None:
        raise GiftNotClaimable("unknown")
    return gift


def _schedule_confirmation(gift: Gift, member: Member, *, language: str, at: datetime) -> None:
    mail = schedule_mail(
        gift, OutgoingMail.Kind.GIFT_CONFIRM, number=f"{gift.generation}-{member.pk}"
    )
    OutgoingMail.objects.filter(pk=mail.pk, member__isnull=True).update(
        member=member, language=language
    )
    given_up = Q(sent_at__isnull=True, next_attempt_at__isnull=True)
    OutgoingMail.objects.filter(given_up | Q(sent_at__lt=at - _ASK_AGAIN), pk=mail.pk).update(
        sent_at=None, next_attempt_at=at, attempts=0, failed_at=None, bounced_at=None, error=""
    )


def read_confirmation(token: str) -> tuple[Gift, Member]:
    """The gift and the member of a token; raises GiftNotClaimable if it says nothing any more."""
    try:
        gift_id, generation, member_id = links.read_confirmation_token(token)
    except links.BadLink as error:
        raise GiftNotClaimable("unknown") from error
    gift = (
        Gift.objects.select_related("checkout__campaign", "buyer", "price__plan", "membership")
        .filter(pk=gift_id)
        .first()
    )
    member = Member.objects.filter(pk=member_id, erased_at=None).first()
    if gift is None or member is None:
        raise GiftNotClaimable("unknown")
    if gift.generation != generation:
        raise GiftNotClaimable("replaced")
    return gift, member


def confirm_claim(token: str, *, language: str) -> Gift:
    """Add the gift to the membership of whoever confirmed it, exactly once."""
    now = timezone.now()
    gift, member = read_confirmation(token)
    with transaction.atomic():
        locked = _lock(gift.code)
        if locked.status == Gift.Status.CLAIMED and locked.claimed_by_id == member.pk:
            return locked
        refuse_unless_claimable(locked, at=now)
        try:
            current = memberships.lock_current_memberships(member, at=now)
        except Member.DoesNotExist as error:  # erased, or made one with another
            raise GiftNotClaimable("unknown") from error
        return _give(locked, member, current, language=language, at=now)


def _give(
    gift: Gift, claimed_by: Member, current: list[Membership], *, language: str, at: datetime
) -> Gift:
    """Make the membership of a locked gift, given what its claimed_by has, locked as well."""
    grant_gift(gift, claimed_by, current, at=at)
    gift.claimed_at = at
    gift.move_to(Gift.Status.CLAIMED)
    gift.bounced_at = None
    plan_next_step(gift)
    gift.save()
    assert gift.membership is not None
    memberships.welcome(gift.membership, language=language)
    schedule_mail(gift, OutgoingMail.Kind.GIFT_CLAIMED)
    return gift


def grant_gift(gift: Gift, claimed_by: Member, current: list[Membership], *, at: datetime) -> None:
    """Make the membership of a locked gift; the caller saves the gift."""
    campaign = gift.checkout.campaign
    gift.membership = memberships.add_gift(
        claimed_by,
        plan=gift.price.plan,
        months=gift.months,
        zone=campaign.zone_info if campaign else timezone.get_default_timezone(),
        current=current,
        at=at,
    )
    gift.claimed_by = claimed_by
