"""Members, with everything they bought or were given, and the actions that staff take for them."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import IntegrityError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from campaigns import actions, members, tasks
from campaigns.actions.people import lock_member
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.downloads import Downloads, InCampaign
from campaigns.admin.erasures import ERASE, ErasureInline, is_being_erased, refuse_if_erased
from campaigns.admin.figures import FigureFilter
from campaigns.admin.forms import MomentField, NamedField, ReaderMailForm
from campaigns.admin.lists import filter_by_related
from campaigns.admin.member_pages import ADD_NOTE, DELETE_NOTE, EXPORT, RESEND
from campaigns.admin.merges import FIND_DUPLICATE, MERGE
from campaigns.admin.pages import ActionPages, Done, Link, NotDone, Page
from campaigns.admin.person import (
    FormerAddressInline,
    GiftBoughtInline,
    GiftClaimedInline,
    MembershipInline,
    PaymentInline,
    ShareRewardInline,
    TallyInline,
)
from campaigns.admin.standing import describe_standing, show_standing
from campaigns.admin.steps import list_steps
from campaigns.forms import NameField, PersonEmailField
from campaigns.forms.money import CurrencyField, MoneyField
from campaigns.models import Campaign, Member, MemberNote, Membership, Plan
from campaigns.reports.lists import list_members
from campaigns.reports.timeline import list_moments
from campaigns.reports.titles import isolate
from campaigns.spreadsheets import Cell

LONGEST_MONTHS = 120
_TEMPLATE = "campaigns/staff/about_member.html"


class MemberForm(forms.ModelForm[Member]):
    """Changes only the fields that staff edited, so that a newer value isn't overwritten."""

    class Meta:
        model = Member
        fields = ["email", "name", "language"]
        field_classes = {"email": PersonEmailField, "name": NameField}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean_email(self) -> str:
        """Refuse the address of another member, also a former one."""
        email = str(self.cleaned_data["email"])
        other = Member.objects.find(email)
        if other is not None and other.pk != self.instance.pk:
            words = (
                _("This address belongs, or belonged, to another member: %(name)s.")
                if self.instance.pk is None
                else _(
                    "This address belongs, or belonged, to another member: %(name)s. If they are "
                    "the same person, merge the duplicates instead."
                )
            )
            raise forms.ValidationError(words, params={"name": isolate(other)})
        return email


class MembershipForm(ReaderMailForm):
    """Asks for the plan and the number of months."""

    plan = NamedField(Plan.objects.for_members(), label=_("Plan"))
    months = forms.IntegerField(
        label=_("Months"), min_value=1, max_value=LONGEST_MONTHS, initial=12
    )


class GrantForm(MembershipForm):
    field_order = ["plan", "starts_at", "months", "note"]

    starts_at = MomentField(label=_("Starts on"))
    note = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_("Internal note, shown with the membership."),
    )

    def clean_starts_at(self) -> datetime:
        starts_at: datetime = self.cleaned_data["starts_at"]
        if starts_at > timezone.now() + timedelta(days=366):
            raise forms.ValidationError(_("Choose a date within the next year."))
        return starts_at


