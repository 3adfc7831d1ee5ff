"""What whoever was given a membership types."""

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import NameField, PersonEmailField
from campaigns.models.codes import CODE_LENGTH, normalise_code

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
