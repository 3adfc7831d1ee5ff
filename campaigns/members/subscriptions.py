"""Changes that members make to their subscription: at Stripe first, our rows follow.

Callers settle the Checkout afterwards, because Stripe's object decides all our fields.
"""

from datetime import timedelta

from django.utils import timezone

from campaigns import stripe_api
from campaigns.models import Checkout, Member, Membership

_ANSWERED_BY = timedelta(minutes=1)  # by then Stripe has made the change or refused it


def find_membership(member: Member, membership_id: int) -> Membership | None:
    """Return that subscription if it belongs to `member` and was bought here."""
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


def cancel_subscription(membership: Membership, *, feedback: str = "", comment: str = "") -> None:
    """End it with its paid period. Raises the errors of stripe_api."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.cancel_subscription_at_period_end(
        membership.subscription_id, feedback=feedback, comment=comment
    )


def resume_subscription(membership: Membership) -> None:
    """Undo a cancellation. Raises the errors of stripe_api."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.undo_cancellation(membership.subscription_id)


def end_subscription_now(membership: Membership) -> None:
    """End it at once, without a refund. Raises the errors of stripe_api."""
    assert membership.subscription_id is not None
    settle_soon(membership)
    stripe_api.end_subscription(membership.subscription_id)


def settle_soon(membership: Membership) -> None:
    """Settle in a moment, in case Stripe's answer is lost or this process dies."""
    assert membership.checkout_id is not None
    Checkout.objects.filter(pk=membership.checkout_id).update(due_at=timezone.now() + _ANSWERED_BY)