class OfflinePaymentForm(MembershipForm):
    field_order = ["amount", "currency", "paid_at", "campaign", "plan", "months", "note"]

    amount = MoneyField(label=_("Amount"), help_text=_("For example 60 or 60.50."))
    currency = CurrencyField(initial="eur")
    campaign = NamedField(
        Campaign.objects.order_by("-starts_at"),
        label=_("Campaign"),
        required=False,
        help_text=_(
            "The payment counts if it was made during the campaign and the member had no active "
            "membership when the campaign started. Without a campaign, it doesn’t count."
        ),
    )
    paid_at = MomentField(label=_("Paid on"))
    note = forms.CharField(
        label=_("Note"),
        max_length=200,
        help_text=_("How it was paid, for example in cash or by bank transfer."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].currency = self["currency"].value()  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        paid_at: datetime | None = cleaned.get("paid_at")
        if paid_at is not None and paid_at > timezone.now():
            self.add_error("paid_at", _("Choose a date in the past."))
        return cleaned


def _show_grant(pages: ActionPages, request: HttpRequest, member: Member) -> HttpResponse:
    starts_at = timezone.now().replace(second=0, microsecond=0)
    return pages.answer_form(
        request,
        member,
        GrantForm(request.POST or None, initial={"starts_at": starts_at}),
        do=lambda wanted, user: _grant(member, wanted, user),
        title=gettext("Grant membership"),
        explanation=gettext(
            "Give this member a free membership. It never counts as a new member. If it is active "
            "when a campaign starts, this member’s payments in that campaign don’t count as a new "
            "member either."
        ),
        template=_TEMPLATE,
    )


def _show_payment(pages: ActionPages, request: HttpRequest, member: Member) -> HttpResponse:
    running = Campaign.objects.running(at=timezone.now()).first()
    initial = {"campaign": running, "currency": running.currency if running else "eur"}
    return pages.answer_form(
        request,
        member,
        OfflinePaymentForm(request.POST or None, initial=initial),
        do=lambda wanted, user: _record(member, wanted, user),
        title=gettext("Record offline payment"),
        explanation=gettext(
            "Enter a payment that wasn’t made through Stripe. It starts a membership at the time "
            "of payment and is its first payment. You can’t change it afterwards."
        ),
        template=_TEMPLATE,
    )


GRANT = Page(
    name="grant",
    path="membership/",
    view=_show_grant,
    permissions=("campaigns.add_membership",),
    label=_("Grant membership"),
    refuse=refuse_if_erased,
)
RECORD_PAYMENT = Page(
    name="payment",
    path="payment/",
    view=_show_payment,
    permissions=("campaigns.add_payment",),
    label=_("Record offline payment"),
    refuse=refuse_if_erased,
)


StatusFilter = filter_by_related(
    _("status"),
    "member.status",
    values=Membership.Status.choices,
    rows=Membership.objects.all(),
)
SourceFilter = filter_by_related(
    _("source"),
    "member.source",
    values=Membership.Source.choices,
    rows=Membership.objects.all(),
)


@admin.register(Member)
class MemberAdmin(Downloads, ActionPages):
    add_label = _("Add member")
    change_form_template = "campaigns/staff/member.html"
    pages = (
        *(ADD_NOTE, DELETE_NOTE, GRANT, RECORD_PAYMENT, RESEND),
        *(FIND_DUPLICATE, MERGE, EXPORT, ERASE),
    )
    list_display = ["email", "name", "standing", "created_at"]
    list_prefetch_related = ("memberships",)
    list_filter = [
        NeedsAttention,
        InCampaign,
        FigureFilter,
        "language",
        StatusFilter,
        SourceFilter,
    ]
    sortable_by = ["email", "name", "created_at"]
    dated_by = "created_at"
    ordering = ["-created_at", "-pk"]
    search_fields = ["email", "name", "former_addresses__email"]
    search_help_text = _("Name or e-mail address")
    form = MemberForm
    writes_only_edits = True
    fields = ["email", "name", "language"]
    inlines = [
        MembershipInline,
        PaymentInline,
        TallyInline,
        ShareRewardInline,
        GiftBoughtInline,
        GiftClaimedInline,
        FormerAddressInline,
    ]

    @admin.display(description=_("membership"))
    def standing(self, member: Member) -> str:
        return show_standing(member, at=timezone.now())

    def list_rows(self, rows: QuerySet[Any]) -> Iterator[list[Cell]]:
        return list_members(rows, at=timezone.now())

    def describe_state(self, row: Member) -> str:
        return describe_standing(row, at=timezone.now())

    def list_notices(self, request: HttpRequest, row: Member) -> list[tuple[str, Link | None]]:
        if row.duplicate_of is None:
            return []
        words = gettext(
            "This member has the same e-mail address as %(name)s. It is spelled "
            "differently, so a search finds only one of them. Merge the duplicates."
        )
        link = None
        if self.may_open(request, row.duplicate_of, MERGE.name):
            url = self.url_of(row.duplicate_of, MERGE.name, row.pk)
            link = Link(gettext("Compare members"), url)
        return [(words % {"name": isolate(row.duplicate_of)}, link)]

    def list_links(self, request: HttpRequest, row: Member) -> list[Link]:
        """Return what can be done about the member's memberships and newest payments."""
        return list_steps(request, row)

    def _list_notes(self, request: HttpRequest, member: Member) -> list[tuple[MemberNote, str]]:
        """Return the notes, the newest first, each with the URL that deletes it if allowed."""
        if not request.user.has_perm("campaigns.view_membernote"):
            return []
        may_delete = self.may_open(request, member, DELETE_NOTE.name)
        return [
            (note, self.url_of(member, DELETE_NOTE.name, note.pk) if may_delete else "")
            for note in member.notes.select_related("written_by").order_by("-created_at", "-pk")
        ]

    def get_inlines(self, request: HttpRequest, obj: Member | None) -> list[Any]:
        """Show nothing below the form of a new member."""
        if obj is None:
            return []
        return [*self.inlines, ErasureInline] if is_being_erased(obj) else self.inlines

    def save_model(
        self, request: HttpRequest, obj: Member, form: forms.ModelForm[Member], change: bool
    ) -> None:
        """Keep the old address as a former one, and update the customers at Stripe."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        try:
            locked = lock_member(obj)
        except actions.MemberGone as error:
            raise Http404 from error
        written = list(form.changed_data)
        if "email" in written:
            members.set_address(locked, obj.email, at=timezone.now())
        if {"email", "name"} & set(written):
            obj.due_at = timezone.now()
            written.append("due_at")
        obj.save(update_fields=written)

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Return False: payments belong to them."""
        return False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        member = self.get_object(request, object_id) if object_id else None
        if member is not None:
            moments = list_moments(member, language=get_language() or settings.LANGUAGE_CODE)
            extra_context = {
                "moments": moments,
                "notes": self._list_notes(request, member),
                **(extra_context or {}),
            }
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:  # someone else took the address after the form had checked it
            return super().changeform_view(request, object_id, form_url, extra_context)

    def has_change_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """Forbid changes to a member who is being erased."""
        if obj is not None and is_being_erased(obj):
            return False
        return super().has_change_permission(request, obj)


def _gone() -> NotDone:
    return NotDone(gettext("This member has just been merged with another, or is being erased."))


def _grant(member: Member, wanted: dict[str, Any], user: User) -> Done:
    months: int = wanted["months"]
    try:
        actions.grant_membership(
            member,
            plan=wanted["plan"],
            starts_at=wanted["starts_at"],
            months=months,
            by=user,
            note=wanted["note"],
            message=wanted["message"],
        )
    except actions.MemberGone as error:
        raise _gone() from error
    except actions.AlreadyGranted as error:
        raise NotDone(gettext("This membership was already granted.")) from error
    tasks.hurry(*tasks.EFFECTS)
    words = ngettext(
        "Membership granted for %(months)d month.",
        "Membership granted for %(months)d months.",
        months,
    )
    return Done(words % {"months": months})


def _record(member: Member, wanted: dict[str, Any], user: User) -> Done:
    try:
        payment = actions.record_offline_payment(
            member,
            plan=wanted["plan"],
            months=wanted["months"],
            amount_minor=wanted["amount"],
            currency=wanted["currency"],
            paid_at=wanted["paid_at"],
            campaign=wanted["campaign"],
            by=user,
            note=wanted["note"],
            message=wanted["message"],
        )
    except actions.MemberGone as error:
        raise _gone() from error
    except actions.AlreadyRecorded as error:
        raise NotDone(gettext("This payment was already recorded.")) from error
    tasks.hurry(*tasks.EFFECTS)
    if actions.counts_as_new_member(payment):
        return Done(gettext("Payment recorded. It counts as a new member in the campaign."))
    return Done(gettext("Payment recorded. It doesn’t count as a new member."))
