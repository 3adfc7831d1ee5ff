"""What a person types on the way to their own page, and on it."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import MessageField, PersonEmailField


class SignInForm(forms.Form):
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("The one that your receipt or your gift came to."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )


class NewAddressForm(forms.Form):
    email = PersonEmailField(
        label=_("Your new e-mail"), widget=forms.EmailInput({"autocomplete": "email"})
    )

    def __init__(self, *args: Any, now: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._now = now

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email == self._now:
            raise forms.ValidationError(
                _("This is your address already. Please write the one that you want instead.")
            )
        return email


class CancelForm(forms.Form):
    # The values are Stripe's own words for a reason.
    feedback = forms.ChoiceField(
        label=_("Why do you cancel? (if you like to say)"),
        required=False,
        choices=[
            ("", _("I would rather not say")),
            ("too_expensive", _("It costs too much for me")),
            ("unused", _("I read too little of it")),
            ("low_quality", _("I am not content with what you write")),
            ("missing_features", _("I miss something")),
            ("switched_service", _("I support another newsroom now")),
            ("customer_service", _("I was not helped well")),
            ("too_complex", _("It is too complicated")),
            ("other", _("Something else")),
        ],
    )
    comment = MessageField(
        label=_("In your own words (if you like)"),
        help_text=_("The editors read it. Stripe keeps it with the cancellation."),
    )


class ErasureForm(forms.Form):
    is_sure = forms.BooleanField(
        label=_("I know that it cannot be undone"),
        error_messages={"required": _("Please tick this, if you are sure.")},
    )
