"""The function that sends each kind of mail; texts and styles are in templates/emails/."""

from collections.abc import Callable
from datetime import tzinfo

from django.utils import timezone
from django.utils.translation import override

from campaigns.emails import (
    account,
    changes,
    gifts,
    membership,
    newsletters,
    reports,
    staff,
    unfinished,
)
from campaigns.models import Gift, Membership, OutgoingMail, Payment, find_zone

_SENDERS: dict[str, Callable[[OutgoingMail], str]] = {
    OutgoingMail.Kind.RECEIPT: membership.send_receipt,
    OutgoingMail.Kind.WELCOME: membership.send_welcome,
    OutgoingMail.Kind.UNFINISHED: unfinished.send_unfinished,
    OutgoingMail.Kind.RENEWAL: membership.send_renewal,
    OutgoingMail.Kind.PAST_DUE: membership.send_past_due,
    OutgoingMail.Kind.LAPSED: membership.send_lapsed,
    OutgoingMail.Kind.GIFT_BOUGHT: gifts.send_gift_bought,
    OutgoingMail.Kind.GIFT_TO_PASS_ON: gifts.send_gift_to_pass_on,
    OutgoingMail.Kind.GIFT_DELIVERED: gifts.send_gift_delivered,
    OutgoingMail.Kind.GIFT_BOUNCED: gifts.send_gift_bounced,
    OutgoingMail.Kind.GIFT_UNCLAIMED: gifts.send_gift_unclaimed,
    OutgoingMail.Kind.GIFT_EXPIRING: gifts.send_gift_expiring,
    OutgoingMail.Kind.GIFT_CLAIMED: gifts.send_gift_claimed,
    OutgoingMail.Kind.GIFT_INVITATION: gifts.send_gift_invitation,
    OutgoingMail.Kind.GIFT_REMINDER: gifts.send_gift_reminder,
    OutgoingMail.Kind.GIFT_CONFIRM: gifts.send_gift_confirm,
    OutgoingMail.Kind.GIFT_ENDING: gifts.send_gift_ending,
    OutgoingMail.Kind.SIGN_IN: account.send_sign_in,
    OutgoingMail.Kind.ADDRESS_OLD: account.send_address_old,
    OutgoingMail.Kind.ADDRESS_NEW: account.send_address_new,
    OutgoingMail.Kind.ADDRESS_CHANGED: account.send_address_changed,
    OutgoingMail.Kind.ERASURE: account.send_erasure,
    OutgoingMail.Kind.NEWSLETTER: newsletters.send_newsletter,
    OutgoingMail.Kind.REFUNDED: changes.send_refunded,
    OutgoingMail.Kind.GRANTED: changes.send_granted,
    OutgoingMail.Kind.REWARD: changes.send_reward,
    OutgoingMail.Kind.OFFLINE: changes.send_offline,
    OutgoingMail.Kind.CANCELLED: changes.send_cancelled,
    OutgoingMail.Kind.ENDED: changes.send_ended,
    OutgoingMail.Kind.DISPUTE: staff.send_dispute,
    OutgoingMail.Kind.PROBLEM: staff.send_problem,
    OutgoingMail.Kind.GIFT_BOUNCED_STAFF: staff.send_gift_bounced_staff,
    OutgoingMail.Kind.REPORT: reports.send_report,
}


def send_mail(mail: OutgoingMail) -> str:
    """Send one outgoing mail in its language and its campaign's time zone.

    Returns the mail provider's id for it. Raises NotNeeded, or the provider's error.
    """
    with override(mail.language), timezone.override(_find_zone(mail)):
        return _SENDERS[mail.kind](mail)


def _find_zone(mail: OutgoingMail) -> tzinfo:
    """Return the time zone of the campaign that the mail is about, otherwise the site's."""
    about: Payment | Membership | Gift | None = mail.payment or mail.gift or mail.membership
    if isinstance(about, Membership):  # a gift membership was bought by the gift's Checkout
        about = getattr(about, "gift", about)
    checkout = mail.checkout or (about.checkout if about else None)
    return find_zone(checkout.campaign if checkout else None)
