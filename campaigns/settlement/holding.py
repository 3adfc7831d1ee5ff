"""Whether a payment in another currency than was asked for is the campaign's: staff say so."""

from django.db import transaction

from campaigns import banners, progress
from campaigns.models import Checkout, Gift, Payment
from campaigns.models.moves import ForbiddenMove, states_before


def decide_held(payment: Payment, hold: Payment.Hold) -> None:
    """Take a held payment for the campaign, or not; whoever it concerns is counted anew.

    Staff may think again. What was bought is given in any case. Raises ForbiddenMove if it is not
    held, or is decided so already.
    """
    if payment.checkout_id is None:
        raise ForbiddenMove("a payment taken offline is never held")
    with transaction.atomic():
        # As a settlement does, which would write the same row.
        Checkout.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.checkout_id)
        gifts = list(
            Gift.objects.select_for_update(of=("self",), no_key=True)
            .select_related("claimed_by")
            .filter(payment=payment)
            .order_by("position")
        )
        locked = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.pk)
        if locked.hold not in states_before(Payment.HOLD_MOVES, hold):
            raise ForbiddenMove(f"from {locked.hold or 'not held'} to {hold}")
        locked.hold = hold
        locked.save(update_fields=["hold"])
        for gift in gifts:
            gift.payment = locked
            progress.tally_gift(gift)
        claimants = [gift.claimed_by for gift in gifts if gift.claimed_by is not None]
        progress.tally_members([locked.member, *claimants])
    if locked.campaign_id is not None:
        banners.request_publishing(locked.campaign_id)
