"""One function a message; texts and looks are in templates/emails/.

Each gives back the provider's id of what was sent, and raises NothingToSay or its error.
"""

from collections.abc import Callable
from datetime import timedelta, tzinfo

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from campaigns.emails import links, of_addresses, of_gifts
from campaigns.emails.sending import NothingToSay, about_checkout, send
from campaigns.models import Gift, Membership, OutgoingMail, Payment


def send_mail(mail: OutgoingMail) -> str:
    """Hand one owed message to the mail provider, in its language and its campaign's time zone."""
    with override(mail.language), timezone.override(_zone(mail)):
        return _MESSAGES[mail.kind](mail)


# To whoever pays


def send_receipt(mail: OutgoingMail) -> str:
    assert mail.payment is not None
    payment = mail.payment
    about = about_checkout(payment.checkout) | {"payment": payment, "member": payment.member}
    price = payment.membership.price_now if payment.membership else None
    if price is not None and payment.role in {Payment.Role.RENEWAL, Payment.Role.CHANGE}:
        # What the Checkout sold may have been switched for another price since.
        about |= {"price": price, "plan": price.plan.copy_for(mail.language)}
    return send("membership/receipt", mail, to=payment.member.email, context=about)


def send_welcome(mail: OutgoingMail) -> str:
    membership = mail.membership
    if membership is None or membership.status == Membership.Status.ENDED:
        raise NothingToSay
    context = about_checkout(membership.checkout) | {
        "member": membership.member,
        "membership": membership,
        "plan": membership.plan.copy_for(mail.language) if membership.plan else None,
    }
    return send("membership/welcome", mail, to=membership.member.email, context=context)


def send_past_due(mail: OutgoingMail) -> str:
    """What failed, as long as it has not been mended: by another try, or by the member."""
    membership = mail.membership
    if membership is None or membership.status != Membership.Status.PAST_DUE:
        raise NothingToSay
    if membership.access_until is not None and membership.access_until <= timezone.now():
        raise NothingToSay  # its grace is over: what is owed now is another mail
    invoice_id = mail.key.removeprefix(f"{mail.kind}:")
    tried = membership.payments.filter(invoice_id=invoice_id, status=Payment.Status.FAILED)
    context = about_checkout(membership.checkout) | {
        "member": membership.member,
        "membership": membership,
        # None if nothing was tried, as when the bank first asks for a confirmation.
        "payment": tried.order_by("-paid_at").first(),
        "plan": membership.plan.copy_for(mail.language) if membership.plan else None,
    }
    return send("membership/past_due", mail, to=membership.member.email, context=context)


def send_lapsed(mail: OutgoingMail) -> str:
    """That access has ended and how to return, unless its member returned meanwhile."""
    membership = mail.membership
    if membership is None or membership.status != Membership.Status.LAPSED:
        raise NothingToSay
    context = about_checkout(membership.checkout) | {
        "member": membership.member,
        "membership": membership,
        "plan": membership.plan.copy_for(mail.language) if membership.plan else None,
        "mine_url": links.absolute("mine"),
    }
    return send("membership/lapsed", mail, to=membership.member.email, context=context)


# To whoever asked for a link to their own page


def send_sign_in(mail: OutgoingMail) -> str:
    link = mail.sign_in
    if link is None or link.used_at or timezone.now() >= link.created_at + links.SIGN_IN_LASTS:
        raise NothingToSay
    token = links.sign_in_token(link)
    if links.hash_sign_in_token(token) != link.secret_hash:
        raise NothingToSay  # our key was changed since: what we would send opens nothing
    context = {
        "member": link.member,
        "open_url": links.absolute("open_mine", token=token),
        "minutes": links.SIGN_IN_LASTS // timedelta(minutes=1),
    }
    return send("account/sign_in", mail, to=link.member.email, context=context)


# To whoever is being forgotten


def send_erasure(mail: OutgoingMail) -> str:
    """The last one. Once the rows are stripped there is no address any more."""
    if mail.member is None:
        raise NothingToSay
    context = {"member": mail.member, "erasure": mail.member.erasure}
    return send("account/erasure", mail, to=mail.member.email, context=context)


# To the staff


def send_dispute(mail: OutgoingMail) -> str:
    """Of the state in which the dispute was when the mail fell due, unless it is in another now."""
    dispute = mail.dispute
    if dispute is None or not mail.key.endswith(f":{dispute.status}") or not settings.STAFF_EMAIL:
        raise NothingToSay
    payment = dispute.payment
    page = reverse("admin:campaigns_payment_change", args=[payment.pk])
    mode = "" if "_live_" in settings.STRIPE_SECRET_KEY else "test/"
    context = {
        "dispute": dispute,
        "payment": payment,
        "reason": dispute.reason.replace("_", " "),
        "is_open": dispute.status.endswith("needs_response"),
        "admin_url": settings.SITE_URL + page,
        "stripe_url": f"https://dashboard.stripe.com/{mode}payments/{payment.intent_id}",
    }
    return send("staff/dispute", mail, to=settings.STAFF_EMAIL, context=context)


_MESSAGES: dict[str, Callable[[OutgoingMail], str]] = {
    OutgoingMail.Kind.RECEIPT: send_receipt,
    OutgoingMail.Kind.WELCOME: send_welcome,
    OutgoingMail.Kind.GIFT_BOUGHT: of_gifts.send_gift_bought,
    OutgoingMail.Kind.GIFT_TO_PASS_ON: of_gifts.send_gift_to_pass_on,
    OutgoingMail.Kind.GIFT_DELIVERED: of_gifts.send_gift_delivered,
    OutgoingMail.Kind.GIFT_BOUNCED: of_gifts.send_gift_bounced,
    OutgoingMail.Kind.GIFT_BOUNCED_STAFF: of_gifts.send_gift_bounced_staff,
    OutgoingMail.Kind.GIFT_UNCLAIMED: of_gifts.send_gift_unclaimed,
    OutgoingMail.Kind.GIFT_EXPIRING: of_gifts.send_gift_expiring,
    OutgoingMail.Kind.GIFT_CLAIMED: of_gifts.send_gift_claimed,
    OutgoingMail.Kind.GIFT_INVITATION: of_gifts.send_gift_invitation,
    OutgoingMail.Kind.GIFT_REMINDER: of_gifts.send_gift_reminder,
    OutgoingMail.Kind.GIFT_CONFIRM: of_gifts.send_gift_confirm,
    OutgoingMail.Kind.GIFT_ENDING: of_gifts.send_gift_ending,
    OutgoingMail.Kind.SIGN_IN: send_sign_in,
    OutgoingMail.Kind.ADDRESS_OLD: of_addresses.send_address_old,
    OutgoingMail.Kind.ADDRESS_NEW: of_addresses.send_address_new,
    OutgoingMail.Kind.ADDRESS_CHANGED: of_addresses.send_address_changed,
    OutgoingMail.Kind.PAST_DUE: send_past_due,
    OutgoingMail.Kind.LAPSED: send_lapsed,
    OutgoingMail.Kind.ERASURE: send_erasure,
    OutgoingMail.Kind.DISPUTE: send_dispute,
}


def _zone(mail: OutgoingMail) -> tzinfo:
    """Days are told as the campaign's own calendar has them."""
    about: Payment | Membership | Gift | None = mail.payment or mail.gift or mail.membership
    if isinstance(about, Membership):  # one that was given was bought by the gift's Checkout
        about = getattr(about, "gift", about)
    checkout = mail.checkout or (about.checkout if about else None)
    campaign = checkout.campaign if checkout else None
    return campaign.zone_info if campaign else timezone.get_default_timezone()
