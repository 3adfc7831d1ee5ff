"""Messages about gifts: to whoever gives, to whoever is given, and to the staff."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from campaigns.emails import links
from campaigns.emails.sending import NothingToSay, about_campaign, send
from campaigns.models import Checkout, Gift, Membership, OutgoingMail

# To whoever gives


def send_gift_bought(mail: OutgoingMail) -> str:
    """The purchase is confirmed: what happens to each gift, and where to see and change it."""
    checkout = mail.checkout
    if checkout is None:
        raise NothingToSay
    gifts = [gift for gift in _gifts_of(checkout) if gift.status != Gift.Status.REVOKED]
    if not gifts:
        raise NothingToSay
    context = about_gift(gifts[0], mail.language) | code_of(gifts[0]) | {"gifts": gifts}
    return send("gifts/bought", mail, to=gifts[0].buyer.email, context=context)


def send_gift_to_pass_on(mail: OutgoingMail) -> str:
    """To the buyer, on the day that was chosen: the link and the card to hand over."""
    gift = _claimable(mail)
    if not gift.is_handed_over:
        raise NothingToSay
    return _send_to_buyer("gifts/handover", mail, gift)


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
    return _send_to_buyer("gifts/sent", mail, gifts[0], gifts=gifts)


def send_gift_bounced(mail: OutgoingMail) -> str:
    gift = _claimable(mail)
    if gift.bounced_at is None:
        raise NothingToSay
    return _send_to_buyer("gifts/bounced", mail, gift)


def send_gift_unclaimed(mail: OutgoingMail) -> str:
    return _send_to_buyer("gifts/unclaimed", mail, _claimable(mail), may_opt_out=True)


def send_gift_expiring(mail: OutgoingMail) -> str:
    return _send_to_buyer("gifts/expiring", mail, _claimable(mail))


def send_gift_claimed(mail: OutgoingMail) -> str:
    gift = _gift(mail)
    if gift.claimed_at is None:
        raise NothingToSay
    return _send_to_buyer("gifts/claimed", mail, gift)


# To whoever is given


def send_gift_invitation(mail: OutgoingMail) -> str:
    """To the recipient; the buyer's name is a display name on the newsroom's own address."""
    return _send_to_recipient("gifts/invitation", mail, _claimable(mail))


def send_gift_reminder(mail: OutgoingMail) -> str:
    return _send_to_recipient("gifts/reminder", mail, _claimable(mail), may_opt_out=True)


def send_gift_confirm(mail: OutgoingMail) -> str:
    """To a member whose membership a gift is to be added to: the button that does it."""
    gift, member = _claimable(mail), mail.member
    if member is None:
        raise NothingToSay
    token = links.confirmation_token(gift, member)
    context = about_gift(gift, mail.language) | {
        "member": member,
        "confirm_url": links.absolute("confirm_claim", token=token),
    }
    return send("gifts/claim_confirmation", mail, to=member.email, context=context)


def send_gift_ending(mail: OutgoingMail) -> str:
    """To the claimed_by, some days before the end: it ends by itself, and how to stay."""
    gift = _gift(mail)
    membership, claimed_by = gift.membership, gift.claimed_by
    if claimed_by is None or membership is None or membership.status != Membership.Status.ACTIVE:
        raise NothingToSay
    context = about_gift(gift, mail.language) | {"membership": membership, "member": claimed_by}
    context["join_url"] = links.absolute("any_join")
    return send("gifts/ending", mail, to=claimed_by.email, context=context, may_opt_out=True)


# To the staff


def send_gift_bounced_staff(mail: OutgoingMail) -> str:
    gift = _claimable(mail)
    if gift.bounced_at is None or not settings.STAFF_EMAIL:
        raise NothingToSay
    page = reverse("admin:campaigns_gift_change", args=[gift.pk])
    context = about_gift(gift, mail.language) | {"admin_url": settings.SITE_URL + page}
    return send("staff/gift_bounced", mail, to=settings.STAFF_EMAIL, context=context)


# What they share


def _send_to_buyer(
    name: str, mail: OutgoingMail, gift: Gift, *, may_opt_out: bool = False, **more: Any
) -> str:
    context = about_gift(gift, mail.language) | code_of(gift) | more
    return send(name, mail, to=gift.buyer.email, context=context, may_opt_out=may_opt_out)


def _send_to_recipient(
    name: str, mail: OutgoingMail, gift: Gift, *, may_opt_out: bool = False
) -> str:
    if gift.is_handed_over:
        raise NothingToSay
    return send(
        name,
        mail,
        to=gift.recipient_email,
        context=about_gift(gift, mail.language) | code_of(gift),
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


def about_gift(gift: Gift, language: str) -> dict[str, Any]:
    """What mails tell of a gift; its code is told by `code_of`, to those who may claim it."""
    return about_campaign(gift.checkout) | {
        "checkout": gift.checkout,
        "gift": gift,
        "plan": gift.price.plan.copy_for(language),
        "gifts_url": links.absolute("gifts", token=links.gifts_token(gift.checkout)),
    }


def code_of(gift: Gift) -> dict[str, str]:
    """Its code and where it is claimed; nothing once it cannot be: its key may be gone by then."""
    if not gift.is_claimable:
        return {}
    return {
        "claim_code": gift.code,
        "claim_url": links.absolute("claim", code=gift.code),
        "claim_by_code_url": links.absolute("claim_by_code"),
    }
