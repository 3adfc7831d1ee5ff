"""The base of all order forms, and the form for a membership."""

import uuid
from typing import Any

from django import forms
from django.conf import settings
from django.core import signing
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import NameField, PersonEmailField, PriceField
from campaigns.forms.questions import Question, check_address
from campaigns.models import Campaign, Checkout, Price

_TOKEN_SALT = "campaigns.checkout"  # noqa: S105 (a salt is no secret)
_MAX_ASKED = 4000  # characters


def new_token() -> str:
    """Return a signed token with the id of the Checkout that this form will create."""
    return signing.dumps(str(uuid.uuid4()), salt=_TOKEN_SALT)


def token_for(checkout_id: uuid.UUID) -> str:
    """Return the token of an existing Checkout."""
    return signing.dumps(str(checkout_id), salt=_TOKEN_SALT)


class CheckoutForm(forms.Form):
    """The base of the order forms: a token and questions.

    The token turns two clicks into one Checkout. A question is an error the first time; the form
    remembers it in `asked`, so the same value passes when it is sent again.
    """

    kind = Checkout.Kind.JOIN

    token = forms.CharField(widget=forms.HiddenInput, max_length=200)
    placement = forms.CharField(widget=forms.HiddenInput, max_length=32, required=False)
    asked = forms.CharField(widget=forms.HiddenInput, required=False)
    newsletter = forms.BooleanField(required=False)

    def __init__(
        self, *args: Any, campaign: Campaign | None, asks_questions: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        self.currency = campaign.currency if campaign else "eur"
        self.asks_questions = asks_questions
        if settings.ASK_NEWSLETTER:
            self.fields["newsletter"].label = gettext(
                "Send me the newsletter of %(newsroom)s. I can unsubscribe at any time."
            ) % {"newsroom": settings.NEWSROOM_NAME}
        else:
            del self.fields["newsletter"]

    def newsletter_wording(self) -> str:
        """Return the words that the reader agreed to; empty if they left the box unticked."""
        is_agreed = self.cleaned_data.get("newsletter", False)
        return str(self.fields["newsletter"].label) if is_agreed else ""

    def gifts(self) -> list[dict[str, str]]:
        """Return the gifts as the Checkout stores them."""
        return []

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
        self.ask_once("email", check_address(cleaned.get("email", "")))
        return cleaned

    def ask_once(
        self, field: str, question: Question | None, *, row: forms.Form | None = None
    ) -> None:
        """Show a question beside a field of this form, or of `row`, unless already asked."""
        if question is None or not self.asks_questions:
            return
        source = self.data if self.is_bound else self.initial
        asked = str(source.get("asked") or "")[:_MAX_ASKED].split()
        if question.mark in asked:
            return
        (row or self).add_error(field, forms.ValidationError(str(question.text), code="question"))
        self._change_data("asked", " ".join([question.mark, *asked])[:_MAX_ASKED])

    def _change_data(self, field: str, value: str) -> None:
        if self.is_bound:
            self.data = self.data.copy()  # type: ignore[attr-defined]  # a dict or a QueryDict
            self.data[field] = value  # type: ignore[index]
        else:
            self.initial[field] = value


class JoinForm(CheckoutForm):
    price = PriceField(label=_("Price"))
    name = NameField(label=_("Your name"), widget=forms.TextInput({"autocomplete": "name"}))
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("We’ll send your receipt and membership details here."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prices = Price.objects.for_joining(currency=self.currency)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]
