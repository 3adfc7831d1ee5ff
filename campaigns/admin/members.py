"""People, with all that they bought and were given; and the two things staff do for them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext, ngettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from campaigns import banners, members, memberships, payments, progress, tasks
from campaigns.admin.attention import NeedsAttention
from campaigns.admin.erasures import ErasureInline, MemberErasures, is_being_erased
from campaigns.admin.forms import Done, NotDone, StaffForm, answer_form, as_typed_in, minor_of
from campaigns.admin.merges import MemberMerging
from campaigns.admin.person import (
    FormerAddressInline,
    GiftBoughtInline,
    GiftClaimedInline,
    MembershipInline,
    PaymentInline,
    TallyInline,
)
from campaigns.models import Campaign, Member, Membership, Plan
from campaigns.models.campaign import validate_currency
from campaigns.models.erasure import is_of_erased
from campaigns.models.member import canonical_email

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
LONGEST_MONTHS = 120


class MemberForm(forms.ModelForm[Member]):
    """What was changed while the page stood open is changed back only if it is typed anew."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.show_hidden_initial = True

    def clean_email(self) -> str:
        """A person is known by the trimmed, case-folded address, and no other by the same."""
        email = canonical_email(self.cleaned_data["email"])
        if is_of_erased(email):
            raise forms.ValidationError(_("Nobody has this address: it stands for an erased one."))
        other = Member.objects.find(email)
        if other is not None and other.pk != self.instance.pk:
            words = (
                _("Somebody is, or was, known by this address already: %(name)s.")
                if self.instance.pk is None
                else _(
                    "Another person is, or was, known by this address: %(name)s. If they are one, "
                    "merge the two instead."
                )
            )
            raise forms.ValidationError(words, params={"name": other})
        return email


class HandedForm(StaffForm):
    """What both forms ask: which plan, for how long, and why."""

    plan = forms.ModelChoiceField(Plan.objects.filter(is_active=True), label=_("Plan"))
    months = forms.IntegerField(
        label=_("For how many months"), min_value=1, max_value=LONGEST_MONTHS, initial=12
    )


class GrantForm(HandedForm):
    field_order = ["plan", "starts_at", "months", "note"]

    starts_at = forms.SplitDateTimeField(
        label=pgettext_lazy("a time", "From"), widget=AdminSplitDateTime
    )
    note = forms.CharField(
        label=_("Why"),
        max_length=200,
        help_text=_("Kept with the membership, for your colleagues."),
    )

    def clean_starts_at(self) -> datetime:
        starts_at: datetime = self.cleaned_data["starts_at"]
        if not EARLIEST <= starts_at <= timezone.now() + timedelta(days=366):
            raise forms.ValidationError(
                _("A membership begins after the year 2000 and within a year from now.")
            )
        return starts_at


