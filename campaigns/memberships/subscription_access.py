"""Access to a subscription while it is not being paid.

Everything is computed from Stripe's objects alone, so that the order of events makes no
difference. The grace period starts where the unpaid time began: Stripe moves the current period on
whether or not it is paid.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from campaigns.models import Membership
from campaigns.stripe_api import Invoice, Subscription, SubscriptionStatus

STATUS_OF_SUBSCRIPTION: dict[SubscriptionStatus, Membership.Status] = {
    "incomplete": Membership.Status.PENDING,
    "incomplete_expired": Membership.Status.ENDED,
    "trialing": Membership.Status.ACTIVE,
    "active": Membership.Status.ACTIVE,
    "past_due": Membership.Status.PAST_DUE,
    "unpaid": Membership.Status.PAST_DUE,
    "paused": Membership.Status.PAUSED,
    "canceled": Membership.Status.ENDED,
}


@dataclass(frozen=True)
class Access:
    """Access to a subscription; `until` is None while it runs."""

    until: datetime | None = None
    unpaid_id: str = ""  # the first unpaid invoice, which identifies the lapse

    def is_over(self, *, at: datetime) -> bool:
        return self.until is not None and self.until <= at


def read_status(subscription: Subscription) -> Membership.Status:
    """Return the membership's status. Stripe has two pauses: a status, and paused collection."""
    status = STATUS_OF_SUBSCRIPTION[subscription.status]
    if status in {Membership.Status.ENDED, Membership.Status.PENDING}:
        return status
    return Membership.Status.PAUSED if _is_paused(subscription) else status


def _is_paused(subscription: Subscription) -> bool:
    return subscription.status == "paused" or subscription.pause is not None


def read_access(subscription: Subscription, invoices: Sequence[Invoice]) -> Access:
    """Return the access that a subscription gives.

    A past due one has its grace period, a paused one the rest of what is paid. If a subscription
    ends before that, its end decides.
    """
    billed, access = _sort_billed(invoices), Access()
    if _is_paused(subscription):
        access = Access(_paid_until(subscription, billed))
    elif subscription.status in {"past_due", "unpaid", "canceled"}:
        access = _grace(subscription, billed)
    ended_at = read_end(subscription)
    if ended_at is not None and access.until is not None and access.until >= ended_at:
        return Access()
    return access


def read_gaps(invoices: Sequence[Invoice]) -> list[list[int]]:
    """Return the past times without access, as [start, end] in epoch seconds.

    Such a gap comes before a payment that was made after the grace period. Stripe keeps no dates
    of a pause, only the periods that were not collected: each of those is a gap as a whole.
    """
    gaps: list[list[datetime]] = []
    paid_at: datetime | None = None
    for invoice in _sort_billed(invoices):
        started_at, ends = _period_start(invoice), _period_ends(invoice)
        if invoice.status == "paid":
            assert invoice.paid_at is not None, "a paid invoice has the time of its payment"
            paid_at = invoice.paid_at if paid_at is None else min(paid_at, invoice.paid_at)
        if _is_uncollected(invoice):
            if not invoice.was_attempted:  # otherwise it was due, and written off
                gaps.append([started_at, max(ends, default=started_at)])
        elif paid_at is not None:
            gaps.append([started_at + timedelta(days=settings.GRACE_DAYS), paid_at])
    return sorted(
        [int(start.timestamp()), int(end.timestamp())] for start, end in gaps if start < end
    )


def _sort_billed(invoices: Sequence[Invoice]) -> list[Invoice]:
    """Return the invoices of the subscription itself, newest first."""
    billed = [invoice for invoice in invoices if invoice.billing_reason.startswith("subscription")]
    return sorted(billed, key=lambda invoice: invoice.created_at, reverse=True)


def read_end(subscription: Subscription) -> datetime | None:
    """Return when an ended subscription ended."""
    if STATUS_OF_SUBSCRIPTION[subscription.status] != Membership.Status.ENDED:
        return None
    return subscription.ended_at or subscription.canceled_at or subscription.started_at


def _grace(subscription: Subscription, newest_first: list[Invoice]) -> Access:
    unpaid = list(_unpaid(newest_first))
    days = timedelta(days=settings.GRACE_DAYS)
    if unpaid:
        return Access(_period_start(unpaid[-1]) + days, unpaid[-1].id)
    if subscription.status == "canceled":
        return Access()
    started_at = min(item.period_starts_at for item in subscription.items)
    return Access(started_at + days, f"{subscription.id}:{int(started_at.timestamp())}")


def _unpaid(newest_first: list[Invoice]) -> Iterator[Invoice]:
    """Yield the unpaid invoices back to the last paid one, without those that aren't collected."""
    for invoice in newest_first:
        if invoice.status == "paid":
            return
        if not _is_uncollected(invoice):
            yield invoice


def _is_uncollected(invoice: Invoice) -> bool:
    """Return whether an invoice is void, or wasn't collected during a pause or after its end."""
    match invoice.status:
        case "void":
            return True
        case "draft":
            return not invoice.is_collected
        case "uncollectible":
            return not invoice.was_attempted
    return False


def _period_start(invoice: Invoice) -> datetime:
    """Return the start of the newest period on an invoice; older periods are leftovers."""
    starts = [line.period_starts_at for line in invoice.lines]
    return max(starts, default=invoice.created_at)


def _paid_until(subscription: Subscription, newest_first: list[Invoice]) -> datetime:
    """Return the end of the last period that was paid or free."""
    ends = [subscription.started_at]
    if subscription.trial_ends_at is not None:
        ends.append(subscription.trial_ends_at)
    for invoice in newest_first:
        billed_ends = _period_ends(invoice)
        if invoice.status == "paid" and billed_ends:
            ends.append(max(billed_ends))
            break
    return max(ends)


def _period_ends(invoice: Invoice) -> list[datetime]:
    """Return the ends of the periods that an invoice charges; credits are left out."""
    return [line.period_ends_at for line in invoice.lines if line.amount_minor >= 0]
