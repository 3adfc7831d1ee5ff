"""Settle Checkouts: read what Stripe has for one, then write it under its lock."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from campaigns import banners, memberships, payments, progress, stripe_api
from campaigns.gifts.sales import upsert_gifts
from campaigns.models import (
    Checkout,
    Erasure,
    Gift,
    Member,
    Membership,
    Payment,
    StripeObject,
)
from campaigns.payments import ChargeSnapshot
from campaigns.settlement.lookup import Found, find_checkout, save_owner
from campaigns.settlement.snapshots import (
    DISPUTABLE_FOR,
    Known,
    Snapshot,
    find_role,
    read_adopted,
    read_snapshot,
)
from campaigns.settlement.stripe_sales import note_stripe_sale

# Intervals between settlements of an unpaid Checkout, by its age: most readers pay soon.
_UNPAID_PAUSES = (
    (timedelta(minutes=30), timedelta(seconds=30)),
    (timedelta(hours=2), timedelta(minutes=5)),
    (timedelta(hours=25), timedelta(minutes=30)),
    (timedelta(days=30), timedelta(hours=6)),
)
# A paid Checkout is settled every day for as long as a card payment can be disputed: otherwise a
# refund or a dispute whose webhook was lost would never be recorded.
_PAID_PAUSE = timedelta(days=1)
# The role of every payment for an order of this kind.
_ROLES: dict[str, Payment.Role] = {
    Checkout.Kind.GIFT: Payment.Role.GIFT,
    Checkout.Kind.CONTRIBUTION: Payment.Role.CONTRIBUTION,
}
READING_LEASE = timedelta(seconds=15)
_SHARING_PATIENCE = 3.0  # seconds
_MARGIN = timedelta(seconds=4)
_STALE_READS = 20


class SettlementBusy(Exception):
    """Other processes keep settling the same Checkout; try again later."""


def settle_checkout(
    checkout_id: UUID,
    *,
    disputed_id: str = "",
    finds_inquiries: bool = True,
    may_share: bool = False,
) -> Checkout:
    """Update a Checkout's rows to what Stripe has now, and return the Checkout.

    `disputed_id` is a charge that is known to be disputed; see `read_snapshot` for
    `finds_inquiries`. With `may_share`, a reading that another process has begun is good enough if
    it finds the session complete. Raises the errors of stripe_api, and SettlementBusy.
    """
    if may_share and (shared := _wait_for_other_reading(checkout_id)) is not None:
        return shared
    reading_since = _begin_reading(checkout_id)
    try:
        read = partial(_read, disputed_id=disputed_id, finds_inquiries=finds_inquiries)
        return _settle(checkout_id, read, reading_since=reading_since)
    except BaseException:
        if reading_since is not None:
            mine = Checkout.objects.filter(pk=checkout_id, reading_since=reading_since)
            mine.update(reading_since=None)
        raise


def _settle(
    checkout_id: UUID,
    read: Callable[[Checkout], Snapshot | None],
    *,
    reading_since: datetime | None,
) -> Checkout:
    for _ in range(_STALE_READS):
        checkout = Checkout.objects.get(pk=checkout_id)
        snapshot = read(checkout)
        if snapshot is None:
            Checkout.objects.filter(pk=checkout_id).update(reading_since=None)
            return checkout
        with transaction.atomic():
            locked = (
                Checkout.objects.select_for_update(of=("self",), no_key=True)
                .select_related("campaign", "price__plan")
                .get(pk=checkout_id)
            )
            if (locked.version, locked.session_id) != (checkout.version, checkout.session_id):
                continue
            if locked.reading_since == reading_since:
                locked.reading_since = None
            write_snapshot(locked, snapshot)
        if locked.campaign_id is not None and locked.is_complete:
            banners.request_publishing(locked.campaign_id)
        return locked
    raise SettlementBusy(str(checkout_id))


def _read(checkout: Checkout, *, disputed_id: str, finds_inquiries: bool) -> Snapshot | None:
    """Read what Stripe has for a Checkout; None if it has neither session nor subscription."""
    known = _find_known_ids(checkout)
    if checkout.session_id is not None:
        return read_snapshot(
            checkout.session_id,
            disputed_id=disputed_id,
            finds_inquiries=finds_inquiries,
            known=known,
        )
    if checkout.subscription_id is not None:
        return read_adopted(known, disputed_id=disputed_id, finds_inquiries=finds_inquiries)
    return None


def _find_known_ids(checkout: Checkout) -> Known:
    if checkout.subscription_id is not None:
        return Known(checkout.subscription_id, checkout.customer_id)
    if not checkout.customer_id:
        return Known()
    rows = Membership.objects.filter(checkout=checkout, subscription_id__isnull=False)
    return Known(rows.values_list("subscription_id", flat=True).first() or "", checkout.customer_id)


def _begin_reading(checkout_id: UUID) -> datetime | None:
    """Let other processes know that a Checkout is read now; None if another one reads it."""
    now = timezone.now()
    free = Q(reading_since=None) | Q(reading_since__lte=now - READING_LEASE)
    return now if Checkout.objects.filter(free, pk=checkout_id).update(reading_since=now) else None


def is_being_read(checkout: Checkout, *, at: datetime) -> bool:
    """Return whether a process is reading a Checkout, and hasn't died meanwhile."""
    return checkout.reading_since is not None and checkout.reading_since > at - READING_LEASE


