"""Messages to readers about changes that staff made: what changed, and what staff wrote to them.

Each function returns the provider's id for the message and raises NotNeeded if the row that it is
about is gone.
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
    context = {
        "payment": payment,
        "amount_minor": order.amount_minor,
        "ends_membership": order.ends_membership,
        "renews": membership is not None
        and membership.source == Membership.Source.SUBSCRIPTION
        and membership.status != Membership.Status.ENDED
        and not membership.is_cancelling,
    }
    return _send("membership/refunded", mail, payment.member, context)


def send_granted(mail: OutgoingMail) -> str:
    """Tell a reader that staff gave them a membership."""
    return _send_about_membership("membership/granted", mail)


def send_offline(mail: OutgoingMail) -> str:
    """Confirm a payment that didn't come through Stripe."""
    payment = mail.payment
    if payment is None or payment.membership is None:
        raise NotNeeded
    context = build_membership_context(payment.membership, mail.language) | {"payment": payment}
    return _send("membership/offline", mail, payment.member, context)


def send_cancelled(mail: OutgoingMail) -> str:
    """Tell a member that staff cancelled their subscription."""
    return _send_about_membership("membership/cancelled", mail)


def send_ended(mail: OutgoingMail) -> str:
    """Tell a member that staff ended their membership."""
    return _send_about_membership("membership/ended", mail)


def _send_about_membership(template: str, mail: OutgoingMail) -> str:
    membership = mail.membership
    if membership is None:
        raise NotNeeded
    context = build_membership_context(membership, mail.language)
    return _send(template, mail, membership.member, context)


def _send(template: str, mail: OutgoingMail, member: Member, context: dict[str, Any]) -> str:
    context |= {
        "member": member,
        "message": mail.message,
        "account_url": links.build_url("account"),
    }
    return send_message(template, mail, to=member.email, context=context)
