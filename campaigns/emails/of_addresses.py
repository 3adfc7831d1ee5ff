"""The messages about a change of address: to the old one, to the new one, and once it is made."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from campaigns.emails import links
from campaigns.emails.sending import NothingToSay, send
from campaigns.models import AddressChange, OutgoingMail
from campaigns.models.address_change import Side


def send_address_old(mail: OutgoingMail) -> str:
    change = _open(mail, Side.OLD)
    context = _about(change, Side.OLD) | {"member": change.member}
    return send("account/address_old", mail, to=change.member.email, context=context)


def send_address_new(mail: OutgoingMail) -> str:
    """To whoever has the new address; until they confirm it that may be a stranger, by a slip."""
    change = _open(mail, Side.NEW)
    return send("account/address_new", mail, to=change.email, context=_about(change, Side.NEW))


def send_address_changed(mail: OutgoingMail) -> str:
    change = mail.address_change
    if change is None or change.made_at is None or change.member.email != change.email:
        raise NothingToSay
    context = {"member": change.member, "mine_url": links.absolute("mine")}
    return send("account/address_changed", mail, to=change.email, context=context)


def _open(mail: OutgoingMail, side: Side) -> AddressChange:
    assert mail.address_change_id is not None
    change = (
        AddressChange.objects.open(at=timezone.now())
        .filter(pk=mail.address_change_id, **{side.field: None})
        .select_related("member")
        .first()
    )
    if change is None:
        raise NothingToSay
    return change


def _about(change: AddressChange, side: Side) -> dict[str, Any]:
    token = links.address_token(change, side)
    return {
        "change": change,
        "old_hint": mask_address(change.member.email),
        "confirm_url": links.absolute("confirm_address", token=token),
        "hours": AddressChange.LASTS // timedelta(hours=1),
    }


def mask_address(address: str) -> str:
    """Enough of an address for its owner to know it, and for nobody else to write to it."""
    name, _, domain = address.rpartition("@")
    return f"{name[:1] if len(name) > 1 else ''}…@{domain}"
