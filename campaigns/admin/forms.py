"""Pages on which staff do something to one row: a form that is done, logged and told of."""

from collections.abc import Callable
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, NamedTuple

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.admin.templatetags.admin_urls import admin_urlname
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from campaigns.admin.site import name_both_halves, staff_money
from campaigns.models import Gift
from campaigns.money import decimal_places


class NotDone(Exception):
    """Nothing was done, and the message says why: a second click, or a colleague was quicker."""


class Done(NamedTuple):
    """What staff are told; `entry` is what their colleagues read in the row's history."""

    words: str
    level: int = messages.SUCCESS
    entry: str = ""


class StaffForm(forms.Form):
    """Laid out as the admin lays out its own forms.

    `seen` names the newest change that was on the page, so that nobody acts on what a colleague,
    or their own first click, has changed since.
    """

    seen = forms.IntegerField(widget=forms.HiddenInput, initial=0, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if isinstance(field, forms.SplitDateTimeField):
                name_both_halves(field)

    def choices(self) -> list[forms.BoundField]:
        return [
            field for field in self.visible_fields() if field.widget_type == CHECKBOXES_OF_SEVERAL
        ]

    def fieldset(self) -> AdminForm:
        names = [
            field.name
            for field in self.visible_fields()
            if field.widget_type != CHECKBOXES_OF_SEVERAL
        ]
        return AdminForm(self, [(None, {"fields": names})], {})  # type: ignore[arg-type]

    def look_again(self, seen: int) -> None:
        """What was typed stands; sent once more, it is done in knowledge of what changed."""
        assert isinstance(self.data, QueryDict)
        data = self.data.copy()
        data["seen"] = str(seen)
        self.data = data


CHECKBOXES_OF_SEVERAL = "checkboxselectmultiple"


class WhyForm(StaffForm):
    why = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("Kept, for your colleagues."),
        widget=forms.TextInput({"class": "vTextField"}),
    )


class GiftsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """Some of the gifts of one payment."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(Gift.objects.none(), widget=forms.CheckboxSelectMultiple, **kwargs)

    def label_from_instance(self, obj: Any) -> str:
        share = staff_money(obj.share_minor, obj.checkout.currency)
        name = obj.recipient_name or obj.recipient_email
        return ", ".join(filter(None, [share, f"{obj.code_hint}…", name, obj.get_status_display()]))


def as_typed_in(moment: datetime, zone: tzinfo) -> datetime:
    """What was read as the admin's own time was meant in that zone."""
    return timezone.make_naive(moment).replace(tzinfo=zone)


def as_read_in(moment: datetime, zone: tzinfo) -> datetime:
    """What the admin's own time shows as that zone's: undoes `as_typed_in`."""
    return timezone.make_aware(moment.astimezone(zone).replace(tzinfo=None))


def minor_of(money: Decimal, currency: str) -> int:
    """The amount in minor units; raises ValidationError."""
    minor = money.scaleb(decimal_places(currency))
    if minor <= 0:
        raise forms.ValidationError(_("The amount is above zero."))
    if minor != minor.to_integral_value():
        raise forms.ValidationError(_("This currency has no such small coins."))
    return int(minor)


def page_of(row: Any) -> str:
    return reverse(admin_urlname(row._meta, SafeString("change")), args=[row.pk])


def answer_form(
    model_admin: admin.ModelAdmin[Any],
    request: HttpRequest,
    row: Any,
    form: StaffForm,
    *,
    do: Callable[[dict[str, Any], User], Done],
    title: str,
    explanation: str,
    button: str = "",
    newest: Callable[[], int] = lambda: 0,
    template: str = "campaigns/staff/act.html",
) -> HttpResponse:
    """Show the form, or do what it asks for, log it, tell of it and lead back to the row."""
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        try:
            done = do(form.cleaned_data, request.user)
        except NotDone as error:
            form.add_error(None, str(error))
            form.look_again(newest())
        else:
            model_admin.log_change(request, row, done.entry or done.words)
            model_admin.message_user(request, done.words, done.level)
            return HttpResponseRedirect(page_of(row))
    return TemplateResponse(
        request,
        template,
        {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "original": row,
            "title": title,
            "explanation": explanation,
            "button": button or title,
            "form": form,
            "adminform": form.fieldset(),
            "media": model_admin.media + form.media,
        },
        status=422 if form.errors else 200,
    )


class Link(NamedTuple):
    label: str
    url: str
    is_grave: bool = False


class Panel(NamedTuple):
    """What stands above a row's facts: how it is, what waits for a word, what can be done."""

    state: str
    notices: list[tuple[str, Link | None]]
    links: list[Link]
