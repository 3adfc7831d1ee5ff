"""The form with which a buyer changes a gift until it is claimed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.forms.delivery import LATER, NOW, DeliveryForm
from campaigns.forms.fields import NameField, PersonEmailField
from campaigns.forms.questions import AskingForm, check_address
from campaigns.models import Gift, find_zone

_DELIVERY = ("when", "deliver_on", "deliver_hour", "zone")


@dataclass(frozen=True)
class Delivery:
    at: datetime
    zone: str


class GiftChangeForm(DeliveryForm, AskingForm):
    """The recipient and, until the gift is delivered, its delivery."""

    recipient_name = NameField(
        label=_("Recipient’s name"), widget=forms.TextInput({"autocomplete": "off"})
    )
    hand_over = forms.BooleanField(label=_("I’ll hand it over myself"), required=False)
    recipient_email = PersonEmailField(
        label=_("Recipient’s e-mail"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, gift: Gift) -> None:
        initial = {
            "recipient_name": gift.recipient_name,
            "hand_over": gift.is_handed_over,
            "recipient_email": gift.recipient_email,
        }
        super().__init__(data, initial=initial | _delivery_initial(gift))
        self.gift = gift
        self.has_delivery = gift.status == Gift.Status.PAID
        if self.has_delivery:
            self.offer_zones(gift.checkout.campaign)
            self.fields["when"].choices = [  # type: ignore[attr-defined]
                (NOW, _("Now")),
                (LATER, _("On a day I choose")),
            ]
        else:
            for name in _DELIVERY:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("hand_over"):
            self.errors.pop("recipient_email", None)
            cleaned["recipient_email"] = ""
        elif not cleaned.get("recipient_email") and "recipient_email" not in self.errors:
            self.add_error(
                "recipient_email",
                _("Enter the recipient’s e-mail, or tick “I’ll hand it over myself”."),
            )
        if "recipient_email" in self.changed_data:
            self.ask_once("recipient_email", check_address(cleaned.get("recipient_email", "")))
        if self._has_new_delivery():
            self.clean_delivery()
        return cleaned

    def _has_new_delivery(self) -> bool:
        """Return whether the delivery was changed.

        An unchanged one isn't validated: staff may have chosen a time this form doesn't offer.
        """
        if not self.has_delivery:
            return False
        if self["when"].value() != LATER:
            return "when" in self.changed_data
        return bool(set(_DELIVERY) & set(self.changed_data))

    def new_delivery(self) -> Delivery | None:
        """Return the new delivery, or None if it wasn't changed."""
        if not self._has_new_delivery():
            return None
        moment = self.cleaned_data["deliver_at"]
        if moment is None:
            return Delivery(timezone.now(), self.gift.zone)
        return Delivery(moment, self.cleaned_data["zone"])


def _delivery_initial(gift: Gift) -> dict[str, Any]:
    """Return the initial values for the current delivery."""
    zone = gift.zone or find_zone(gift.checkout.campaign).key
    if gift.deliver_at <= timezone.now():
        return {"when": NOW, "zone": zone}
    local = gift.deliver_at.astimezone(gift.recipient_zone)
    return {
        "when": LATER,
        "deliver_on": local.date(),
        "deliver_hour": local.hour,
        "zone": zone,
    }
