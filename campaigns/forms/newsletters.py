"""Newsletters to tick: on a page and form of their own, and on other forms."""

from collections.abc import Collection, Iterable
from typing import Any

from django import forms
from django.core.validators import slug_re
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.forms.fields import PersonEmailField
from campaigns.forms.questions import AskingForm, check_address, check_shared_mailbox
from campaigns.models import Campaign, Newsletter, read_newsroom_name
from campaigns.origins import Origin, read_query


def write_consent() -> str:
    """Return the sentence beside the button, in the active language: what a reader agrees to."""
    return gettext(
        "By signing up, you ask %(newsroom)s to send you the newsletters that you tick. You can "
        "unsubscribe at any time."
    ) % {"newsroom": read_newsroom_name()}


def write_wordings(newsletters: Iterable[Newsletter]) -> dict[str, str]:
    """Return what a reader agrees to by ticking each newsletter, by its short name."""
    sentence = write_consent()
    return {
        each.slug: f"{sentence} [{each.name}, {each.get_frequency_display()}]"
        for each in newsletters
    }


class NewslettersField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Boxes of the newsletters that are offered; all are unticked."""

    def __init__(self, *, required: bool = True) -> None:
        super().__init__(
            Newsletter.objects.none(),
            label=_("Newsletters"),
            to_field_name="slug",
            widget=forms.CheckboxSelectMultiple,
            required=required,
        )
        self.error_messages |= {
            "required": _("Tick at least one newsletter."),
            "invalid_choice": _("This newsletter is no longer offered. Tick another one."),
            "invalid_pk_value": _("This newsletter is no longer offered. Tick another one."),
        }

    def clean(self, value: Any) -> Any:
        if any(not slug_re.match(str(slug)) for slug in value or ()):
            raise forms.ValidationError(self.error_messages["invalid_choice"])
        return super().clean(value)


class NewsletterForm(AskingForm):
    newsletters = NewslettersField()
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_(
            "We’ll e-mail you a link. You’ll get the newsletters once you’ve opened it "
            "and confirmed."
        ),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )
    origin = forms.CharField(widget=forms.HiddenInput, required=False)
    campaign = forms.CharField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, without: Collection[int] = (), **kwargs: Any) -> None:
        """`without` are ids of newsletters to leave out."""
        super().__init__(*args, **kwargs)
        offered = Newsletter.objects.offered().exclude(pk__in=without)
        self.offered = list(offered)
        self.fields["newsletters"].queryset = offered  # type: ignore[attr-defined]
        if len(self.offered) == 1:
            self.initial.setdefault("newsletters", [self.offered[0].slug])

    def clean_origin(self) -> Origin:
        return read_query(self.cleaned_data["origin"])

    def clean_campaign(self) -> Campaign | None:
        """Return the campaign that the form names; an unknown one is none."""
        slug = self.cleaned_data["campaign"]
        return Campaign.objects.filter(slug=slug).first() if slug_re.match(slug) else None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        address = cleaned.get("email", "")
        self.ask_once("email", [*check_address(address), *check_shared_mailbox(address)])
        return cleaned
