"""A gift in sentences for staff: how it is, what its money did, what each change would do."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from campaigns import gifts, memberships
from campaigns.admin.site import staff_money
from campaigns.models import Dispute, Gift, Refund


def describe_state(gift: Gift) -> str:
    """How it is, in a sentence."""
    match gift.status:
        case Gift.Status.PAID:
            words = gettext("Paid, and not delivered yet: it is due on %(due)s.")
        case Gift.Status.DELIVERED:
            words = gettext("Delivered on %(delivered)s; it can be claimed until %(expires)s.")
        case Gift.Status.CLAIMED:
            words = gettext("Claimed by %(claimed_by)s on %(claimed)s.")
        case Gift.Status.EXPIRED:
            words = gettext("Nobody claimed it until %(expires)s.")
        case _ if gift.revoked_for == Gift.Cause.MONEY:
            words = gettext("Revoked on %(revoked)s, since its payment no longer stands.")
        case _:
            words = gettext("Revoked on %(revoked)s.")
    return words % _facts_of(gift)


def describe_bounce(gift: Gift) -> str:
    """That its mail did not arrive; nothing if it did, or if nobody waits for it any more."""
    if gift.bounced_at is None or not gift.is_claimable:
        return ""
    return gettext(
        "Its mail did not arrive (%(when)s): change the recipient’s address, or send it again."
    ) % {"when": in_words(gift.bounced_at)}


def _facts_of(gift: Gift) -> dict[str, object]:
    return {
        "due": in_words(gift.deliver_at),
        "delivered": in_words(gift.delivered_at),
        "expires": in_words(gift.expires_at),
        "claimed": in_words(gift.claimed_at),
        "revoked": in_words(gift.revoked_at),
        "claimed_by": _name_of_claimant(gift),
    }


def _name_of_claimant(gift: Gift) -> str:
    return "-" if gift.claimed_by is None else gift.claimed_by.name or gift.claimed_by.email


def in_words(moment: datetime | None) -> str:
    return date_format(moment, "j E Y, H:i") if moment is not None else "-"


def describe_money(gift: Gift) -> str:
    """Why the gift's share of its payment no longer stands; nothing while it does."""
    standing = gifts.valid_interval_of(gift)
    if standing is not None and standing[1] is None:
        return ""
    payment = gift.payment
    succeeded = [
        refund for refund in payment.refunds.all() if refund.status == Refund.Status.SUCCEEDED
    ]
    named = [refund for refund in gift.refunds.all() if refund in succeeded]
    for dispute in payment.disputes.all():
        if dispute.status == Dispute.LOST:
            return gettext(
                "The buyer’s bank took back %(amount)s of %(paid)s: a dispute was lost on %(when)s."
            ) % {
                "amount": staff_money(dispute.amount_minor, payment.currency),
                "paid": staff_money(payment.amount_minor, payment.currency),
                "when": in_words(dispute.withdrawn_at or dispute.opened_at),
            }
    if named:
        return gettext("%(amount)s was given back on %(when)s, and this gift was meant by it.") % {
            "amount": staff_money(named[0].amount_minor, payment.currency),
            "when": in_words(named[0].refunded_at),
        }
    if succeeded:
        last = max(succeeded, key=lambda refund: refund.refunded_at)
        return gettext("All of its payment, %(paid)s, was given back by %(when)s.") % {
            "paid": staff_money(payment.amount_minor, payment.currency),
            "when": in_words(last.refunded_at),
        }
    return gettext("Its payment no longer stands.")


def describe_choice(gift: Gift) -> str:
    """Of one that waits for a word: what happened, and between what staff choose."""
    return (
        describe_money(gift)
        + " "
        + gettext(
            "It no longer counts in the campaign, but %(claimed_by)s claimed it before, and has the "
            "membership still (until %(until)s). Revoke the gift to end that membership, or keep "
            "it and let the person have it."
        )
        % {"claimed_by": _name_of_claimant(gift), "until": in_words(_until(gift))}
    )


def _until(gift: Gift) -> datetime | None:
    access = memberships.find_access(gift.membership) if gift.membership is not None else None
    return access.until if access is not None else None


# What each change would do


def explain_resending(gift: Gift) -> str:
    if gift.is_handed_over:
        words = gettext("The buyer gets the gift’s link by mail once more, to hand it over.")
    else:
        words = gettext("The invitation goes to the recipient by mail now.")
    return f"{words} {_early(gift)}".strip()


def explain_new_code(gift: Gift) -> str:
    words = gettext(
        "For a code that got into the wrong hands: it is void from now on, wherever it was sent or "
        "printed. The new one is mailed now."
    )
    return f"{words} {_early(gift)}".strip()


def _early(gift: Gift) -> str:
    if gift.deliver_at <= timezone.now():
        return ""
    return gettext("The buyer wished it to be delivered on %(due)s; this is earlier.") % {
        "due": in_words(gift.deliver_at)
    }


def explain_date(gift: Gift) -> str:
    return gettext(
        "It is delivered then, and the time in which it can be claimed begins then as well."
    )


def explain_recipient(gift: Gift) -> str:
    if gift.delivered_at is None:
        return gettext("Another address gets the gift instead, on the day on which it is due.")
    return gettext(
        "It was delivered already. With another address the old code is void, and a new one is "
        "mailed there now."
    )


def explain_revoking(gift: Gift) -> str:
    if gift.status == Gift.Status.CLAIMED:
        words = gettext(
            "The membership that %(claimed_by)s has from it, until %(until)s, ends now. What was "
            "given to this person after it moves up."
        ) % {"claimed_by": _name_of_claimant(gift), "until": in_words(_until(gift))}
    else:
        words = gettext("Its code is void from now on, and no mail about it is sent any more.")
    return f"{words} {_about_the_money(gift)}"


def _about_the_money(gift: Gift) -> str:
    if fell := describe_money(gift):
        return fell
    return gettext(
        "No money is given back by this, and the gift goes on counting in the campaign: give back its "
        "share on the page of its payment."
    )


def explain_restoring(gift: Gift) -> str:
    if gift.membership is not None:
        words = gettext("%(claimed_by)s has the membership again, until %(until)s.")
        return words % {"claimed_by": _name_of_claimant(gift), "until": in_words(_until(gift))}
    days = gift.price.plan.gift_claimable_days
    return ngettext(
        "It can be claimed by its code again, for %(days)d day from now.",
        "It can be claimed by its code again, for %(days)d days from now.",
        days,
    ) % {"days": days}


def explain_reassigning(gift: Gift) -> str:
    return ngettext(
        "The membership that %(claimed_by)s has from it ends now. The other person gets all of its "
        "%(months)d month, is welcomed by mail and takes part in the campaign’s count as who redeemed "
        "it.",
        "The membership that %(claimed_by)s has from it ends now. The other person gets all of its "
        "%(months)d months, is welcomed by mail and takes part in the campaign’s count as who "
        "redeemed it.",
        gift.months,
    ) % {"claimed_by": _name_of_claimant(gift), "months": gift.months}


def explain_pardon(gift: Gift) -> str:
    return gettext(
        "%(money)s %(claimed_by)s keeps the membership until %(until)s all the same. The gift does "
        "not count in the campaign."
    ) % {
        "money": describe_money(gift),
        "claimed_by": _name_of_claimant(gift),
        "until": in_words(_until(gift)),
    }
