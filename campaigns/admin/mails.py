"""Outgoing e-mails: due, sent, bounced or failed."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from campaigns import emails, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.downloads import Downloads
from campaigns.admin.errors import ErrorColumn
from campaigns.admin.figures import FigureFilter
from campaigns.admin.site import ViewOnlyAdmin, yes_or_no
from campaigns.models import Gift, OutgoingMail
from campaigns.reports.people_lists import list_mails
from campaigns.reports.titles import find_addressee, isolate, name_row
from campaigns.spreadsheets import Cell


@admin.register(OutgoingMail)
class OutgoingMailAdmin(ErrorColumn, Downloads, ViewOnlyAdmin):
    list_display = ["created_at", "kind", "about", "status_and_error"]
    list_display_links = ["created_at", "kind"]
    list_select_related = [
        "checkout",
        "member",
        "gift",
        "payment__member",
        "membership__member",
        "dispute__payment__member",
    ]
    list_filter = [
        *(NeedsAttention, FigureFilter),
        ("sent_at", yes_or_no(_("sent"))),
        ("bounced_at", yes_or_no(_("bounced"))),
        ("failed_at", yes_or_no(_("failed"))),
        "kind",
        "language",
    ]
    dated_by = "created_at"
    sortable_by = ["created_at"]
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
        ("attempts", "due_at"),
        ("bounced_at", "failed_at"),
        "failure",
        "provider_id",
    ]
    readonly_fields = ["failure"]
    actions = ["resend"]

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_mails(rows)

    @admin.display(description=_("about"))
    def about(self, mail: OutgoingMail) -> str:
        """Return the person or the gift that the e-mail is about."""
        about = find_addressee(mail)
        return name_row(about, sees_people=False) if isinstance(about, Gift) else isolate(about)

    @admin.display(description=_("status"))
    def status_and_error(self, mail: OutgoingMail) -> str:
        name, label = next(
            (name, label)
            for name, label, is_so in (
                ("failed", _("bounced"), mail.bounced_at),
                ("failed", _("failed"), mail.failed_at),
                ("succeeded", _("sent"), mail.sent_at),
                ("pending", _("waiting"), mail.due_at),
                ("pending", _("not needed"), True),
            )
            if is_so
        )
        badge = format_html('<span class="staff-badge-{}">{}</span>', name, label)
        return format_html("{}: {}", badge, self.failure(mail)) if mail.error else badge

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
