"""One function a message; texts and looks are in templates/emails/.

Each gives back the provider's id of what was sent, and raises NothingToSay or its error.
"""

from collections.abc import Callable
from datetime import timedelta, tzinfo
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from campaigns.emails import links
from campaigns.emails.letters import send_letter
from campaigns.models import Checkout, Gift, Membership, OptOut, OutgoingMail, Payment


class NothingToSay(Exception):
    """The message is no longer wanted: its gift was revoked, say."""


def send_mail(mail: OutgoingMail) -> str:
    """Hand one owed message to the mail provider, in its language and its drive's time zone."""
    with override(mail.language), timezone.override(_zone(mail)):
        return _MESSAGES[mail.kind](mail)


# To whoever pays


def send_receipt(mail: OutgoingMail) -> str:
    assert mail.payment is not None
    payment = mail.payment
    about = _about_checkout(payment.checkout) | {"payment": payment, "member": payment.member}
    return _send("receipt", mail, to=payment.member.email, context=about)


def send_welcome(mail: OutgoingMail) -> str:
    membership = mail.membership
    if membership is None or membership.status == Membership.Status.ENDED:
        raise NothingToSay
    context = _about_checkout(membership.checkout) | {
        "member": membership.member,
        "membership": membership,
        "plan": membership.plan.copy_for(mail.language) if membership.plan else None,
    }
    return _send("welcome", mail, to=membership.member.email, context=context)


def send_past_due(mail: OutgoingMail) -> str:
    """What failed, as long as it has not been mended: by another try, or by the member."""
    membership = mail.membership
    if membership is None or membership.status != Membership.Status.PAST_DUE:
        raise NothingToSay
    invoice_id = mail.key.removeprefix(f"{mail.kind}:")
    tried = membership.payments.filter(invoice_id=invoice_id, status=Payment.Status.FAILED)
    context = _about_checkout(membership.checkout) | {
        "member": membership.member,
        "membership": membership,
        # None if nothing was tried, as when the bank first asks for a confirmation.
        "payment": tried.order_by("-paid_at").first(),
        "plan": membership.plan.copy_for(mail.language) if membership.plan else None,
    }
    return _send("past_due", mail, to=membership.member.email, context=context)


# To whoever gives


def send_gift_bought(mail: OutgoingMail) -> str:
    """The purchase is confirmed: what happens to each gift, and where to see and change it."""
    checkout = mail.checkout
    if checkout is None:
        raise NothingToSay
    gifts = [gift for gift in _gifts_of(checkout) if gift.status != Gift.Status.REVOKED]
    if not gifts:
        raise NothingToSay
    context = _about_gift(gifts[0], mail.language) | _code_of(gifts[0]) | {"gifts": gifts}
    return _send("gift_bought", mail, to=gifts[0].buyer.email, context=context)


def send_gift_to_pass_on(mail: OutgoingMail) -> str:
    """To the buyer, on the day that was chosen: the link and the card to hand over."""
    gift = _claimable(mail)
    if not gift.is_handed_over:
        raise NothingToSay
    return _send_to_buyer("gift_to_pass_on", mail, gift)


def send_gift_delivered(mail: OutgoingMail) -> str:
    """To the buyer: all gifts of a purchase that were sent together and still stand."""
    assert mail.gift is not None
    gifts = [
        each
        for each in _gifts_of(mail.gift.checkout)
        if each.delivered_at and each.deliver_at == mail.gift.deliver_at and not each.is_handed_over
    ]
    gifts = [each for each in gifts if each.status != Gift.Status.REVOKED]
    if not gifts:
        raise NothingToSay
    return _send_to_buyer("gift_delivered", mail, gifts[0], gifts=gifts)


def send_gift_bounced(mail: OutgoingMail) -> str:
    gift = _claimable(mail)
    if gift.bounced_at is None:
        raise NothingToSay
    return _send_to_buyer("gift_bounced", mail, gift)


