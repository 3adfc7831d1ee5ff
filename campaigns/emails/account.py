"""Messages about a person's account: sign-in link, change of address, erasure."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from campaigns.emails import links
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import AddressChange, OutgoingMail
from campaigns.models.address_change import Side


def send_sign_in(mail: OutgoingMail) -> str:
    """Send the link that opens the account page, unless it was used or has expired."""
    link = mail.sign_in
    if link is None or link.used_at or timezone.now() >= link.created_at + links.SIGN_IN_LASTS:
        raise NotNeeded
    token = links.make_sign_in_token(link)
    if links.hash_sign_in_token(token) != link.secret_hash:
        raise NotNeeded  # the signing key has changed since, so the link would not work
    context = {
        "member": link.member,
        "open_url": links.build_url("account_open", token=token),
        "minutes": links.SIGN_IN_LASTS // timedelta(minutes=1),
    }
    return send_message("account/sign_in", mail, to=link.member.email, context=context)


def send_address_old(mail: OutgoingMail) -> str:
    """Ask at the old address whether it may be replaced."""
    change = _find_open_change(mail, Side.OLD)
    context = _build_context(change, Side.OLD) | {"member": change.member}
    return send_message("account/address_old", mail, to=change.member.email, context=context)


def send_address_new(mail: OutgoingMail) -> str:
    """Ask at the new address whether it belongs to the member; a typo may reach a stranger."""
    change = _find_open_change(mail, Side.NEW)
    context = _build_context(change, Side.NEW)
    return send_message("account/address_new", mail, to=change.email, context=context)


def send_address_changed(mail: OutgoingMail) -> str:
    """Confirm at the new address that it is in use."""
    change = mail.address_change
    if change is None or change.made_at is None or change.member.email != change.email:
        raise NotNeeded
    context = {"member": change.member, "account_url": links.build_url("account")}
    return send_message("account/address_changed", mail, to=change.email, context=context)


def send_erasure(mail: OutgoingMail) -> str:
    """Confirm an erasure, before it removes the address."""
    if mail.member is None:
        raise NotNeeded
    context = {"member": mail.member, "erasure": mail.member.erasure}
    return send_message("account/erasure", mail, to=mail.member.email, context=context)


def mask_address(address: str) -> str:
    """Return enough of an address for its owner to recognise it, but not enough to write to it."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1] if len(name) > 1 else ''}…@{domain}"


def _find_open_change(mail: OutgoingMail, side: Side) -> AddressChange:
    """Return the mail's change of address if that side still has to confirm it."""
    assert mail.address_change_id is not None
    change = (
        AddressChange.objects.open(at=timezone.now())
        .filter(pk=mail.address_change_id, **{side.field: None})
        .select_related("member")
        .first()
    )
    if change is None:
        raise NotNeeded
    return change


def _build_context(change: AddressChange, side: Side) -> dict[str, Any]:
    token = links.make_address_token(change, side)
    return {
        "change": change,
        "old_hint": mask_address(change.member.email),
        "confirm_url": links.build_url("confirm_address", token=token),
        "hours": AddressChange.LASTS // timedelta(hours=1),
    }
