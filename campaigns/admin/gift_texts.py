"""Sentences about a gift for staff: its state, its payment, and the effect of each change."""

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext

from campaigns import gifts, memberships
from campaigns.admin.site import staff_money
from campaigns.models import Dispute, Gift, Refund
from campaigns.reports.titles import isolate


def describe_state(gift: Gift) -> str:
    """Return the gift's state as a sentence."""
    match gift.status:
        case Gift.Status.PAID:
            words = gettext("Paid. It will be delivered on %(due)s.")
        case Gift.Status.DELIVERED:
            words = gettext("Delivered on %(delivered)s. It can be claimed until %(expires)s.")
        case Gift.Status.CLAIMED:
            words = gettext("Claimed by %(claimed_by)s on %(claimed)s.")
        case Gift.Status.EXPIRED:
            words = gettext("Expired on %(expires)s. It wasn’t claimed.")
        case _ if gift.revoked_for == Gift.Cause.MONEY:
            words = gettext("Revoked on %(revoked)s because its payment was reversed.")
        case _:
            words = gettext("Revoked on %(revoked)s.")
    return words % {
        "due": in_words(gift.deliver_at),
        "delivered": in_words(gift.delivered_at),
        "expires": in_words(gift.expires_at),
        "claimed": in_words(gift.claimed_at),
        "revoked": in_words(gift.revoked_at),
        "claimed_by": _name_of_claimant(gift),
    }


def describe_bounce(gift: Gift) -> str:
    """Return a notice if the gift's e-mail bounced and the gift can still be claimed."""
    if gift.bounced_at is None or not gift.is_claimable:
        return ""
    return gettext(
        "The e-mail with this gift bounced on %(when)s. Change the recipient’s address or resend "
        "the gift."
    ) % {"when": in_words(gift.bounced_at)}


def _name_of_claimant(gift: Gift) -> str:
    member = gift.claimed_by
    return "-" if member is None else isolate(member.name or member.email)


def in_words(moment: datetime | None) -> str:
    if moment is None:
        return "-"
    return date_format(timezone.localtime(moment), "j E Y, H:i")


def describe_reversal(gift: Gift) -> str:
    """Return why the gift's share of its payment is no longer valid; empty while it is."""
    interval = gifts.valid_interval_of(gift)
    if interval is not None and interval[1] is None:
        return ""
    payment = gift.payment
    succeeded = [
        refund for refund in payment.refunds.all() if refund.status == Refund.Status.SUCCEEDED
    ]
    assigned = [refund for refund in gift.refunds.all() if refund in succeeded]
    for dispute in payment.disputes.all():
        if dispute.status == Dispute.LOST:
            return gettext(
                "A dispute over %(amount)s of the %(paid)s paid was lost on %(when)s, and the "
                "buyer’s bank returned the money to the buyer."
            ) % {
                "amount": staff_money(dispute.amount_minor, payment.currency),
                "paid": staff_money(payment.amount_minor, payment.currency),
                "when": in_words(dispute.withdrawn_at or dispute.opened_at),
            }
    if assigned:
        return gettext("This gift was refunded (%(amount)s) on %(when)s.") % {
            "amount": staff_money(assigned[0].amount_minor, payment.currency),
            "when": in_words(assigned[0].refunded_at),
        }
    if succeeded:
        last = max(succeeded, key=lambda refund: refund.refunded_at)
        return gettext("Its payment of %(paid)s was refunded in full on %(when)s.") % {
            "paid": staff_money(payment.amount_minor, payment.currency),
            "when": in_words(last.refunded_at),
        }
    return gettext("Its payment was reversed.")


def describe_choice(gift: Gift) -> str:
    """Return what staff have to decide about a claimed gift whose payment was reversed."""
    words = gettext(
        "%(reversal)s The gift no longer counts in the campaign, but %(claimed_by)s claimed it "
        "earlier and has a membership until %(until)s. Revoke the gift to end that membership, or "
        "keep the gift to let it continue."
    )
    return words % {
        "reversal": describe_reversal(gift),
        "claimed_by": _name_of_claimant(gift),
        "until": in_words(_until(gift)),
    }