def _wait_for_other_reading(checkout_id: UUID) -> Checkout | None:
    """Wait for another process that reads a Checkout; None if there is none, or it needs long."""
    until = time.monotonic() + _SHARING_PATIENCE
    before = checkout = Checkout.objects.get(pk=checkout_id)
    while is_being_read(checkout, at=timezone.now()):
        if time.monotonic() >= until:
            return None
        time.sleep(0.1)
        checkout = Checkout.objects.select_related("campaign", "price__plan").get(pk=checkout_id)
    is_settled = checkout.version > before.version and checkout.is_complete
    return checkout if is_settled else None  # it may have begun before the reader paid


def covers(checkout: Checkout, happened_at: datetime) -> bool:
    """Return whether the rows have what happened at that time, in Stripe's whole seconds.

    Only what a completed session sold is covered: before, the reader can still pay, and the next
    attempt has another session. Two servers of Stripe may differ by a moment, and an answer may
    lack what happened just before it, so that a few seconds are left out.
    """
    if checkout.read_at is None or not checkout.is_complete:
        return False
    return happened_at + timedelta(seconds=1) + _MARGIN <= checkout.read_at


def settle_object(object_type: str, object_id: str) -> Found:
    """Settle the Checkout to which a Stripe object belongs; returns it, or why there is none."""
    found = find_checkout(object_type, object_id)
    if found.checkout_id is not None:
        settle_checkout(found.checkout_id, disputed_id=found.disputed_id)
    if found.sale is not None:
        note_stripe_sale(found.sale)
    return found


def write_snapshot(checkout: Checkout, snapshot: Snapshot) -> None:
    """Write a snapshot into the rows of a locked Checkout, and recount the people it affects."""
    session = snapshot.session
    checkout.move_to(_read_status(session, snapshot.charges))
    known_customer, checkout.customer_id = checkout.customer_id, session.customer_id
    checkout.version += 1
    checkout.read_at = snapshot.read_at
    checkout.due_at = next_settlement_at(checkout, at=timezone.now())
    if session.status == "complete":
        _remember(checkout, snapshot)
        # Once known, the buyer stays the same person even if their address changes.
        member = checkout.member or Member.objects.lock_by_email(
            checkout.email, name=checkout.name, language=checkout.language
        )
        is_known, checkout.member = checkout.member_id is not None, member
        if checkout.kind == Checkout.Kind.JOIN:
            # Lock the person before their memberships, in the same order as a claim.
            Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        changed_gifts = _write_sale(checkout, snapshot, member)
        checkout.save()
        if not is_known:  # Stripe made its customer with an address that may be out of date
            moved = Member.objects.filter(pk=member.pk).exclude(email=checkout.email)
            moved.update(due_at=timezone.now())
        _recount(member, changed_gifts)
        if checkout.kind == Checkout.Kind.JOIN:
            memberships.announce_access([member])
        if member.erased_at is not None and (
            checkout.customer_id != known_customer or _is_running(checkout)
        ):
            Erasure.objects.restart(member, at=timezone.now())
    else:
        checkout.save()


