"""Claim a gift, and confirm a claim that adds to an existing membership."""

from django.db import transaction

from campaigns.actions.counts import publish, recount
from campaigns.gifts.claims import apply_claim, apply_confirmation
from campaigns.gifts.lookups import ConfirmationRequired, refuse_if_claimed_by_other
from campaigns.models import Gift


def claim_gift(code: str, *, email: str, name: str, language: str) -> Gift:
    """Claim a gift by its claim code. Claiming it again as the same person changes nothing.

    Raises GiftNotClaimable, and ConfirmationRequired if the person is a member already: then a
    confirmation link is sent to their address.
    """
    refuse_if_claimed_by_other(code, email=email)
    with transaction.atomic():
        outcome = apply_claim(code, email=email, name=name, language=language)
        campaigns = _recount_claim(outcome) if isinstance(outcome, Gift) else set()
    if isinstance(outcome, ConfirmationRequired):
        raise outcome  # after the commit, which keeps the scheduled e-mail
    publish(campaigns)
    return outcome


def confirm_claim(token: str, *, language: str) -> Gift:
    """Add a gift to the membership of the person who opened the confirmation link.

    Confirming again changes nothing. Raises GiftNotClaimable.
    """
    with transaction.atomic():
        gift = apply_confirmation(token, language=language)
        campaigns = _recount_claim(gift)
    publish(campaigns)
    return gift


def _recount_claim(gift: Gift) -> set[int]:
    assert gift.claimed_by is not None, "a claimed gift has a claimed_by"
    return recount([gift.claimed_by], about=[gift])
