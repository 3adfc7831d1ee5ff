"""Concerns: kinds of rows that need attention, because no job can resolve them.

The admin's home page shows how many there are of each kind; each is also a filter of its list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Exists, F, Model, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns import memberships, progress
from campaigns.catalogue import explain_refusal
from campaigns.models import (
    Campaign,
    ChatWebhook,
    Dispute,
    Erasure,
    GhostMember,
    Gift,
    JobFailure,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    PaymentState,
    Plan,
    Price,
    Refund,
    RefundOrder,
    StripeEvent,
    StripeSale,
    WallEntry,
    WebhookDelivery,
    WebhookEndpoint,
)
from campaigns.reports import kept
from campaigns.reports.titles import name_row

# A failure after fewer attempts may be over by itself.
_MANY = 3
# Staff have had time to see older ones.
RECENT = timedelta(days=30)
# A payment with a refund of a part can be disputed as well.
_PARTLY_REFUNDED = (PaymentState.PARTLY_REFUNDED, PaymentState.DISPUTED, PaymentState.LOST)


@dataclass(frozen=True)
class Concern:
    """One kind of rows that need attention; `name` is the value of the list's filter."""

    name: str
    model: type[Model]
    label: Promise | str
    narrow: Callable[[QuerySet[Any]], QuerySet[Any]]
    # Names the rows in the label, where the list of rows wouldn't.
    name_rows: Callable[[], list[str]] | None = None
    # Staff may decide that nothing has to be done.
    can_clear: bool = False

    def rows(self) -> QuerySet[Any]:
        return self.narrow(self.model._default_manager.all())


def needs_assignment(payment: Payment) -> bool:
    """Return whether a refund of the payment has yet to be assigned to gifts."""
    return _unassigned(Payment.objects.filter(pk=payment.pk)).exists()


def _bounced(gifts: QuerySet[Any]) -> QuerySet[Any]:
    return gifts.filter(bounced_at__isnull=False, status__in=Gift.CLAIMABLE)


def _undecided(gifts: QuerySet[Any]) -> QuerySet[Any]:
    return gifts.filter(status=Gift.Status.CLAIMED, reversed_at__isnull=False, is_pardoned=False)


