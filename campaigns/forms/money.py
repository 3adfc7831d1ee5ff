"""Fields for money: staff type and read major units, the code keeps minor units."""

from typing import Any

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns import money
from campaigns.models.campaign import validate_currency

_LARGEST = 2**63 - 1  # what a database column holds


class MoneyField(forms.Field):
    """An amount in major units, such as 60, 60.50 or € 5,50; cleaned to integer minor units.

    A form sets `currency` before it is cleaned or shown; "" means a plain whole number. With
    `is_charge` the amount has to be one that Stripe charges.
    """

    widget: type[forms.Widget] = forms.TextInput
    default_error_messages = {
        "required": _("Enter an amount."),
        "zero": _("The amount must be above zero."),
    }

    def __init__(
        self,
        *,
        currency: str = "",
        is_charge: bool = False,
        allows_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.allows_zero = allows_zero
        self.currency = currency
        self.is_charge = is_charge

    @property
    def places(self) -> int:
        return money.decimal_places(self.currency) if self.currency else 0

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal", "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        return money.write_amount(value, self.places) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int | None:
        if value in self.empty_values:
            return None
        if isinstance(value, int):  # the unchanged value of a disabled field
            return value
        typed = str(value)
        if self.currency:
            language = get_language() or "en"
            typed = money.strip_currency(typed, self.currency, language=language)
        try:
            return money.read_amount(typed, self.places)
        except money.TooManyDecimals:
            words = (
                _("Too many decimal places for this currency.")
                if self.currency
                else _("Enter a whole number.")
            )
        except money.AmbiguousAmount:
            words = _("Leave out the thousands separator, for example 1000.")
        except money.UnreadableAmount:
            example = _("Enter an amount like 60 or 60.50.")
            words = example if self.places else _("Enter a whole number.")
        raise forms.ValidationError(words, code="invalid")

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is None:
            return
        if value < 0 or (value == 0 and not self.allows_zero):
            raise forms.ValidationError(self.error_messages["zero"], code="zero")
        if value > _LARGEST:
            raise forms.ValidationError(_("This amount is too large."))
        if self.is_charge and not self.disabled:
            self._check_charge(value)

    def _check_charge(self, minor: int) -> None:
        smallest, largest = (
            money.smallest_charge(self.currency),
            money.largest_charge(self.currency),
        )
        if minor < smallest:
            words, limit = _("Stripe’s smallest charge is %(limit)s."), smallest
        elif minor > largest:
            words, limit = _("Stripe’s largest charge is %(limit)s."), largest
        elif minor % money.charge_step(self.currency):
            words, limit = (
                _("Stripe charges only multiples of %(limit)s in this currency."),
                money.charge_step(self.currency),
            )
        else:
            return
        shown = money.format_money(limit, self.currency, language=get_language() or "en")
        raise forms.ValidationError(words, params={"limit": shown})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not self.disabled and self.to_python(data) != initial
        except forms.ValidationError:
            return True


class MoneyListField(MoneyField):
    """Several amounts, one a line; cleaned to a list of integer minor units."""

    widget = forms.Textarea

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"rows": 3, "autocomplete": "off"}

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, list):
            return "\n".join(money.write_amount(minor, self.places) for minor in value)
        return value

    def clean(self, value: Any) -> list[int]:
        if isinstance(value, list):  # the unchanged value of a disabled field
            return value
        lines = [line for line in str(value or "").splitlines() if line.strip()]
        amounts = [super(MoneyListField, self).clean(line) for line in lines]
        return sorted({minor for minor in amounts if minor is not None})

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return not self.disabled and self.clean(data) != (initial or [])
        except forms.ValidationError:
            return True


class CurrencyField(forms.ChoiceField):
    """A choice of the currencies that Stripe knows."""

    default_error_messages = {
        "invalid_choice": _("Choose a currency that Stripe knows, for example eur.")
    }

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("label", _("Currency"))
        super().__init__(choices=_list_currencies, validators=[validate_currency], **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Show an unknown currency of an older row, too, instead of the first one of the list."""
        if value and value not in money.CURRENCIES:
            self.widget.choices = [(value, str(value).upper()), *_list_currencies()]
        return value


def _list_currencies() -> list[tuple[str, str]]:
    language = get_language() or "en"
    return [
        (code, money.name_currency(code, language=language)) for code in sorted(money.CURRENCIES)
    ]
