"""Pages below a member's own: notes by staff, e-mails to resend, the member's data as a file."""

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, emails, history, members, tasks
from campaigns.admin.erasures import refuse_if_erased
from campaigns.admin.forms import StaffForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.dates import write_short_moment
from campaigns.models import Member, MemberNote, OutgoingMail, is_about

MAILS_SHOWN = 20
_TEMPLATE = "campaigns/staff/about_member.html"


class MemberNoteForm(StaffForm):
    text = forms.CharField(
        label=_("Note"),
        max_length=MemberNote.LONGEST,
        help_text=_("Only staff see it. It is deleted if the member’s data is erased."),
        widget=forms.Textarea({"rows": 4, "class": "vLargeTextField"}),
    )


class MailsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    """A choice among the e-mails about one person."""

    def label_from_instance(self, obj: Any) -> str:
        day = write_short_moment(obj.created_at)
        return f"{obj.get_kind_display()}, {day}: {describe_mail(obj)}"


class ResendForm(StaffForm):
    mails = MailsField(
        OutgoingMail.objects.none(), label=_("E-mails"), widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, mails: QuerySet[OutgoingMail], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["mails"].queryset = mails  # type: ignore[attr-defined]


def describe_mail(mail: OutgoingMail) -> str:
    """Return what became of an e-mail, in one or two words."""
    if mail.bounced_at is not None:
        return gettext("bounced")
    if mail.failed_at is not None:
        return gettext("failed")
    return gettext("sent") if mail.sent_at is not None else gettext("waiting")


def select_mails(member: Member) -> QuerySet[OutgoingMail]:
    """Return the newest e-mails about a person that can be sent again."""
    own = Q(member=member)
    for row in ("payment", "membership", "gift"):
        own |= is_about(row, of=[member.pk])
    found = OutgoingMail.objects.filter(own)
    newest = found.order_by("-created_at", "-pk").values_list("pk", flat=True)[:MAILS_SHOWN]
    return OutgoingMail.objects.filter(pk__in=list(newest)).order_by("-created_at", "-pk")


def _show_note(pages: ActionPages, request: HttpRequest, member: Member) -> HttpResponse:
    return pages.answer_form(
        request,
        member,
        MemberNoteForm(request.POST or None),
        do=lambda wanted, user: _add_note(member, wanted["text"], user),
        title=gettext("Add note"),
        explanation=gettext("Write down what colleagues should know about this member."),
        template=_TEMPLATE,
    )


def _add_note(member: Member, text: str, user: User) -> Done:
    try:
        actions.add_member_note(member, text=text, by=user)
    except actions.MemberGone as error:
        words = gettext("This member has just been merged with another, or is being erased.")
        raise NotDone(words) from error
    except actions.AlreadyNoted as error:
        raise NotDone(gettext("This note was already added.")) from error
    return Done(gettext("Note added."))


def _delete_note(
    pages: ActionPages, request: HttpRequest, member: Member, note_id: int
) -> HttpResponse:
    if request.method != "POST":
        raise Http404
    if actions.delete_member_note(member, note_id):
        pages.log_change(request, member, gettext("Note deleted."))
    return pages.lead_back(request, member, gettext("Note deleted."), messages.SUCCESS)


def _show_mails(pages: ActionPages, request: HttpRequest, member: Member) -> HttpResponse:
    return pages.answer_form(
        request,
        member,
        ResendForm(request.POST or None, mails=select_mails(member)),
        do=lambda wanted, user: _resend(wanted["mails"]),
        title=gettext("Resend e-mails"),
        explanation=gettext(
            "Choose the e-mails to send again. They go to the address that the member has now."
        ),
        template=_TEMPLATE,
    )


def _resend(chosen: QuerySet[OutgoingMail]) -> Done:
    due = emails.reschedule_mail(chosen.values_list("pk", flat=True))
    if not due:
        raise NotDone(gettext("Nothing was changed: these e-mails are being sent right now."))
    tasks.hurry(*tasks.EFFECTS)
    words = ngettext("%(count)d e-mail will be resent.", "%(count)d e-mails will be resent.", due)
    return Done(words % {"count": due})


def _export(pages: ActionPages, request: HttpRequest, member: Member) -> HttpResponse:
    """Return what the member may download on their account page, as the same file."""
    assert isinstance(request.user, User)
    history.note_change(member, gettext("Data downloaded."), by=request.user)
    file = JsonResponse(members.gather_data(member), json_dumps_params={"indent": 2})
    file.content = json.dumps(json.loads(file.content), indent=2, ensure_ascii=False).encode()
    file["Content-Disposition"] = f'attachment; filename="member-{member.pk}.json"'
    return file


def _refuse_to_resend(member: Member) -> str:
    refusal = refuse_if_erased(member)
    if refusal or select_mails(member).exists():
        return refusal
    return gettext("There is no e-mail to resend.")


ADD_NOTE = Page(
    name="note",
    path="note/",
    view=_show_note,
    permissions=("campaigns.add_membernote",),
    label=_("Add note"),
    refuse=refuse_if_erased,
)
DELETE_NOTE = Page(
    name="delete_note",
    path="note/<int:note_id>/delete/",
    view=_delete_note,
    permissions=("campaigns.delete_membernote",),
)
RESEND = Page(
    name="resend",
    path="resend/",
    view=_show_mails,
    permissions=("campaigns.change_outgoingmail",),
    label=_("Resend e-mails"),
    refuse=_refuse_to_resend,
)
EXPORT = Page(
    name="export",
    path="data.json",
    view=_export,
    permissions=("campaigns.export_member",),
    label=_("Download data"),
    refuse=refuse_if_erased,
    confirms=True,
)