def _remember(checkout: Checkout, snapshot: Snapshot) -> None:
    known = StripeObject.objects.filter(checkout=checkout).values_list("pk", flat=True)
    save_owner(set(snapshot.list_ids()) - set(known), checkout_id=checkout.pk)


def _is_running(checkout: Checkout) -> bool:
    subscriptions = Membership.objects.filter(checkout=checkout, subscription_id__isnull=False)
    return subscriptions.exclude(status=Membership.Status.ENDED).exists()


def _read_status(session: stripe_api.Session, charges: Sequence[ChargeSnapshot]) -> Checkout.Status:
    if session.status == "open":
        return Checkout.Status.OPEN
    if session.status == "expired":
        return Checkout.Status.EXPIRED
    if session.payment_status in {"paid", "no_payment_required"}:
        return Checkout.Status.PAID
    first = charges[-1].charge if charges else None  # invoices come newest first
    has_failed = first is not None and first.status == "failed"
    return Checkout.Status.FAILED if has_failed else Checkout.Status.WAITING


def _write_sale(checkout: Checkout, snapshot: Snapshot, member: Member) -> list[Gift]:
    """Write what a completed session sold, with its payments; returns the gifts."""
    membership = None
    if snapshot.subscription is not None:
        membership = memberships.upsert_subscription_membership(
            snapshot.subscription,
            invoices=snapshot.invoices,
            next_invoice=snapshot.next_invoice,
            checkout=checkout,
            member=member,
        )
    changed: list[Gift] = []
    for charge in snapshot.charges:
        if charge.charge is None:
            continue
        role = _ROLES.get(checkout.kind, charge.role)
        payment = payments.record_payment(
            replace(charge, role=role),
            checkout=checkout,
            member=member,
            membership=membership,
        )
        succeeded = payment.status == Payment.Status.SUCCEEDED
        if checkout.kind == Checkout.Kind.GIFT:
            changed += upsert_gifts(payment, checkout=checkout)
        elif checkout.kind == Checkout.Kind.JOIN and snapshot.subscription is None and succeeded:
            membership = memberships.upsert_one_off_membership(payment, checkout=checkout)
            memberships.follow_payment(membership, payment)
            Payment.objects.filter(pk=payment.pk).update(membership=membership)
        if membership is not None and succeeded and checkout.announces(payment.paid_at):
            memberships.welcome(membership, language=checkout.language)
    for invoice in snapshot.invoices:
        is_free = _is_free_start(invoice) and checkout.announces(invoice.created_at)
        if membership is not None and is_free:
            memberships.welcome(membership, language=checkout.language)
        if membership is not None and invoice.offline_minor > 0:
            payment = payments.record_offline_invoice(
                invoice,
                role=find_role(invoice),
                checkout=checkout,
                member=member,
                membership=membership,
            )
            if checkout.announces(payment.paid_at):
                memberships.welcome(membership, language=checkout.language)
    return changed


def _is_free_start(invoice: stripe_api.Invoice) -> bool:
    """Return whether a membership began without a payment, for example with a coupon of 100 %."""
    is_first = find_role(invoice) == Payment.Role.FIRST
    return is_first and invoice.status == "paid" and invoice.total_minor == 0


def _recount(member: Member, changed: list[Gift]) -> None:
    people = [member]
    for gift in changed:
        progress.tally_gift(gift)
        if gift.claimed_by is not None:
            people.append(gift.claimed_by)
    progress.tally_members(people)


def next_settlement_at(checkout: Checkout, *, at: datetime) -> datetime | None:
    """Return when to settle again if no webhook comes; None if nothing more is expected."""
    if checkout.status in {Checkout.Status.FAILED, Checkout.Status.EXPIRED}:
        return None
    age = at - (checkout.opened_at or checkout.created_at)
    if checkout.status == Checkout.Status.PAID:
        return at + _PAID_PAUSE if age < DISPUTABLE_FOR else None
    for younger_than, pause in _UNPAID_PAUSES:
        if age < younger_than:
            return at + pause
    return None
