"""Find a gift by its claim code, or by the link of a confirmation e-mail. Nothing changes here."""

from datetime import datetime

from campaigns.emails import links
from campaigns.models import Gift, Member, ReplacedCode
from campaigns.models.codes import possible_hashes


class GiftNotClaimable(Exception):
    """The gift cannot be claimed; `reason` is its status, "replaced" or "unknown"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ConfirmationRequired(Exception):
    """The e-mail address belongs to a member, who has to confirm that the gift is added."""

    def __init__(self, gift: Gift, member: Member) -> None:
        super().__init__(str(gift))
        self.gift = gift
        self.member = member


def find_gift(code: str) -> Gift | None:
    """Return the gift of a claim code as someone typed it, or None."""
    return (
        Gift.objects.select_related("checkout__campaign", "buyer", "price__plan", "membership")
        .filter(code_hash__in=possible_hashes(code))
        .first()
    )


def is_replaced(code: str) -> bool:
    """Return whether the claim code was valid until a newer one replaced it."""
    return ReplacedCode.objects.filter(code_hash__in=possible_hashes(code)).exists()


def refuse_unless_claimable(gift: Gift, *, at: datetime) -> None:
    """Raise GiftNotClaimable with the reason to show to the reader."""
    if not gift.is_claimable:
        raise GiftNotClaimable(gift.status)
    if gift.expires_at <= at:
        raise GiftNotClaimable(Gift.Status.EXPIRED)


def refuse_if_claimed_by_other(code: str, *, email: str) -> None:
    """Raise GiftNotClaimable if someone else has claimed the gift.

    This runs before any lock is taken: late claims and guessed codes block no one.
    """
    claimed = Gift.objects.filter(
        code_hash__in=possible_hashes(code), status=Gift.Status.CLAIMED
    ).first()
    if claimed is not None:
        known = Member.objects.find(email)
        if known is None or known.pk != claimed.claimed_by_id:
            raise GiftNotClaimable(Gift.Status.CLAIMED)


def read_confirmation(token: str) -> tuple[Gift, Member]:
    """Return the gift and the member of a confirmation link.

    Raises GiftNotClaimable if the link is invalid ("unknown") or was made for an earlier claim
    code ("replaced").
    """
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
