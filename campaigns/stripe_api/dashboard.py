"""Addresses in the Stripe Dashboard."""

from campaigns.stripe_api.connection import is_live


def find_dashboard_url(intent_id: str | None) -> str:
    """Return the page of a payment, which shows its refunds and disputes, too."""
    mode = "" if is_live() else "test/"
    return f"https://dashboard.stripe.com/{mode}payments/{intent_id}"
