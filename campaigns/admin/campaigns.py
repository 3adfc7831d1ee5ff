"""Campaigns: their dates, goals, texts and banners."""

from copy import copy
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, banners, progress, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.campaign_texts import BannerInline, CampaignCopyInline
from campaigns.admin.closing import (
    CLOSE,
    REOPEN,
    describe_state,
    in_its_zone,
    list_recounts,
    publish_soon,
)
from campaigns.admin.forms import MomentField, ZoneField
from campaigns.admin.outdated_texts import list_outdated_texts, read_facts
from campaigns.admin.pages import ActionPages, Link
from campaigns.admin.progress import PROGRESS, REPORT
from campaigns.admin.publishing import (
    hide_banners,
    list_publishing_notices,
    publish_now,
    show_banners,
)
from campaigns.admin.site import LabelledInlines
from campaigns.forms.money import CurrencyField, MoneyField
from campaigns.models import Campaign, Checkout, Goal
from campaigns.zones import name_zone


class CampaignForm(forms.ModelForm[Campaign]):
    currency = CurrencyField(initial="eur")
    zone = ZoneField(initial=timezone.get_default_timezone_name)
    starts_at = MomentField(label=_("Starts at"))
    ends_at = MomentField(
        label=_("Ends at"),
        help_text=_("If a campaign ends at 00:00, the day before is its last day."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("The end must be after the start."))
        return cleaned


class GoalForm(forms.ModelForm[Goal]):
    """Asks for a number of members or gifts, or for money in the campaign's currency."""

    target = MoneyField(
        label=_("Target"),
        help_text=_(
            "A number of members or gifts, or an amount of money in the campaign’s currency, for "
            "example 50000 or 50000.50."
        ),
        error_messages={
            "required": _("Enter a target."),
            "zero": _("The target must be above zero."),
        },
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "target" in self.fields:  # staff who may only view have none
            is_money = self["kind"].value() == Goal.Kind.MONEY
            self.fields["target"].currency = currency if is_money else ""  # type: ignore[attr-defined]

    def validate_constraints(self) -> None:
        """Leave the check of the primary goal to GoalFormSet, which sees all goals."""
        is_primary, self.instance.is_primary = self.instance.is_primary, False
        super().validate_constraints()
        self.instance.is_primary = is_primary


class GoalFormSet(BaseInlineFormSet[Goal, Campaign, forms.ModelForm[Goal]]):
    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        return super().get_form_kwargs(index) | {"currency": self.instance.currency}

    def clean(self) -> None:
        super().clean()
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("kind") and not form.cleaned_data.get("DELETE")
        ]
        primary = sum(bool(goal.get("is_primary")) for goal in kept)
        if primary > 1:
            raise forms.ValidationError(
                _("Choose only one primary goal. It is the goal that banners show.")
            )
        if kept and not primary:
            raise forms.ValidationError(
                _("Choose a primary goal. It is the goal that banners show.")
            )

    def save(self, commit: bool = True) -> list[Goal]:
        """Unset the old primary goal before the new one is written, so that there are never two."""
        if commit:
            chosen = [
                form.instance.pk for form in self.forms if form.cleaned_data.get("is_primary")
            ]
            self.instance.goals.exclude(pk__in=chosen).update(is_primary=False)
        return super().save(commit)


class GoalInline(admin.StackedInline[Goal, Campaign]):
    model = Goal
    form = GoalForm
    formset = GoalFormSet
    add_text = _("Add a goal")
    fields = [("kind", "target", "is_primary")]
    extra = 0
    min_num = 1
    max_num = len(Goal.Kind)

    # The goals of a closed campaign can't be changed: its final counts belong to them.

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not _is_closed(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not _is_closed(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not _is_closed(obj) and super().has_delete_permission(request, obj)


def _undo_changes(form: Any) -> Campaign:
    """Return the form's campaign as it was before."""
    campaign: Campaign = copy(form.instance)
    for name in form.changed_data:
        if form.initial.get(name):
            setattr(campaign, name, form.initial[name])
    return campaign


def _is_closed(campaign: Campaign | None) -> bool:
    return campaign is not None and campaign.closed_at is not None


@admin.register(Campaign)
class CampaignAdmin(LabelledInlines, ActionPages):
    pages = (PROGRESS, REPORT, CLOSE, REOPEN)
    list_display = ["name", "see_progress", "phase", "begins", "ends", "city", "priority", "slug"]
    search_fields = ["slug", "copies__name"]
    ordering = ["-starts_at"]
    form = CampaignForm
    inlines = [GoalInline, CampaignCopyInline, BannerInline]
    list_filter = [NeedsAttention, "hides_banners"]
    actions = [publish_now, hide_banners, show_banners, "recount"]
    fieldsets = [
        (None, {"fields": ["slug", "currency"]}),
        (
            _("Dates"),
            {
                "description": _(
                    "Times on this page are in the campaign’s own time zone. Payments count if "
                    "they are made after the start and before the end. If you change the dates, "
                    "we recount the campaign; this can take a few minutes."
                ),
                "fields": ["zone", "starts_at", "ends_at"],
            },
        ),
        (_("More settings"), {"fields": ["supporters_before", "priority", "emblem"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).prefetch_related("copies")

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        """Fix what others depend on.

        The slug is part of links that people shared and of the banners' file names. A money goal
        counts payments in the campaign's currency only. A closed campaign keeps the dates of its
        final count until it is reopened.
        """
        if obj is None:
            return []
        fixed = ["slug"]
        if Checkout.objects.filter(campaign=obj).exists():
            fixed.append("currency")
        if obj.closed_at is not None:
            fixed += ["zone", "starts_at", "ends_at"]
        return fixed

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        """Allow it for a single campaign in which nothing was bought."""
        return (
            obj is not None
            and super().has_delete_permission(request, obj)
            and not actions.has_sales(obj)
        )

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Show what is deleted. Neither orders that nobody paid nor published counts forbid it."""
        deleted, counts, _missing, _protected = super().get_deleted_objects(objs, request)
        return deleted, counts, set(), []

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Delete the campaign and its files, or say why they are kept."""
        try:
            return super().delete_view(request, object_id, extra_context)
        except actions.CampaignSold:
            words = gettext("Campaign not deleted: it has just had a sale.")
        except banners.CannotWithdraw:
            words = gettext(
                "Campaign not deleted: its published files can’t be deleted right now. Try again "
                "in a minute."
            )
        self.message_user(request, words, messages.ERROR)
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[object_id]))

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        actions.delete_campaign(obj)

    def describe_state(self, row: Campaign) -> str:
        return describe_state(row, progress.measure_campaign(row, at=timezone.now()))

    def list_notices(self, request: HttpRequest, row: Campaign) -> list[tuple[str, Link | None]]:
        return [*list_publishing_notices(row), *list_recounts(row)]

    @admin.display(description=_("name"))
    def name(self, campaign: Campaign) -> str:
        return campaign.copy_for(get_language() or "en").name

    @admin.display(description=_("starts"), ordering="starts_at")
    def begins(self, campaign: Campaign) -> str:
        return in_its_zone(campaign, "starts_at")

    @admin.display(description=_("ends"), ordering="ends_at")
    def ends(self, campaign: Campaign) -> str:
        return in_its_zone(campaign, "ends_at")

    @admin.display(description=_("time zone"), ordering="zone")
    def city(self, campaign: Campaign) -> str:
        return name_zone(campaign.zone, get_language() or "en", at=timezone.now())

    @admin.display(description=_("state"))
    def phase(self, campaign: Campaign) -> str:
        if campaign.closed_at is not None:
            return gettext("closed")
        return str(campaign.phase(at=timezone.now()).label)

    @admin.display(description=_("progress"))
    def see_progress(self, campaign: Campaign) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:campaigns_campaign_progress", args=[campaign.pk]),
            gettext("See progress"),
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and read dates and times in the campaign's own zone."""
        with timezone.override(self._zone(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def _zone(self, request: HttpRequest, object_id: str | None) -> str:
        campaign = self.get_object(request, object_id) if object_id else None
        typed = request.POST.get("zone", "")
        if typed in available_timezones():
            return typed
        return campaign.zone if campaign else timezone.get_default_timezone_name()

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        """Write only the form's fields: a colleague may be closing the campaign just now."""
        obj.save(update_fields=list(form.fields) if change else None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        campaign = form.instance
        old = read_facts(_undo_changes(form))
        super().save_related(request, form, formsets, change)
        for words in list_outdated_texts(campaign, old=old, new=read_facts(campaign)):
            self.message_user(request, words, messages.WARNING)
        if change and {"starts_at", "ends_at"} & set(form.changed_data):
            progress.request_recount(campaign.pk)
            tasks.hurry("recounts")
            self.message_user(
                request, gettext("The dates have changed, so the campaign is being recounted.")
            )
        publish_soon([campaign.pk])

    @admin.action(description=_("Recount"), permissions=["change"])
    def recount(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        for campaign in campaigns:
            progress.request_recount(campaign.pk)
            self.message_user(
                request,
                gettext("%(campaign)s: recount started.") % {"campaign": campaign.slug},
            )
        tasks.hurry("recounts")
