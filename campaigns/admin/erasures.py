"""Erasures: staff request one on the member's page and follow its progress here."""

from django.contrib import admin
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.errors import ErrorColumn
from campaigns.admin.forms import WhyForm
from campaigns.admin.pages import ActionPages, Done, NotDone, Page
from campaigns.admin.site import ViewOnlyAdmin, ViewOnlyInline, yes_or_no
from campaigns.models import ErasedAddress, Erasure, Member
from campaigns.models.erasure import hashes_of_erased


class ErasureInline(ErrorColumn, ViewOnlyInline):
    model = Erasure
    readonly_fields = ["failure"]
    fields = ["asked_at", "asked_by", "why", "done_at", "failure"]


def is_being_erased(member: Member) -> bool:
    return Erasure.objects.filter(member=member).exists()


def refuse_if_erased(member: Member) -> str:
    """Return why nothing can be done for a member who is being erased, or an empty string."""
    if is_being_erased(member):
        return gettext("Nothing was changed: this member’s data is being erased.")
    return ""


def _show_erasure(pages: ActionPages, request: HttpRequest, member: Member) -> HttpResponse:
    return pages.answer_form(
        request,
        member,
        WhyForm(request.POST or None),
        do=lambda wanted, user: _ask(member, user, why=wanted["why"]),
        title=gettext("Erase personal data"),
        explanation=gettext(
            "You can’t undo this. Active subscriptions end at once, and nothing is refunded. We "
            "remove the member’s name, addresses and messages, and your notes about them: here, "
            "from stored Stripe events, and at Stripe. We send the member one last e-mail. We keep "
            "the amounts, dates and Stripe IDs of payments, and no campaign’s count changes. "
            "Unclaimed gifts that the member bought stay valid."
        ),
        template="campaigns/staff/about_member.html",
    )


def _ask(member: Member, user: User, *, why: str) -> Done:
    try:
        erasure = actions.request_erasure(member, by=user, why=why)
    except actions.MemberGone as error:
        raise NotDone(gettext("This member has just been merged with another.")) from error
    if (erasure.asked_by, erasure.why) != (user, why):
        raise NotDone(refuse_if_erased(member))
    tasks.hurry("erasures")
    return Done(gettext("Erasure started. You can follow it below."))


ERASE = Page(
    name="erase",
    path="erase/",
    view=_show_erasure,
    permissions=("campaigns.erase_member",),
    label=_("Erase personal data"),
    refuse=refuse_if_erased,
    is_grave=True,
    confirms=True,
)


@admin.register(Erasure)
class ErasureAdmin(ErrorColumn, ViewOnlyAdmin):
    list_display = ["asked_at", "member", "asked_by", "done_at", "attempts", "failure"]
    list_filter = [NeedsAttention, ("done_at", yes_or_no(_("done")))]
    list_select_related = ["member", "asked_by"]
    dated_by = "asked_at"
    ordering = ["-asked_at", "-pk"]
    fields = [
        "member",
        ("asked_at", "asked_by", "why"),
        ("attempts", "due_at", "failure"),
        ("events_read_to", "done_at"),
    ]
    readonly_fields = ["events_read_to", "failure"]


@admin.register(ErasedAddress)
class ErasedAddressAdmin(ViewOnlyAdmin):
    """Only hashes are stored, so staff search by the full address."""

    list_display = ["__str__", "erased_at"]
    dated_by = "erased_at"
    ordering = ["-erased_at", "-pk"]
    search_fields = ["address_hash"]
    search_help_text = _("Full e-mail address (only a hash of it is stored)")
    fields = ["erased_at"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ErasedAddress], search_term: str
    ) -> tuple[QuerySet[ErasedAddress], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(address_hash__in=hashes_of_erased(search_term)), False
