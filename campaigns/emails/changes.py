"""Messages to readers about changes that staff or a campaign's rules made for them.

Their templates extend emails/membership/change.*. Each function returns the provider's id for the
message and raises NotNeeded if the row that it is about is gone.
"""

from typing import Any

from campaigns.emails import links
from campaigns.emails.contexts import build_membership_context
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import Member, Membership, OutgoingMail


def send_refunded(mail: OutgoingMail) -> str:
    """Tell a reader that a payment was refunded, all of it or a part."""
    payment = mail.payment
    orders = payment.refund_orders.filter(pk=mail.key.rpartition(":")[2]) if payment else None
    order = orders.first() if orders else None
    if payment is None or order is None:
        raise NotNeeded
    membership = payment.membership
    has_ended = membership is not None and membership.status == Membership.Status.ENDED
    context = {
        "news": "emails/parts/membership/refund.txt",
        "reason": "emails/parts/reasons/payer.txt",
        "payment": payment,
        "refund": order,
        "has_ended": order.ends_membership or has_ended,
        "renews": membership is not None
        and membership.source == Membership.Source.SUBSCRIPTION
        and not membership.is_cancelling,
    }
    return _send("membership/refunded", mail, payment.member, context)


def send_granted(mail: OutgoingMail) -> str:
    """Tell a reader that staff gave them a membership."""
    context = _describe_membership(mail.membership, mail.language)
    context |= {
        "news": "emails/parts/membership/grant.txt",
        "reason": "emails/parts/reasons/member.txt",
        "starts_at": context["membership"].started_at,
        "ends_at": context["access_until"],
    }
    return _send("membership/granted", mail, context["member"], context)


def send_reward(mail: OutgoingMail) -> str:
    """Tell a member that they were given months because friends joined by their link."""
    context = _describe_membership(mail.membership, mail.language)
    context |= {
        "news": "emails/parts/membership/reward.txt",
        "reason": "emails/parts/reasons/member.txt",
        "reward": context["membership"].share_reward,
        "starts_at": context["membership"].started_at,
        "ends_at": context["access_until"],
    }
    return _send("membership/reward", mail, context["member"], context)


def send_offline(mail: OutgoingMail) -> str:
    """Confirm a payment that didn't come through Stripe."""
    payment = mail.payment
    if payment is None:
        raise NotNeeded
    context = _describe_membership(payment.membership, mail.language)
    context |= {
        "news": "emails/parts/membership/offline_payment.txt",
        "reason": "emails/parts/reasons/payer.txt",
        "payment": payment,
        "ends_at": context["access_until"],
    }
    return _send("membership/offline", mail, payment.member, context)


def send_cancelled(mail: OutgoingMail) -> str:
    """Tell a member that staff cancelled their subscription."""
    context = _describe_membership(mail.membership, mail.language)
    context |= {
        "news": "emails/parts/membership/cancellation.txt",
        "reason": "emails/parts/reasons/member.txt",
    }
    return _send("membership/cancelled", mail, context["member"], context)


def send_ended(mail: OutgoingMail) -> str:
    """Tell a member that staff ended their membership."""
    context = _describe_membership(mail.membership, mail.language)
    context |= {
        "news": "emails/parts/membership/ended.txt",
        "reason": "emails/parts/reasons/former.txt",
    }
    return _send("membership/ended", mail, context["member"], context)


def _describe_membership(membership: Membership | None, language: str) -> dict[str, Any]:
    if membership is None:
        raise NotNeeded
    return build_membership_context(membership, language)


def _send(template: str, mail: OutgoingMail, member: Member, context: dict[str, Any]) -> str:
    context |= {
        "member": member,
        "message": mail.message,
        "account_url": links.build_url("account"),
    }
    return send_message(template, mail, to=member.email, context=context)
