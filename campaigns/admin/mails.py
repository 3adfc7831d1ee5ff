"""Outgoing e-mails: due, sent, bounced or failed."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns import emails, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.errors import ErrorColumn
from campaigns.admin.site import ViewOnlyAdmin, yes_or_no
from campaigns.models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ErrorColumn, ViewOnlyAdmin):
    list_display = [
        "created_at",
        "kind",
        "sent_at",
        "bounced_at",
        "failed_at",
        "next_attempt_at",
        "failure",
    ]
    list_display_links = ["created_at", "kind"]
    list_filter = [
        NeedsAttention,
        ("sent_at", yes_or_no(_("sent"))),
        ("bounced_at", yes_or_no(_("bounced"))),
        ("failed_at", yes_or_no(_("failed"))),
        "kind",
        "language",
    ]
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    search_fields = [
        "key",
        "payment__member__email",
        "membership__member__email",
        "gift__buyer__email",
        "gift__recipient_email",
        "checkout__email",
        "member__email",
        "provider_id",
    ]
    search_help_text = _("E-mail address of the person concerned, key, or ID at the mail provider")
    fields = [
        ("kind", "language"),
        "key",
        "payment",
        "membership",
        "gift",
        "dispute",
        "checkout",
        "member",
        "message",
        ("created_at", "sent_at"),
        ("attempts", "next_attempt_at"),
        ("bounced_at", "failed_at"),
        "failure",
        "provider_id",
    ]
    readonly_fields = ["failure"]
    actions = ["resend"]

    @admin.action(description=_("Resend e-mails"), permissions=["work"])
    def resend(self, request: HttpRequest, mails: QuerySet[OutgoingMail]) -> None:
        selected = list(mails.values_list("pk", flat=True))
        due = emails.reschedule_mail(selected)
        tasks.hurry(*tasks.EFFECTS)
        self.message_user(
            request,
            ngettext("%(count)d e-mail will be resent.", "%(count)d e-mails will be resent.", due)
            % {"count": due},
            messages.SUCCESS if due else messages.WARNING,
        )
        left_alone = len(selected) - due
        if left_alone:
            self.message_user(
                request,
                ngettext(
                    "%(count)d e-mail is already due or being sent.",
                    "%(count)d e-mails are already due or being sent.",
                    left_alone,
                )
                % {"count": left_alone},
                messages.INFO,
            )
