"""The preview of banners: the form of a campaign, not saved yet, as readers would see it."""

import base64
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from csp.constants import SELF, UNSAFE_INLINE
from csp.decorators import csp_replace
from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from campaigns import banners, progress
from campaigns.admin.campaign_texts import RICH_BANNER, TextsForm
from campaigns.forms.money import MoneyField
from campaigns.models import Banner, Campaign, CampaignCopy, Goal
from campaigns.models.banner import LONGEST
from campaigns.models.copy import list_languages

PREFIX = "preview"
PHONE, DESK = "phone", "desk"
LIGHT, DARK = "light", "dark"
_SCRIPT = re.compile("<script>.*?</script>", re.DOTALL)
LENGTH = timedelta(days=30)  # of a new campaign whose dates aren't typed yet


class PreviewForm(forms.Form):
    """Chooses what the preview shows. A wrong choice counts as none."""

    placement = forms.ChoiceField(
        label=_("Placement"),
        choices=[("", _("all")), *Banner.Placement.choices],
        required=False,
    )
    state = forms.ChoiceField(
        label=_("State"), choices=[("", _("as it is now")), *Banner.State.choices], required=False
    )
    language = forms.ChoiceField(label=_("Language"), choices=list_languages, required=False)
    number = MoneyField(
        label=_("Number"), required=False, allows_zero=True, widget=forms.TextInput({"size": 8})
    )
    width = forms.ChoiceField(
        label=_("Width"), choices=[(PHONE, _("phone")), (DESK, _("desktop"))], required=False
    )
    scheme = forms.ChoiceField(
        label=_("Colours"), choices=[(LIGHT, _("light")), (DARK, _("dark"))], required=False
    )

    def __init__(self, data: Any = None, *, currency: str = "", initial: Any = None) -> None:
        super().__init__(data, initial=initial, prefix=PREFIX, label_suffix="")
        self.fields["number"].currency = currency  # type: ignore[attr-defined]

    @property
    def chosen(self) -> dict[str, Any]:
        """The valid choices, with defaults in place of the others."""
        self.is_valid()
        typed = {name: value for name, value in self.cleaned_data.items() if value != ""}
        defaults = {
            "placement": "",
            "state": "",
            "language": settings.LANGUAGE_CODE,
            "number": None,
            "width": PHONE,
            "scheme": LIGHT,
        }
        return defaults | typed


# The form shows the preview in a frame. Banners may bring their styles along.
_POLICY = {"frame-ancestors": [SELF], "style-src": [SELF, UNSAFE_INLINE]}


def show_preview(
    request: HttpRequest, pages: "admin.ModelAdmin[Campaign]", campaign: Campaign | None
) -> HttpResponseBase:
    """Show the campaign's banners as readers would see them if the posted form were saved."""
    campaign, goals = read_unsaved(request, pages, campaign)
    currency = campaign.currency if goals and goals[0].kind == Goal.Kind.MONEY else ""
    chosen = PreviewForm(request.POST, currency=currency).chosen
    language = get_language_info(chosen["language"])
    context = {
        **chosen,
        "dir": "rtl" if language["bidi"] else "ltr",
        "banners": list(_render_banners(campaign, goals[0], chosen)) if goals else [],
    }

    @csp_replace(_POLICY)
    @xframe_options_sameorigin
    def answer(request: HttpRequest) -> HttpResponseBase:
        return render(request, "campaigns/staff/preview.html", context)

    return answer(request)


def _render_banners(
    campaign: Campaign, goal: Goal, chosen: dict[str, Any]
) -> Iterator[tuple[str, str, SafeString]]:
    """Yield the name, the label and the HTML of each chosen placement."""
    imagined = progress.imagine_progress(
        goal, at=timezone.now(), state=chosen["state"], shown=chosen["number"]
    )
    for placement in Banner.Placement:
        if chosen["placement"] in {"", placement.value}:
            show = _show_picture if banners.PLACEMENTS[placement].is_picture else _show_banner
            html = show(campaign, imagined, placement.value, chosen["language"])
            yield placement.value, str(placement.label), html


def _show_banner(
    campaign: Campaign, imagined: progress.Progress, placement: str, language: str
) -> SafeString:
    html = banners.render_banner(campaign, imagined, placement=placement, language=language)
    # Made by our own templates, which escape. The frame of the preview runs no script.
    return mark_safe(_SCRIPT.sub("", html))  # noqa: S308


def _show_picture(
    campaign: Campaign, imagined: progress.Progress, placement: str, language: str
) -> SafeString:
    svg = banners.draw_newsletter(campaign, [imagined], language=language)
    drawn = base64.b64encode(svg.encode()).decode()
    words = banners.write_count(imagined, language=language).words
    return format_html('<img src="data:image/svg+xml;base64,{}" alt="{}">', drawn, words)


def read_unsaved(
    request: HttpRequest, pages: "admin.ModelAdmin[Campaign]", campaign: Campaign | None
) -> tuple[Campaign, list[Goal]]:
    """Return the campaign and its goals, the primary one first, from a form that isn't saved.

    A field with a mistake keeps its saved value. Nothing is written.
    """
    form = pages.get_form(request, campaign, change=campaign is not None)(
        request.POST, instance=campaign
    )
    form.is_valid()
    unsaved: Campaign = form.instance
    _complete(unsaved)
    rows: dict[type[Any], list[Any]] = {Goal: [], CampaignCopy: [], Banner: []}
    for formset_class, inline in pages.get_formsets_with_inlines(request, campaign):
        formset = formset_class(
            request.POST,
            instance=unsaved,
            prefix=formset_class.get_default_prefix(),
            queryset=inline.get_queryset(request),
        )
        rows[inline.model] += [_read_row(each) for each in formset.forms if _is_kept(each)]
    # What publishing reads from the database.
    cache = {"copies": rows[CampaignCopy], "banners": rows[Banner]}
    unsaved._prefetched_objects_cache = cache  # type: ignore[attr-defined]
    goals = [goal for goal in rows[Goal] if goal.target]
    return unsaved, sorted(goals, key=lambda goal: not goal.is_primary)


def _complete(campaign: Campaign) -> None:
    """Fill in what a new campaign has to have before its banners can be rendered."""
    campaign.pk = campaign.pk or 0  # no row has it, so nothing is counted
    campaign.slug = campaign.slug or PREFIX
    campaign.starts_at = campaign.starts_at or timezone.now()
    if not campaign.ends_at or campaign.ends_at <= campaign.starts_at:
        campaign.ends_at = campaign.starts_at + LENGTH


def _is_kept(form: Any) -> bool:
    is_deleted = "DELETE" in form.fields and form["DELETE"].value()
    return not is_deleted and (form.instance.pk is not None or form.has_changed())


def _read_row(form: Any) -> Any:
    form.is_valid()
    if isinstance(form, TextsForm):  # also texts that can't be saved yet
        for name in form.fields.keys() & {*RICH_BANNER, "name", "summary", *LONGEST}:
            setattr(form.instance, name, form[name].value() or "")
    return form.instance
