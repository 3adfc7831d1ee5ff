"""The allowed changes of state, for every model that has a state."""

import pytest
from django.utils.translation import override

from campaigns.models import Checkout, Gift, Membership, StripeEvent
from campaigns.models.moves import ForbiddenMove, check_move, states_before

pytestmark = pytest.mark.once


@pytest.mark.parametrize("model", [Checkout, Gift, StripeEvent])
def test_every_state_lists_its_moves(model: type[Checkout | Gift | StripeEvent]) -> None:
    assert set(model.MOVES) == set(model.Status)


def test_a_claimed_gift_can_only_be_revoked() -> None:
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


def test_keeping_a_state_is_always_allowed() -> None:
    check_move(StripeEvent.MOVES, old=StripeEvent.Status.DONE, new=StripeEvent.Status.DONE)


def test_a_forbidden_move_is_a_sentence_in_the_readers_language() -> None:
    claimed, paid = Gift.Status.CLAIMED, Gift.Status.PAID
    with pytest.raises(ForbiddenMove) as refused:
        check_move(Gift.MOVES, old="claimed", new=paid)
    assert str(refused.value) == "The status can’t change from “claimed” to “paid”."
    assert (refused.value.old, refused.value.new) == (claimed, paid)
    with override("uk"):
        with pytest.raises(ForbiddenMove) as refused:
            check_move(Gift.MOVES, old="claimed", new=paid)
        assert "«отримано»" in str(refused.value)


def test_the_moves_say_which_states_come_before_a_state() -> None:
    assert states_before(StripeEvent.MOVES, StripeEvent.Status.NEW) == [
        StripeEvent.Status.DONE,
        StripeEvent.Status.IGNORED,
    ]
    assert states_before(Membership.MOVES, Membership.Status.ENDED) == [
        Membership.Status.PENDING,
        Membership.Status.ACTIVE,
    ]