def send_gift_unclaimed(mail: OutgoingMail) -> str:
    return _send_to_buyer("gift_unclaimed", mail, _claimable(mail), may_opt_out=True)


def send_gift_expiring(mail: OutgoingMail) -> str:
    return _send_to_buyer("gift_expiring", mail, _claimable(mail))


def send_gift_claimed(mail: OutgoingMail) -> str:
    gift = _gift(mail)
    if gift.claimed_at is None:
        raise NothingToSay
    return _send_to_buyer("gift_claimed", mail, gift)


# To whoever is given


def send_gift_invitation(mail: OutgoingMail) -> str:
    """To the recipient; the buyer's name is a display name on the newsroom's own address."""
    return _send_to_recipient("gift_invitation", mail, _claimable(mail))


def send_gift_reminder(mail: OutgoingMail) -> str:
    return _send_to_recipient("gift_reminder", mail, _claimable(mail), may_opt_out=True)


def send_gift_confirm(mail: OutgoingMail) -> str:
    """To a member whose membership a gift is to be added to: the button that does it."""
    gift, member = _claimable(mail), mail.member
    if member is None:
        raise NothingToSay
    token = links.confirmation_token(gift, member)
    context = _about_gift(gift, mail.language) | {
        "member": member,
        "confirm_url": links.absolute("confirm_claim", token=token),
    }
    return _send("gift_confirm", mail, to=member.email, context=context)


def send_gift_ending(mail: OutgoingMail) -> str:
    """To the redeemer, some days before the end: it ends by itself, and how to stay."""
    gift = _gift(mail)
    membership, redeemer = gift.membership, gift.redeemer
    if redeemer is None or membership is None or membership.status != Membership.Status.ACTIVE:
        raise NothingToSay
    context = _about_gift(gift, mail.language) | {"membership": membership, "member": redeemer}
    context["join_url"] = links.absolute("any_join")
    return _send("gift_ending", mail, to=redeemer.email, context=context, may_opt_out=True)


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
    return _send("sign_in", mail, to=link.member.email, context=context)


# To the staff


def send_gift_bounced_staff(mail: OutgoingMail) -> str:
    gift = _claimable(mail)
    if gift.bounced_at is None or not settings.STAFF_EMAIL:
        raise NothingToSay
    page = reverse("admin:campaigns_gift_change", args=[gift.pk])
    context = _about_gift(gift, mail.language) | {"admin_url": settings.SITE_URL + page}
    return _send("gift_bounced_staff", mail, to=settings.STAFF_EMAIL, context=context)


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
    return _send("dispute", mail, to=settings.STAFF_EMAIL, context=context)


_MESSAGES: dict[str, Callable[[OutgoingMail], str]] = {
    OutgoingMail.Kind.RECEIPT: send_receipt,
    OutgoingMail.Kind.WELCOME: send_welcome,
    OutgoingMail.Kind.GIFT_BOUGHT: send_gift_bought,
    OutgoingMail.Kind.GIFT_TO_PASS_ON: send_gift_to_pass_on,
    OutgoingMail.Kind.GIFT_DELIVERED: send_gift_delivered,
    OutgoingMail.Kind.GIFT_BOUNCED: send_gift_bounced,
    OutgoingMail.Kind.GIFT_BOUNCED_STAFF: send_gift_bounced_staff,
    OutgoingMail.Kind.GIFT_UNCLAIMED: send_gift_unclaimed,
    OutgoingMail.Kind.GIFT_EXPIRING: send_gift_expiring,
    OutgoingMail.Kind.GIFT_CLAIMED: send_gift_claimed,
    OutgoingMail.Kind.GIFT_INVITATION: send_gift_invitation,
    OutgoingMail.Kind.GIFT_REMINDER: send_gift_reminder,
    OutgoingMail.Kind.GIFT_CONFIRM: send_gift_confirm,
    OutgoingMail.Kind.GIFT_ENDING: send_gift_ending,
    OutgoingMail.Kind.SIGN_IN: send_sign_in,
    OutgoingMail.Kind.PAST_DUE: send_past_due,
    OutgoingMail.Kind.DISPUTE: send_dispute,
}


