"""11 A person's erasure, step by step: at Stripe, in our rows, in the stored events.

Every step may be repeated, so that whatever stops it (Stripe, the mail, our own death) it goes on
from the first that is not done; `campaigns.members.erasing` says what they are. It stands above
settlement, since what can still be paid is closed and settled first, and above webhooks, whose
events it strips.
"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from django.db.models import F, Q
from django.utils import timezone

from campaigns import members, settlement, stripe_api, webhooks
from campaigns.models import (
    Checkout,
    ErasedAddress,
    Erasure,
    Member,
    Membership,
    StripeEvent,
)

LEASE = timedelta(minutes=2)
_SOON = timedelta(seconds=10)
_LONGEST_PAUSE = timedelta(hours=1)
# Whatever became of the last mail, the address is needed no longer.
_WAITS_FOR_MAIL = timedelta(days=1)
_TURN = timedelta(seconds=10)
_BATCH = 500


class _NotYet(Exception):
    """Nothing went wrong; it goes on in a moment."""

    def __init__(self, pause: timedelta = _SOON) -> None:
        super().__init__(str(pause))
        self.pause = pause


def claim_erasures(*, at: datetime, limit: int = 20) -> list[int]:
    """Erasures to go on with; claimed for a while each."""
    due = Erasure.objects.filter(next_attempt_at__lte=at).order_by("next_attempt_at")
    return [
        erasure_id
        for erasure_id, attempt_at in due.values_list("pk", "next_attempt_at")[:limit]
        if Erasure.objects.filter(pk=erasure_id, next_attempt_at=attempt_at).update(
            next_attempt_at=at + LEASE, attempts=F("attempts") + 1
        )
    ]


def carry_out(erasure_id: int) -> bool:
    """Go on with a claimed erasure as far as it can be done now; whether all is done.

    Of what Stripe does not do nothing is raised: it is noted, and tried again.
    """
    erasure = Erasure.objects.select_related("member").get(pk=erasure_id)
    if erasure.next_attempt_at is None:
        return erasure.done_at is not None
    ours = Erasure.objects.filter(pk=erasure_id, next_attempt_at=erasure.next_attempt_at)
    try:
        _take_steps(erasure)
    except _NotYet as error:
        ours.update(next_attempt_at=timezone.now() + error.pause, error="")
        return False
    except Exception as error:
        # The words of an error may hold an address; its kind is enough to look closer.
        ours.update(
            next_attempt_at=timezone.now() + _pause_after(erasure.attempts),
            error=type(error).__name__,
        )
        if isinstance(error, stripe_api.StripeError | settlement.SettlementBusy):
            return False
        raise
    return bool(ours.update(next_attempt_at=None, done_at=timezone.now(), error=""))


def _pause_after(attempts: int) -> timedelta:
    return min(_SOON * 2.0 ** min(attempts, 12), _LONGEST_PAUSE)


def _take_steps(erasure: Erasure) -> None:
    if not erasure.events_read_to:
        end_at_stripe(erasure.member)
        delete_customers(erasure.member)
        strip_rows(erasure)
    strip_events(erasure, until=timezone.now() + _TURN)


def end_at_stripe(member: Member) -> None:
    """Close what can still be paid, then cancel what runs, at once and with nothing paid back."""
    checkouts = members.checkouts_of(member, members.find_traces(member).addresses)
    for checkout in checkouts.filter(status=Checkout.Status.OPEN):
        assert checkout.session_id is not None
        with suppress(stripe_api.StripeRefused):  # it was paid this moment: settling tells
            stripe_api.expire_session(checkout.session_id)
        settlement.settle_checkout(checkout.pk)
    subscriptions = member.memberships.exclude(subscription_id=None).order_by("pk")
    for membership in subscriptions.exclude(status=Membership.Status.ENDED):
        _unless_gone(stripe_api.end_subscription, membership.subscription_id)
        if membership.checkout_id is not None:
            settlement.settle_checkout(membership.checkout_id)
    for membership in subscriptions:
        _unless_gone(stripe_api.delete_cancellation_comment, membership.subscription_id)


def _unless_gone(do: Callable[[str], object], stripe_id: str | None) -> None:
    try:
        do(str(stripe_id))
    except stripe_api.StripeRefused as error:
        if error.status != 404:
            raise


def delete_customers(member: Member) -> None:
    """With them go name, address and card; payments stay, and can be given back as before."""
    customer_ids = member.checkouts.exclude(customer_id="").values_list("customer_id", flat=True)
    for customer_id in sorted(set(customer_ids)):
        _unless_gone(stripe_api.delete_customer, customer_id)


def strip_rows(erasure: Erasure) -> None:
    """Our rows, once the last mail is sent or given up, or a day has passed."""
    if erasure.member.erased_at is not None:
        return
    now = timezone.now()
    if members.has_pending_mail(erasure) and now < erasure.asked_at + _WAITS_FOR_MAIL:
        raise _NotYet(_pause_after(erasure.attempts))
    members.forget_mentions(members.find_traces(erasure.member))
    try:
        members.strip_rows(erasure.member_id, at=now)
    except members.StillOpen as error:  # something was begun meanwhile: it is ended first
        raise _NotYet from error


def strip_events(erasure: Erasure, *, until: datetime) -> None:
    """Every stored event that names the person by one of Stripe's ids or by an address.

    What comes from now on is stripped as soon as it is worked on. Each batch is noted: of many
    events the next turn reads the rest.
    """
    member = Member.objects.get(pk=erasure.member_id)
    assert member.erased_at is not None, "rows are stripped before events"
    ids = members.stripe_ids_of(member)
    hashes = set(
        ErasedAddress.objects.filter(erased_at=member.erased_at).values_list(
            "address_hash", flat=True
        )
    )
    while batch := _events_after(erasure.events_read_to):
        for event in batch:
            named = members.hashes_in(event.payload) | members.hashes_in(event.error)
            if ids & members.ids_in(event.payload) or hashes & named:
                _strip(event)
        erasure.events_read_to = batch[-1].pk
        Erasure.objects.filter(pk=erasure.pk, next_attempt_at=erasure.next_attempt_at).update(
            events_read_to=erasure.events_read_to
        )
        if timezone.now() >= until:
            raise _NotYet


def _events_after(pk: int) -> list[StripeEvent]:
    told = Q(stripped_at__isnull=True) | ~Q(error="")
    rows = StripeEvent.objects.filter(told, pk__gt=pk).order_by("pk")
    return list(rows.only("payload", "error")[:_BATCH])


def _strip(event: StripeEvent) -> None:
    webhooks.strip_event(event.pk, at=timezone.now())
    # A database tells in its errors which value it would not take.
    kind = event.error.partition(":")[0]
    StripeEvent.objects.filter(pk=event.pk, error=event.error).update(error=kind)
