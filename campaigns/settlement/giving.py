"""What happens to a gift and changes who counts: each counts anew whom it concerned.

Each raises what its namesake in `gifts` raises.
"""

from django.contrib.auth.models import User
from django.db import transaction

from campaigns import banners, gifts, progress
from campaigns.models import Gift


def claim_gift(code: str, *, email: str, name: str, language: str) -> Gift:
    """Claim a gift and recount the member who claimed it."""
    gifts.refuse_if_claimed_by_other(code, email=email)
    with transaction.atomic():
        outcome = gifts.apply_claim(code, email=email, name=name, language=language)
        if isinstance(outcome, Gift):
            _count(outcome)
    if not isinstance(outcome, Gift):
        raise outcome  # after the commit: the mail that it owes is kept
    _publish(outcome)
    return outcome


def confirm_claim(token: str, *, language: str) -> Gift:
    """Add a gift to the membership of whoever confirmed it, and count them anew."""
    with transaction.atomic():
        gift = gifts.confirm_claim(token, language=language)
        _count(gift)
    _publish(gift)
    return gift


def revoke_gift(gift: Gift, *, by: User, why: str) -> None:
    with transaction.atomic():
        progress.tally_members(gifts.revoke_gift(gift, by=by, why=why))
    _publish(gift)


def restore_gift(gift: Gift, *, by: User, why: str) -> None:
    with transaction.atomic():
        progress.tally_members(gifts.restore_gift(gift, by=by, why=why))
    _publish(gift)


def reassign_gift(gift: Gift, *, email: str, name: str, by: User, why: str) -> None:
    with transaction.atomic():
        progress.tally_members(gifts.reassign_gift(gift, email=email, name=name, by=by, why=why))
    _publish(gift)


def _count(gift: Gift) -> None:
    assert gift.claimed_by is not None, "a claimed gift has a claimed_by"
    progress.tally_members([gift.claimed_by])


def _publish(gift: Gift) -> None:
    if gift.checkout.campaign_id is not None:
        banners.request_publishing(gift.checkout.campaign_id)
