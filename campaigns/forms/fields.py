"""Fields that several forms share."""

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
        self.error_messages["required"] = _("Enter a name.")

    def clean(self, value: Any) -> str:
        name = str(super().clean(value))
        if _has_control_characters(name):
            raise forms.ValidationError(_("Enter the name on one line."))
        if is_formula(name):  # names end up in spreadsheets
            raise forms.ValidationError(
                _("A name can’t start with “%(sign)s”. Enter only the name."),
                params={"sign": name[0]},
            )
        return name


class PersonEmailField(forms.EmailField):
    """A person's e-mail address, normalised."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_length=254, **kwargs)
        self.error_messages["required"] = _("Enter an e-mail address.")
        self.error_messages["invalid"] = _(
            "Enter a valid e-mail address, for example name@example.org."
        )

    def clean(self, value: Any) -> str:
        address = canonical_email(str(super().clean(value)))
        # Normalising may lengthen the address. Placeholder addresses of erased members are invalid.
        if len(address) > 254 or is_of_erased(address):
            raise forms.ValidationError(self.error_messages["invalid"])
        return address


class MessageField(forms.CharField):
    """An optional text of several lines."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 500)
        kwargs.setdefault("widget", forms.Textarea({"rows": 4}))
        super().__init__(required=False, **kwargs)

    def to_python(self, value: Any) -> str:
        # Browsers count a line break as one character and send two.
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")

    def clean(self, value: Any) -> str:
        message = str(super().clean(value))
        if _has_control_characters(message, allowed="\n\t"):
            raise forms.ValidationError(_("Remove the invisible characters from this text."))
        return message


class PriceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """A choice of the prices on sale, as radio buttons."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Price.objects.none(), empty_label=None, widget=forms.RadioSelect, **kwargs)
        self.error_messages["invalid_choice"] = _(
            "This price is no longer available. Choose another one."
        )
        self.error_messages["required"] = _("Choose a price.")
