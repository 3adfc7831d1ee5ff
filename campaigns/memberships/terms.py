"""Terms of memberships: adding months, granting, ending, lapsing and laying out extensions."""

from datetime import UTC, datetime, tzinfo

from dateutil.relativedelta import relativedelta
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from campaigns.memberships.access import find_access
from campaigns.memberships.announcements import announce_access
from campaigns.models import Checkout, Member, Membership, Plan, find_zone
from campaigns.models.moves import states_before

_BATCH = 500


def add_months(start: datetime, months: int, *, zone: tzinfo | None = None) -> datetime:
    """Return the same day and hour `months` later in `zone`, or the last day of a shorter month.

    Without a zone, in the newsroom's, as for all that no campaign brought. Always add to the first
    start: then 31 January leads to 28 February and to 31 March.
    """
    local = start.astimezone(zone or timezone.get_default_timezone())
    end: datetime = local + relativedelta(months=months)
    return end.replace(fold=local.fold).astimezone(UTC)


def grant_membership(
    member: Member,
    *,
    plan: Plan | None,
    source: Membership.Source,
    starts_at: datetime,
    months: int,
    zone: tzinfo | None = None,
    extends: Membership | None = None,
    granted_by: User | None = None,
    note: str = "",
) -> Membership:
    """Create a membership for some months, without a subscription."""
    return Membership.objects.create(
        member=member,
        plan=plan,
        source=source,
        started_at=starts_at,
        ends_at=add_months(starts_at, months, zone=zone),
        months=months,
        extends=extends,
        granted_by=granted_by,
        note=note,
    )


def lapse_memberships(*, at: datetime) -> int:
    """End memberships that ran out by `at`, and lapse those past their grace period.

    Return how many. A subscription only ends when Stripe ends it.
    """
    return _end_expired(at) + _lapse_unpaid(at)


def _end_expired(at: datetime) -> int:
    running = states_before(Membership.MOVES, Membership.Status.ENDED)
    due = Membership.objects.filter(
        status__in=running, ended_at__isnull=True, ends_at__lte=at
    ).exclude(source=Membership.Source.SUBSCRIPTION)
    ended = 0
    for membership in due.select_related("member")[:_BATCH]:
        access = find_access(membership)
        if access is None or not access.is_over(at=at):
            continue
        with transaction.atomic():
            ended += Membership.objects.filter(
                pk=membership.pk, status__in=running, ends_at=membership.ends_at
            ).update(status=Membership.Status.ENDED, ended_at=access.until)
            announce_access([membership.member])
    return ended


def _lapse_unpaid(at: datetime) -> int:
    """Lapse past due memberships and settle their Checkouts, which schedules the right e-mail."""
    due = Membership.objects.filter(status=Membership.Status.PAST_DUE, access_until__lte=at)
    lapsed = 0
    for membership in due.select_related("member")[:_BATCH]:
        access = find_access(membership)
        if access is None or not access.is_over(at=at):
            continue
        with transaction.atomic():
            Checkout.objects.filter(membership=membership).update(due_at=at)
            lapsed += due.filter(pk=membership.pk).update(status=Membership.Status.LAPSED)
            announce_access([membership.member])
    return lapsed


# Extensions: a gift claimed by a member is a membership that starts where their other one ends.
# Locks are taken in one order: the member, the membership, then its extensions.


def lay_out_extensions(base: Membership) -> None:
    """Place the extensions of a locked membership one after the other, from its end.

    All are computed from one day, so that gifts add up exactly. A revoked extension keeps only the
    time that was used. The next charge becomes due to be moved.
    """
    is_subscription = base.source == Membership.Source.SUBSCRIPTION
    if is_subscription and base.gifted_from is None:
        return
    zone = zone_of(base)
    anchor, months = _end_of(base, zone=zone)
    chain = Membership.objects.select_for_update(no_key=True).filter(extends=base)
    for row in chain.filter(gifted_from=base.gifted_from).order_by("pk"):
        start = add_months(anchor, months, zone=zone)
        if row.is_revoked:
            assert row.ended_at is not None
            if row.ended_at > start:
                anchor, months = row.ended_at, 0
            continue
        months += row.months or 0
        end = add_months(anchor, months, zone=zone)
        if row.ended_at is None and (row.started_at, row.ends_at) != (start, end):
            row.started_at, row.ends_at = start, end
            row.save(update_fields=["started_at", "ends_at"])
            lay_out_extensions(row)
    if is_subscription:
        _schedule_charge_move(base, add_months(anchor, months, zone=zone))


def _schedule_charge_move(base: Membership, until: datetime) -> None:
    # Without a subscription at Stripe, as in made-up data, there is no charge to move.
    if base.status == Membership.Status.ENDED or base.subscription_id is None:
        base.due_at, base.push_error = None, ""
    elif until != base.gifted_until or base.due_at is not None:
        base.due_at = timezone.now()
    base.gifted_until = until
    base.save(update_fields=["gifted_until", "due_at", "push_error"])


def _end_of(base: Membership, *, zone: tzinfo) -> tuple[datetime, int]:
    """Return where extensions start: a moment, and how many months after it."""
    if base.gifted_from is not None and base.source == Membership.Source.SUBSCRIPTION:
        anchor, months = base.gifted_from, 0
    elif base.months is not None:
        anchor, months = base.started_at, base.months
    else:
        assert base.ends_at is not None, "a membership without an end is not extended"
        anchor, months = base.ends_at, 0
    if base.ended_at is not None and base.ended_at < add_months(anchor, months, zone=zone):
        return base.ended_at, 0
    return anchor, months


def zone_of(base: Membership) -> tzinfo:
    """Return the time zone of its months: the one of the campaign in which it was bought."""
    gift = getattr(base, "gift", None)
    if gift is None and base.checkout is None:  # granted by staff, or a reassigned gift
        first = base.extensions.filter(gift__isnull=False).order_by("pk").first()
        gift = first.gift if first is not None else None
    checkout = gift.checkout if gift is not None else base.checkout
    return find_zone(checkout.campaign if checkout else None)
