"""Staff decisions about a gift: revoke, restore, reassign, pardon.

Each raises ForbiddenMove, with a sentence to show, if the gift no longer allows it.
"""

from django.contrib.auth.models import User
from django.db import transaction

from campaigns.actions.counts import publish, recount
from campaigns.gifts import decisions
from campaigns.models import Gift


def revoke_gift(gift: Gift, *, by: User, why: str) -> None:
    """Revoke a gift, claimed or not. The payment is not refunded."""
    with transaction.atomic():
        campaigns = recount(decisions.apply_revocation(gift, by=by, why=why), about=[gift])
    publish(campaigns)


def restore_gift(gift: Gift, *, by: User, why: str) -> None:
    """Restore an expired or revoked gift, with the full time to claim it."""
    with transaction.atomic():
        campaigns = recount(decisions.apply_restoration(gift, by=by, why=why), about=[gift])
    publish(campaigns)


def reassign_gift(gift: Gift, *, email: str, name: str, by: User, why: str) -> None:
    """Give a claimed gift to another person, for its full number of months."""
    with transaction.atomic():
        people = decisions.apply_reassignment(gift, email=email, name=name, by=by, why=why)
        campaigns = recount(people, about=[gift])
    publish(campaigns)


def pardon_gift(gift: Gift, *, by: User, why: str) -> None:
    """Let the member keep a claimed gift although its payment was reversed.

    The count doesn't change: it follows the payment.
    """
    decisions.apply_pardon(gift, by=by, why=why)
