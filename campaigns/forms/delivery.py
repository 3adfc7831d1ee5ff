"""The delivery of a gift: now, or on a day and at an hour in the recipient's time zone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, find_zone
from campaigns.zones import with_zone, zone_choices

LATEST = timedelta(days=365)
MORNING = 9
NOW, LATER = "now", "date"
_TOO_LATE = _("Choose a day within the next 365 days.")


class DeliveryForm(forms.Form):
    """The delivery fields, a base of the gift forms.

    After `clean_delivery`, `deliver_at` is a time in UTC, or None for now.
    """

    when = forms.ChoiceField(
        label=_("Delivery"),
        choices=[
            (NOW, _("As soon as it’s paid")),
            (LATER, _("On a day I choose")),
        ],
        required=False,
        initial=NOW,
        widget=forms.RadioSelect,
    )
    deliver_on = forms.DateField(
        label=_("Day"),
        required=False,
        input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        error_messages={"invalid": _("Enter the day like this: 2026-12-24.")},
        widget=forms.DateInput({"type": "date", "autocomplete": "off"}, format="%Y-%m-%d"),
    )
    deliver_hour = forms.TypedChoiceField(
        label=_("Hour"),
        required=False,
        choices=[(hour, f"{hour:02}:00") for hour in range(24)],
        coerce=int,
        empty_value=MORNING,  # type: ignore[arg-type]  # the cleaned value is an int
        initial=MORNING,
        error_messages={"invalid_choice": _("Choose an hour.")},
    )
    zone = forms.ChoiceField(
        label=_("Recipient’s time zone"),
        required=False,
        error_messages={"invalid_choice": _("Choose a time zone.")},
    )

    def offer_zones(self, campaign: Campaign | None) -> None:
        """List the time zones in the reader's language, with the campaign's own preselected."""
        default_zone = find_zone(campaign).key
        choices = with_zone(zone_choices(get_language() or "en", at=timezone.now()), default_zone)
        self.fields["zone"].choices = choices  # type: ignore[attr-defined]
        self.fields["zone"].initial = default_zone
        today = timezone.now().astimezone(ZoneInfo(default_zone)).date()
        self.fields["deliver_on"].widget.attrs |= {
            "min": today.isoformat(),
            "max": (today + LATEST).isoformat(),
        }

    def clean_delivery(self) -> None:
        """Combine the four fields into `deliver_at`, or add errors beside them."""
        cleaned = self.cleaned_data
        cleaned["deliver_at"] = None
        if cleaned.get("when") != LATER:
            for name in ("deliver_on", "deliver_hour", "zone"):  # these fields aren't used
                self.errors.pop(name, None)
            return
        if {"deliver_on", "deliver_hour", "zone"} & set(self.errors):
            return
        day: date | None = cleaned["deliver_on"]
        if day is None:
            self.add_error("deliver_on", _("Choose a delivery day."))
            return
        cleaned["zone"] = cleaned["zone"] or str(self.fields["zone"].initial)
        zone, now = ZoneInfo(cleaned["zone"]), timezone.now()
        today = now.astimezone(zone).date()
        if day < today:
            self.add_error("deliver_on", _("This day is in the past. Choose a later one."))
        elif day > today + LATEST:
            self.add_error("deliver_on", _TOO_LATE)
        else:
            # When clocks change: a skipped hour means the next one, a repeated hour the first one.
            moment = datetime.combine(day, time(cleaned["deliver_hour"]), zone).astimezone(UTC)
            if moment <= now:
                self.add_error(
                    "deliver_hour",
                    _("This hour has already passed in that time zone. Choose a later one."),
                )
            cleaned["deliver_at"] = moment

    def delivery(self) -> dict[str, str]:
        """Return the delivery as the Checkout stores it with each gift."""
        moment: datetime | None = self.cleaned_data["deliver_at"]
        if moment is None:
            return {}
        return {"deliver_at": moment.isoformat(), "zone": self.cleaned_data["zone"]}


def delivery_initial(gift: dict[str, Any], *, campaign: Campaign | None) -> dict[str, Any]:
    """Return the initial values for a gift stored in a Checkout."""
    if not gift.get("deliver_at"):
        return {"when": NOW}
    zone = gift.get("zone") or find_zone(campaign).key
    moment = datetime.fromisoformat(gift["deliver_at"]).astimezone(ZoneInfo(zone))
    return {
        "when": LATER,
        "deliver_on": moment.date(),
        "deliver_hour": moment.hour,
        "zone": zone,
    }
