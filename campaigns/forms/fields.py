"""Fields that several forms share."""

import unicodedata
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.models import Price
from campaigns.models.erasure import is_of_erased
from campaigns.people import canonical_email, clean_name, clean_text
from campaigns.spreadsheets import is_formula


def _has_control_characters(text: str, *, allowed: str = "") -> bool:
    return any(unicodedata.category(letter) == "Cc" for letter in text if letter not in allowed)


class NameField(forms.CharField):
    """A person's name: one line, without characters that hide or reorder its letters."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 120)
        super().__init__(**kwargs)
        self.error_messages["required"] = _("Enter a name.")

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"dir": "auto"}

    def to_python(self, value: Any) -> str:
        return clean_name(str(super().to_python(value)))

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
    """A person's e-mail address, in its canonical form.

    Django also accepts mailboxes of our own machines: at "localhost", or at an IP address.
    """

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 254)
        super().__init__(**kwargs)
        self.error_messages["required"] = _("Enter an e-mail address.")
        self.error_messages["invalid"] = _(
            "Enter a valid e-mail address, for example name@example.org."
        )

    def to_python(self, value: Any) -> str:
        return canonical_email(str(super().to_python(value)))

    def clean(self, value: Any) -> str:
        address = str(super().clean(value))
        domain = address.rpartition("@")[2]
        is_ours = bool(domain) and ("." not in domain or domain.startswith("["))
        if is_ours or is_of_erased(address):  # the placeholder of an erased member's address
            raise forms.ValidationError(self.error_messages["invalid"])
        return address


class MessageField(forms.CharField):
    """An optional text of several lines."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 500)
        kwargs.setdefault("widget", forms.Textarea({"rows": 4}))
        super().__init__(required=False, **kwargs)

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return super().widget_attrs(widget) | {"dir": "auto"}

    def to_python(self, value: Any) -> str:
        # Browsers count a line break as one character and send two.
        lines = str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")
        return clean_text(lines).strip()

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
