"""Newsletters, and who subscribed to them: files for the mailing tool, and what it reports back."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import AdminForm
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, history, newsletters, tasks
from campaigns.admin.base import StaffModelAdmin
from campaigns.admin.closing import publish_soon
from campaigns.admin.downloads import Downloads
from campaigns.admin.identity import confirm_identity, is_confirmed
from campaigns.admin.labels import OriginWords, placement
from campaigns.admin.lists import count_up_to
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import Campaign, GhostSite, Newsletter, Subscription
from campaigns.newsletters.returns import LARGEST
from campaigns.spreadsheets import Cell

_LINES_NAMED = 10
_MAY_ERASE = "campaigns.erase_member"


class NewsletterForm(forms.ModelForm[Newsletter]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        known = ", ".join(sorted(GhostSite.read().newsletters))
        if known and "ghost_slug" in self.fields:  # staff who only view it have no fields
            words = gettext("Newsletters in your Ghost: %(names)s.") % {"names": known}
            field = self.fields["ghost_slug"]
            field.help_text = f"{field.help_text} {words}"

    class Meta:
        widgets = {
            "name": forms.TextInput(attrs={"size": 40}),
            "description": forms.TextInput(attrs={"size": 80}),
            "emblem": forms.Textarea(attrs={"rows": 6, "cols": 80, "spellcheck": "false"}),
        }


@admin.register(Newsletter)
class NewsletterAdmin(StaffModelAdmin):
    add_label = _("Add newsletter")
    form = NewsletterForm
    list_display = ["name", "frequency", "language", "position", "is_offered", "subscribers"]
    list_filter = ["is_offered", "language"]
    ordering = ["position", "pk"]
    prepopulated_fields = {"slug": ["name"]}
    fields = [
        *("name", "slug", "description", ("frequency", "language"), "emblem"),
        ("position", "is_offered"),
    ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*self.fields, *(["ghost_slug"] if settings.GHOST_URL else [])]

    @admin.display(description=_("subscribers"))
    def subscribers(self, newsletter: Newsletter) -> SafeString:
        """Link to the list of the subscribers, which counts all of them if asked."""
        confirmed = Subscription.Status.CONFIRMED
        number = count_up_to(newsletter.subscriptions.filter(status=confirmed))
        url = reverse("admin:campaigns_subscription_changelist")
        query = f"newsletter__id__exact={newsletter.pk}&status__exact={confirmed}"
        return format_html('<a href="{}?{}">{}</a>', url, query, number)

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        # Django fails if a prepopulated field isn't in the form.
        may_change = obj is None or self.has_change_permission(request, obj)
        return self.prepopulated_fields if may_change else {}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        publish_soon(list(Campaign.objects.values_list("pk", flat=True)))


class ReturnsForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_(
            "The first line names the columns: email and, if you like, newsletter (its short name) "
            "and reason (for example “bounced” or “spam”)."
        ),
    )

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > LARGEST:
            raise forms.ValidationError(
                _("This file is larger than 3 MB. Split it into smaller ones.")
            )
        return file


class SubscriberForm(forms.Form):
    email = forms.EmailField(label=_("E-mail address"), max_length=254)


@admin.register(Subscription)
class SubscriptionAdmin(OriginWords, Downloads, ViewOnlyAdmin):
    change_list_template = "campaigns/staff/subscriptions.html"
    list_display = ["requested_at", "email", "newsletter", "status", "campaign", placement]
    list_display_links = ["requested_at", "email"]
    list_filter = ["status", "newsletter", "campaign", "language", "cause"]
    list_select_related = ["newsletter", "campaign"]
    dated_by = "requested_at"
    ordering = ["-requested_at", "-pk"]
    search_fields = ["email"]
    search_help_text = _("E-mail address")
    fieldsets = [
        (None, {"fields": [("email", "newsletter"), ("status", "language")]}),
        (
            _("Consent"),
            {
                "fields": [
                    *("consent_wording", "form_url", "requested_at", ("confirmed_at", "proof")),
                    ("ended_at", "cause"),
                ]
            },
        ),
        (
            _("Where it came from"),
            {
                "fields": [
                    ("campaign", "from_placement"),
                    *(("page_title", "page_url"), "referrer", ("device", "from_country")),
                    ("utm_source", "utm_medium", "utm_campaign", "utm_content"),
                ]
            },
        ),
    ]
    readonly_fields = ["status", "from_placement", "from_country"]
    actions = ["unsubscribe"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return newsletters.list_subscribers(rows)

    @admin.action(description=_("Unsubscribe"), permissions=["work"])
    def unsubscribe(self, request: HttpRequest, rows: QuerySet[Subscription]) -> None:
        assert isinstance(request.user, User)
        ended, now = 0, timezone.now()
        for each in rows:
            if newsletters.end_subscription(each, cause=Subscription.Cause.STAFF, at=now):
                history.note_change(each, "Unsubscribed by staff.", by=request.user)
                ended += 1
        tasks.hurry(*tasks.EFFECTS)
        words = ngettext("%(count)d unsubscribed.", "%(count)d unsubscribed.", ended)
        level = messages.SUCCESS if ended else messages.WARNING
        self.message_user(request, words % {"count": ended}, level)

    # The import of unsubscribed and bounced addresses

    def get_urls(self) -> list[URLPattern]:
        import_, erase = map(
            self.admin_site.admin_view, (self.import_returns, self.erase_subscriber)
        )
        return [
            path("import/", import_, name="campaigns_subscription_import"),
            path("erase/", erase, name="campaigns_subscription_erase"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        may_import, may_erase = self.has_work_permission(request), request.user.has_perm(_MAY_ERASE)
        urls = {
            "import_url": reverse("admin:campaigns_subscription_import") if may_import else "",
            "erase_url": reverse("admin:campaigns_subscription_erase") if may_erase else "",
        }
        return super().changelist_view(request, urls | (extra_context or {}))

    def import_returns(self, request: HttpRequest) -> HttpResponse:
        """End the subscriptions that an uploaded file names."""
        if not self.has_work_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = ReturnsForm(request.POST if is_sent else None, request.FILES if is_sent else None)
        if is_sent and form.is_valid():
            try:
                outcome = newsletters.end_returned(
                    form.cleaned_data["file"].read(), at=timezone.now()
                )
            except newsletters.UnreadableReturns as error:
                form.add_error("file", str(error))
            else:
                self._report(request, outcome)
                return HttpResponseRedirect(reverse("admin:campaigns_subscription_changelist"))
        title = gettext("Import unsubscribes and bounces")
        return self._show(request, form, "campaigns/staff/import_returns.html", title)

    def _show(
        self, request: HttpRequest, form: forms.Form, template: str, title: str
    ) -> HttpResponse:
        fieldsets = [(None, {"fields": list(form.fields)})]
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "fieldset_form": AdminForm(form, fieldsets, {}),  # type: ignore[arg-type]
        }
        return TemplateResponse(request, template, context)

    def erase_subscriber(self, request: HttpRequest) -> HttpResponseBase:
        """Erase the subscriber with a typed address; lead to a member's page if it is theirs."""
        if not request.user.has_perm(_MAY_ERASE):
            raise PermissionDenied
        if not is_confirmed(request):
            return confirm_identity(request)
        form = SubscriberForm(request.POST if request.method == "POST" else None)
        if request.method == "POST" and form.is_valid():
            assert isinstance(request.user, User)
            try:
                erased = actions.erase_subscriber(form.cleaned_data["email"])
            except actions.IsMember as found:
                words = gettext("This address is a member’s. Erase the member’s data here.")
                self.message_user(request, words, messages.WARNING)
                url = reverse("admin:campaigns_member_erase", args=[found.member.pk])
                return HttpResponseRedirect(url)
            if erased:
                tasks.hurry(*tasks.EFFECTS)
                history.note_change(request.user, "Newsletter subscriber erased.", by=request.user)
                self.message_user(request, gettext("Subscriber erased."), messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:campaigns_subscription_changelist"))
            form.add_error("email", gettext("No newsletter subscription has this address."))
        title = gettext("Erase a subscriber")
        return self._show(request, form, "campaigns/staff/erase_subscriber.html", title)

    def _report(self, request: HttpRequest, outcome: newsletters.Outcome) -> None:
        assert isinstance(request.user, User)
        tasks.hurry(*tasks.EFFECTS)
        words = ngettext(
            "%(count)d subscription ended.", "%(count)d subscriptions ended.", outcome.ended
        ) % {"count": outcome.ended}
        history.note_change(request.user, f"Import: {outcome.ended} ended.", by=request.user)
        level = messages.SUCCESS if outcome.ended else messages.INFO
        self.message_user(request, words, level)
        if outcome.unchanged:
            words = ngettext(
                "%(count)d had already ended.", "%(count)d had already ended.", outcome.unchanged
            )
            self.message_user(request, words % {"count": outcome.unchanged}, messages.INFO)
        if outcome.unknown:
            words = ngettext(
                "%(count)d line matches no subscription: %(lines)s.",
                "%(count)d lines match no subscription: %(lines)s.",
                len(outcome.unknown),
            )
            lines = ", ".join(map(str, outcome.unknown[:_LINES_NAMED]))
            more = "…" if len(outcome.unknown) > _LINES_NAMED else ""
            about = {"count": len(outcome.unknown), "lines": lines + more}
            self.message_user(request, words % about, messages.WARNING)