class OfflinePaymentForm(HandedForm):
    field_order = ["amount", "currency", "paid_at", "campaign", "plan", "months", "note"]

    amount = forms.DecimalField(
        label=_("Amount"), min_value=0, max_digits=12, help_text=_("As written: 60 or 60.50.")
    )
    currency = forms.CharField(
        label=_("Currency"), max_length=3, initial="eur", validators=[validate_currency]
    )
    campaign = forms.ModelChoiceField(
        Campaign.objects.order_by("-starts_at"),
        label=_("Campaign"),
        required=False,
        help_text=_(
            "It counts there if it was paid in the window and the person had no active membership "
            "when the campaign began. Without a campaign it counts nowhere."
        ),
    )
    paid_at = forms.SplitDateTimeField(
        label=_("Paid at"),
        widget=AdminSplitDateTime,
        help_text=_("In the campaign's time zone; in UTC without a campaign."),
    )
    note = forms.CharField(
        label=_("Note"), max_length=200, help_text=_("How it came: cash at the desk, a transfer.")
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        money, currency = cleaned.get("amount"), cleaned.get("currency")
        if money is not None and currency:
            try:
                cleaned["amount_minor"] = minor_of(money, currency)
            except forms.ValidationError as error:
                self.add_error("amount", error)
        paid_at: datetime | None = cleaned.get("paid_at")
        if paid_at is not None:
            campaign: Campaign | None = cleaned.get("campaign")
            cleaned["paid_at"] = as_typed_in(paid_at, campaign.zone_info if campaign else UTC)
            if not EARLIEST <= cleaned["paid_at"] <= timezone.now():
                self.add_error("paid_at", _("A payment lies in the past, and after 2000."))
        return cleaned


@admin.register(Member)
class MemberAdmin(MemberMerging, MemberErasures):
    list_display = ["email", "name", "language", "created_at"]
    list_filter = [NeedsAttention, "language", "memberships__status", "memberships__source"]
    list_per_page = 50
    show_full_result_count = False
    date_hierarchy = "created_at"
    ordering = ["-created_at", "-pk"]
    search_fields = ["email", "name", "former_addresses__email"]
    search_help_text = _("A name or an address.")
    form = MemberForm
    fields = ["email", "name", "language"]
    inlines = [
        MembershipInline,
        PaymentInline,
        TallyInline,
        GiftBoughtInline,
        GiftClaimedInline,
        FormerAddressInline,
    ]

    def get_inlines(self, request: HttpRequest, obj: Member | None) -> list[Any]:
        """Somebody new has none of it yet."""
        if obj is None:
            return []
        return [*self.inlines, ErasureInline] if is_being_erased(obj) else self.inlines

    def save_model(
        self, request: HttpRequest, obj: Member, form: forms.ModelForm[Member], change: bool
    ) -> None:
        """What came under the address before still leads to them; Stripe's customers follow."""
        if not change:
            super().save_model(request, obj, form, change)
            return
        try:
            locked = _lock(obj)
        except NotDone as error:
            raise Http404(str(error)) from error
        written = list(form.changed_data)
        if "email" in written:
            members.adopt_address(locked, obj.email, at=timezone.now())
        if {"email", "name"} & set(written):
            obj.tell_stripe_at = timezone.now()
            written.append("tell_stripe_at")
        obj.save(update_fields=written)

    def has_delete_permission(self, request: HttpRequest, obj: Member | None = None) -> bool:
        """People are not deleted here: payments hang on them."""
        return False

    def get_urls(self) -> list[URLPattern]:
        here = self.admin_site.admin_view
        return [
            path(
                "<int:member_id>/membership/",
                here(self.grant_membership),
                name="campaigns_member_grant",
            ),
            path(
                "<int:member_id>/payment/",
                here(self.record_payment),
                name="campaigns_member_payment",
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
        may = {
            "may_grant": request.user.has_perm("campaigns.add_membership"),
            "may_record": request.user.has_perm("campaigns.add_payment"),
        }
        context = may | (extra_context or {})
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except IntegrityError:  # somebody took the address after the form had looked: it sees now
            return super().changeform_view(request, object_id, form_url, context)

    def grant_membership(self, request: HttpRequest, member_id: int) -> HttpResponse:
        return self._handle(
            request,
            member_id,
            permission="campaigns.add_membership",
            form_class=GrantForm,
            initial={"starts_at": timezone.now().replace(second=0, microsecond=0)},
            do=_grant,
            title=gettext("Add membership"),
            explanation=gettext(
                "For somebody who does not pay. It is never counted as a new member; if it was "
                "active when a campaign began, what this person pays in that campaign is not counted "
                "either."
            ),
        )

    def record_payment(self, request: HttpRequest, member_id: int) -> HttpResponse:
        running = Campaign.objects.running(at=timezone.now()).first()
        return self._handle(
            request,
            member_id,
            permission="campaigns.add_payment",
            form_class=OfflinePaymentForm,
            initial={"campaign": running, "currency": running.currency if running else "eur"},
            do=_record,
            title=gettext("Record an offline payment"),
            explanation=gettext(
                "For money that did not come by Stripe. It makes a membership from the moment of "
                "payment on, and is that membership's first payment. It cannot be changed "
                "afterwards."
            ),
        )

    def _handle(
        self,
        request: HttpRequest,
        member_id: int,
        *,
        permission: str,
        form_class: type[HandedForm],
        initial: dict[str, Any],
        do: Callable[[Member, dict[str, Any], User], str],
        title: str,
        explanation: str,
    ) -> HttpResponse:
        member = self.get_object(request, str(member_id))
        if member is None or is_being_erased(member):
            raise Http404
        if not self.has_view_permission(request, member) or not request.user.has_perm(permission):
            raise PermissionDenied
        return answer_form(
            self,
            request,
            member,
            form_class(request.POST or None, initial=initial),
            do=lambda wanted, user: Done(do(member, wanted, user)),
            title=title,
            explanation=explanation,
            template="campaigns/staff/hand.html",
        )


class AlreadyThere(NotDone):
    """The same was entered before: a second click, or a colleague."""


def _lock(member: Member) -> Member:
    """Raises NotDone of somebody who is no longer there to be changed."""
    locked = Member.objects.select_for_update(no_key=True).filter(pk=member.pk).first()
    if locked is None or is_being_erased(locked):
        raise NotDone(
            gettext("This person was merged with another, or asked to be erased, meanwhile.")
        )
    return locked


def _grant(member: Member, wanted: dict[str, Any], user: User) -> str:
    with transaction.atomic():
        _lock(member)
        if member.memberships.filter(
            source=Membership.Source.GRANTED,
            plan=wanted["plan"],
            started_at=wanted["starts_at"],
        ).exists():
            raise AlreadyThere(gettext("This membership was added already."))
        memberships.grant_membership(
            member,
            plan=wanted["plan"],
            source=Membership.Source.GRANTED,
            starts_at=wanted["starts_at"],
            months=wanted["months"],
            granted_by=user,
            note=wanted["note"],
        )
        # One that was active when a campaign began takes the person out of its count.
        progress.tally_members([member])
    months: int = wanted["months"]
    return ngettext(
        "A membership of %(months)d month was added.",
        "A membership of %(months)d months was added.",
        months,
    ) % {"months": months}


def _record(member: Member, wanted: dict[str, Any], user: User) -> str:
    campaign: Campaign | None = wanted["campaign"]
    with transaction.atomic():
        if campaign is not None:
            # Its window is not moved under our hands: a recount would not see this payment yet.
            Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        _lock(member)
        if member.payments.filter(
            intent_id__isnull=True,
            amount_minor=wanted["amount_minor"],
            currency=wanted["currency"],
            paid_at=wanted["paid_at"],
        ).exists():
            raise AlreadyThere(gettext("This payment was recorded already."))
        membership = memberships.grant_membership(
            member,
            plan=wanted["plan"],
            source=Membership.Source.ONCE,
            starts_at=wanted["paid_at"],
            months=wanted["months"],
            granted_by=user,
            note=wanted["note"],
        )
        payments.record_offline_payment(
            campaign=campaign,
            membership=membership,
            amount_minor=wanted["amount_minor"],
            currency=wanted["currency"],
            paid_at=wanted["paid_at"],
            entered_by=user,
            note=wanted["note"],
        )
        progress.tally_members([member])
        counts = campaign is not None and member.tallies.filter(campaign=campaign).exists()
    if campaign is not None:
        banners.request_publishing(campaign.pk)
        tasks.run_soon(tasks.do_what_followed)
    if counts:
        return gettext(
            "The payment was recorded; this person counts as a new member of the campaign."
        )
    return gettext("The payment was recorded; it does not make this person count as a new member.")
