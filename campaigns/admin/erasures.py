"""People who are forgotten: staff ask for it on the person's page, and see here how it goes."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import erasures, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.forms import Done, NotDone, WhyForm, answer_form
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline
from campaigns.models import ErasedAddress, Erasure, Member
from campaigns.models.erasure import hash_erased

_PERMISSIONS = ("campaigns.change_member", "campaigns.delete_member")


class ErasureInline(ViewOnlyInline):
    model = Erasure
    fields = ["asked_at", "asked_by", "why", "done_at", "error"]


class MemberErasures(admin.ModelAdmin[Member]):
    """What the page of a person has of it. Whoever is being erased is changed no more."""

    def get_urls(self) -> list[URLPattern]:
        return [
            path(
                "<int:member_id>/erase/",
                self.admin_site.admin_view(self.erase_member),
                name="campaigns_member_erase",
            ),
            *super().get_urls(),
        ]

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        if obj is not None and is_being_erased(obj):
            return False
        return super().has_change_permission(request, obj)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may = {"may_erase": request.user.has_perms(_PERMISSIONS)}
        member = self.get_object(request, object_id) if object_id else None
        if member is not None and is_being_erased(member):
            may = dict.fromkeys(("may_grant", "may_record", "may_merge", "may_erase"), False)
        return super().changeform_view(request, object_id, form_url, (extra_context or {}) | may)

    def erase_member(self, request: HttpRequest, member_id: int) -> HttpResponse:
        member = self.get_object(request, str(member_id))
        if member is None or is_being_erased(member):
            raise Http404
        if not request.user.has_perms(_PERMISSIONS):
            raise PermissionDenied
        return answer_form(
            self,
            request,
            member,
            WhyForm(request.POST or None),
            do=lambda wanted, user: _ask(member, user, why=wanted["why"]),
            title=gettext("Erase this person’s data"),
            explanation=gettext(
                "It cannot be undone. Subscriptions that run end at once, with nothing paid back. "
                "Name, addresses and all that they and you wrote are removed: here, from stored "
                "events, and with their customer at Stripe. One last mail tells them. Amounts, "
                "dates and Stripe’s ids of their payments stay, and so does every number of a "
                "campaign. Unclaimed gifts that they bought stay good."
            ),
            template="campaigns/staff/hand.html",
        )


def is_being_erased(member: Member) -> bool:
    return Erasure.objects.filter(member=member).exists()


def _ask(member: Member, user: User, *, why: str) -> Done:
    try:
        erasures.request_erasure(member, by=user, why=why)
    except Member.DoesNotExist as error:
        raise NotDone(gettext("This person was merged with another meanwhile.")) from error
    tasks.run_soon(tasks.sweep)
    return Done(gettext("The erasure is written down, and goes on by itself."))


@admin.register(Erasure)
class ErasureAdmin(ViewOnlyAdmin):
    list_display = ["asked_at", "member", "asked_by", "done_at", "attempts", "error"]
    list_filter = [NeedsAttention, ("done_at", admin.EmptyFieldListFilter)]
    list_select_related = ["member", "asked_by"]
    date_hierarchy = "asked_at"
    ordering = ["-asked_at", "-pk"]
    fields = [
        "member",
        ("asked_at", "asked_by", "why"),
        ("attempts", "next_attempt_at", "error"),
        ("events_read_to", "done_at"),
    ]
    readonly_fields = ["events_read_to"]


@admin.register(ErasedAddress)
class ErasedAddressAdmin(ViewOnlyAdmin):
    """Only hashes are kept, so an address is found by typing it."""

    list_display = ["__str__", "erased_at"]
    date_hierarchy = "erased_at"
    ordering = ["-erased_at", "-pk"]
    search_fields = ["address_hash"]
    search_help_text = _("A whole address: no part of it is kept, only what it is known by.")
    fields = ["erased_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ErasedAddress], search_term: str
    ) -> tuple[QuerySet[ErasedAddress], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(address_hash=hash_erased(search_term)), False
