"""When a gift is delivered: now, or on a day and at an hour where its recipient lives."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.forms.zones import with_zone, zone_choices
from campaigns.models import Campaign

LATEST = timedelta(days=365)
MORNING = 9
NOW, LATER = "now", "date"
_TOO_LATE = _("Please choose a day within the next 365 days.")


class DeliveryForm(forms.Form):
    """Fields to be mixed into the forms of gifts; `campaign` is theirs to set beforehand.

    Cleaned, `deliver_at` is a moment in UTC, or None for now.
    """

    when = forms.ChoiceField(
        label=_("When it is delivered"),
        choices=[
            (NOW, _("As soon as it is paid")),
            (LATER, _("On a day that I choose")),
        ],
        required=False,
        initial=NOW,
        widget=forms.RadioSelect,
    )
    deliver_on = forms.DateField(
        label=_("Day"),
        required=False,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        error_messages={"invalid": _("Please write the day like 2026-12-24.")},
        widget=forms.DateInput({"type": "date", "autocomplete": "off"}, format="%Y-%m-%d"),
    )
    deliver_hour = forms.TypedChoiceField(
        label=_("Hour"),
        required=False,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        coerce=int,
        empty_value=MORNING,  # type: ignore[arg-type]  # it is what the field gives, not a text
        initial=MORNING,
        error_messages={"invalid_choice": _("Please choose one of the hours.")},
    )
    zone = forms.ChoiceField(
        label=_("In the recipient’s time zone"),
        required=False,
        error_messages={"invalid_choice": _("Please choose one of the time zones.")},
    )

    def offer_zones(self, campaign: Campaign | None) -> None:
        """The zones by their names in the reader's language; the campaign's own is chosen."""
        own = campaign.zone if campaign else timezone.get_default_timezone_name()
        choices = with_zone(zone_choices(get_language() or "en"), own)
        self.fields["zone"].choices = choices  # type: ignore[attr-defined]
        self.fields["zone"].initial = own
        today = timezone.now().astimezone(ZoneInfo(own)).date()
        self.fields["deliver_on"].widget.attrs |= {
            "min": today.isoformat(),
            "max": (today + LATEST).isoformat(),
        }

    def clean_delivery(self) -> None:
        """Make `deliver_at` of the four fields, or say what is wrong with them."""
        cleaned = self.cleaned_data
        cleaned["deliver_at"] = None
        if cleaned.get("when") != LATER:
            for name in ("deliver_on", "deliver_hour", "zone"):  # what is not used can not be wrong
                self.errors.pop(name, None)
            return
        if {"deliver_on", "deliver_hour", "zone"} & set(self.errors):
            return
        day: date | None = cleaned["deliver_on"]
        if day is None:
            self.add_error("deliver_on", _("Please choose the day on which the gift is delivered."))
            return
        cleaned["zone"] = cleaned["zone"] or str(self.fields["zone"].initial)
        zone, now = ZoneInfo(cleaned["zone"]), timezone.now()
        today = now.astimezone(zone).date()
        if day < today:
            self.add_error("deliver_on", _("This day has passed. Please choose a later one."))
        elif day > today + LATEST:
            self.add_error("deliver_on", _TOO_LATE)
        else:
            # An hour that the clocks skip is the one after it; of one that comes twice, the first.
            moment = datetime.combine(day, time(cleaned["deliver_hour"]), zone).astimezone(UTC)
            if moment <= now:
                self.add_error(
                    "deliver_hour",
                    _("This hour has passed there already. Please choose a later one."),
                )
            cleaned["deliver_at"] = moment

    def delivery(self) -> dict[str, str]:
        """As the Checkout keeps it, beside each gift."""
        moment: datetime | None = self.cleaned_data["deliver_at"]
        if moment is None:
            return {}
        return {"deliver_at": moment.isoformat(), "zone": self.cleaned_data["zone"]}


def delivery_as_typed(gift: dict[str, Any], *, campaign: Campaign | None) -> dict[str, Any]:
    """What was typed in the form for a gift that a Checkout keeps."""
    if not gift.get("deliver_at"):
        return {"when": NOW}
    zone = gift.get("zone") or (campaign.zone if campaign else "UTC")
    moment = datetime.fromisoformat(gift["deliver_at"]).astimezone(ZoneInfo(zone))
    return {
        "when": LATER,
        "deliver_on": moment.date(),
        "deliver_hour": moment.hour,
        "zone": zone,
    }
