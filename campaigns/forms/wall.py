"""The form for the wall: first name, town and one sentence, in plain text."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import MessageField, NameField
from campaigns.models import WallEntry

# A scheme, an address, or two words joined by a dot ("example.org").
_LINK = re.compile(r"://|@|\bwww\.|\w\.[^\W\d_]{2,}", re.IGNORECASE)


def refuse_links(text: str) -> None:
    """Raise ValidationError if the text has a link, an address or a site's name."""
    if _LINK.search(text):
        raise forms.ValidationError(
            _(
                "Leave out links and addresses. If these are two sentences, put a space after the "
                "full stop."
            )
        )


class SentenceField(MessageField):
    """An optional text of one line: line breaks become spaces."""

    def to_python(self, value: Any) -> str:
        return " ".join(super().to_python(value).split())


class WallForm(forms.Form):
    first_name = NameField(
        label=_("First name"),
        max_length=WallEntry.LONGEST_NAME,
        validators=[refuse_links],
        widget=forms.TextInput({"autocomplete": "given-name"}),
    )
    town = NameField(
        label=_("Town (optional)"),
        max_length=WallEntry.LONGEST_TOWN,
        required=False,
        validators=[refuse_links],
        widget=forms.TextInput({"autocomplete": "address-level2"}),
    )
    sentence = SentenceField(
        label=_("One sentence (optional)"),
        help_text=_("Why did you join? At most 160 characters, without links."),
        max_length=WallEntry.LONGEST_SENTENCE,
        validators=[refuse_links],
        widget=forms.Textarea({"rows": 3}),
    )
    agrees = forms.BooleanField(
        label=_("Show this on the campaign page"),
        help_text=_(
            "Everyone can read it there. We never show your surname or e-mail address, and you can "
            "remove it at any time."
        ),
        error_messages={"required": _("Tick this box, so that we may show it.")},
    )
