"""Template values that several messages share."""

from typing import Any

from django.utils import timezone

from campaigns.emails import links
from campaigns.memberships import find_access
from campaigns.models import Checkout, Membership


def build_checkout_context(checkout: Checkout | None) -> dict[str, Any]:
    """Return the price, plan, campaign and billing link of a purchase; nothing without one."""
    if checkout is None:
        return {}
    context: dict[str, Any] = {
        "checkout": checkout,
        "price": checkout.terms,
        "plan": checkout.price.plan.copy_for(checkout.language),
    }
    if checkout.customer_id:
        context["portal_url"] = links.build_url("portal", token=links.make_portal_token(checkout))
    return context | build_campaign_context(checkout)


def build_membership_context(membership: Membership, language: str) -> dict[str, Any]:
    """Return a membership with its member, current plan, access, purchase and account page."""
    return (
        build_checkout_context(membership.checkout)
        | build_access_context(membership)
        | {
            "member": membership.member,
            "account_url": links.build_url("account"),
            "plan": membership.plan.copy_for(language) if membership.plan else None,
        }
    )


def build_access_context(membership: Membership) -> dict[str, Any]:
    """Return a membership and when its access ends (None if no end is known)."""
    access = find_access(membership)
    return {"membership": membership, "access_until": access.until if access else None}


def is_access_over(membership: Membership) -> bool:
    """Return whether the membership gives no access any more."""
    access = find_access(membership)
    return access is not None and access.is_over(at=timezone.now())


def build_campaign_context(checkout: Checkout) -> dict[str, Any]:
    """Return the campaign of a purchase and the address of its page; nothing without one."""
    if checkout.campaign is None:
        return {}
    return {
        "campaign": checkout.campaign,
        "campaign_url": links.build_url("campaign", slug=checkout.campaign.slug),
    }
