"""Messages to members about their membership and their payments.

Each function returns the provider's id for the message and raises NotNeeded if there is nothing
to say any more.
"""

from campaigns.emails import links
from campaigns.emails.contexts import (
    build_access_context,
    build_checkout_context,
    build_membership_context,
    is_access_over,
)
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import Membership, OutgoingMail, Payment


def send_receipt(mail: OutgoingMail) -> str:
    """Send the receipt for a payment."""
    assert mail.payment is not None
    payment = mail.payment
    context = build_checkout_context(payment.checkout)
    if payment.membership is not None:
        context |= build_access_context(payment.membership)
    context |= {"payment": payment, "member": payment.member}
    price = payment.membership.price_now if payment.membership else None
    if price is not None and payment.role in {Payment.Role.RENEWAL, Payment.Role.CHANGE}:
        # The member may have switched to another price since the Checkout.
        context |= {"price": price, "plan": price.plan.copy_for(mail.language)}
    return send_message("membership/receipt", mail, to=payment.member.email, context=context)


def send_welcome(mail: OutgoingMail) -> str:
    """Confirm that a membership has started or was extended."""
    membership = mail.membership
    if membership is None or membership.status == Membership.Status.ENDED:
        raise NotNeeded
    context = build_membership_context(membership, mail.language)
    return send_message("membership/welcome", mail, to=membership.member.email, context=context)


def send_past_due(mail: OutgoingMail) -> str:
    """Tell a member that a payment failed, unless it has been paid since."""
    membership = mail.membership
    if membership is None or membership.status != Membership.Status.PAST_DUE:
        raise NotNeeded
    if is_access_over(membership):
        raise NotNeeded  # its grace period is over: send_lapsed covers that
    invoice_id = mail.key.removeprefix(f"{mail.kind}:")
    attempts = membership.payments.filter(invoice_id=invoice_id, status=Payment.Status.FAILED)
    context = build_membership_context(membership, mail.language)
    # None if no payment was attempted, for example if the bank asks for a confirmation first.
    context["payment"] = attempts.order_by("-paid_at").first()
    return send_message("membership/past_due", mail, to=membership.member.email, context=context)


def send_lapsed(mail: OutgoingMail) -> str:
    """Tell a member that access has ended and how to get it back, unless they already have."""
    membership = mail.membership
    if membership is None or membership.status != Membership.Status.LAPSED:
        raise NotNeeded
    context = build_membership_context(membership, mail.language)
    context["account_url"] = links.build_url("account")
    return send_message("membership/lapsed", mail, to=membership.member.email, context=context)
