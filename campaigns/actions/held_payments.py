"""Accept or decline a payment in an unexpected currency."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from campaigns import progress
from campaigns.actions.counts import publish, recount
from campaigns.models import Checkout, Gift, Payment
from campaigns.models.moves import ForbiddenMove, states_before


def accept_held_payment(payment: Payment) -> None:
    """Count a held payment in its campaign. Declining it later is possible.

    Raises ForbiddenMove if the payment is not held or has been accepted already.
    """
    _decide(payment, Payment.Hold.ACCEPTED)


def decline_held_payment(payment: Payment) -> None:
    """Leave a held payment out of every count. Accepting it later is possible.

    The buyer keeps what they bought. Raises ForbiddenMove if the payment is not held or has been
    declined already.
    """
    _decide(payment, Payment.Hold.REFUSED)


def _decide(payment: Payment, hold: Payment.Hold) -> None:
    if payment.checkout_id is None:
        raise ForbiddenMove(_("A payment recorded by hand is never held."))
    with transaction.atomic():
        # The locks of a settlement, in its order: it writes the same rows.
        Checkout.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.checkout_id)
        gifts = list(
            Gift.objects.select_for_update(of=("self",), no_key=True)
            .select_related("claimed_by")
            .filter(payment=payment)
            .order_by("position")
        )
        locked = Payment.objects.select_for_update(of=("self",), no_key=True).get(pk=payment.pk)
        if not locked.hold:
            raise ForbiddenMove(_("This payment is not held."))
        if locked.hold not in states_before(Payment.HOLD_MOVES, hold):
            raise ForbiddenMove(_("This payment was already decided this way."))
        locked.hold = hold
        locked.save(update_fields=["hold"])
        for gift in gifts:
            gift.payment = locked
            progress.tally_gift(gift)
        claimants = [gift.claimed_by for gift in gifts if gift.claimed_by is not None]
        campaigns = recount([locked.member, *claimants])
    if locked.campaign_id is not None:
        campaigns.add(locked.campaign_id)
    publish(campaigns)
