"""Merging duplicates: staff find the other member, compare both, and merge them."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from zlib import crc32

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, members, tasks
from campaigns.admin.erasures import refuse_if_erased
from campaigns.admin.forms import StaffForm, WhyForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.models import Member

_PERMISSIONS = ("campaigns.merge_members",)
_LONGEST_NUMBER = 18  # digits
_TEMPLATE = "campaigns/staff/merge.html"


class DuplicateForm(StaffForm):
    """Asks for the duplicate. It is sent by POST, so that no e-mail address gets into a URL."""

    other = forms.CharField(
        label=_("Duplicate"),
        max_length=254,
        help_text=_("E-mail address, or the number in the URL of the member’s page."),
        widget=forms.TextInput({"class": "vTextField", "autocomplete": "off"}),
    )

    def __init__(self, *args: Any, kept: Member, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kept = kept

    def clean_other(self) -> Member:
        typed: str = self.cleaned_data["other"]
        if typed.isascii() and typed.isdecimal() and len(typed) <= _LONGEST_NUMBER:
            other = Member.objects.filter(pk=int(typed)).first()
        else:
            other = Member.objects.find(typed)
        if other is None:
            raise forms.ValidationError(_("No member found. Check the address or the number."))
        if other == self.kept:
            raise forms.ValidationError(_("This is the same member. Enter the duplicate."))
        return other


class Side(NamedTuple):
    """One of the two members, with everything that belongs to them."""

    becomes: str
    member: Member
    has: members.Overview
    former_addresses: list[str]


def _find_duplicate(pages: ActionPages, request: HttpRequest, kept: Member) -> HttpResponse:
    form = DuplicateForm(request.POST or None, kept=kept)
    if request.method == "POST" and form.is_valid():
        return HttpResponseRedirect(pages.url_of(kept, MERGE.name, form.cleaned_data["other"].pk))
    return pages.show_form(
        request,
        kept,
        form,
        title=gettext("Find duplicate"),
        button=gettext("Compare members"),
        explanation=gettext(
            "Find the duplicate record. Nothing changes yet: you’ll see both members side by side "
            "first."
        ),
        template=_TEMPLATE,
    )


def _show_merge(
    pages: ActionPages, request: HttpRequest, kept: Member, other_id: int
) -> HttpResponse:
    gone: Member | None = pages.get_object(request, str(other_id))
    if gone is None:
        words = gettext("Nothing was changed: the other member is merged by now.")
        return pages.lead_back(request, kept, words)
    try:
        rehearsal = actions.rehearse_merge(kept=kept, gone=gone)
        sides = _compare(kept, gone, at=timezone.now())
        shown = _fingerprint(sides, rehearsal)
        return pages.answer_form(
            request,
            kept,
            WhyForm(request.POST or None, initial={"seen": shown}),
            do=lambda wanted, user: _merge(kept, gone, wanted, user, shown=shown),
            newest=lambda: shown,
            title=gettext("Merge duplicates"),
            button=gettext("Merge members"),
            explanation=gettext(
                "You can’t undo this. Everything that belongs to the second member moves to the "
                "first, who can then be found by either address."
            ),
            template=_TEMPLATE,
            sides=sides,
            rehearsal=rehearsal,
        )
    except actions.MergeRefused as refusal:
        return pages.lead_back(request, kept, str(refusal))


def _merge(kept: Member, gone: Member, wanted: dict[str, Any], user: User, *, shown: int) -> Done:
    if wanted["seen"] != shown:
        raise NotDone(
            gettext("Something has changed since you opened this page. Please check it again.")
        )
    actions.merge_members(kept=kept, gone=gone, by=user, why=wanted["why"])
    tasks.hurry(*tasks.EFFECTS)
    return Done(gettext("Members merged."), is_logged=False)  # merge_members logs it


def _compare(kept: Member, gone: Member, *, at: datetime) -> list[Side]:
    return [
        Side(
            becomes,
            member,
            members.load_overview(member, at=at),
            list(member.former_addresses.order_by("email").values_list("email", flat=True)),
        )
        for becomes, member in ((gettext("Kept"), kept), (gettext("Merged into the other"), gone))
    ]


def _fingerprint(sides: list[Side], rehearsal: actions.Rehearsal) -> int:
    """Return a number that changes whenever anything on the page does."""
    shown = [
        [
            [side.member.pk, side.member.email, side.member.name, side.former_addresses],
            [[row.membership.pk, row.standing] for row in side.has.memberships],
            [[row.payment.pk, row.payment.status, row.refunded_minor] for row in side.has.payments],
            [
                [str(gift.pk), gift.status]
                for purchase in side.has.purchases
                for gift in purchase.gifts
            ],
            [str(gift.pk) for gift in side.has.gifts_claimed],
        ]
        for side in sides
    ]
    counted = [
        [change.campaign.pk, len(change.before), len(change.after)] for change in rehearsal.counted
    ]
    return crc32(json.dumps([shown, counted]).encode())


FIND_DUPLICATE = Page(
    name="find_duplicate",
    path="merge/",
    view=_find_duplicate,
    permissions=_PERMISSIONS,
    label=_("Merge duplicate"),
    refuse=refuse_if_erased,
)
MERGE = Page(name="merge", path="merge/<int:other_id>/", view=_show_merge, permissions=_PERMISSIONS)
