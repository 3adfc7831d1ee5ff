"""The forms with which a recipient claims a gift."""

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import NameField, PersonEmailField
from campaigns.forms.questions import AskingForm
from campaigns.models.codes import CODE_LENGTH, normalise_code

# The same answer for malformed and unknown codes, so that guessing reveals nothing.
_UNKNOWN_CODE = _("We can’t find this code. Please compare it with your e-mail or card.")


class ClaimCodeForm(forms.Form):
    code = forms.CharField(
        label=_("Claim code"),
        help_text=_("Four groups of five letters and digits. Capitals and hyphens don’t matter."),
        max_length=300,
        error_messages={"required": _("Enter your claim code."), "unknown": _UNKNOWN_CODE},
        widget=forms.TextInput(
            {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )

    def clean_code(self) -> str:
        # A pasted claim link ends with the code.
        code = str(self.cleaned_data["code"]).rstrip("/").rpartition("/")[2]
        if len(normalise_code(code)) != CODE_LENGTH:
            raise forms.ValidationError(_UNKNOWN_CODE)
        return code


class ClaimForm(AskingForm):
    name = NameField(label=_("Your name"), widget=forms.TextInput({"autocomplete": "name"}))
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("We’ll use this address for your membership."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def clean(self) -> None:
        super().clean()
        self.ask_about_email()