def _unassigned(payments: QuerySet[Any]) -> QuerySet[Any]:
    """Return payments for several gifts with refunds that are not assigned to any of them.

    The Stripe Dashboard doesn't ask which gifts a refund is for. After a full refund there is
    nothing left to assign.
    """
    unassigned = Refund.objects.filter(
        payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED, gifts_named_at__isnull=True
    )
    several = (
        Gift.objects.filter(payment=OuterRef("pk"))
        .order_by()
        .values("payment")
        .annotate(number=Count("pk"))
        .filter(number__gt=1)
    )
    refunded = (
        Refund.objects.filter(payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED)
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    found: QuerySet[Any] = payments.alias(refunded=Subquery(refunded)).filter(
        Exists(unassigned),
        Exists(several),
        refunded__lt=F("amount_minor"),
        role=Payment.Role.GIFT,
        # The others have no refund, or a full one: an index leaves them out.
        refund_state__in=_PARTLY_REFUNDED,
    )
    return found


def _unanswered(payments: QuerySet[Any]) -> QuerySet[Any]:
    asked = Dispute.objects.filter(payment=OuterRef("pk"), status__endswith="needs_response")
    return payments.filter(Exists(asked))


def _failed(mails: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out failed gift e-mails: the gift itself is a concern then, see `_bounced`."""
    return mails.filter(failed_at__gte=timezone.now() - RECENT, told_at__isnull=True)


def _refused(orders: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out orders that staff cleared, or followed by a newer one for the same payment."""
    newer = RefundOrder.objects.filter(payment=OuterRef("payment"), pk__gt=OuterRef("pk"))
    return orders.filter(
        ~Q(error=""), ~Exists(newer), dealt_with_at=None, ordered_at__gte=timezone.now() - RECENT
    )


def _still_running(payments: QuerySet[Any]) -> QuerySet[Any]:
    """Return refunded and lost payments whose subscription will charge the member again."""
    newer = Payment.objects.filter(
        membership=OuterRef("membership"),
        status=Payment.Status.SUCCEEDED,
        paid_at__gt=OuterRef("paid_at"),
    )
    found: QuerySet[Any] = payments.filter(
        ~Exists(newer),
        status=Payment.Status.SUCCEEDED,
        refund_state__in=(PaymentState.REFUNDED, PaymentState.LOST),
        dealt_with_at=None,
        membership__subscription_id__isnull=False,
        membership__is_cancelling=False,
    ).exclude(membership__status=Membership.Status.ENDED)
    return found


def renews_after_refund(payment: Payment) -> bool:
    """Return whether staff have yet to decide on the subscription of a refunded or lost payment."""
    return _still_running(Payment.objects.filter(pk=payment.pk)).exists()


def _held(payments: QuerySet[Any]) -> QuerySet[Any]:
    return progress.select_held_payments(payments)


def _lost(events: QuerySet[Any]) -> QuerySet[Any]:
    """Return events of sales without a Checkout here, perhaps of another installation."""
    return events.filter(
        reason=StripeEvent.Reason.LOST_CHECKOUT, received_at__gte=timezone.now() - RECENT
    )


def _sold_at_stripe(sales: QuerySet[Any]) -> QuerySet[Any]:
    return sales.filter(checkout=None, left_out_at=None, status__in=StripeSale.ADOPTABLE)


def _not_synced(people: QuerySet[Any]) -> QuerySet[Any]:
    return people.exclude(tell_stripe_error="")


def _same_address(people: QuerySet[Any]) -> QuerySet[Any]:
    """Return members stored under another spelling of a member's address, by earlier versions."""
    return people.filter(duplicate_of__isnull=False, erased_at=None)


def _not_moved(memberships: QuerySet[Any]) -> QuerySet[Any]:
    return memberships.exclude(push_error="")


def _failing(failures: QuerySet[Any]) -> QuerySet[Any]:
    """Leave out rows that may succeed at the next attempt."""
    return failures.filter(attempts__gte=3)


def _failing_chats(webhooks: QuerySet[Any]) -> QuerySet[Any]:
    """Return active webhooks that refused a message, or don't answer after several attempts."""
    is_failing = Q(posts__sent_at__isnull=True) & (
        Q(posts__failed_at__gte=timezone.now() - RECENT)
        | Q(posts__attempts__gte=_MANY, posts__due_at__isnull=False)
    )
    return webhooks.filter(is_failing, is_active=True).distinct()


def _stuck(erasures: QuerySet[Any]) -> QuerySet[Any]:
    return erasures.filter(done_at__isnull=True).exclude(error="")


def _with_refused_price(plans: QuerySet[Any]) -> QuerySet[Any]:
    return plans.filter(Exists(Price.objects.refused().filter(plan=OuterRef("pk"))))


def _name_refused_prices() -> list[str]:
    prices = Price.objects.refused().select_related("plan").order_by("refused_at")
    return [
        f"{name_row(price)} ({explain_refusal(price, price.refusal)})"
        for price in prices.prefetch_related("plan__copies")
    ]


def _unpublished(campaigns: QuerySet[Any]) -> QuerySet[Any]:
    """Return campaigns whose published number is too old for articles, or can't be replaced."""
    oldest = timezone.now() - timedelta(minutes=settings.BANNER_MAX_AGE_MINUTES)
    is_old = Q(published_at__lt=oldest, closed_at__isnull=True, goals__is_primary=True)
    return campaigns.filter(~Q(publish_error="") | is_old).distinct()


def _paused(endpoints: QuerySet[Any]) -> QuerySet[Any]:
    return endpoints.filter(paused_at__isnull=False, is_active=True)


def _given_up(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(failed_at__gte=timezone.now() - RECENT)


def _to_read(entries: QuerySet[Any]) -> QuerySet[Any]:
    return entries.filter(status=WallEntry.Status.WAITING, campaign__shows_wall=True)


def _refused_by_ghost(rows: QuerySet[Any]) -> QuerySet[Any]:
    return rows.filter(state=GhostMember.State.REFUSED)


CONCERNS = (
    Concern(
        "refused-price",
        Plan,
        _("Plans with prices that Stripe refused"),
        _with_refused_price,
        _name_refused_prices,
    ),
    Concern("bounced", Gift, _("Gifts whose e-mail bounced"), _bounced),
    Concern(
        "undecided",
        Gift,
        _("Claimed gifts with a reversed payment: revoke or keep"),
        _undecided,
    ),
    Concern("unassigned", Payment, _("Refunds to assign to gifts"), _unassigned),
    Concern("unanswered", Payment, _("Disputes that need a response"), _unanswered),
    Concern("held", Payment, _("Payments in an unexpected currency: accept or decline"), _held),
    Concern("lost-checkout", StripeEvent, _("Stripe events without a Checkout here"), _lost),
    Concern(
        "still-running",
        Payment,
        _("Refunded or lost payments whose subscription still renews: end it or keep it"),
        _still_running,
        can_clear=True,
    ),
    Concern(
        "sold-at-stripe",
        StripeSale,
        _("Subscriptions sold at Stripe at our prices: adopt or leave out"),
        _sold_at_stripe,
    ),
    Concern("refused", RefundOrder, _("Refunds that Stripe refused"), _refused, can_clear=True),
    Concern("failed", OutgoingMail, _("E-mails that failed in the last 30 days"), _failed),
    Concern("not-synced", Member, _("Members whose new address Stripe refused"), _not_synced),
    Concern(
        "same-address", Member, _("Members with the same address as another member"), _same_address
    ),
    Concern(
        "duplicates",
        Membership,
        _("Members who pay for two subscriptions"),
        memberships.with_duplicate_subscriptions,
    ),
    Concern(
        "not-moved", Membership, _("Memberships whose next charge couldn’t be moved"), _not_moved
    ),
    Concern("stuck", Erasure, _("Erasures that are stuck"), _stuck),
    Concern(
        "failing", JobFailure, _("Rows that a job couldn’t finish in three attempts"), _failing
    ),
    Concern(
        "failing-chat",
        ChatWebhook,
        _("Chat webhooks that reports can’t be sent to"),
        _failing_chats,
    ),
    Concern(
        "paused", WebhookEndpoint, _("Webhook endpoints paused because they keep failing"), _paused
    ),
    Concern(
        "given-up",
        WebhookDelivery,
        _("Webhooks refused by an endpoint for three days"),
        _given_up,
    ),
    Concern("to-read", WallEntry, _("Entries on the wall: show or hide them"), _to_read),
    Concern("refused-by-ghost", GhostMember, _("Members that Ghost refused"), _refused_by_ghost),
    Concern("unpublished", Campaign, _("Campaigns whose banners can’t be published"), _unpublished),
)


def count_concerns(concerns: Sequence[Concern], *, at: datetime) -> dict[str, int]:
    """Return how many rows each concern has, by its name. Slow counts are a minute old."""
    values = kept.find_kept(map(make_key, concerns), at=at)
    return {
        concern.name: values[key]
        if (key := make_key(concern)) in values
        else count_concern(concern, at=at)
        for concern in concerns
    }


def make_key(concern: Concern) -> str:
    """Return the key of a kept count."""
    return f"concern:{concern.name}"


def count_concern(concern: Concern, *, at: datetime) -> int:
    """Return how many rows a concern has now. The number is kept if that takes long."""
    return kept.measure_and_keep(make_key(concern), concern.rows().count, at=at)
