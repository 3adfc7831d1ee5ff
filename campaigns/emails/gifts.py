"""Messages about gifts, to their buyers and recipients."""

from typing import Any

from django.utils import timezone
from django.utils.translation import get_language_bidi

from campaigns.emails import links
from campaigns.emails.contexts import build_access_context, build_campaign_context, is_access_over
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import Checkout, Gift, OutgoingMail, read_newsroom_name
from campaigns.people import isolate_direction

# To the buyer


def send_gift_bought(mail: OutgoingMail) -> str:
    """Confirm a purchase: when each gift is sent, and where to see and change it."""
    checkout = mail.checkout
    if checkout is None:
        raise NotNeeded
    gifts = _list_gifts(checkout)
    if not gifts:
        raise NotNeeded
    context = build_gift_context(gifts[0], mail.language) | build_claim_context(gifts[0])
    context["gifts"] = gifts
    return send_message("gifts/bought", mail, to=gifts[0].buyer.email, context=context)


def send_gift_to_pass_on(mail: OutgoingMail) -> str:
    """Send the buyer the claim link and code on the day they chose, to hand over themselves."""
    gift = find_claimable_gift(mail)
    if not gift.is_handed_over:
        raise NotNeeded
    return _send_to_buyer("gifts/handover", mail, gift)


def send_gift_delivered(mail: OutgoingMail) -> str:
    """Confirm the gifts of a purchase that were sent together and have not been revoked."""
    assert mail.gift is not None
    gifts = [
        gift
        for gift in _list_gifts(mail.gift.checkout)
        if gift.delivered_at and gift.deliver_at == mail.gift.deliver_at and not gift.is_handed_over
    ]
    if not gifts:
        raise NotNeeded
    return _send_to_buyer("gifts/sent", mail, gifts[0], gifts=gifts)


def send_gift_bounced(mail: OutgoingMail) -> str:
    """Tell the buyer that the gift's e-mail bounced, unless the address was corrected since."""
    gift = find_claimable_gift(mail)
    if gift.bounced_at is None:
        raise NotNeeded
    return _send_to_buyer("gifts/bounced", mail, gift)


def send_gift_unclaimed(mail: OutgoingMail) -> str:
    """Remind the buyer that a gift has not been claimed yet."""
    return _send_to_buyer("gifts/unclaimed", mail, find_claimable_gift(mail), may_opt_out=True)


def send_gift_expiring(mail: OutgoingMail) -> str:
    """Warn the buyer that an unclaimed gift is about to expire."""
    return _send_to_buyer("gifts/expiring", mail, find_claimable_gift(mail))


def send_gift_claimed(mail: OutgoingMail) -> str:
    """Tell the buyer that a gift was claimed, without the name of the claimant."""
    gift = _find_gift(mail)
    if gift.claimed_at is None:
        raise NotNeeded
    more = build_access_context(gift.membership) if gift.membership is not None else {}
    return _send_to_buyer("gifts/claimed", mail, gift, **more)


# To the recipient, or to the member who claims the gift


def send_gift_invitation(mail: OutgoingMail) -> str:
    """Send a gift to its recipient."""
    return _send_to_recipient("gifts/invitation", mail, find_claimable_gift(mail))


def send_gift_reminder(mail: OutgoingMail) -> str:
    """Remind the recipient of a gift that has not been claimed yet."""
    gift = find_claimable_gift(mail)
    return _send_to_recipient("gifts/reminder", mail, gift, may_opt_out=True)


def send_gift_confirm(mail: OutgoingMail) -> str:
    """Ask a member to confirm that a gift should extend their membership."""
    gift, member = find_claimable_gift(mail), mail.member
    if member is None:
        raise NotNeeded
    token = links.make_confirmation_token(gift, member)
    context = build_gift_context(gift, mail.language) | {
        "member": member,
        "confirm_url": links.build_url("confirm_claim", token=token),
    }
    return send_message("gifts/claim_confirmation", mail, to=member.email, context=context)


def send_gift_ending(mail: OutgoingMail) -> str:
    """Tell the member who claimed a gift that it ends soon, and how to stay a member."""
    gift = _find_gift(mail)
    membership, member = gift.membership, gift.claimed_by
    if member is None or membership is None or is_access_over(membership):
        raise NotNeeded
    context = build_gift_context(gift, mail.language) | build_access_context(membership)
    context |= {"member": member, "join_url": links.build_url("any_join")}
    return send_message("gifts/ending", mail, to=member.email, context=context, may_opt_out=True)


# Shared steps


def find_claimable_gift(mail: OutgoingMail) -> Gift:
    """Return the gift of a mail. Raises NotNeeded if it cannot be claimed any more."""
    gift = _find_gift(mail)
    if not gift.is_claimable or gift.expires_at <= timezone.now():
        raise NotNeeded
    return gift


def build_gift_context(gift: Gift, language: str) -> dict[str, Any]:
    """Return what messages say about a gift, except its claim code (build_claim_context)."""
    return build_campaign_context(gift.checkout) | {
        "checkout": gift.checkout,
        "gift": gift,
        "plan": gift.price.plan.copy_for(language),
        "gifts_url": links.build_url("gifts", token=links.make_gifts_token(gift.checkout)),
    }


def build_claim_context(gift: Gift) -> dict[str, str]:
    """Return the gift's claim code and links, for people who may claim it or pass it on.

    Empty if the gift cannot be claimed any more: the key of its code may have been removed.
    """
    if not gift.is_claimable:
        return {}
    return {
        "claim_code": gift.code,
        "claim_url": links.build_url("claim", code=gift.code),
        "claim_by_code_url": links.build_url("claim_by_code"),
    }


def _send_to_buyer(
    template: str, mail: OutgoingMail, gift: Gift, *, may_opt_out: bool = False, **more: Any
) -> str:
    context = build_gift_context(gift, mail.language) | build_claim_context(gift) | more
    to = gift.buyer.email
    return send_message(template, mail, to=to, context=context, may_opt_out=may_opt_out)


def _send_to_recipient(
    template: str, mail: OutgoingMail, gift: Gift, *, may_opt_out: bool = False
) -> str:
    """Send a message in the buyer's name, from the newsroom's address."""
    if gift.is_handed_over:
        raise NotNeeded
    return send_message(
        template,
        mail,
        to=gift.recipient_email,
        context=build_gift_context(gift, mail.language) | build_claim_context(gift),
        sender=_write_sender(gift),
        may_opt_out=may_opt_out,
    )


def _write_sender(gift: Gift) -> str:
    if not gift.buyer_name:
        return ""
    buyer = isolate_direction(gift.buyer_name, rtl=get_language_bidi())
    return f"{buyer} / {read_newsroom_name()}"


def _find_gift(mail: OutgoingMail) -> Gift:
    assert mail.gift is not None
    if mail.gift.status == Gift.Status.REVOKED:
        raise NotNeeded
    return mail.gift


def _list_gifts(checkout: Checkout) -> list[Gift]:
    """Return the gifts of a purchase in its order, without revoked ones."""
    gifts = checkout.gifts.exclude(status=Gift.Status.REVOKED).order_by("position")
    return list(gifts.select_related("buyer", "checkout__campaign", "price__plan"))
