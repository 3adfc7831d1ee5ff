"""Chat webhooks: where reports are posted to, what, and how that went."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import digests
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.forms import StaffForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.admin.report_mails import FIELDS, label_choices
from campaigns.models import ChatWebhook
from campaigns.outgoing_addresses import RefusedAddress, Unreachable, find_target, write_url


class ChatWebhookForm(forms.ModelForm[ChatWebhook]):
    class Meta:
        widgets = {"url": forms.URLInput(attrs={"size": 80, "autocomplete": "off"})}
        help_texts = {
            "url": _(
                "Copy it from the chat. Anyone who has it can write to the channel, so "
                "keep it secret."
            ),
            "name": _("To recognize the webhook in this list: for example the channel."),
        }

    def clean_url(self) -> str:
        """Refuse a new address in a private network. One that is only unreachable now is kept."""
        if "url" not in self.changed_data:
            return str(self.cleaned_data["url"])
        try:
            url = write_url(self.cleaned_data["url"])
            find_target(url)
        except RefusedAddress as error:
            raise ValidationError(str(error)) from None
        except Unreachable:
            return url
        return url


def _show_test(pages: ActionPages, request: HttpRequest, webhook: ChatWebhook) -> HttpResponse:
    return pages.answer_form(
        request,
        webhook,
        StaffForm(request.POST or None),
        do=lambda wanted, by: _test(webhook),
        title=gettext("Send test message"),
        explanation=gettext("This posts one line to the chat now."),
    )


def _test(webhook: ChatWebhook) -> Done:
    try:
        digests.post_test(webhook)
    except digests.ChatRefused as error:
        raise NotDone(str(error)) from None
    return Done(gettext("Test message sent."))


TEST = Page(
    name="test",
    path="test/",
    view=_show_test,
    permissions=("campaigns.change_chatwebhook",),
    label=_("Send test message"),
)


@admin.register(ChatWebhook)
class ChatWebhookAdmin(ActionPages):
    add_label = _("Add chat webhook")
    form = ChatWebhookForm
    pages = (TEST,)
    list_note = _("Chat channels to which we post daily or weekly reports, and milestones.")
    list_display = ["name", "kind", "daily", "weekly", "milestones", "is_active", "last", "failure"]
    list_filter = [NeedsAttention, "kind", "is_active"]
    ordering = ["name"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "url", "is_active"]}),
        (_("Reports"), {"fields": FIELDS}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).annotate(last_sent_at=Max("posts__sent_at"))

    def get_form(
        self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any
    ) -> Any:
        return label_choices(super().get_form(request, obj, change=change, **kwargs))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Return False: an address that isn't used any more is made inactive."""
        return False

    def describe_state(self, row: ChatWebhook) -> str:
        failure = self.failure(row)
        return gettext("Last error: %(error)s") % {"error": failure} if failure else ""

    def save_model(self, request: HttpRequest, obj: ChatWebhook, form: Any, change: bool) -> None:
        digests.schedule_receiver(obj, at=timezone.now())
        super().save_model(request, obj, form, change)
        if not obj.is_active:
            words = gettext("Nothing is sent while the webhook isn’t active.")
            self.message_user(request, words, messages.WARNING)

    @admin.display(description=_("last message"), ordering="last_sent_at")
    def last(self, webhook: Any) -> Any:
        return webhook.last_sent_at

    @admin.display(description=_("last error"))
    def failure(self, webhook: ChatWebhook) -> str:
        """Return why the newest message that wasn't sent failed; empty once a later one was."""
        newest = webhook.posts.order_by("-created_at", "-pk").first()
        return newest.error if newest is not None and newest.sent_at is None else ""
