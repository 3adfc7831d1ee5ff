"""The forms of the account page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import MessageField, PersonEmailField
from campaigns.forms.questions import AskingForm


class SignInForm(forms.Form):
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("The address your receipt or gift was sent to."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )


class NewAddressForm(AskingForm):
    email = PersonEmailField(
        label=_("Your new e-mail"), widget=forms.EmailInput({"autocomplete": "email"})
    )

    def __init__(self, *args: Any, current: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._current = current

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email == self._current:
            raise forms.ValidationError(_("This is already your address. Enter the new one."))
        return email

    def clean(self) -> None:
        super().clean()
        self.ask_about_email()


class CancelForm(forms.Form):
    # The values are Stripe's cancellation reasons.
    feedback = forms.ChoiceField(
        label=_("Why are you cancelling? (optional)"),
        required=False,
        choices=[
            ("", _("I’d rather not say")),
            ("too_expensive", _("It’s too expensive")),
            ("unused", _("I don’t read it enough")),
            ("low_quality", _("I’m not happy with your journalism")),
            ("missing_features", _("Something I need is missing")),
            ("switched_service", _("I support another newsroom now")),
            ("customer_service", _("Your customer service wasn’t helpful")),
            ("too_complex", _("It’s too complicated")),
            ("other", _("Another reason")),
        ],
    )
    comment = MessageField(
        label=_("Comment (optional)"),
        help_text=_("Our editors read this. Stripe stores it with the cancellation."),
    )


class ErasureForm(forms.Form):
    is_sure = forms.BooleanField(
        label=_("I understand that this can’t be undone"),
        error_messages={"required": _("Tick this box to confirm.")},
    )
