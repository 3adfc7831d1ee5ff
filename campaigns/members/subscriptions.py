"""What a person changes of their own subscription: Stripe is told, and our rows follow it.

Callers settle the Checkout afterwards: Stripe's object decides every field of ours.
"""

from datetime import timedelta

from django.utils import timezone

from campaigns import stripe_api
from campaigns.models import Checkout, Member, Membership

_ANSWERED_BY = timedelta(minutes=1)  # whatever Stripe said by then, it has done or not done it


def find_membership(member: Member, membership_id: int) -> Membership | None:
    """The subscription of that id if it is that person's and was bought here."""
    return (
        Membership.objects.filter(
            pk=membership_id,
            member=member,
            source=Membership.Source.SUBSCRIPTION,
            subscription_id__isnull=False,
            checkout__isnull=False,
        )
        .select_related("checkout__campaign", "checkout__price__plan", "plan", "price__plan")
        .first()
    )


def cancel(membership: Membership, *, feedback: str = "", comment: str = "") -> None:
    """Let it end with the period that is paid; raises the errors of stripe_api."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.cancel_subscription_at_period_end(
        membership.subscription_id, feedback=feedback, comment=comment
    )


def keep(membership: Membership) -> None:
    """Take the cancellation back; raises the errors of stripe_api."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.undo_cancellation(membership.subscription_id)


def end_subscription_now(membership: Membership) -> None:
    """Let it end at once; what was paid stays paid. Raises the errors of stripe_api."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.end_subscription(membership.subscription_id)


def settle_soon(membership: Membership) -> None:
    """If no answer comes, or we die before it does, the sweep finds out what became of it."""
    assert membership.checkout_id is not None
    Checkout.objects.filter(pk=membership.checkout_id).update(
        settle_at=timezone.now() + _ANSWERED_BY
    )
