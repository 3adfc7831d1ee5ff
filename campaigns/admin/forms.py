"""The forms of the action pages, and the fields that they share."""

from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.db.models import QuerySet
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns.admin.site import staff_money
from campaigns.models import Gift
from campaigns.reports.titles import isolate, name_row
from campaigns.zones import Choices, with_zone, zone_choices

# No campaign or membership begins before or ends after these.
EARLIEST, LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
CHECKBOXES_OF_SEVERAL = "checkboxselectmultiple"


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a day and a time of day."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str | None:
        if not isinstance(value, datetime):
            return super().format_value(value)
        # Browsers show seconds only where there are some.
        return value.isoformat(timespec="seconds" if value.second else "minutes")

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        seconds = {"step": "1"} if isinstance(value, datetime) and value.second else {}
        return super().get_context(name, value, {**(attrs or {}), **seconds})


class MomentField(forms.DateTimeField):
    """A day and a time of day in the current time zone, in a year that databases can convert."""

    widget = MomentInput

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.error_messages["invalid"] = _("Enter the day and the time like this: %(example)s.") % {
            "example": "2026-12-24T18:00"
        }

    def validate(self, value: datetime | None) -> None:
        super().validate(value)
        if value is not None and not EARLIEST <= value < LATEST:
            raise forms.ValidationError(_("Choose a day from 2000 to 2199."))

    def prepare_value(self, value: Any) -> Any:
        prepared = super().prepare_value(value)
        return prepared.replace(tzinfo=None) if isinstance(prepared, datetime) else prepared


class ZoneField(forms.ChoiceField):
    """A choice of time zones by city, with their present offsets: Istanbul (UTC+3)."""

    default_error_messages = {"invalid_choice": _("Choose a time zone, for example Europe/Berlin.")}

    def __init__(self, *, empty_label: Any = None, **kwargs: Any) -> None:
        self.empty_label = empty_label
        kwargs.setdefault("label", _("Time zone"))
        super().__init__(choices=self._list_zones, **kwargs)

    def _list_zones(self) -> list[tuple[Any, Any]]:
        return self._offer(zone_choices(get_language() or "en", at=timezone.now()))

    def _offer(self, zones: Choices) -> list[tuple[Any, Any]]:
        return [("", self.empty_label), *zones] if self.empty_label else list(zones)

    def prepare_value(self, value: Any) -> Any:
        """Offer the zone of an older row, too, if it has an old name."""
        if value:
            zones = zone_choices(get_language() or "en", at=timezone.now())
            self.choices = self._offer(with_zone(zones, str(value)))
        return value

    def valid_value(self, value: str) -> bool:
        return value in available_timezones()


class StaffForm(forms.Form):
    """A form in the admin's own layout.

    `seen` names the newest change that the page showed, so that nobody acts on a row that a
    colleague, or their own first click, has changed since.
    """

    seen = forms.IntegerField(widget=forms.HiddenInput, initial=0, required=False)

    def choices(self) -> list[forms.BoundField]:
        return [
            field for field in self.visible_fields() if field.widget_type == CHECKBOXES_OF_SEVERAL
        ]

    def fieldset(self) -> AdminForm:
        names = [
            field.name
            for field in self.visible_fields()
            if field.widget_type != CHECKBOXES_OF_SEVERAL
        ]
        return AdminForm(self, [(None, {"fields": names})], {})  # type: ignore[arg-type]

    def look_again(self, seen: int) -> None:
        """Keep what was typed, and accept it the next time, now that the change was shown."""
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        data["seen"] = str(seen)
        self.data = data


class WhyForm(StaffForm):
    """A form that asks for a reason."""

    why = forms.CharField(
        label=_("Internal note"),
        max_length=200,
        help_text=_("Only staff see it."),
        widget=forms.TextInput({"class": "vTextField"}),
    )


class ReaderMailForm(StaffForm):
    """A form of a change that the reader gets an e-mail about, unless staff leave it out."""

    message = forms.CharField(
        label=_("Message to the reader"),
        required=False,
        max_length=2000,
        help_text=_("Optional. We e-mail the reader about this change and add your message."),
        widget=forms.Textarea({"rows": 4, "class": "vLargeTextField"}),
    )
    no_mail = forms.BooleanField(label=_("Don’t e-mail the reader"), required=False)

    def clean(self) -> dict[str, Any]:
        """Leave None as the message if no e-mail is wanted."""
        cleaned = super().clean() or {}
        if cleaned.get("no_mail"):
            cleaned["message"] = None
        return cleaned


class EndForm(ReaderMailForm, WhyForm):
    """Asks why a membership ends."""

    field_order = ["why"]


class NamedField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of a campaign or a plan by its name."""

    def __init__(self, queryset: QuerySet[Any], **kwargs: Any) -> None:
        super().__init__(queryset.prefetch_related("copies"), **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        return name_row(obj)


class GiftsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice among the gifts of one payment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Gift.objects.none(), widget=forms.CheckboxSelectMultiple, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        share = staff_money(obj.share_minor, obj.checkout.currency)
        name = isolate(obj.recipient_name or obj.recipient_email)
        return ", ".join(filter(None, [share, f"{obj.code_hint}…", name, obj.get_status_display()]))


def as_typed_in(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment that staff meant when they typed this time of `zone`."""
    return timezone.make_naive(moment).replace(tzinfo=zone)


def as_read_in(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment that the admin shows as the time of `zone`: undoes `as_typed_in`."""
    return timezone.make_aware(moment.astimezone(zone).replace(tzinfo=None))
