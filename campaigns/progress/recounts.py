"""Recounts of a whole campaign, in batches: when its window changes or when staff ask for one.

Counting a hundred thousand people takes minutes. So a recount is a due column, claimed with a
lease, and a cursor: if a worker dies, the next one continues from the cursor. Counting a row twice
changes nothing. Payments that are settled during a recount count by the new window.

Checkouts come first, each under the lock that its settlement takes. So a settlement that began
before the window changed has finished before its person is counted.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import accumulate
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from campaigns.models import Campaign, Checkout, Gift, Member, Payment, Tally
from campaigns.progress.tallies import tally_gifts, tally_members

LEASE = timedelta(seconds=40)
BATCH = 200  # gifts or people whose locks are held at once
_CHECKOUTS, _PEOPLE = "checkouts", "people"


def request_recount(campaign_id: int) -> None:
    """Make a recount of the campaign due; one that is under way starts again."""
    Campaign.objects.filter(pk=campaign_id).update(recount_at=timezone.now(), recounted_to="")


def list_due_recounts(*, at: datetime) -> list[int]:
    """Return the ids of campaigns whose recount is due, the longest due first."""
    due = Campaign.objects.filter(recount_at__lte=at).order_by("recount_at")
    return list(due.values_list("pk", flat=True))


def continue_recount(campaign_id: int, *, until: datetime | None = None) -> bool:
    """Continue the recount from its cursor, at most until `until`; return whether it is complete.

    Does nothing if another worker holds the lease. A new request during the recount takes the
    lease away: this one stops after its batch, and the new one starts from the beginning.
    """
    now = timezone.now()
    lease = now + LEASE
    if not Campaign.objects.filter(pk=campaign_id, recount_at__lte=now).update(recount_at=lease):
        return False
    while True:
        leased = Campaign.objects.filter(pk=campaign_id, recount_at=lease)
        cursor = leased.values_list("recounted_to", flat=True).first()
        if cursor is None:
            return False
        next_cursor = _count_batch(campaign_id, after=cursor)
        now = timezone.now()
        if next_cursor is None:
            return bool(leased.update(recount_at=None, recounted_to=""))
        time_is_up = until is not None and now >= until
        lease = now if time_is_up else now + LEASE
        if not leased.update(recount_at=lease, recounted_to=next_cursor) or time_is_up:
            return False


def measure_recount(campaign: Campaign) -> tuple[int, int] | None:
    """Return how many purchases and people were recounted, of how many; None if none is due."""
    if campaign.recount_at is None:
        return None
    stage, _, last = campaign.recounted_to.partition(":")
    checkouts, people = campaign.checkouts.all(), _select_people(campaign.pk)
    checkout_count, people_count = checkouts.count(), people.count()
    if stage == _PEOPLE:
        done = checkout_count + people.filter(pk__lte=int(last)).count()
    else:
        done = checkouts.filter(pk__lte=UUID(last)).count() if last else 0
    return done, checkout_count + people_count


def _count_batch(campaign_id: int, *, after: str) -> str | None:
    """Count the batch after the cursor; return the next cursor, None at the end."""
    stage, _, last = after.partition(":")
    with transaction.atomic():
        if stage != _PEOPLE:
            if checkout_ids := _lock_checkouts(campaign_id, after=last):
                # Read the window only now that the locks are held, in a statement of its own.
                tally_gifts(_lock_gifts(campaign_id, checkout_ids))
                return f"{_CHECKOUTS}:{checkout_ids[-1]}"
            last = "0"
        people = list(_select_people(campaign_id).filter(pk__gt=int(last)).order_by("pk")[:BATCH])
        tally_members(people)
        return f"{_PEOPLE}:{people[-1].pk}" if people else None


def _lock_checkouts(campaign_id: int, *, after: str) -> Sequence[UUID]:
    """Lock the next Checkouts: up to a batch of gifts in total, and at least one Checkout."""
    ahead = Checkout.objects.filter(campaign=campaign_id).order_by("pk")
    if after:
        ahead = ahead.filter(pk__gt=UUID(after))
    found = list(ahead.values_list("pk", flat=True)[:BATCH])
    gifts = Gift.objects.filter(checkout__in=found).values_list("checkout").annotate(Count("pk"))
    number_of = dict(gifts.order_by())
    sums = accumulate(number_of.get(pk, 0) for pk in found)
    chosen = [pk for pk, gifts_so_far in zip(found, sums, strict=True) if gifts_so_far <= BATCH]
    chosen = chosen or found[:1]
    list(
        Checkout.objects.filter(pk__in=chosen)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )
    return chosen


def _lock_gifts(campaign_id: int, checkout_ids: Sequence[UUID]) -> QuerySet[Gift]:
    """Lock the gifts, in the order in which a settlement locks those of its Checkout."""
    return (
        Gift.objects.filter(checkout__in=checkout_ids, payment__campaign=campaign_id)
        .select_for_update(of=("self",), no_key=True)
        .prefetch_related("payment__campaign", "payment__refunds", "payment__disputes", "refunds")
        .order_by("checkout", "position")
    )


def _select_people(campaign_id: int) -> QuerySet[Member]:
    """Return everyone who has a tally in the campaign, or could have one."""
    here = {"member": OuterRef("pk"), "campaign": campaign_id}
    return Member.objects.filter(
        Q(Exists(Payment.objects.filter(**here))) | Q(Exists(Tally.objects.filter(**here)))
    )
