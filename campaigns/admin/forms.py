"""The forms of the action pages, and the fields that they share."""

from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib.admin.helpers import AdminForm
from django.http import QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.admin.site import name_both_halves, staff_money
from campaigns.models import Gift
from campaigns.money import decimal_places

CHECKBOXES_OF_SEVERAL = "checkboxselectmultiple"


class StaffForm(forms.Form):
    """A form in the admin's own layout.

    `seen` names the newest change that the page showed, so that nobody acts on a row that a
    colleague, or their own first click, has changed since.
    """

    seen = forms.IntegerField(widget=forms.HiddenInput, initial=0, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.SplitDateTimeField):
                name_both_halves(field)

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
        label=_("Reason"),
        max_length=200,
        help_text=_("Internal note."),
        widget=forms.TextInput({"class": "vTextField"}),
    )


class GiftsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice among the gifts of one payment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Gift.objects.none(), widget=forms.CheckboxSelectMultiple, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        share = staff_money(obj.share_minor, obj.checkout.currency)
        name = obj.recipient_name or obj.recipient_email
        return ", ".join(filter(None, [share, f"{obj.code_hint}…", name, obj.get_status_display()]))


def as_typed_in(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment that staff meant when they typed this time of `zone`."""
    return timezone.make_naive(moment).replace(tzinfo=zone)


def as_read_in(moment: datetime, zone: tzinfo) -> datetime:
    """Return the moment that the admin shows as the time of `zone`: undoes `as_typed_in`."""
    return timezone.make_aware(moment.astimezone(zone).replace(tzinfo=None))


def minor_of(money: Decimal, currency: str) -> int:
    """Return the amount in minor units; raises ValidationError."""
    minor = money.scaleb(decimal_places(currency))
    if minor <= 0:
        raise forms.ValidationError(_("The amount must be above zero."))
    if minor != minor.to_integral_value():
        raise forms.ValidationError(_("Too many decimal places for this currency."))
    return int(minor)
