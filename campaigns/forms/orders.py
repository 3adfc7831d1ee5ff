"""The base of all order forms, and the form for a membership."""

import uuid
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import NameField, PersonEmailField
from campaigns.forms.newsletters import NewslettersField, write_consent
from campaigns.forms.offers import OfferForm
from campaigns.forms.questions import AskingForm
from campaigns.models import Campaign, Checkout, Newsletter, Price, Terms
from campaigns.origins import Origin, read_query

_TOKEN_SALT = "campaigns.checkout"  # noqa: S105 (a salt is no secret)


def new_token() -> str:
    """Return a signed token with the id of the Checkout that this form will create."""
    return signing.dumps(str(uuid.uuid4()), salt=_TOKEN_SALT)


def token_for(checkout_id: uuid.UUID) -> str:
    """Return the token of an existing Checkout."""
    return signing.dumps(str(checkout_id), salt=_TOKEN_SALT)


class CheckoutForm(AskingForm):
    """The base of the order forms: a token that turns two clicks into one Checkout, and questions.

    It offers the newsletters as well; a request for one is no part of the order.
    """

    kind = Checkout.Kind.JOIN

    token = forms.CharField(widget=forms.HiddenInput, max_length=200)
    origin = forms.CharField(widget=forms.HiddenInput, required=False)
    newsletters = NewslettersField(required=False)

    def __init__(self, *args: Any, campaign: Campaign | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._has_choice = "price" in self.initial
        self.most_chosen: str | int | None = None  # the value of the price's radio button
        self.campaign = campaign
        self.currency = campaign.currency if campaign else "eur"
        if Newsletter.objects.offered().exists():
            offered = Newsletter.objects.offered()
            self.fields["newsletters"].queryset = offered  # type: ignore[attr-defined]
        else:
            del self.fields["newsletters"]

    def clean_origin(self) -> Origin:
        return read_query(self.cleaned_data["origin"])

    @property
    def origin_query(self) -> str:
        """The query string that carries the reader's origin on to another form."""
        return read_query(self["origin"].value() or "").query

    @property
    def newsletter_consent(self) -> str:
        return write_consent()

    def wanted_newsletters(self) -> list[Newsletter]:
        """Return the newsletters that the reader ticked."""
        return list(self.cleaned_data.get("newsletters") or ())

    def list_prices(self) -> list[Price]:
        """Return the prices that are offered."""
        raise NotImplementedError

    def find_choice(self, terms: Price | Terms) -> str | int:
        """Return the value of the radio button of a price."""
        raise NotImplementedError

    def show_most_chosen(self, terms: Price | Terms | None) -> None:
        """Say which price is chosen most often, and choose it unless the reader did already."""
        if terms is None:
            return
        self.most_chosen = self.find_choice(terms)
        if not self._has_choice:
            self.initial["price"] = self.most_chosen

    def gifts(self) -> list[dict[str, str]]:
        """Return the gifts as the Checkout stores them."""
        return []

    def describe_typed(self) -> dict[str, Any]:
        """Return what only the form knows, as the Checkout stores it."""
        gifts = self.gifts()
        return {"gifts": gifts} if gifts else {}

    @property
    def terms(self) -> Price | Terms:
        """The chosen price, with the chosen amount if it is open."""
        price: Price = self.cleaned_data["price"]
        return price.at_amount(self.cleaned_data.get("amount_minor"))

    def refuse_email(self) -> None:
        """Add the error that Stripe refused the address."""
        self.add_error(
            "email", _("Our payment service doesn’t accept this address. Enter another one.")
        )

    def refuse_price(self, *, so_many: bool = False) -> None:
        """Add the error that Stripe refused the price, or only the total of so many gifts."""
        if so_many:
            words = _(
                "This is more than our payment service accepts in one payment. Order fewer gifts."
            )
        elif len(self["price"]):
            words = _("This price isn’t available right now. Nothing was charged. Choose another.")
        else:
            words = _(
                "This price isn’t available right now. Nothing was charged. Please try again later."
            )
        self.add_error("price", words)

    def renew_token(self) -> None:
        """Give the form a new, valid token for the next try."""
        self._change_data("token", new_token())

    def clean_token(self) -> uuid.UUID:
        try:
            return uuid.UUID(signing.loads(self.cleaned_data["token"], salt=_TOKEN_SALT))
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise forms.ValidationError(
                _("Something in this form was changed. Please send it again.")
            ) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.ask_about_email()
        return cleaned


class PersonForm(OfferForm, CheckoutForm):
    """The base of the forms of people who pay for themselves."""

    name = NameField(label=_("Your name"), widget=forms.TextInput({"autocomplete": "name"}))
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("We’ll send your receipt and membership details here."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def describe_typed(self) -> dict[str, Any]:
        return {"amount": self.typed_amount} if self.typed_amount else {}


class JoinForm(PersonForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.offer_prices(Price.objects.for_joining(currency=self.currency))


class ContributionForm(PersonForm):
    kind = Checkout.Kind.CONTRIBUTION

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].help_text = _("We’ll send your receipt here.")
        self.fields["price"].label = _("Your contribution")
        self.offer_prices(Price.objects.for_contributing(currency=self.currency))