def _send(
    name: str,
    mail: OutgoingMail,
    *,
    to: str,
    context: dict[str, Any],
    sender: str = "",
    may_opt_out: bool = False,
) -> str:
    opt_out_url = ""
    if may_opt_out:
        if OptOut.objects.holds(to):
            raise NothingToSay
        opt_out_url = links.absolute("opt_out", token=links.opt_out_token(to))
    return send_letter(
        name, to=to, context=context, mail_id=mail.pk, sender=sender, opt_out_url=opt_out_url
    )


def _send_to_buyer(
    name: str, mail: OutgoingMail, gift: Gift, *, may_opt_out: bool = False, **more: Any
) -> str:
    context = _about_gift(gift, mail.language) | _code_of(gift) | more
    return _send(name, mail, to=gift.buyer.email, context=context, may_opt_out=may_opt_out)


def _send_to_recipient(
    name: str, mail: OutgoingMail, gift: Gift, *, may_opt_out: bool = False
) -> str:
    if gift.is_handed_over:
        raise NothingToSay
    return _send(
        name,
        mail,
        to=gift.recipient_email,
        context=_about_gift(gift, mail.language) | _code_of(gift),
        sender=f"{gift.buyer_name} / {settings.NEWSROOM_NAME}" if gift.buyer_name else "",
        may_opt_out=may_opt_out,
    )


def _gift(mail: OutgoingMail) -> Gift:
    assert mail.gift is not None
    if mail.gift.status == Gift.Status.REVOKED:
        raise NothingToSay
    return mail.gift


def _claimable(mail: OutgoingMail) -> Gift:
    gift = _gift(mail)
    if not gift.is_claimable or gift.expires_at <= timezone.now():
        raise NothingToSay
    return gift


def _gifts_of(checkout: Checkout) -> list[Gift]:
    gifts = checkout.gifts.select_related("buyer", "checkout__campaign", "price__plan")
    return list(gifts.order_by("position"))


def _zone(mail: OutgoingMail) -> tzinfo:
    """Days are told as the drive's own calendar has them."""
    about: Payment | Membership | Gift | None = mail.payment or mail.gift or mail.membership
    if isinstance(about, Membership):  # one that was given was bought by the gift's Checkout
        about = getattr(about, "gift", about)
    checkout = mail.checkout or (about.checkout if about else None)
    campaign = checkout.campaign if checkout else None
    return campaign.zone_info if campaign else timezone.get_default_timezone()


def _about_checkout(checkout: Checkout | None) -> dict[str, Any]:
    if checkout is None:
        return {}
    context: dict[str, Any] = {"checkout": checkout, "price": checkout.price}
    context["plan"] = checkout.price.plan.copy_for(checkout.language)
    if checkout.customer_id:
        context["portal_url"] = links.absolute("portal", token=links.portal_token(checkout))
    return context | _about_campaign(checkout)


def _about_campaign(checkout: Checkout) -> dict[str, Any]:
    if checkout.campaign is None:
        return {}
    return {
        "campaign": checkout.campaign,
        "campaign_url": links.absolute("campaign", slug=checkout.campaign.slug),
    }


def _about_gift(gift: Gift, language: str) -> dict[str, Any]:
    """What mails tell of a gift; its code is told by `_code_of`, to those who may claim it."""
    return _about_campaign(gift.checkout) | {
        "checkout": gift.checkout,
        "gift": gift,
        "plan": gift.price.plan.copy_for(language),
        "gifts_url": links.absolute("gifts", token=links.gifts_token(gift.checkout)),
    }


def _code_of(gift: Gift) -> dict[str, str]:
    """Its code and where it is claimed; nothing once it cannot be: its key may be gone by then."""
    if not gift.is_claimable:
        return {}
    return {
        "claim_code": gift.code,
        "claim_url": links.absolute("claim", code=gift.code),
        "claim_by_code_url": links.absolute("claim_by_code"),
    }
