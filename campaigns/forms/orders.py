"""What joining and giving share, and joining itself."""

import uuid
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import NameField, PersonEmailField, PriceField
from campaigns.forms.questions import Question, question_address
from campaigns.models import Campaign, Checkout, Price

_TOKEN_SALT = "campaigns.checkout"  # noqa: S105 (a salt is no secret)
_MOST_REMEMBERED = 4000  # characters


def new_token() -> str:
    """Names the Checkout that this showing of the form will make; signed against guessing."""
    return signing.dumps(str(uuid.uuid4()), salt=_TOKEN_SALT)


def token_for(checkout_id: uuid.UUID) -> str:
    return signing.dumps(str(checkout_id), salt=_TOKEN_SALT)


class CheckoutForm(forms.Form):
    """The token that makes two clicks one Checkout, and the questions that are asked once.

    A question is an error the first time. The form that is shown with it remembers that, so that
    the same values sent again pass.
    """

    kind = Checkout.Kind.JOIN

    token = forms.CharField(widget=forms.HiddenInput, max_length=200)
    placement = forms.CharField(widget=forms.HiddenInput, max_length=32, required=False)
    asked = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(
        self, *args: Any, campaign: Campaign | None, asks: bool = True, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        self.currency = campaign.currency if campaign else "eur"
        self.asks = asks

    def gifts(self) -> list[dict[str, str]]:
        """What is given, as the Checkout keeps it."""
        return []

    def refuse_email(self) -> None:
        """Say that the address looked right to us and was refused by Stripe."""
        self.add_error(
            "email", _("Our payment service does not accept this address. Please try another one.")
        )

    def renew_token(self) -> None:
        """Nothing typed is lost, and the next try has a good token."""
        self._change_data("token", new_token())

    def clean_token(self) -> uuid.UUID:
        try:
            return uuid.UUID(signing.loads(self.cleaned_data["token"], salt=_TOKEN_SALT))
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise forms.ValidationError(
                _("This form was changed on its way. Please send it once more.")
            ) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        self.ask("email", question_address(cleaned.get("email", "")))
        return cleaned

    def ask(self, field: str, question: Question | None, *, of: forms.Form | None = None) -> None:
        """Put a question beside a field, of this form or of a row in it, unless it was asked."""
        if question is None or not self.asks:
            return
        source = self.data if self.is_bound else self.initial
        asked = str(source.get("asked") or "")[:_MOST_REMEMBERED].split()
        if question.mark in asked:
            return
        (of or self).add_error(field, forms.ValidationError(str(question.text), code="question"))
        self._change_data("asked", " ".join([question.mark, *asked])[:_MOST_REMEMBERED])

    def _change_data(self, field: str, value: str) -> None:
        if self.is_bound:
            self.data = self.data.copy()  # type: ignore[attr-defined]  # a dict or a QueryDict
            self.data[field] = value  # type: ignore[index]
        else:
            self.initial[field] = value


class JoinForm(CheckoutForm):
    price = PriceField(label=_("How you would like to pay"))
    name = NameField(label=_("Your name"), widget=forms.TextInput({"autocomplete": "name"}))
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("Your receipt and your membership go there."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prices = Price.objects.for_joining(currency=self.currency)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]
