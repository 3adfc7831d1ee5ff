"""Stripe's side of an erasure: open sessions, subscriptions and customers. Safe to repeat."""

from collections.abc import Callable
from contextlib import suppress

from campaigns import settlement, stripe_api
from campaigns.erasures.traces import checkouts_of, find_traces
from campaigns.models import Checkout, Member, Membership


def end_purchases(member: Member) -> None:
    """Expire open sessions, then end running subscriptions at once, without a refund."""
    checkouts = checkouts_of(member, find_traces(member).addresses)
    for checkout in checkouts.filter(status=Checkout.Status.OPEN):
        assert checkout.session_id is not None
        with suppress(stripe_api.StripeRefused):  # paid this moment: the settlement finds out
            stripe_api.expire_session(checkout.session_id)
        settlement.settle_checkout(checkout.pk)
    subscriptions = member.memberships.exclude(subscription_id=None).order_by("pk")
    for membership in subscriptions.exclude(status=Membership.Status.ENDED):
        _unless_gone(stripe_api.end_subscription, membership.subscription_id)
        if membership.checkout_id is not None:
            settlement.settle_checkout(membership.checkout_id)
    for membership in subscriptions:
        _unless_gone(stripe_api.delete_cancellation_comment, membership.subscription_id)


def delete_customers(member: Member) -> None:
    """Delete names, addresses and cards at Stripe. Payments stay and can be refunded."""
    customer_ids = member.checkouts.exclude(customer_id="").values_list("customer_id", flat=True)
    for customer_id in sorted(set(customer_ids)):
        _unless_gone(stripe_api.delete_customer, customer_id)


def _unless_gone(change: Callable[[str], object], stripe_id: str | None) -> None:
    try:
        change(str(stripe_id))
    except stripe_api.StripeRefused as error:
        if error.status != 404:
            raise