def _until(gift: Gift) -> datetime | None:
    access = memberships.find_access(gift.membership) if gift.membership is not None else None
    return access.until if access is not None else None


# The effect of each change


def explain_resending(gift: Gift) -> str:
    if gift.is_handed_over:
        words = gettext("We’ll e-mail the gift’s link to the buyer again, to hand it over.")
    else:
        words = gettext("We’ll e-mail the gift to the recipient now.")
    return f"{words} {_warn_if_early(gift)}".strip()


def explain_new_code(gift: Gift) -> str:
    words = gettext(
        "Use this if the claim code reached the wrong person. The old code stops working at once, "
        "wherever it was sent or printed. We’ll e-mail a new code now."
    )
    return f"{words} {_warn_if_early(gift)}".strip()


def _warn_if_early(gift: Gift) -> str:
    if gift.deliver_at <= timezone.now():
        return ""
    return gettext("The buyer chose a later delivery date: %(due)s.") % {
        "due": in_words(gift.deliver_at)
    }


def explain_date(gift: Gift) -> str:
    return gettext(
        "The gift will be delivered at the new time, and the time to claim it starts then."
    )


def explain_recipient(gift: Gift) -> str:
    if gift.delivered_at is None:
        return gettext("The new recipient will get the gift on its delivery date.")
    return gettext(
        "This gift was already delivered. If you change the address, the old claim code stops "
        "working, and we’ll e-mail a new one to the new address now."
    )


def explain_revoking(gift: Gift) -> str:
    if gift.status == Gift.Status.CLAIMED:
        words = gettext(
            "%(claimed_by)s has a membership from this gift until %(until)s. It ends now. Later "
            "gifts to the same person start earlier instead."
        ) % {"claimed_by": _name_of_claimant(gift), "until": in_words(_until(gift))}
    else:
        words = gettext("The claim code stops working at once, and we send no more e-mails.")
    return f"{words} {_describe_money(gift)}"


def _describe_money(gift: Gift) -> str:
    if reversal := describe_reversal(gift):
        return reversal
    return gettext(
        "Revoking refunds nothing, and the gift still counts in the campaign. To return the money, "
        "refund the payment on its own page."
    )


def explain_restoring(gift: Gift) -> str:
    if gift.membership is not None:
        words = gettext("%(claimed_by)s will have the membership again, until %(until)s.")
        return words % {"claimed_by": _name_of_claimant(gift), "until": in_words(_until(gift))}
    days = gift.price.plan.gift_claimable_days
    return ngettext(
        "The gift can be claimed with its claim code again, for %(days)d day from now.",
        "The gift can be claimed with its claim code again, for %(days)d days from now.",
        days,
    ) % {"days": days}


def explain_reassigning(gift: Gift) -> str:
    return ngettext(
        "%(claimed_by)s loses the membership from this gift now. The other person gets the full "
        "%(months)d month and a welcome e-mail, and becomes the member who claimed this gift in "
        "the campaign’s count.",
        "%(claimed_by)s loses the membership from this gift now. The other person gets the full "
        "%(months)d months and a welcome e-mail, and becomes the member who claimed this gift in "
        "the campaign’s count.",
        gift.months,
    ) % {"claimed_by": _name_of_claimant(gift), "months": gift.months}


def explain_pardon(gift: Gift) -> str:
    return gettext(
        "%(reversal)s %(claimed_by)s still keeps the membership until %(until)s. The "
        "gift doesn’t count in the campaign."
    ) % {
        "reversal": describe_reversal(gift),
        "claimed_by": _name_of_claimant(gift),
        "until": in_words(_until(gift)),
    }
