"""The state of a payment, with its refunds and disputes: shown to staff, and to filter by."""

from typing import Any

from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from campaigns.models.payment import Dispute, Payment, Refund


class PaymentState(models.TextChoices):
    PENDING = "pending", _("pending")
    FAILED = "failed", _("failed")
    SUCCEEDED = "succeeded", _("succeeded")
    PARTLY_REFUNDED = "partly_refunded", _("partly refunded")
    REFUNDED = "refunded", _("refunded")
    DISPUTED = "disputed", _("disputed")
    LOST = "lost", _("lost in a dispute")


def with_state(payments: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate payments with their `state`, one of PaymentState."""
    changed = When(~Q(refund_state=""), status=Payment.Status.SUCCEEDED, then=F("refund_state"))
    found: QuerySet[Any] = payments.annotate(
        state=Case(changed, default=F("status"), output_field=models.CharField())
    )
    return found


def select_in_state(payments: QuerySet[Any], state: PaymentState) -> QuerySet[Any]:
    """Return the payments in a state, which an index finds: the newest without reading others."""
    if state in {PaymentState.PENDING, PaymentState.FAILED}:
        return payments.filter(status=state)
    refund_state = "" if state == PaymentState.SUCCEEDED else state
    return payments.filter(status=Payment.Status.SUCCEEDED, refund_state=refund_state)


def correct_refund_states(payments: QuerySet[Payment]) -> int:
    """Store what refunds and disputes made of these payments; return how many were wrong."""
    corrected = 0
    for affected in (
        Q(pk__in=Refund.objects.values("payment")),
        Q(pk__in=Dispute.objects.values("payment")),
        ~Q(refund_state=""),
    ):
        found = _find_states(payments.filter(affected))
        wrong = found.exclude(refund_state=F("found_state"))
        corrected += wrong.update(refund_state=F("found_state"))
    return corrected


def _find_states(payments: QuerySet[Any]) -> QuerySet[Any]:
    """Annotate payments with what their refunds and disputes made of them."""
    refunds = Refund.objects.filter(payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED)
    totals = refunds.order_by().values("payment").annotate(total=Sum("amount_minor"))
    disputes = Dispute.objects.taken().filter(payment=OuterRef("pk"))
    found: QuerySet[Any] = payments.alias(
        refunded_total=Coalesce(Subquery(totals.values("total")), 0)
    ).annotate(
        found_state=Case(
            When(Exists(disputes.filter(status=Dispute.LOST)), then=Value(PaymentState.LOST)),
            When(Exists(disputes), then=Value(PaymentState.DISPUTED)),
            When(refunded_total__gte=F("amount_minor"), then=Value(PaymentState.REFUNDED)),
            When(refunded_total__gt=0, then=Value(PaymentState.PARTLY_REFUNDED)),
            default=Value(""),
            output_field=models.CharField(),
        )
    )
    return found
