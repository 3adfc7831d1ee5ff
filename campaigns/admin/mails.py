"""What is owed to people by mail, and what was sent."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns import emails, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.site import ViewOnlyAdmin
from campaigns.models import OutgoingMail


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ViewOnlyAdmin):
    list_display = [
        "created_at",
        "kind",
        "sent_at",
        "bounced_at",
        "failed_at",
        "next_attempt_at",
        "error",
    ]
    list_display_links = ["created_at", "kind"]
    list_filter = [
        NeedsAttention,
        ("sent_at", admin.EmptyFieldListFilter),
        ("bounced_at", admin.EmptyFieldListFilter),
        ("failed_at", admin.EmptyFieldListFilter),
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
    search_help_text = _(
        "The address of somebody it is about, the mail's key, or its id at the mail provider."
    )
    fields = [
        ("kind", "language"),
        "key",
        "payment",
        "membership",
        "gift",
        "dispute",
        "checkout",
        "member",
        ("created_at", "sent_at"),
        ("attempts", "next_attempt_at"),
        ("bounced_at", "failed_at"),
        "error",
        "provider_id",
    ]
    actions = ["send_again"]

    @admin.action(description=_("Send again"), permissions=["work"])
    def send_again(self, request: HttpRequest, mails: QuerySet[OutgoingMail]) -> None:
        selected = list(mails.values_list("pk", flat=True))
        owed = emails.reschedule_mail(selected)
        tasks.run_soon(tasks.do_what_followed)
        self.message_user(
            request,
            ngettext("%(count)d mail is sent again.", "%(count)d mails are sent again.", owed)
            % {"count": owed},
            messages.SUCCESS if owed else messages.WARNING,
        )
        left_alone = len(selected) - owed
        if left_alone:
            self.message_user(
                request,
                ngettext(
                    "%(count)d is due or being sent already.",
                    "%(count)d are due or being sent already.",
                    left_alone,
                )
                % {"count": left_alone},
                messages.INFO,
            )
