"""The choice of a price and, where readers choose what they pay, of an amount."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django import forms
from django.utils.functional import Promise
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from campaigns import money
from campaigns.forms.money import MoneyField
from campaigns.models import Price, Priced, Terms

OTHER = "other"
_LABELS: dict[str, Promise | str] = {
    Price.Kind.MONTH: _("Amount a month, in %(currency)s"),
    Price.Kind.YEAR: _("Amount a year, in %(currency)s"),
    Price.Kind.ONCE: _("Amount in %(currency)s"),
    Price.Kind.CONTRIBUTION: _("Amount in %(currency)s"),
}


@dataclass(frozen=True)
class Saving:
    """The amount by which a year costs less than twelve months at `month`, in minor units.

    The monthly price is named where readers may pay another amount a month.
    """

    amount_minor: int
    month: Price
    names_month: bool

    @property
    def currency(self) -> str:
        return self.month.currency


def find_saving(year: Price, prices: Iterable[Price]) -> Saving | None:
    """Return what a yearly price saves against the cheapest monthly one of its plan.

    None if it saves nothing, or if readers choose the yearly amount themselves.
    """
    months = [
        price
        for price in prices
        if price.kind == Price.Kind.MONTH
        and (price.plan_id, price.currency) == (year.plan_id, year.currency)
    ]
    if year.kind != Price.Kind.YEAR or year.is_open or not months:
        return None
    month = min(months, key=lambda price: price.amount_minor)
    saved = 12 * month.amount_minor - year.amount_minor
    names_month = any(price.is_open for price in months)
    return Saving(saved, month, names_month) if saved > 0 else None


@dataclass
class Offer(Priced):
    """A price to choose; of an open price, one amount, or (None) another one that is typed.

    `field` is where it is typed. The last offer of an open price has the average, if it is shown.
    """

    price: Price
    amount_minor: int | None
    field: forms.BoundField | None = None
    average_minor: int | None = None
    saving: Saving | None = None

    @property
    def value(self) -> str:
        if not self.price.is_open:
            return str(self.price.pk)
        return f"{self.price.pk}-{OTHER if self.amount_minor is None else self.amount_minor}"

    @property
    def is_other(self) -> bool:
        return self.amount_minor is None


class OfferValue(str):
    """The value of a radio button, with its offer."""

    __slots__ = ("instance",)

    instance: Offer

    def __new__(cls, offer: Offer) -> "OfferValue":
        value = super().__new__(cls, offer.value)
        value.instance = offer
        return value


class OfferField(forms.ChoiceField):
    """A choice of offers, as radio buttons; cleaned to an Offer."""

    widget = forms.RadioSelect

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.offers: list[Offer] = []
        self.error_messages["invalid_choice"] = _(
            "This price is no longer available. Choose another one."
        )
        self.error_messages["required"] = _("Choose a price.")

    def offer(self, prices: Iterable[Price]) -> None:
        """Offer these prices, each open one with its amounts and with another amount."""
        self.offers, prices = [], list(prices)
        for price in prices:
            saving = find_saving(price, prices)
            self.offers += [Offer(price, minor, saving=saving) for minor in price.amounts]
            if price.is_open:
                self.offers.append(Offer(price, None))
        self.choices = [(OfferValue(offer), offer.value) for offer in self.offers]

    def clean(self, value: Any) -> Offer:
        chosen = super().clean(value)
        return next(offer for offer in self.offers if offer.value == chosen)

    def find_value(self, price: Price, amount_minor: int | None = None) -> str:
        """Return the value of the offer of a price, or of its amount."""
        minor = amount_minor or price.amount_minor
        is_offered = not price.is_open or minor in price.amounts
        return Offer(price, minor if is_offered else None).value


class AmountField(MoneyField):
    """The amount that a reader types for an open price, in major units."""

    is_amount = True

    def __init__(self, price: Price, **kwargs: Any) -> None:
        least, most = self._show(price.least_minor, price), self._show(price.most_minor, price)
        limits = {"least": least, "most": most}
        super().__init__(
            currency=price.currency,
            is_charge=True,
            required=False,
            label=_LABELS[price.kind] % {"currency": price.currency.upper()},
            help_text=_("From %(least)s to %(most)s.") % limits
            if price.maximum_minor
            else _("At least %(least)s.") % limits,
            **kwargs,
        )
        self.price = price
        self.too_small = _("Enter at least %(least)s.") % limits
        self.too_large = _("Enter at most %(most)s.") % limits
        self.error_messages["zero"] = self.too_small

    @staticmethod
    def _show(minor: int, price: Price) -> str:
        return money.format_money(minor, price.currency, language=get_language() or "en")

    def _check_charge(self, minor: int) -> None:
        if minor < self.price.least_minor:
            raise forms.ValidationError(self.too_small, code="too_small")
        if minor > self.price.most_minor:
            raise forms.ValidationError(self.too_large, code="too_large")
        step = money.charge_step(self.currency)
        if minor % step:
            shown = self._show(step, self.price)
            raise forms.ValidationError(
                _("Enter a multiple of %(step)s."), params={"step": shown}, code="step"
            )


class OfferForm(forms.Form):
    """A form with the choice of an offer: `price`, and an amount field for each open price."""

    price = OfferField(label=_("Price"))

    def offer_prices(self, prices: Iterable[Price]) -> None:
        """Offer these prices. The amount fields come after the choice of the price."""
        choice = self.offer_field
        choice.offer(prices)
        self.open_prices = {
            offer.price.pk: offer.price for offer in choice.offers if offer.is_other
        }
        for price in self.open_prices.values():
            self.fields[name_amount(price)] = AmountField(price)
        names = ["price", *map(name_amount, self.open_prices.values())]
        self.order_fields([*names, *(name for name in self.fields if name not in names)])
        for offer in choice.offers:
            if offer.is_other:
                offer.field = self[name_amount(offer.price)]
        if len(self.list_prices()) == 1:
            self.initial.setdefault("price", choice.find_value(choice.offers[0].price))

    @property
    def offer_field(self) -> OfferField:
        field = self.fields["price"]
        assert isinstance(field, OfferField)
        return field

    def list_prices(self) -> list[Price]:
        """Return the prices that are offered."""
        return list({offer.price.pk: offer.price for offer in self.offer_field.offers}.values())

    def find_choice(self, terms: Price | Terms) -> str:
        """Return the value of the offer of a price, or of an amount at an open price."""
        price = terms.price if isinstance(terms, Terms) else terms
        return self.offer_field.find_value(price, terms.amount_minor)

    def show_averages(self, averages: Mapping[int, int]) -> None:
        """Show the average amounts, by the primary keys of their prices."""
        for offer in self.offer_field.offers:
            if offer.is_other:
                offer.average_minor = averages.get(offer.price.pk)

    def choose_initially(self, price_id: int, amount_minor: int, *, typed: str = "") -> None:
        """Choose an offer before the reader does, and fill in another amount as it was typed."""
        found = [offer for offer in self.offer_field.offers if offer.price.pk == price_id]
        if not found:
            return
        price = found[0].price
        self.initial["price"] = self.offer_field.find_value(price, amount_minor)
        if price.is_open and (typed or amount_minor not in price.amounts):
            self.initial["price"] = Offer(price, None).value
            self.initial[name_amount(price)] = typed or amount_minor

    @property
    def typed_amount(self) -> str:
        """The amount as the reader typed it; empty if they chose a price or a suggested amount."""
        chosen = str(self["price"].value() or "")
        offers = [offer for offer in self.offer_field.offers if offer.value == chosen]
        field = offers[0].field if offers and offers[0].is_other else None
        return str(field.value() or "").strip() if field is not None else ""

    def clean(self) -> dict[str, Any]:
        """Put the price and the chosen amount in minor units into `price` and `amount_minor`."""
        cleaned = super().clean() or self.cleaned_data
        offer = cleaned.get("price")
        chosen = name_amount(offer.price) if offer is not None and offer.is_other else ""
        for price in self.open_prices.values():
            if name_amount(price) != chosen:  # the reader changed their mind
                self.errors.pop(name_amount(price), None)
        if offer is None:
            return cleaned
        amount_minor = cleaned.get(chosen) if chosen else offer.amount_minor
        if chosen and amount_minor is None and chosen not in self.errors:
            self.add_error(chosen, _("Enter an amount."))
        return cleaned | {"price": offer.price, "amount_minor": amount_minor}

    def refuse_amount(self) -> bool:
        """Add the error that Stripe refused the amount; False if the price has no amount field."""
        name = name_amount(self.cleaned_data["price"])
        if name not in self.fields:
            return False
        # A suggested amount is refused beside the prices.
        is_typed = str(self["price"].value() or "").endswith(OTHER)
        self.add_error(
            name if is_typed else "price",
            _("Our payment service doesn’t accept this amount. Enter another one."),
        )
        return True


class AmountForm(OfferForm):
    """The amount that a member pays at the open price of their membership."""

    def __init__(self, *args: Any, price: Price, amount_minor: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["price"].label = _("New amount")
        self.offer_prices([price])
        self.choose_initially(price.pk, amount_minor)


def name_amount(price: Price) -> str:
    """Return the name of the field for another amount at an open price."""
    return f"amount_{price.pk}"
