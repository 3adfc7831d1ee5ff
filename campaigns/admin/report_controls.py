"""The controls of a campaign's report: the days and what they are compared with."""

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.models import Campaign
from campaigns.reports.page import NOTHING, PREVIOUS, Choice


def _make_day_field(label: StrOrPromise) -> forms.DateField:
    """Return a day that may be left out, with the browser's own field for it."""
    widget = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    return forms.DateField(label=label, required=False, widget=widget)


class ControlsForm(forms.Form):
    """The days and the comparison of the report, read from its URL. All of them are optional."""

    first = _make_day_field(pgettext_lazy("day", "From"))
    last = _make_day_field(pgettext_lazy("day", "To"))
    compare = forms.ChoiceField(label=_("Compare with"), required=False)

    def __init__(self, data: QueryDict | None, *, campaign: Campaign, language: str) -> None:
        super().__init__(data, label_suffix="")
        earlier = Campaign.objects.filter(starts_at__lt=campaign.starts_at)
        named = [
            (each.slug, each.copy_for(language).name)
            for each in earlier.prefetch_related("copies").order_by("-starts_at")
        ]
        self.fields["compare"].choices = [  # type: ignore[attr-defined]
            ("", gettext("latest campaigns")),
            *named,
            (PREVIOUS, gettext("the days before")),
            (NOTHING, gettext("nothing")),
        ]

    def add_prefix(self, field_name: str) -> str:
        # "from" can't be the name of a Python attribute.
        return {"first": "from", "last": "to"}.get(field_name, field_name)

    def read(self) -> Choice:
        """Return what is asked for; whatever can't be read is left out, swapped days put right."""
        if not self.is_bound:
            return Choice()
        self.is_valid()
        first, last = self.cleaned_data.get("first"), self.cleaned_data.get("last")
        if first and last and last < first:
            first, last = last, first
        return Choice(first, last, self.cleaned_data.get("compare", ""))
