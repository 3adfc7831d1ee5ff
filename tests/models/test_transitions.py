"""Which state may follow which, for every model that has one."""

import pytest

from campaigns.models import Checkout, Gift, Membership, StripeEvent
from campaigns.models.moves import ForbiddenMove, check_move, states_before

pytestmark = pytest.mark.once


@pytest.mark.parametrize("model", [Checkout, Gift, StripeEvent])
def test_every_state_has_its_moves(model: type[Checkout | Gift | StripeEvent]) -> None:
    assert set(model.MOVES) == set(model.Status)


def test_a_gift_once_claimed_can_only_be_revoked() -> None:
    gift = Gift(status=Gift.Status.CLAIMED)
    for status in set(Gift.Status) - {Gift.Status.CLAIMED, Gift.Status.REVOKED}:
        with pytest.raises(ForbiddenMove):
            gift.move_to(status)
    assert gift.status == Gift.Status.CLAIMED
    gift.move_to(Gift.Status.REVOKED)
    assert gift.status == Gift.Status.REVOKED


def test_a_paid_checkout_stays_paid() -> None:
    checkout = Checkout(status=Checkout.Status.PAID)
    checkout.move_to(Checkout.Status.PAID)
    for status in set(Checkout.Status) - {Checkout.Status.PAID}:
        with pytest.raises(ForbiddenMove):
            checkout.move_to(status)


def test_staying_is_always_allowed() -> None:
    check_move(StripeEvent.MOVES, old=StripeEvent.Status.DONE, new=StripeEvent.Status.DONE)


def test_what_comes_before_a_state_is_told_by_the_moves() -> None:
    assert states_before(StripeEvent.MOVES, StripeEvent.Status.NEW) == [
        StripeEvent.Status.DONE,
        StripeEvent.Status.IGNORED,
    ]
    assert states_before(Membership.MOVES, Membership.Status.ENDED) == [
        Membership.Status.PENDING,
        Membership.Status.ACTIVE,
    ]
