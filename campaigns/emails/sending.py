"""What all messages share: how one is sent, and what they tell of a purchase."""

from typing import Any

from django.utils import timezone

from campaigns.emails import links
from campaigns.emails.letters import send_rendered_mail
from campaigns.memberships import find_access
from campaigns.models import Checkout, Membership, OptOut, OutgoingMail
from campaigns.models.erasure import is_of_erased


class NothingToSay(Exception):
    """The message is no longer wanted: its gift was revoked, say."""


def send(
    name: str,
    mail: OutgoingMail,
    *,
    to: str,
    context: dict[str, Any],
    sender: str = "",
    may_opt_out: bool = False,
) -> str:
    if is_of_erased(to):
        raise NothingToSay
    opt_out_url = ""
    if may_opt_out:
        if OptOut.objects.holds(to):
            raise NothingToSay
        opt_out_url = links.absolute("opt_out", token=links.opt_out_token(to))
    return send_rendered_mail(
        name, to=to, context=context, mail_id=mail.pk, sender=sender, opt_out_url=opt_out_url
    )


def about_checkout(checkout: Checkout | None) -> dict[str, Any]:
    if checkout is None:
        return {}
    context: dict[str, Any] = {"checkout": checkout, "price": checkout.price}
    context["plan"] = checkout.price.plan.copy_for(checkout.language)
    if checkout.customer_id:
        context["portal_url"] = links.absolute("portal", token=links.portal_token(checkout))
    return context | about_campaign(checkout)


def about_membership(membership: Membership) -> dict[str, Any]:
    """Return the membership and when its access ends (None if no end is known)."""
    access = find_access(membership)
    return {"membership": membership, "access_until": access.until if access else None}


def is_access_over(membership: Membership) -> bool:
    access = find_access(membership)
    return access is not None and access.is_over(at=timezone.now())


def about_campaign(checkout: Checkout) -> dict[str, Any]:
    if checkout.campaign is None:
        return {}
    return {
        "campaign": checkout.campaign,
        "campaign_url": links.absolute("campaign", slug=checkout.campaign.slug),
    }
