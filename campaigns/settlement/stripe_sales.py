"""Subscriptions at our prices that were sold at Stripe, without a Checkout of ours."""

from collections.abc import Collection

from django.conf import settings
from django.utils import timezone

from campaigns.models import ErasedAddress, Price, StripeSale
from campaigns.stripe_api import Subscription


def find_own_price(price_ids: Collection[str]) -> Price | None:
    """Return the price of ours at which a subscription renews, if one of these ids is its."""
    if not price_ids:
        return None
    renewing = Price.objects.filter(kind__in=[Price.Kind.MONTH, Price.Kind.YEAR])
    return renewing.filter(stripe_price_id__in=price_ids).order_by("pk").first()


def note_stripe_sale(subscription: Subscription) -> StripeSale | None:
    """List such a subscription, or update its row; None if its price isn't ours, or it was
    adopted.

    If ADOPT_STRIPE_SALES is set, its adoption becomes due.
    """
    price = find_own_price(subscription.price_ids)
    if price is None:
        return None
    if StripeSale.objects.exclude(checkout=None).filter(subscription_id=subscription.id).exists():
        return None  # adopted a moment ago
    email = subscription.customer.email
    sale, _ = StripeSale.objects.update_or_create(
        subscription_id=subscription.id,
        checkout=None,
        defaults={
            "customer_id": subscription.customer_id,
            "email": "" if ErasedAddress.objects.holds(email) else email,
            "price": price,
            "status": subscription.status,
            "started_at": subscription.started_at,
        },
    )
    if settings.ADOPT_STRIPE_SALES and sale.is_open and sale.due_at is None:
        StripeSale.objects.filter(pk=sale.pk).update(due_at=timezone.now())
    return sale
