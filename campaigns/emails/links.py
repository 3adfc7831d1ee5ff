"""Signed links: what proves that whoever follows one got the mail that it stands in."""

import base64
import hashlib
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.urls import reverse
from django.utils.crypto import salted_hmac

from campaigns.models import AddressChange, Checkout, Gift, Member, SignInLink
from campaigns.models.address_change import Side
from campaigns.models.opt_out import hash_address

PORTAL_LASTS = timedelta(days=60)
CONFIRMATION_LASTS = timedelta(days=7)
SIGN_IN_LASTS = timedelta(minutes=30)
_PORTAL, _GIFTS, _CLAIM, _OPT_OUT, _SIGN_IN, _ADDRESS = (
    f"campaigns.{name}" for name in ("portal", "gifts", "claim", "opt_out", "sign_in", "address")
)


class BadLink(Exception):
    """The link was changed on its way, or is too old."""


def portal_token(checkout: Checkout) -> str:
    return signing.dumps(str(checkout.pk), salt=_PORTAL, compress=False)


def read_portal_token(token: str, *, lasts: timedelta = PORTAL_LASTS) -> UUID:
    return UUID(_read(token, salt=_PORTAL, lasts=lasts))


def gifts_token(checkout: Checkout) -> str:
    """For the page on which a buyer sees, resends and changes the gifts of one purchase."""
    return signing.dumps(str(checkout.pk), salt=_GIFTS, compress=False)


def read_gifts_token(token: str) -> UUID:
    """It lasts as long as the mail is kept: a gift can be claimed for years."""
    return UUID(_read(token, salt=_GIFTS))


def confirmation_token(gift: Gift, member: Member) -> str:
    """For adding a gift to the membership of that member, by that member."""
    named = [str(gift.pk), gift.generation, member.pk]
    return signing.dumps(named, salt=_CLAIM, compress=False)


def read_confirmation_token(token: str) -> tuple[UUID, int, int]:
    """The gift's id, its generation and the member's id."""
    gift_id, generation, member_id = _read(token, salt=_CLAIM, lasts=CONFIRMATION_LASTS)
    return UUID(gift_id), generation, member_id


def sign_in_token(link: SignInLink) -> str:
    """For a person's own page. Nobody makes it without our key: the row has only its hash."""
    named = f"{link.member_id}:{link.created_at.astimezone(UTC).isoformat()}"
    digest = salted_hmac(_SIGN_IN, named, algorithm="sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def hash_sign_in_token(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def address_token(change: AddressChange, side: Side) -> str:
    """For confirming a change of address from one of its two mailboxes.

    How long it says something is told by the row, however late the mail goes out.
    """
    return signing.dumps([change.pk, side], salt=_ADDRESS, compress=False)


def read_address_token(token: str) -> tuple[int, Side]:
    """The change's id, and from which mailbox it is confirmed."""
    change_id, side = _read(token, salt=_ADDRESS)
    return int(change_id), Side(side)


def opt_out_token(address: str) -> str:
    """Names the address by its hash: an address of a web page ends up in logs."""
    return signing.dumps(hash_address(address), salt=_OPT_OUT, compress=False)


def read_opt_out_token(token: str) -> str:
    """The hash of the address."""
    return str(_read(token, salt=_OPT_OUT))


def _read(token: str, *, salt: str, lasts: timedelta | None = None) -> Any:
    try:
        return signing.loads(token, salt=salt, max_age=lasts)
    except signing.BadSignature as error:
        raise BadLink(salt) from error


def absolute(name: str, **kwargs: object) -> str:
    """The whole address of one of our pages, for a mail or a card."""
    return str(settings.SITE_URL) + reverse(f"campaigns:{name}", kwargs=kwargs or None)
