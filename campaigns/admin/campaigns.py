"""Campaigns: their dates, goals, texts and banners."""

from copy import copy
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
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
from campaigns.admin.embed import EMBED, EMBED_PREVIEW
from campaigns.admin.forms import MomentField, ZoneField
from campaigns.admin.goals import GoalInline
from campaigns.admin.outdated_texts import list_outdated_texts, read_facts
from campaigns.admin.pages import ActionPages, Link
from campaigns.admin.preview import PreviewForm, show_preview
from campaigns.admin.progress import DELETE_NOTE, PROGRESS
from campaigns.admin.publishing import (
    hide_banners,
    list_publishing_notices,
    publish_now,
    show_banners,
)
from campaigns.admin.report_files import CHART, REPORT, ROWS
from campaigns.admin.site import LabelledInlines
from campaigns.forms.money import CurrencyField
from campaigns.models import Campaign, Checkout
from campaigns.money import name_currency
from campaigns.reports.titles import name_row
from campaigns.zones import name_zone


class CampaignForm(forms.ModelForm[Campaign]):
    currency = CurrencyField(initial="eur")
    zone = ZoneField(initial=timezone.get_default_timezone_name)
    starts_at = MomentField(label=_("Starts at"))
    ends_at = MomentField(
        label=_("Ends at"),
        help_text=_("If a campaign ends at 00:00, the day before is its last day."),
    )

    hide_banners_on = forms.DateField(
        label=_("Hide banners on"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=_(
            "After the end, banners show the final count until this day begins. Leave it empty to "
            "hide them yourself."
        ),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        starts_at, ends_at = cleaned.get("starts_at"), cleaned.get("ends_at")
        if starts_at and ends_at and ends_at <= starts_at:
            self.add_error("ends_at", _("The end must be after the start."))
        hide_on, ends_at = cleaned.get("hide_banners_on"), ends_at or self.instance.ends_at
        zone = cleaned.get("zone") or self.instance.zone
        if hide_on and ends_at and hide_on <= Campaign(ends_at=ends_at, zone=zone).last_day:
            self.add_error("hide_banners_on", _("Choose a day after the last day of the campaign."))
        return cleaned


def _undo_changes(form: Any) -> Campaign:
    """Return the form's campaign as it was before."""
    campaign: Campaign = copy(form.instance)
    for name in form.changed_data:
        if form.initial.get(name):
            setattr(campaign, name, form.initial[name])
    return campaign


@admin.register(Campaign)
class CampaignAdmin(LabelledInlines, ActionPages):
    add_label = _("Add campaign")
    # Publishers, who change texts and banners, only read these.
    PLANNED = (
        *("zone", "starts_at", "ends_at", "supporters_before", "priority", "emblem"),
        *("friends_for_reward", "reward_months", "most_reward_months"),
    )
    change_form_template = "campaigns/staff/campaign_form.html"
    pages = (
        *(PROGRESS, REPORT, CHART, *ROWS, DELETE_NOTE),
        *(EMBED, EMBED_PREVIEW, CLOSE, REOPEN),
    )
    list_display = ["name", "see_progress", "phase", "begins", "ends", "city"]
    search_fields = ["slug", "copies__name"]
    search_help_text = _("Name or short name")
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
                "fields": ["zone", "starts_at", "ends_at", "hide_banners_on"],
            },
        ),
        (
            _("What readers can do"),
            {"fields": ["takes_contributions", "reminds_unfinished", "shows_wall"]},
        ),
        (
            _("Rewards for friends"),
            {
                "classes": ["collapse"],
                "fields": ["friends_for_reward", "reward_months", "most_reward_months"],
            },
        ),
        (
            _("Details of the banners"),
            {
                "classes": ["collapse"],
                "fields": ["supporters_before", "nearly_percent", "priority", "emblem"],
            },
        ),
    ]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview)
        name = "campaigns_campaign_preview"
        return [
            path("preview/", view, name=name),
            path("<int:object_id>/preview/", view, name=name),
            *super().get_urls(),
        ]

    def preview(self, request: HttpRequest, object_id: int | None = None) -> HttpResponseBase:
        """Show the banners of the posted form, in the campaign's own zone."""
        campaign = self.get_object(request, str(object_id)) if object_id else None
        if object_id and campaign is None:
            raise Http404
        if not self._may_write(request, campaign):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        with timezone.override(self._zone(request, campaign)):
            return show_preview(request, self, campaign)

    def _may_write(self, request: HttpRequest, campaign: Campaign | None) -> bool:
        if campaign is None:
            return self.has_add_permission(request)
        return self.has_change_permission(request, campaign)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).prefetch_related("copies")

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """Show the currency and the zone in words where they can't be changed."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None:
            return fieldsets
        may_change = self.has_change_permission(request, obj)
        fixed = self._list_fixed(request, obj) if may_change else ["currency", "zone"]
        words: dict[Any, str] = {
            name: f"{name}_in_words" for name in ("currency", "zone") if name in fixed
        }
        return [
            (label, {**about, "fields": [words.get(each, each) for each in about["fields"]]})
            for label, about in fieldsets
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        fixed = [] if obj is None else self._list_fixed(request, obj)
        return [*fixed, "currency_in_words", "zone_in_words"]

    def _list_fixed(self, request: HttpRequest, obj: Campaign) -> list[str]:
        """Return the fields that can no longer change, because others depend on them.

        The slug is part of links that people shared and of the banners' file names. A money goal
        counts payments in the campaign's currency only. A closed campaign keeps the dates of its
        final count until it is reopened.
        """
        if not self.has_plan_permission(request):
            return ["slug", "currency", *self.PLANNED]
        fixed = ["slug"]
        if Checkout.objects.filter(campaign=obj).exists():
            fixed.append("currency")
        if obj.closed_at is not None:
            fixed += ["zone", "starts_at", "ends_at"]
        return fixed

    def has_plan_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.plan_campaign")

    def has_publish_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.publish_banners")

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
        return name_row(campaign)

    @admin.display(description=_("currency"))
    def currency_in_words(self, campaign: Campaign) -> str:
        return name_currency(campaign.currency, language=get_language() or "en")

    @admin.display(description=_("time zone"))
    def zone_in_words(self, campaign: Campaign) -> str:
        return self.city(campaign)

    @admin.display(description=_("starts"), ordering="starts_at")
    def begins(self, campaign: Campaign) -> str:
        return in_its_zone(campaign, "starts_at")

    @admin.display(description=_("ends"), ordering="ends_at")
    def ends(self, campaign: Campaign) -> str:
        return in_its_zone(campaign, "ends_at")

    @admin.display(description=_("time zone"), ordering="zone")
    def city(self, campaign: Campaign) -> str:
        return name_zone(campaign.zone, get_language() or "en", at=campaign.starts_at)

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
            gettext("See report"),
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show and read dates and times in the campaign's own zone."""
        campaign = self.get_object(request, object_id) if object_id else None
        extra_context = (extra_context or {}) | self._offer_preview(request, campaign)
        with timezone.override(self._zone(request, campaign)):
            response = super().changeform_view(request, object_id, form_url, extra_context)
            return response.render() if isinstance(response, TemplateResponse) else response

    def _offer_preview(self, request: HttpRequest, campaign: Campaign | None) -> dict[str, Any]:
        if not self._may_write(request, campaign):
            return {}
        args = [] if campaign is None else [campaign.pk]
        return {
            "preview": PreviewForm(initial={"language": get_language()}),
            "preview_url": reverse("admin:campaigns_campaign_preview", args=args),
        }

    def _zone(self, request: HttpRequest, campaign: Campaign | None) -> str:
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

    @admin.action(description=_("Recount"), permissions=["plan"])
    def recount(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        for campaign in campaigns:
            progress.request_recount(campaign.pk)
            self.message_user(
                request,
                gettext("%(campaign)s: recount started.") % {"campaign": name_row(campaign)},
            )
        tasks.hurry("recounts")
