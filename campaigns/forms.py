"""What readers type. Every error says in plain words what to do; nothing typed is lost."""

import uuid
from typing import Any

from django import forms
from django.core import signing
from django.utils.translation import gettext_lazy as _

from campaigns.models import Campaign, Price
from campaigns.models.codes import CODE_LENGTH, normalise_code
from campaigns.models.member import canonical_email

_TOKEN_SALT = "campaigns.checkout"  # noqa: S105 (a salt is no secret)


def new_token() -> str:
    """Names the Checkout that this showing of the form will make; signed against guessing."""
    return signing.dumps(str(uuid.uuid4()), salt=_TOKEN_SALT)


def token_for(checkout_id: uuid.UUID) -> str:
    return signing.dumps(str(checkout_id), salt=_TOKEN_SALT)


def _has_control_characters(text: str, *, allowed: str = "") -> bool:
    return any(ord(letter) < 32 and letter not in allowed for letter in text)


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
        if len(address) > 254:  # folding may lengthen it
            raise forms.ValidationError(self.error_messages["invalid"])
        return address


class MessageField(forms.CharField):
    """A text of several lines."""

    def to_python(self, value: Any) -> str:
        # A browser counts a line break as one character and sends two.
        return str(super().to_python(value)).replace("\r\n", "\n").replace("\r", "\n")


class PriceField(forms.ModelChoiceField):  # type: ignore[type-arg]
    """One of the prices on sale, as radio buttons."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Price.objects.none(), empty_label=None, widget=forms.RadioSelect, **kwargs)
        self.error_messages["invalid_choice"] = _(
            "This price is no longer offered. Please choose one of those that are."
        )
        self.error_messages["required"] = _("Please choose one.")


class CheckoutForm(forms.Form):
    """What joining and giving share: the token that makes two clicks one Checkout."""

    token = forms.CharField(widget=forms.HiddenInput, max_length=200)
    placement = forms.CharField(widget=forms.HiddenInput, max_length=32, required=False)

    def __init__(self, *args: Any, campaign: Campaign | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = campaign.currency if campaign else "eur"

    def refuse_email(self) -> None:
        """Say that the address looked right to us and was refused by Stripe."""
        self.add_error(
            "email", _("Our payment service does not accept this address. Please try another one.")
        )

    def clean_token(self) -> uuid.UUID:
        try:
            return uuid.UUID(signing.loads(self.cleaned_data["token"], salt=_TOKEN_SALT))
        except (signing.BadSignature, ValueError, TypeError) as error:
            raise forms.ValidationError(
                _("This form was changed on its way. Please send it once more.")
            ) from error


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


class GiftForm(CheckoutForm):
    price = PriceField(label=_("How long the gift lasts"))
    name = NameField(
        label=_("Your name"),
        help_text=_("As the recipient will read it."),
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("The receipt and the claim link go there."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    recipient_name = NameField(
        label=_("Recipient’s name"), widget=forms.TextInput({"autocomplete": "off"})
    )
    hand_over = forms.BooleanField(label=_("I will hand it over myself"), required=False)
    recipient_email = PersonEmailField(
        label=_("Recipient’s e-mail"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    message = MessageField(
        label=_("Your message"),
        help_text=_("Up to 500 characters. Optional."),
        required=False,
        max_length=500,
        widget=forms.Textarea({"rows": 4, "maxlength": 500}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prices = Price.objects.for_giving(currency=self.currency)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]

    def clean_message(self) -> str:
        message = str(self.cleaned_data["message"])
        if _has_control_characters(message, allowed="\n\t"):
            raise forms.ValidationError(_("Please take out the invisible characters."))
        return message

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("hand_over"):
            cleaned["recipient_email"] = ""
        elif not cleaned.get("recipient_email") and "recipient_email" not in self.errors:
            self.add_error(
                "recipient_email",
                _("Please give the recipient’s address, or tick that you hand it over yourself."),
            )
        return cleaned


# One answer to malformed and unknown codes: whoever guesses learns nothing.
_UNKNOWN_CODE = _("We know no such code. Please compare it with your mail or card, group by group.")


class ClaimCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Your gift code"),
        help_text=_("Four groups of five letters and digits. Capitals and hyphens do not matter."),
        max_length=60,
        error_messages={"required": _("Please type the code."), "unknown": _UNKNOWN_CODE},
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"])
        if len(normalise_code(code)) != CODE_LENGTH:
            raise forms.ValidationError(_UNKNOWN_CODE)
        return code


class ClaimForm(forms.Form):
    name = NameField(label=_("Your name"), widget=forms.TextInput({"autocomplete": "name"}))
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("Your membership will be known by this address."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
