"""Until when a subscription gives access though nothing is collected for it.

It is reckoned from Stripe's objects alone, so that it is the same whatever came first; and from
where the unpaid time began, since Stripe moves the current period on whether or not it is paid.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings

from campaigns import stripe_api
from campaigns.models import Membership
from campaigns.stripe_api import Json

STATUS_OF_SUBSCRIPTION = {
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
    until: datetime | None = None  # None while it runs
    unpaid_id: str = ""  # the first invoice that was not paid, by which a lapse is known

    def is_over(self, *, at: datetime) -> bool:
        return self.until is not None and self.until <= at


def status_of(subscription: Json) -> Membership.Status:
    """Stripe knows two pauses: a status of its own, and collecting that is paused in any other."""
    status = STATUS_OF_SUBSCRIPTION[subscription["status"]]
    if status in {Membership.Status.ENDED, Membership.Status.PENDING}:
        return status
    return Membership.Status.PAUSED if _is_paused(subscription) else status


def _is_paused(subscription: Json) -> bool:
    return subscription["status"] == "paused" or bool(subscription.get("pause_collection"))


def read_access(subscription: Json, invoices: list[Json]) -> Access:
    """Past due: its grace. Paused: to the end of what is paid. Ended: whichever came before."""
    own, access = _own(invoices), Access()
    if _is_paused(subscription):
        access = Access(_paid_until(subscription, own))
    elif subscription["status"] in {"past_due", "unpaid", "canceled"}:
        access = _grace(subscription, own)
    ended_at = ended_at_of(subscription)
    if ended_at is not None and access.until is not None and access.until >= ended_at:
        return Access()
    return access


def read_gaps(invoices: list[Json]) -> list[list[int]]:
    """From when until when there was no access, of times that are over; epoch seconds.

    Such a time goes before a payment that came after its grace. Of a pause Stripe keeps no dates,
    only the periods that nobody was asked to pay: those count as a whole.
    """
    gaps, paid_at = [], None
    for invoice in _own(invoices):
        began, ends = _began(invoice), _ends(invoice)
        if invoice["status"] == "paid":
            moment = invoice["status_transitions"]["paid_at"]
            paid_at = moment if paid_at is None else min(paid_at, moment)
        if _is_laid_aside(invoice):
            if not invoice["attempted"]:  # else it was asked for, and forgiven
                gaps.append([began, max(ends, default=began)])
        elif paid_at is not None:
            gaps.append([began + settings.GRACE_DAYS * 86400, paid_at])
    return sorted(gap for gap in gaps if gap[0] < gap[1])


def _own(invoices: list[Json]) -> list[Json]:
    """What the subscription asked for, newest first."""
    own = [each for each in invoices if (each["billing_reason"] or "").startswith("subscription")]
    return sorted(own, key=lambda invoice: int(invoice["created"]), reverse=True)


def ended_at_of(subscription: Json) -> datetime | None:
    if STATUS_OF_SUBSCRIPTION[subscription["status"]] != Membership.Status.ENDED:
        return None
    return stripe_api.moment(
        subscription.get("ended_at")
        or subscription.get("canceled_at")
        or subscription["start_date"]
    )


def _grace(subscription: Json, newest_first: list[Json]) -> Access:
    unpaid = list(_unpaid(newest_first))
    days = timedelta(days=settings.GRACE_DAYS)
    if unpaid:
        return Access(stripe_api.moment(_began(unpaid[-1])) + days, unpaid[-1]["id"])
    if subscription["status"] == "canceled":
        return Access()
    began = min(item["current_period_start"] for item in subscription["items"]["data"])
    return Access(stripe_api.moment(began) + days, f"{subscription['id']}:{began}")


def _unpaid(newest_first: list[Json]) -> Iterator[Json]:
    """From now back to the last that was paid. What nobody was asked to pay is passed over.

    That is what was voided, and what was laid aside while collecting was paused or given up.
    """
    for invoice in newest_first:
        if invoice["status"] == "paid":
            return
        if not _is_laid_aside(invoice):
            yield invoice


def _is_laid_aside(invoice: Json) -> bool:
    laid_aside = {
        "void": True,
        "draft": not invoice["auto_advance"],
        "uncollectible": not invoice["attempted"],
    }
    return laid_aside.get(invoice["status"], False)


def _began(invoice: Json) -> int:
    """Where the period begins that it asks for; what is left of an earlier one began before."""
    starts = [line["period"]["start"] for line in invoice["lines"]["data"]]
    return int(max(starts, default=invoice["created"]))


def _paid_until(subscription: Json, newest_first: list[Json]) -> datetime:
    """The end of the last period that was paid or free; what was given back has none."""
    ends = [subscription["start_date"], subscription.get("trial_end") or 0]
    for invoice in newest_first:
        own = _ends(invoice)
        if invoice["status"] == "paid" and own:
            ends.append(max(own))
            break
    return stripe_api.moment(max(ends))


def _ends(invoice: Json) -> list[int]:
    """Where the periods end that it asks for; what is given back has none."""
    return [line["period"]["end"] for line in invoice["lines"]["data"] if line["amount"] >= 0]
