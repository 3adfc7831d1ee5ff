"""Campaigns: their window, goals, wording and banners."""

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import banners, progress, tasks
from campaigns.admin.closing import ClosingPages, in_its_zone, publish_soon
from campaigns.admin.progress import ProgressPages
from campaigns.admin.site import name_both_halves
from campaigns.models import Banner, Campaign, CampaignCopy, Checkout, Goal, Payment


class CampaignForm(forms.ModelForm[Campaign]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "ends_at"):
            if name in self.fields:  # whoever may only look has none
                name_both_halves(self.fields[name])

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("The end has to come after the start."))
        return cleaned


class GoalForm(forms.ModelForm[Goal]):
    def clean_target(self) -> int:
        target = int(self.cleaned_data["target"])
        if target == 0:
            raise forms.ValidationError(_("A goal's target is above zero."))
        return target

    def validate_constraints(self) -> None:
        """Which goal is the primary one is told by all of them together: see GoalFormSet."""
        is_primary, self.instance.is_primary = self.instance.is_primary, False
        super().validate_constraints()
        self.instance.is_primary = is_primary


class GoalFormSet(BaseInlineFormSet[Goal, Campaign, forms.ModelForm[Goal]]):
    def clean(self) -> None:
        super().clean()
        kept = [
            form.cleaned_data
            for form in self.forms
            if form.cleaned_data.get("kind") and not form.cleaned_data.get("DELETE")
        ]
        primary = sum(bool(goal.get("is_primary")) for goal in kept)
        if primary > 1:
            raise forms.ValidationError(_("Banners show one goal: only one can be the primary."))
        if kept and not primary:
            raise forms.ValidationError(
                _("Choose the primary goal: without one there is no number for the banners.")
            )

    def save(self, commit: bool = True) -> list[Goal]:
        """The old primary goal steps back before the new one is written: there are never two."""
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
    fields = [("kind", "target", "is_primary")]
    extra = 0
    min_num = 1
    max_num = len(Goal.Kind)

    # The goals of a closed campaign are what its number was kept for: they can be looked at.

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not _is_closed(obj) and super().has_add_permission(request, obj)

    def has_change_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not _is_closed(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return not _is_closed(obj) and super().has_delete_permission(request, obj)


def _is_closed(campaign: Campaign | None) -> bool:
    return campaign is not None and campaign.closed_at is not None


class CampaignCopyInline(admin.StackedInline[CampaignCopy, Campaign]):
    model = CampaignCopy
    extra = 0
    min_num = 1
    verbose_name = _("wording in one language")
    verbose_name_plural = _("wording")


class BannerInline(admin.StackedInline[Banner, Campaign]):
    model = Banner
    extra = 0
    verbose_name = _("banner of your own wording")
    verbose_name_plural = _("banners of your own wording; where there is none, ours stands")
    fields = [("placement", "state", "language"), "headline", "text"]


@admin.register(Campaign)
class CampaignAdmin(ClosingPages, ProgressPages):
    list_display = ["name", "see_progress", "phase", "begins", "ends", "zone", "priority", "slug"]
    search_fields = ["slug", "copies__name"]
    ordering = ["-starts_at"]
    form = CampaignForm
    inlines = [GoalInline, CampaignCopyInline, BannerInline]
    actions = ["publish_now", "recount"]
    fieldsets = [
        (None, {"fields": ["slug", "currency"]}),
        (
            _("Window"),
            {
                "description": _(
                    "Dates and times on this page are in the campaign's own time zone. What is paid "
                    "from the start on and before the end counts; after a change everything is "
                    "counted anew, within minutes if it is much."
                ),
                "fields": ["zone", "starts_at", "ends_at"],
            },
        ),
        (_("Beside the number"), {"fields": ["supporters_before", "priority"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).prefetch_related("copies")

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        """The slug is in the address that people shared and in the banners' file names.

        The currency is that of what was bought: another would leave it out of the goal of money.
        A closed campaign keeps the window of its number until it is opened again.
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
        """Only one that nothing was bought in; several at once never."""
        return (
            obj is not None
            and super().has_delete_permission(request, obj)
            and not Checkout.objects.filter(campaign=obj).exists()
            and not Payment.objects.filter(campaign=obj).exists()
        )

    @admin.display(description=_("name"))
    def name(self, campaign: Campaign) -> str:
        return campaign.copy_for(get_language() or "en").name

    @admin.display(description=_("from"), ordering="starts_at")
    def begins(self, campaign: Campaign) -> str:
        return in_its_zone(campaign, "starts_at")

    @admin.display(description=_("to"), ordering="ends_at")
    def ends(self, campaign: Campaign) -> str:
        return in_its_zone(campaign, "ends_at")

    @admin.display(description=_("now"))
    def phase(self, campaign: Campaign) -> str:
        if campaign.closed_at is not None:
            return gettext("closed")
        return str(campaign.phase(at=timezone.now()).label)

    @admin.display(description=_("progress"))
    def see_progress(self, campaign: Campaign) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:campaigns_campaign_progress", args=[campaign.pk]),
            gettext("Progress"),
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Dates and times are shown and read in the campaign's own zone."""
        with timezone.override(self._zone(request, object_id)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def _zone(self, request: HttpRequest, object_id: str | None) -> str:
        campaign = self.get_object(request, object_id) if object_id else None
        typed = request.POST.get("zone", "")
        if typed in available_timezones():
            return typed
        return campaign.zone if campaign else "UTC"

    def save_model(self, request: HttpRequest, obj: Campaign, form: Any, change: bool) -> None:
        """What is on the form, and nothing else: a colleague may be closing the campaign just now."""
        obj.save(update_fields=list(form.fields) if change else None)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        campaign = form.instance
        if change and {"starts_at", "ends_at"} & set(form.changed_data):
            progress.request_recount(campaign.pk)
            tasks.run_soon(tasks.recount)
            self.message_user(
                request, gettext("The window was moved: everything is being counted anew.")
            )
        publish_soon([campaign.pk])

    @admin.action(description=_("Publish the banners now"), permissions=["change"])
    def publish_now(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        for campaign in campaigns:
            try:
                published = banners.publish_campaign(campaign.pk)
            except OSError as error:
                words = gettext(
                    "%(campaign)s: the files could not be written (%(error)s). The last good banners "
                    "stand, and it is tried again."
                )
                level = messages.ERROR
                more = {"error": error.strerror or type(error).__name__}
            else:
                if published is None:
                    words = gettext(
                        "%(campaign)s: nothing was written. Either it is being published or counted "
                        "anew just now, or it has no primary goal."
                    )
                    level, more = messages.WARNING, {}
                else:
                    words = gettext("%(campaign)s: published, with the number %(number)s.")
                    count = banners.write_count(published, language=get_language() or "en")
                    level, more = messages.SUCCESS, {"number": count.words}
            self.message_user(request, words % {"campaign": campaign.slug, **more}, level)

    @admin.action(description=_("Count anew"), permissions=["change"])
    def recount(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        for campaign in campaigns:
            progress.request_recount(campaign.pk)
            self.message_user(
                request,
                gettext("%(campaign)s is being counted anew.") % {"campaign": campaign.slug},
            )
        tasks.run_soon(tasks.recount)
