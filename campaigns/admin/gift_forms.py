"""The forms of the changes to a gift."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.admin.forms import MomentField, WhyForm, ZoneField, as_read_in, as_typed_in
from campaigns.forms import NameField, PersonEmailField
from campaigns.models import Gift

FARTHEST = timedelta(days=366)


class GiftForm(WhyForm):
    """Asks for a reason; the forms below ask for more."""

    def __init__(self, *args: Any, gift: Gift, **kwargs: Any) -> None:
        self.gift = gift
        super().__init__(*args, **kwargs)


class DateForm(GiftForm):
    field_order = ["deliver_at", "zone", "why"]

    deliver_at = MomentField(label=_("Deliver on"), help_text=_("In the time zone below."))
    zone = ZoneField(
        label=_("Recipient’s time zone"),
        required=False,
        empty_label=_("The campaign’s time zone"),
    )

    def __init__(self, *args: Any, gift: Gift, **kwargs: Any) -> None:
        super().__init__(*args, gift=gift, **kwargs)
        self.initial.setdefault("zone", gift.zone)
        self.initial.setdefault("deliver_at", as_read_in(gift.deliver_at, gift.recipient_zone))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        typed: datetime | None = cleaned.get("deliver_at")
        if typed is not None and "zone" in cleaned:
            zone = Gift(checkout=self.gift.checkout, zone=cleaned["zone"]).recipient_zone
            cleaned["deliver_at"] = as_typed_in(typed, zone)
            now = timezone.now()
            if not now < cleaned["deliver_at"] <= now + FARTHEST:
                self.add_error("deliver_at", _("Choose a date within the next year."))
        return cleaned


class RecipientForm(GiftForm):
    field_order = ["name", "email", "why"]

    name = NameField(
        label=_("Recipient’s name"),
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
    )
    email = PersonEmailField(
        label=_("Recipient’s e-mail"),
        required=False,
        help_text=_("Leave empty if the buyer hands the gift over."),
        widget=forms.EmailInput({"class": "vTextField", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, gift: Gift, **kwargs: Any) -> None:
        super().__init__(*args, gift=gift, **kwargs)
        self.initial.setdefault("name", gift.recipient_name)
        self.initial.setdefault("email", gift.recipient_email)


class PersonForm(GiftForm):
    field_order = ["name", "email", "why"]

    name = NameField(
        label=_("Name"), widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"})
    )
    email = PersonEmailField(
        label=_("E-mail"),
        help_text=_("If nobody has this address yet, a new member is created."),
        widget=forms.EmailInput({"class": "vTextField", "autocomplete": "off"}),
    )

    def clean_email(self) -> str:
        address = str(self.cleaned_data["email"])
        if self.gift.claimed_by is not None and self.gift.claimed_by.email == address:
            raise forms.ValidationError(_("This person already has this gift."))
        return address
