"""Two people that are one: staff find the other, see both side by side, and make them one."""

import json
from datetime import datetime
from typing import Any, NamedTuple
from zlib import crc32

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import members, tasks
from campaigns.admin.forms import StaffForm, WhyForm, page_of
from campaigns.models import Member
from campaigns.models.member import canonical_email

_PERMISSIONS = ("campaigns.change_member", "campaigns.delete_member")
_LONGEST_NUMBER = 18  # digits


class OtherForm(StaffForm):
    """By post, so that no address stands in that of a page."""

    other = forms.CharField(
        label=_("The other person"),
        max_length=254,
        help_text=_("Their e-mail address, or the number in the address of their page here."),
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
            other = Member.objects.find(canonical_email(typed))
        if other is None:
            raise forms.ValidationError(_("Nobody is known by that."))
        if other == self.kept:
            raise forms.ValidationError(_("This is the person on whose page you are."))
        return other


class Side(NamedTuple):
    """One of the two, with all that hangs on them."""

    becomes: str
    member: Member
    has: members.Overview
    former_addresses: list[str]


class MemberMerging(admin.ModelAdmin[Member]):
    """Two addresses more below each person's own."""

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        return [
            path(
                "<int:member_id>/merge/", here(self.find_other), name="campaigns_member_find_other"
            ),
            path(
                "<int:member_id>/merge/<int:other_id>/",
                here(self.merge),
                name="campaigns_member_merge",
            ),
            *super().get_urls(),
        ]

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may = {"may_merge": request.user.has_perms(_PERMISSIONS)}
        return super().changeform_view(request, object_id, form_url, may | (extra_context or {}))

    def find_other(self, request: HttpRequest, member_id: int) -> HttpResponse:
        kept = self._find(request, member_id)
        form = OtherForm(request.POST or None, kept=kept)
        if request.method == "POST" and form.is_valid():
            numbers = [kept.pk, form.cleaned_data["other"].pk]
            return HttpResponseRedirect(reverse("admin:campaigns_member_merge", args=numbers))
        explanation = gettext(
            "Say who is this person as well. Nothing happens yet: you see both side by side first."
        )
        return self._answer(
            request, kept, form, gettext("Look at both"), {"explanation": explanation}
        )

    def merge(self, request: HttpRequest, member_id: int, other_id: int) -> HttpResponse:
        kept, gone = self._find(request, member_id), self._find(request, other_id)
        try:
            rehearsal = members.rehearse_merge(kept=kept, gone=gone)
            sides = _look_at(kept, gone, at=timezone.now())
            shown = _fingerprint(sides, rehearsal)
            form = WhyForm(request.POST or None, initial={"seen": shown})
            if request.method == "POST" and form.is_valid():
                if form.cleaned_data["seen"] == shown:
                    return self._merge(request, kept, gone, why=form.cleaned_data["why"])
                form.add_error(
                    None,
                    gettext("Something changed since this page was opened. Please look again."),
                )
                form.look_again(shown)
        except members.MergeRefused as refusal:
            self.message_user(request, str(refusal), messages.WARNING)
            return HttpResponseRedirect(page_of(kept))
        about = {
            "explanation": gettext(
                "It cannot be undone. All that the second has becomes the first’s, who is found by "
                "the address of either from then on."
            ),
            "sides": sides,
            "rehearsal": rehearsal,
        }
        return self._answer(request, kept, form, gettext("Merge them for good"), about)

    def _merge(self, request: HttpRequest, kept: Member, gone: Member, *, why: str) -> HttpResponse:
        assert isinstance(request.user, User)
        members.merge_members(kept=kept, gone=gone, by=request.user, why=why)
        tasks.run_soon(tasks.do_what_followed)
        self.message_user(request, gettext("The two are one person now."))
        return HttpResponseRedirect(page_of(kept))

    def _find(self, request: HttpRequest, member_id: int) -> Member:
        if not request.user.has_perms(_PERMISSIONS):
            raise PermissionDenied
        member = self.get_object(request, str(member_id))
        if member is None:
            raise Http404
        return member

    def _answer(
        self,
        request: HttpRequest,
        kept: Member,
        form: StaffForm,
        button: str,
        about: dict[str, Any],
    ) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": kept,
            "title": gettext("Merge with another person"),
            "button": button,
            "form": form,
            "adminform": form.fieldset(),
            "media": self.media + form.media,
            **about,
        }
        status = 422 if form.errors else 200
        return TemplateResponse(request, "campaigns/staff/merge.html", context, status=status)


def _look_at(kept: Member, gone: Member, *, at: datetime) -> list[Side]:
    return [
        Side(
            becomes,
            member,
            members.load_overview(member, at=at),
            list(member.former_addresses.order_by("email").values_list("email", flat=True)),
        )
        for becomes, member in ((gettext("Stays"), kept), (gettext("Goes"), gone))
    ]


def _fingerprint(sides: list[Side], rehearsal: members.Rehearsal) -> int:
    """Tells whether what stands there is what somebody has looked at."""
    shown = [
        [
            [side.member.pk, side.member.email, side.member.name, side.former_addresses],
            [[row.membership.pk, row.standing] for row in side.has.memberships],
            [[row.payment.pk, row.payment.status, row.refunded_minor] for row in side.has.payments],
            [[str(gift.pk), gift.status] for each in side.has.purchases for gift in each.gifts],
            [str(gift.pk) for gift in side.has.gifts_claimed],
        ]
        for side in sides
    ]
    counted = [[each.campaign.pk, len(each.before), len(each.after)] for each in rehearsal.counted]
    return crc32(json.dumps([shown, counted]).encode())
