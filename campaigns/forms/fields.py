"""The fields that several forms share."""

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import Price
from campaigns.models.erasure import is_of_erased
from campaigns.models.member import canonical_email
from campaigns.spreadsheets import is_formula


def _has_control_characters(text: str, *, allowed: str = "") -> bool:
    return any(unicodedata.category(letter) == "Cc" for letter in text if letter not in allowed)


class NameField(forms.CharField):
    """A person's name: one line."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 120)
        super().__init__(**kwargs)
        self.error_messages["required"] = _("Please write a name.")

    def clean(self, value: Any) -> str:
        name = str(super().clean(value))
        if _has_control_characters(name):
            raise forms.ValidationError(_("Please write the name in one line."))
        if is_formula(name):  # names end up in spreadsheets
            raise forms.ValidationError(
                _("A name does not begin with “%(sign)s”. Please write the name alone."),
                params={"sign": name[0]},
            )
        return name


class PersonEmailField(forms.EmailField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)
        self.error_messages["required"] = _("Please write an e-mail address.")
        self.error_messages["invalid"] = _(
            "Please check this address: it should look like name@example.org."
        )

    def clean(self, value: Any) -> str:
        address = canonical_email(str(super().clean(value)))
        # Folding may lengthen it; and nobody has the address of somebody who was erased.
        if len(address) > 254 or is_of_erased(address):
            raise forms.ValidationError(self.error_messages["invalid"])
        return address


class MessageField(forms.CharField):
    """A text of several lines, in any language."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 500)
        kwargs.setdefault("widget", forms.Textarea({"rows": 4}))
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> str:
        # A browser counts a line break as one character and sends two.
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")

    def clean(self, value: Any) -> str:
        message = str(super().clean(value))
        if _has_control_characters(message, allowed="\n\t"):
            raise forms.ValidationError(_("Please take out the invisible characters."))
        return message


class PriceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the prices on sale, as radio buttons."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Price.objects.none(), empty_label=None, widget=forms.RadioSelect, **kwargs)
        self.error_messages["invalid_choice"] = _(
            "This price is no longer offered. Please choose one of those that are."
        )
        self.error_messages["required"] = _("Please choose one.")
