"""Notes on a campaign's report: added and deleted in place."""

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns.admin.forms import MomentField
from campaigns.admin.pages import ActionPages
from campaigns.models import Campaign, Note
from campaigns.reports import notes


class NoteForm(forms.ModelForm[Note]):
    at = MomentField(label=_("When"))

    class Meta:
        model = Note
        fields = ["text", "at"]
        labels = {"text": _("What happened")}

    def __init__(self, data: QueryDict | None = None) -> None:
        # In the campaign's zone, which is active then. Nobody needs the seconds.
        now = timezone.localtime().replace(second=0, microsecond=0)
        super().__init__(data, initial={"at": now}, label_suffix="")
        self.fields["text"].widget.attrs["placeholder"] = gettext("Newsletter sent")


def save_note(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, form: NoteForm
) -> HttpResponse:
    """Save the note of a valid form and return to the report."""
    assert isinstance(request.user, User)
    typed = form.cleaned_data
    note = notes.add_note(campaign, text=typed["text"], at=typed["at"], by=request.user)
    pages.log_change(request, campaign, gettext("Note added: %(note)s") % {"note": note.text})
    return _return_to_report(pages, request, campaign, gettext("Note added."))


def delete_note(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, note_id: int
) -> HttpResponse:
    """Delete a note of the campaign; one that is gone already needs nothing."""
    if request.method != "POST":
        raise Http404
    note = notes.delete_note(campaign, note_id)
    if note is not None:
        entry = gettext("Note deleted: %(note)s") % {"note": note.text}
        pages.log_change(request, campaign, entry)
    return _return_to_report(pages, request, campaign, gettext("Note deleted."))


def _return_to_report(
    pages: ActionPages, request: HttpRequest, campaign: Campaign, words: str
) -> HttpResponse:
    """Go back to the report with the same days and comparison."""
    pages.message_user(request, words, messages.SUCCESS)
    asked = request.GET.urlencode()
    url = pages.url_of(campaign, "progress") + (f"?{asked}" if asked else "")
    return HttpResponseRedirect(f"{url}#notes")
