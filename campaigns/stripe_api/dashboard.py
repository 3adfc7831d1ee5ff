"""Addresses in the Stripe Dashboard."""

import re

from campaigns.stripe_api.connection import is_live

_STRIPE_PAGE = re.compile(r"https://(?:[a-z0-9-]+\.)*stripe\.com/[^\s\\]*")


def find_dashboard_url(intent_id: str | None) -> str:
    """Return the page of a payment, which shows its refunds and disputes, too."""
    mode = "" if is_live() else "test/"
    return f"https://dashboard.stripe.com/{mode}payments/{intent_id}"


def is_stripe_page(url: str) -> bool:
    """Return whether an address that came from outside is a page of Stripe's, over HTTPS."""
    return _STRIPE_PAGE.fullmatch(url) is not None
