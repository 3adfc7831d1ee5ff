"""Signed links. Opening one proves that its reader received the mail it was sent in."""

import base64
import hashlib
from datetime import UTC, timedelta
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac

from campaigns.models import (
    AddressChange,
    Campaign,
    Checkout,
    Gift,
    Member,
    SignInLink,
    Subscription,
)
from campaigns.models.address_change import Side
from campaigns.models.opt_out import hash_address

SHARED = "friend"  # the placement of links that members share
CONTINUE_LASTS = timedelta(days=30)
PORTAL_LASTS = timedelta(days=60)
CONFIRMATION_LASTS = timedelta(days=7)
SIGN_IN_LASTS = timedelta(minutes=30)
NEWSLETTER_LASTS = timedelta(days=7)
_PORTAL, _GIFTS, _CLAIM, _OPT_OUT, _SIGN_IN, _ADDRESS, _REPORTS, _CONTINUE = (
    f"campaigns.{name}"
    for name in (
        *("portal", "gifts", "claim", "opt_out", "sign_in", "address", "reports", "continue"),
    )
)
_NEWSLETTER = "campaigns.newsletter"


class BadLink(Exception):
    """The link was altered, or has expired."""


def make_portal_token(checkout: Checkout) -> str:
    """Return the token that opens Stripe's billing page for the buyer of this checkout."""
    return signing.dumps(str(checkout.pk), salt=_PORTAL, compress=False)


def read_portal_token(token: str, *, lasts: timedelta = PORTAL_LASTS) -> UUID:
    """Return the checkout's id. Raises BadLink."""
    return UUID(_read(token, salt=_PORTAL, lasts=lasts))


def make_gifts_token(checkout: Checkout) -> str:
    """Return the token of the page where a buyer sees, resends and changes a purchase's gifts."""
    return signing.dumps(str(checkout.pk), salt=_GIFTS, compress=False)


def read_gifts_token(token: str) -> UUID:
    """Return the checkout's id. Raises BadLink.

    The token does not expire: a gift can be claimed for years.
    """
    return UUID(_read(token, salt=_GIFTS))


def make_continue_token(checkout: Checkout) -> str:
    """Return the token with which a reader continues an unfinished purchase."""
    return signing.dumps(str(checkout.pk), salt=_CONTINUE, compress=False)


def read_continue_token(token: str) -> UUID:
    """Return the checkout's id. Raises BadLink."""
    return UUID(_read(token, salt=_CONTINUE, lasts=CONTINUE_LASTS))


def make_confirmation_token(gift: Gift, member: Member) -> str:
    """Return the token with which a member adds a gift to their own membership."""
    ids = [str(gift.pk), gift.generation, member.pk]
    return signing.dumps(ids, salt=_CLAIM, compress=False)


def read_confirmation_token(token: str) -> tuple[UUID, int, int]:
    """Return the gift's id, its generation and the member's id. Raises BadLink."""
    gift_id, generation, member_id = _read(token, salt=_CLAIM, lasts=CONFIRMATION_LASTS)
    return UUID(gift_id), generation, member_id


def make_sign_in_token(link: SignInLink) -> str:
    """Return the token that opens the account page.

    It is derived with our key; the database has only its hash.
    """
    name = f"{link.member_id}:{link.created_at.astimezone(UTC).isoformat()}"
    digest = salted_hmac(_SIGN_IN, name, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def hash_sign_in_token(token: str) -> str:
    """Return the hash that is stored instead of the token."""
    return hashlib.sha256(token.encode()).hexdigest()


def make_address_token(change: AddressChange, side: Side) -> str:
    """Return the token that confirms a change of address from one of its two mailboxes.

    The row says when it expires, so a mail that is sent late does not last longer.
    """
    return signing.dumps([change.pk, side], salt=_ADDRESS, compress=False)


def read_address_token(token: str) -> tuple[int, Side]:
    """Return the change's id and the mailbox that confirms it. Raises BadLink."""
    change_id, side = _read(token, salt=_ADDRESS)
    return int(change_id), Side(side)


def make_opt_out_token(address: str) -> str:
    """Return the token that stops reminders to an address.

    It contains the address's hash, because the addresses of web pages end up in logs.
    """
    return signing.dumps(hash_address(address), salt=_OPT_OUT, compress=False)


def read_opt_out_token(token: str) -> str:
    """Return the hash of the address. Raises BadLink."""
    return str(_read(token, salt=_OPT_OUT))


def make_reports_token(report_mail_id: int) -> str:
    """Return the token that stops the reports that a staff user gets by e-mail."""
    return signing.dumps(report_mail_id, salt=_REPORTS, compress=False)


def read_reports_token(token: str) -> int:
    """Return the id of the user's choice. Raises BadLink."""
    return int(_read(token, salt=_REPORTS))


def make_newsletter_token(subscription: Subscription) -> str:
    """Return the token that confirms, changes or ends the subscriptions of its address.

    It says, as a keyed hash, which mailbox it was made for: newsletters are forwarded.
    """
    mailbox = _name_mailbox(subscription.email, key=settings.SECRET_KEY)
    return signing.dumps([subscription.pk, mailbox], salt=_NEWSLETTER, compress=False)


def read_newsletter_token(token: str, *, lasts: timedelta | None = None) -> tuple[int, str]:
    """Return the subscription's id, and the mailbox for `is_sent_to`. Raises BadLink.

    Confirming has a time limit. Unsubscribing has none: newsletters are kept for years.
    """
    content = _read(token, salt=_NEWSLETTER, lasts=lasts)
    # Until November 2026 a token had the id alone.
    subscription_id, mailbox = content if isinstance(content, list) else (content, "")
    return int(subscription_id), str(mailbox)


def is_sent_to(address: str, mailbox: str) -> bool:
    """Return whether a newsletter's token was made for this address, as far as it says."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return mailbox in {"", *(_name_mailbox(address, key=key) for key in keys)}


def _name_mailbox(address: str, *, key: str | bytes) -> str:
    return salted_hmac(_NEWSLETTER, address, secret=key, algorithm="sha256").hexdigest()[:16]


def _read(token: str, *, salt: str, lasts: timedelta | None = None) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=lasts)
    except signing.BadSignature as error:
        raise BadLink(salt) from error


def make_share_url(member: Member, campaign: Campaign) -> str:
    """Return a member's own link to a campaign; empty once they were erased."""
    code = Member.objects.give_share_code(member)
    if not code:
        return ""
    query = urlencode({"from": SHARED, "friend": code})
    return f"{build_url('campaign', slug=campaign.slug)}?{query}"


def build_url(name: str, **kwargs: object) -> str:
    """Return the absolute URL of one of our pages, for a mail or a card."""
    return str(settings.SITE_URL) + reverse(f"campaigns:{name}", kwargs=kwargs or None)


def find_newspaper_url() -> str:
    """Return the newspaper's own address, or this site's first page, which leads to a campaign."""
    return str(settings.NEWSPAPER_URL or f"{settings.SITE_URL}/")
