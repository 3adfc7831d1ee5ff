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
    refunds = Refund.objects.filter(payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED)
    totals = refunds.order_by().values("payment").annotate(total=Sum("amount_minor"))
    disputes = Dispute.objects.taken().filter(payment=OuterRef("pk"))
    found: QuerySet[Any] = payments.alias(
        refunded_total=Coalesce(Subquery(totals.values("total")), 0)
    ).annotate(
        state=Case(
            When(~Q(status=Payment.Status.SUCCEEDED), then=F("status")),
            When(Exists(disputes.filter(status=Dispute.LOST)), then=Value(PaymentState.LOST)),
            When(Exists(disputes), then=Value(PaymentState.DISPUTED)),
            When(refunded_total__gte=F("amount_minor"), then=Value(PaymentState.REFUNDED)),
            When(refunded_total__gt=0, then=Value(PaymentState.PARTLY_REFUNDED)),
            default=F("status"),
            output_field=models.CharField(),
        )
    )
    return found
