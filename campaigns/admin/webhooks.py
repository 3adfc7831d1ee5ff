"""Outgoing webhooks: endpoints that staff set up, and the log of deliveries."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import deliveries, outgoing_addresses, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.forms import StaffForm
from campaigns.admin.lists import count_up_to
from campaigns.admin.pages import ActionPages, Done, Link, NotDone, Page
from campaigns.admin.site import ViewOnlyAdmin, yes_or_no
from campaigns.models import WebhookDelivery, WebhookEndpoint
from campaigns.people import canonical_email


class EndpointForm(forms.ModelForm[WebhookEndpoint]):
    events = forms.MultipleChoiceField(
        label=_("Events"),
        choices=[(each.name, f"{each.label} ({each.name})") for each in deliveries.EVENT_TYPES],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        widgets = {"url": forms.URLInput(attrs={"size": 60, "spellcheck": "false"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "events" in self.fields:
            self.fields["events"].choices = [  # type: ignore[attr-defined]
                (each.name, f"{each.label} ({each.name})") for each in deliveries.EVENT_TYPES
            ]

    def clean_url(self) -> str:
        """Check a new address; an endpoint whose server is gone can still be switched off."""
        if "url" not in self.changed_data:
            return str(self.cleaned_data["url"])
        try:
            url = outgoing_addresses.write_url(self.cleaned_data["url"])
            outgoing_addresses.find_target(url)
        except outgoing_addresses.RefusedAddress as refusal:
            raise forms.ValidationError(str(refusal)) from refusal
        except outgoing_addresses.Unreachable as error:
            raise forms.ValidationError(str(error)) from error
        return url


def _show_rotation(
    pages: ActionPages, request: HttpRequest, endpoint: WebhookEndpoint
) -> HttpResponse:
    return pages.answer_form(
        request,
        endpoint,
        StaffForm(
            request.POST if request.method == "POST" else None,
            initial={"seen": _last_rotation(endpoint)},
        ),
        do=lambda typed, _user: _rotate(endpoint, seen=typed["seen"] or 0),
        newest=lambda: _last_rotation(WebhookEndpoint.objects.get(pk=endpoint.pk)),
        title=gettext("Replace secret"),
        explanation=gettext(
            "The endpoint gets a new secret. For one day, we sign every webhook with "
            "both secrets, so that the receiver can switch without losing any."
        ),
    )


def _last_rotation(endpoint: WebhookEndpoint) -> int:
    """Return when the secret was last replaced, in seconds since 1970; 0 if not lately."""
    return int(endpoint.old_secret_until.timestamp()) if endpoint.old_secret_until else 0


def _rotate(endpoint: WebhookEndpoint, *, seen: int) -> Done:
    if _last_rotation(endpoint) != seen or not deliveries.rotate_secret(endpoint):
        words = gettext(
            "The secret was replaced just now. Copy the new one to the receiver first. If you "
            "replace it again, the secret that the receiver knows stops working at once."
        )
        raise NotDone(words)
    return Done(gettext("Secret replaced. Copy the new one to the receiver within a day."))


def _show_resumption(
    pages: ActionPages, request: HttpRequest, endpoint: WebhookEndpoint
) -> HttpResponse:
    return pages.answer_form(
        request,
        endpoint,
        StaffForm(request.POST if request.method == "POST" else None),
        do=lambda _typed, _user: _resume(endpoint),
        title=gettext("Resume endpoint"),
        explanation=gettext("All waiting events will be delivered now, in order."),
    )


def _resume(endpoint: WebhookEndpoint) -> Done:
    deliveries.resume_endpoints([endpoint.pk])
    tasks.hurry("webhooks")
    return Done(gettext("Endpoint resumed."))


def _show_test(pages: ActionPages, request: HttpRequest, endpoint: WebhookEndpoint) -> HttpResponse:
    return pages.answer_form(
        request,
        endpoint,
        StaffForm(request.POST if request.method == "POST" else None),
        do=lambda _typed, _user: _test(endpoint),
        title=gettext("Send test event"),
        explanation=gettext(
            "The endpoint gets the event webhook.test now, signed with its secret, even if it is "
            "paused or off. A test that fails is not repeated. The log shows the answer."
        ),
    )


def _test(endpoint: WebhookEndpoint) -> Done:
    sent = deliveries.send_test(endpoint)
    if sent.delivered_at is None:
        words = gettext("Test event failed. %(reason)s") % {"reason": _explain_failure(sent)}
        return Done(words, messages.ERROR)
    words = gettext("Test event sent. The server accepted it (%(status)s).")
    return Done(words % {"status": sent.status})


def _explain_failure(sent: WebhookDelivery) -> str:
    """Return why a receiver didn't accept a test event, and what to do about it."""
    match sent.status:
        case None:
            return sent.error
        case 400 | 401 | 403:
            words = gettext(
                "The server refused it (%(status)s). Check that the receiver has this "
                "endpoint’s secret."
            )
        case 404 | 405 | 410:
            words = gettext(
                "The server takes no webhooks at this address (%(status)s). Check the address."
            )
        case 429:
            words = gettext("The server gets too many requests (%(status)s). Try again later.")
        case status if 300 <= status < 400:
            words = gettext(
                "The server redirects to another address (%(status)s). Enter that address here."
            )
        case status if status >= 500:
            words = gettext("The server had an error (%(status)s). Look into the server’s log.")
        case _:
            words = gettext("The server answered %(status)s. It has to answer 200.")
    return words % {"status": sent.status}


