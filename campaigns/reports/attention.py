"""What waits for a person: rows that nothing moves on by itself.

Each is counted on the admin's first page, and is a filter of its list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns import memberships, progress
from campaigns.models import (
    Dispute,
    Erasure,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    RefundOrder,
    StripeEvent,
)

# What was let be for so long was decided on without a word.
RECENT = timedelta(days=30)


@dataclass(frozen=True)
class Concern:
    """Rows of one kind that wait; `name` is the value of the list's filter."""

    name: str
    model: type[Model]
    label: Promise | str
    narrow: Callable[[QuerySet[Any]], QuerySet[Any]]

    def rows(self) -> QuerySet[Any]:
        return self.narrow(self.model._default_manager.all())


def needs_assignment(payment: Payment) -> bool:
    """Whether staff have yet to say which gifts a refund of it meant."""
    return _unnamed(Payment.objects.filter(pk=payment.pk)).exists()


def _bounced(gifts: QuerySet[Any]) -> QuerySet[Any]:
    return gifts.filter(bounced_at__isnull=False, status__in=Gift.CLAIMABLE)


def _undecided(gifts: QuerySet[Any]) -> QuerySet[Any]:
    return gifts.filter(status=Gift.Status.CLAIMED, reversed_at__isnull=False, is_pardoned=False)


def _unnamed(payments: QuerySet[Any]) -> QuerySet[Any]:
    """Refunds from Stripe's own dashboard do not say which of several gifts they meant.

    Once all of the payment is given back there is nothing to say.
    """
    unnamed = Refund.objects.filter(
        payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED, gifts_named_at__isnull=True
    )
    several = (
        Gift.objects.filter(payment=OuterRef("pk"))
        .order_by()
        .values("payment")
        .annotate(number=Count("pk"))
        .filter(number__gt=1)
    )
    returned = (
        Refund.objects.filter(payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED)
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    waiting: QuerySet[Any] = payments.alias(returned=Subquery(returned)).filter(
        Exists(unnamed),
        Exists(several),
        returned__lt=F("amount_minor"),
        role=Payment.Role.GIFT,
    )
    return waiting


def _unanswered(payments: QuerySet[Any]) -> QuerySet[Any]:
    asked = Dispute.objects.filter(payment=OuterRef("pk"), status__endswith="needs_response")
    return payments.filter(Exists(asked))


def _given_up(mails: QuerySet[Any]) -> QuerySet[Any]:
    """Of a gift's mail to its recipient the gift itself says so: see `_bounced`."""
    return mails.filter(failed_at__gte=timezone.now() - RECENT, told_at__isnull=True)


def _refused(orders: QuerySet[Any]) -> QuerySet[Any]:
    """Ordered once more since, it is mended or is told by the newer one."""
    newer = RefundOrder.objects.filter(payment=OuterRef("payment"), pk__gt=OuterRef("pk"))
    return orders.filter(~Q(error=""), ~Exists(newer), ordered_at__gte=timezone.now() - RECENT)


def _held(payments: QuerySet[Any]) -> QuerySet[Any]:
    return progress.select_held_payments(payments)


def _lost(events: QuerySet[Any]) -> QuerySet[Any]:
    """Something was sold, and no row knows: of another installation at the same account, say."""
    return events.filter(
        reason=StripeEvent.Reason.NAMES_A_LOST_ONE, received_at__gte=timezone.now() - RECENT
    )


def _untold(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.exclude(tell_stripe_error="")


def _unmoved(memberships: QuerySet[Any]) -> QuerySet[Any]:
    return memberships.exclude(push_error="")


def _not_forgotten(erasures: QuerySet[Any]) -> QuerySet[Any]:
    return erasures.filter(done_at__isnull=True).exclude(error="")


CONCERNS = (
    Concern("bounced", Gift, _("Gifts whose mail did not arrive"), _bounced),
    Concern(
        "undecided",
        Gift,
        _("Claimed gifts whose payment no longer stands: revoke or keep"),
        _undecided,
    ),
    Concern("unnamed", Payment, _("Refunds that do not say which gifts they meant"), _unnamed),
    Concern("unanswered", Payment, _("Disputes that need an answer"), _unanswered),
    Concern(
        "held", Payment, _("Payments in another currency than was asked for: take or not"), _held
    ),
    Concern("lost-checkout", StripeEvent, _("Events of a Checkout that is not here"), _lost),
    Concern("refused", RefundOrder, _("Refunds that did not go through"), _refused),
    Concern("given-up", OutgoingMail, _("Mails given up in the last 30 days"), _given_up),
    Concern("untold", Member, _("People whose new address Stripe was not told"), _untold),
    Concern(
        "doubled",
        Membership,
        _("Subscriptions of people who pay for another one as well"),
        memberships.with_duplicate_subscriptions,
    ),
    Concern("unmoved", Membership, _("Members whose next charge could not be moved"), _unmoved),
    Concern("stuck", Erasure, _("Erasures that do not get on"), _not_forgotten),
)
