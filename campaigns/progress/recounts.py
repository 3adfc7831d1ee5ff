"""Everybody is counted anew, in batches: after a window was moved, or when staff ask for it.

A hundred thousand people take minutes. So a recount is a due column, claimed with a lease, and a
cursor: whoever dies leaves it to the next one, which goes on there. Counting a row twice changes
nothing, and what is settled meanwhile counts by the window as it stands then.

The campaign's Checkouts come first, each under the lock that a settlement holds. One that had begun
before the window was moved has ended by then, so that the people, who come after, are all there.
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
    """Make everybody due to be counted anew, from the start even if a recount is under way."""
    Campaign.objects.filter(pk=campaign_id).update(recount_at=timezone.now(), recounted_to="")


def list_due_recounts(*, at: datetime) -> list[int]:
    due = Campaign.objects.filter(recount_at__lte=at).order_by("recount_at")
    return list(due.values_list("pk", flat=True))


def continue_recount(campaign_id: int, *, until: datetime | None = None) -> bool:
    """Count on from the cursor, until that moment at the latest; whether it came to the end.

    Nothing is done if another is at it. Whoever asks for a recount meanwhile takes the lease away:
    then this one stops after its batch, and the new one begins at the start.
    """
    now = timezone.now()
    lease = now + LEASE
    if not Campaign.objects.filter(pk=campaign_id, recount_at__lte=now).update(recount_at=lease):
        return False
    while True:
        mine = Campaign.objects.filter(pk=campaign_id, recount_at=lease)
        cursor = mine.values_list("recounted_to", flat=True).first()
        if cursor is None:
            return False
        reached = _count_batch(campaign_id, after=cursor)
        now = timezone.now()
        if reached is None:
            return bool(mine.update(recount_at=None, recounted_to=""))
        is_over = until is not None and now >= until
        lease = now if is_over else now + LEASE
        if not mine.update(recount_at=lease, recounted_to=reached) or is_over:
            return False


def measure_recount(campaign: Campaign) -> tuple[int, int] | None:
    """How many purchases and people were counted anew, and of how many; None if none is due."""
    if campaign.recount_at is None:
        return None
    stage, _, last = campaign.recounted_to.partition(":")
    checkouts, people = campaign.checkouts.all(), _people(campaign.pk)
    bought, known = checkouts.count(), people.count()
    if stage == _PEOPLE:
        done = bought + people.filter(pk__lte=int(last)).count()
    else:
        done = checkouts.filter(pk__lte=UUID(last)).count() if last else 0
    return done, bought + known


def _count_batch(campaign_id: int, *, after: str) -> str | None:
    """Count the batch after the cursor; the cursor that follows it, None at the end."""
    stage, _, last = after.partition(":")
    with transaction.atomic():
        if stage != _PEOPLE:
            if bought := _lock_checkouts(campaign_id, after=last):
                # Only now is the window read, by a statement of its own: under these locks.
                tally_gifts(_lock_gifts(campaign_id, bought))
                return f"{_CHECKOUTS}:{bought[-1]}"
            last = "0"
        people = list(_people(campaign_id).filter(pk__gt=int(last)).order_by("pk")[:BATCH])
        tally_members(people)
        return f"{_PEOPLE}:{people[-1].pk}" if people else None


def _lock_checkouts(campaign_id: int, *, after: str) -> Sequence[UUID]:
    """The next Checkouts, as many as have a batch of gifts between them; one at least."""
    ahead = Checkout.objects.filter(campaign=campaign_id).order_by("pk")
    if after:
        ahead = ahead.filter(pk__gt=UUID(after))
    found = list(ahead.values_list("pk", flat=True)[:BATCH])
    gifts = Gift.objects.filter(checkout__in=found).values_list("checkout").annotate(Count("pk"))
    number_of = dict(gifts.order_by())
    sums = accumulate(number_of.get(each, 0) for each in found)
    chosen = [each for each, so_far in zip(found, sums, strict=True) if so_far <= BATCH]
    chosen = chosen or found[:1]
    list(
        Checkout.objects.filter(pk__in=chosen)
        .order_by("pk")
        .select_for_update(no_key=True)
        .values_list("pk")
    )
    return chosen


def _lock_gifts(campaign_id: int, checkout_ids: Sequence[UUID]) -> QuerySet[Gift]:
    """In the order in which a settlement locks the gifts of its Checkout."""
    return (
        Gift.objects.filter(checkout__in=checkout_ids, payment__campaign=campaign_id)
        .select_for_update(of=("self",), no_key=True)
        .prefetch_related("payment__campaign", "payment__refunds", "payment__disputes", "refunds")
        .order_by("checkout", "position")
    )


def _people(campaign_id: int) -> QuerySet[Member]:
    """Whoever has, or could have, a tally there."""
    here = {"member": OuterRef("pk"), "campaign": campaign_id}
    return Member.objects.filter(
        Q(Exists(Payment.objects.filter(**here))) | Q(Exists(Tally.objects.filter(**here)))
    )
