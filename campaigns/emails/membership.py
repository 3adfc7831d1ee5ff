"""Messages to members about their membership and their payments.

Each function returns the provider's id for the message and raises NotNeeded if there is nothing
to say any more.
"""

from django.utils import timezone

from campaigns.emails import links
from campaigns.emails.contexts import (
    build_access_context,
    build_checkout_context,
    build_membership_context,
    is_access_over,
)
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import Membership, OutgoingMail, Payment, Price


def send_receipt(mail: OutgoingMail) -> str:
    """Send the receipt for a payment."""
    assert mail.payment is not None
    payment = mail.payment
    context = build_checkout_context(payment.checkout)
    if payment.membership is not None:
        context |= build_access_context(payment.membership)
    context |= {"payment": payment, "member": payment.member}
    price = payment.membership.terms_now if payment.membership else None
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
    if (campaign := context.get("campaign")) is not None:
        context["share_url"] = links.make_share_url(membership.member, campaign)
    return send_message("membership/welcome", mail, to=membership.member.email, context=context)


def send_renewal(mail: OutgoingMail) -> str:
    """Remind a member of the next yearly charge, unless it was made or won't be."""
    membership = mail.membership
    if membership is None or membership.status != Membership.Status.ACTIVE:
        raise NotNeeded
    charge_at, terms = membership.charge_at, membership.terms_now
    is_over = charge_at is None or charge_at <= timezone.now()
    if is_over or membership.is_cancelling or terms is None or terms.kind != Price.Kind.YEAR:
        raise NotNeeded
    noted = membership.next_due_minor
    context = build_membership_context(membership, mail.language) | {
        "charge_at": charge_at,
        "amount_minor": terms.amount_minor if noted is None else noted,
        "currency": terms.currency,
    }
    return send_message("membership/renewal", mail, to=membership.member.email, context=context)


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
    return send_message("membership/lapsed", mail, to=membership.member.email, context=context)