_MAY_CHANGE = ("campaigns.change_webhookendpoint",)
ROTATE = Page(
    name="rotate",
    path="rotate/",
    view=_show_rotation,
    permissions=_MAY_CHANGE,
    label=_("Replace secret"),
    confirms=True,
)
TEST = Page(
    name="test",
    path="test/",
    view=_show_test,
    permissions=_MAY_CHANGE,
    label=_("Send test event"),
)
RESUME = Page(
    name="resume",
    path="resume/",
    view=_show_resumption,
    permissions=_MAY_CHANGE,
    label=_("Resume endpoint"),
    refuse=lambda endpoint: "" if endpoint.paused_at else gettext("The endpoint isn’t paused."),
)


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ActionPages):
    add_label = _("Add webhook")
    pages = (TEST, ROTATE, RESUME)
    list_note = _("Servers to which we report changes of members, memberships, payments and gifts.")
    form = EndpointForm
    list_display = ["name", "host", "state", "number_of_events", "waiting"]
    list_filter = [NeedsAttention, "is_active"]
    search_fields = ["name", "url"]
    search_help_text = _("Name or address")
    show_full_result_count = False

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        fieldsets: list[Any] = [(None, {"fields": ["name", "url", "events", "is_active"]})]
        if obj is None:
            return fieldsets
        about = _(
            "Receivers check the signature of each webhook with the secret, as "
            "standardwebhooks.com describes. Keep it secret, like a password."
        )
        if self.has_change_permission(request, obj):
            fields = ["secret", *(["old_secret_until"] if obj.old_secret_until else [])]
            fieldsets.append((_("Signature"), {"fields": fields, "description": about}))
        fieldsets.append((_("Deliveries"), {"fields": ["state", "log"]}))
        return fieldsets

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["secret", "old_secret_until", "state", "log"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: its log would go, too. An endpoint is switched off instead."""
        return False

    @admin.display(description=_("host"))
    def host(self, endpoint: WebhookEndpoint) -> str:
        """Return the host only: the path of some services is as good as a password."""
        try:
            return outgoing_addresses.read_url(endpoint.url).host
        except outgoing_addresses.RefusedAddress:
            return ""

    @admin.display(description=_("events"))
    def number_of_events(self, endpoint: WebhookEndpoint) -> str:
        return number_format(len(endpoint.events))

    @admin.display(description=_("waiting"))
    def waiting(self, endpoint: WebhookEndpoint) -> str:
        return count_up_to(endpoint.deliveries.filter(due_at__isnull=False))

    @admin.display(description=_("state"))
    def state(self, endpoint: WebhookEndpoint) -> SafeString:
        badge, label = "succeeded", gettext("on")
        if not endpoint.is_active:
            badge, label = "pending", gettext("off")
        elif endpoint.paused_at:
            badge, label = "failed", gettext("paused")
        elif endpoint.failing_since:
            badge, label = "failed", gettext("failing")
        return format_html('<span class="staff-badge-{}">{}</span>', badge, label)

    @admin.display(description=_("log"))
    def log(self, endpoint: WebhookEndpoint) -> SafeString:
        url = reverse("admin:campaigns_webhookdelivery_changelist")
        words = gettext("Show deliveries to this endpoint")
        return format_html('<a href="{}?endpoint__id__exact={}">{}</a>', url, endpoint.pk, words)

    def list_notices(self, request: HttpRequest, row: Any) -> list[tuple[str, Link | None]]:
        if row.paused_at is None:
            return []
        moment = date_format(timezone.localtime(row.paused_at), "DATETIME_FORMAT")
        words = gettext("Paused on %(moment)s: %(reason)s. Events are kept for 30 days.")
        return [(words % {"moment": moment, "reason": row.get_paused_for_display()}, None)]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ViewOnlyAdmin):
    list_note = _("Deliveries of the last 30 days.")
    list_display = ["happened_at", "type", "endpoint", "member", "state", "attempts"]
    list_display_links = ["happened_at", "type"]
    list_select_related = ["event", "endpoint", "member"]
    list_filter = [
        NeedsAttention,
        ("delivered_at", yes_or_no(_("delivered"))),
        ("failed_at", yes_or_no(_("given up"))),
        "endpoint",
        "event__type",
    ]
    ordering = ["-pk"]
    search_fields = ["event__message_id", "member__email"]
    search_help_text = _("Message ID, or e-mail address of the member or subscriber")
    fieldsets = [
        (None, {"fields": ["type", "endpoint", "member", "state"]}),
        (_("Request"), {"fields": ["happened_at", "message_id", "body"]}),
        (
            _("Last answer"),
            {"fields": [("attempted_at", "milliseconds"), "status", "error", "answer"]},
        ),
        (_("Attempts"), {"fields": [("attempts", "due_at"), ("delivered_at", "failed_at")]}),
    ]
    readonly_fields = ["type", "state", "happened_at", "message_id", "body"]
    actions = ["resend"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[WebhookDelivery], search_term: str
    ) -> tuple[QuerySet[WebhookDelivery], bool]:
        found, may_repeat = super().get_search_results(request, queryset, search_term)
        if "@" in search_term:  # of a subscriber who is no member, only a hash is stored
            hashed = deliveries.hash_subscriber(canonical_email(search_term))
            found |= queryset.filter(event__subscriber=hashed)
        return found, may_repeat

    @admin.display(description=_("event"), ordering="event__type")
    def type(self, delivery: WebhookDelivery) -> str:
        return delivery.event.type

    @admin.display(description=_("happened at"), ordering="pk")
    def happened_at(self, delivery: WebhookDelivery) -> str:
        return date_format(timezone.localtime(delivery.event.happened_at), "DATETIME_FORMAT")

    @admin.display(description=_("message ID"))
    def message_id(self, delivery: WebhookDelivery) -> str:
        return delivery.event.message_id

    @admin.display(description=_("body"))
    def body(self, delivery: WebhookDelivery) -> SafeString:
        text = json.dumps(delivery.event.payload, indent=2, ensure_ascii=False)
        return format_html('<pre class="staff-payload" tabindex="0">{}</pre>', text)

    @admin.display(description=_("state"))
    def state(self, delivery: WebhookDelivery) -> SafeString:
        badge, label = "pending", gettext("waiting")
        if delivery.delivered_at:
            badge, label = "succeeded", gettext("delivered")
        elif delivery.failed_at:
            badge, label = "failed", gettext("given up")
        elif delivery.due_at is None:  # a test, which isn't repeated
            badge, label = "failed", gettext("failed")
        elif delivery.attempts:
            badge, label = "failed", gettext("failed, will be retried")
        reason = delivery.error or (f"HTTP {delivery.status}" if delivery.status else "")
        shown = format_html('<span class="staff-badge-{}">{}</span>', badge, label)
        is_bad = badge == "failed" and reason
        return format_html("{}: {}", shown, reason) if is_bad else shown

    @admin.action(description=_("Resend webhooks"), permissions=["work"])
    def resend(self, request: HttpRequest, rows: QuerySet[WebhookDelivery]) -> None:
        assert isinstance(request.user, User)
        chosen = list(rows.values_list("pk", flat=True))
        due = deliveries.resend_deliveries(chosen)
        tasks.hurry("webhooks")
        words = ngettext(
            "%(count)d webhook will be resent.", "%(count)d webhooks will be resent.", due
        )
        if due:
            self.message_user(request, words % {"count": due}, messages.SUCCESS)
        if due < len(chosen):
            refused = gettext("Webhooks about people who asked to be erased aren’t resent.")
            self.message_user(request, refused, messages.WARNING)
