"""The state of a payment as a column, as a filter and as notices of its disputes."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from campaigns import stripe_api
from campaigns.admin.pages import Link
from campaigns.admin.site import staff_money
from campaigns.models import Dispute, Payment, PaymentState, select_in_state, with_state


class StateColumn(admin.options.BaseModelAdmin[Payment]):
    """Shows what became of a payment: refunds and disputes, too."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return with_state(super().get_queryset(request))

    @admin.display(description=_("status"))
    def state(self, payment: Any) -> str:
        state = PaymentState(payment.state)
        return format_html('<span class="staff-badge-{}">{}</span>', state.value, state.label)


class StateFilter(admin.SimpleListFilter):
    title = _("status")
    parameter_name = "state"

    def lookups(
        self, request: HttpRequest, model_admin: admin.ModelAdmin[Any]
    ) -> list[tuple[str, str]]:
        return [(state.value, str(state.label)) for state in PaymentState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (wanted := self.value()):
            return queryset
        try:
            return select_in_state(queryset, PaymentState(wanted))
        except ValueError as error:
            raise IncorrectLookupParameters(error) from error


_DISPUTE_STATUSES = {
    "needs_response": _("needs a response"),
    "under_review": _("the bank decides"),
    "won": _("won"),
    "lost": _("lost"),
    "warning_needs_response": _("inquiry, needs a response"),
    "warning_under_review": _("inquiry, the bank decides"),
    "warning_closed": _("inquiry closed"),
    "prevented": _("prevented"),
}


def name_dispute_status(status: str) -> str:
    """Return Stripe's status of a dispute in words, or the status itself if it is a new one."""
    return str(_DISPUTE_STATUSES.get(status, status))


def list_disputes(payment: Payment) -> list[tuple[str, Link | None]]:
    """Return a notice for each dispute and open inquiry, with a link to it at Stripe."""
    link = Link(gettext("View dispute at Stripe"), stripe_api.find_dashboard_url(payment.intent_id))
    return [
        (words % {"amount": staff_money(dispute.amount_minor, payment.currency)}, link)
        for dispute in payment.disputes.order_by("opened_at", "pk")
        if (words := _describe_dispute(dispute))
    ]


def _describe_dispute(dispute: Dispute) -> str:
    if dispute.status == Dispute.LOST:
        return gettext("%(amount)s was lost in a dispute and can’t be refunded.")
    if dispute.status.startswith("warning_"):
        if dispute.status == "warning_closed":
            return ""
        return gettext("The bank asks about %(amount)s of this payment. It hasn’t taken money yet.")
    if dispute.status == "won":
        return gettext("A dispute over %(amount)s was won.")
    return gettext(
        "%(amount)s is disputed and can’t be refunded. The bank holds it until it decides."
    )
