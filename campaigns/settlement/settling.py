"""Settling a Checkout: what Stripe has of it is read, then written under its lock."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from campaigns import banners, members, memberships, payments, progress
from campaigns.gifts.sales import upsert_gifts
from campaigns.models import Checkout, Gift, Member, Membership, Payment
from campaigns.payments import ChargeSnapshot
from campaigns.settlement.finding import Found, find_checkout
from campaigns.settlement.reading import Snapshot, read_snapshot
from campaigns.stripe_api import Json

# How often a Checkout that is not settled is looked at, by its age: readers pay soon or never.
_LOOK_AGAIN = (
    (timedelta(minutes=30), timedelta(seconds=30)),
    (timedelta(hours=2), timedelta(minutes=5)),
    (timedelta(hours=25), timedelta(minutes=30)),
    (timedelta(days=30), timedelta(hours=6)),
)
# A paid one is looked after for as long as a card's payment can be disputed: of a refund or a
# dispute whose webhook was lost we would never hear otherwise.
_LOOK_AFTER = timedelta(days=1)
_LOOKED_AFTER_FOR = timedelta(days=120)
LEASE = timedelta(seconds=40)
_STALE_READS = 20


class SettlementBusy(Exception):
    """Others kept settling the same Checkout; its event is tried again."""


def settle_checkout(checkout_id: UUID, *, disputed_id: str = "") -> Checkout:
    """Bring a Checkout's rows to what Stripe has now; the Checkout as it then stands.

    `disputed_id` is the charge of a dispute that led here. Raises the errors of stripe_api, and
    SettlementBusy.
    """
    for _ in range(_STALE_READS):
        checkout = Checkout.objects.get(pk=checkout_id)
        if checkout.session_id is None:
            return checkout
        snapshot = read_snapshot(checkout.session_id, disputed_id=disputed_id)
        with transaction.atomic():
            locked = (
                Checkout.objects.select_for_update(of=("self",), no_key=True)
                .select_related("campaign", "price__plan")
                .get(pk=checkout_id)
            )
            if (locked.version, locked.session_id) != (checkout.version, checkout.session_id):
                continue
            write_snapshot(locked, snapshot)
        if locked.campaign_id is not None:
            banners.request_publishing(locked.campaign_id)
        return locked
    raise SettlementBusy(str(checkout_id))


def settle_object(object_type: str, object_id: str) -> Found:
    """Settle the Checkout to which a Stripe object belongs; which it is, or why it is none."""
    found = find_checkout(object_type, object_id)
    if found.checkout_id is not None:
        settle_checkout(found.checkout_id, disputed_id=found.disputed_id)
    return found


def claim_due_checkouts(*, at: datetime, limit: int = 200) -> list[UUID]:
    """The Checkouts to look at, since no webhook told of them lately; claimed for a while each."""
    due = (
        Checkout.objects.filter(settle_at__lte=at)
        .order_by("settle_at")
        .values_list("pk", "settle_at")
    )
    return [
        checkout_id
        for checkout_id, settle_at in due[:limit]
        if Checkout.objects.filter(pk=checkout_id, settle_at=settle_at).update(settle_at=at + LEASE)
    ]


def write_snapshot(checkout: Checkout, snapshot: Snapshot) -> None:
    """Write a snapshot into the rows of a locked Checkout, and count anew whoever it touches."""
    session = snapshot.session
    checkout.move_to(_status_of(session, snapshot.charges))
    known_customer, checkout.customer_id = checkout.customer_id, session.get("customer") or ""
    checkout.version += 1
    checkout.settle_at = next_settlement_at(checkout, at=timezone.now())
    if session["status"] == "complete":
        # Once known, the buyer stays the same person, whatever becomes of their address.
        member = checkout.member or Member.objects.lock_by_email(
            checkout.email, name=checkout.name, language=checkout.language
        )
        is_known, checkout.member = checkout.member_id is not None, member
        if checkout.kind == Checkout.Kind.JOIN:
            # Before their memberships, as a claim does that adds to one.
            Member.objects.select_for_update(no_key=True).get(pk=member.pk)
        touched = _write_sale(checkout, snapshot, member)
        checkout.save()
        if not is_known:  # Stripe made its customer by an address that the person may have left
            left = Member.objects.filter(pk=member.pk).exclude(email=checkout.email)
            left.update(tell_stripe_at=timezone.now())
        _count_anew(member, touched)
        if member.erased_at is not None and (
            checkout.customer_id != known_customer or _is_running(checkout)
        ):
            members.erase_again(member, at=timezone.now())
    else:
        checkout.save()


def _is_running(checkout: Checkout) -> bool:
    subscriptions = Membership.objects.filter(checkout=checkout, subscription_id__isnull=False)
    return subscriptions.exclude(status=Membership.Status.ENDED).exists()


def _status_of(session: Json, charges: list[ChargeSnapshot]) -> Checkout.Status:
    if session["status"] == "open":
        return Checkout.Status.OPEN
    if session["status"] == "expired":
        return Checkout.Status.EXPIRED
    if session["payment_status"] in {"paid", "no_payment_required"}:
        return Checkout.Status.PAID
    first = [charge.charge.get("status") for charge in charges]
    return Checkout.Status.FAILED if first and first[-1] == "failed" else Checkout.Status.WAITING


def _write_sale(checkout: Checkout, snapshot: Snapshot, member: Member) -> list[Gift]:
    """The membership or the gifts of a completed session, with their payments."""
    membership = None
    if snapshot.subscription is not None:
        membership = memberships.keep_subscription(
            snapshot.subscription,
            invoices=snapshot.invoices,
            checkout=checkout,
            member=member,
        )
    touched: list[Gift] = []
    for charge in snapshot.charges:
        if not charge.charge:
            continue
        payment = payments.record_payment(
            charge if checkout.kind == Checkout.Kind.JOIN else _as_gift(charge),
            checkout=checkout,
            member=member,
            membership=membership,
        )
        succeeded = payment.status == Payment.Status.SUCCEEDED
        if checkout.kind == Checkout.Kind.GIFT:
            touched += upsert_gifts(payment, checkout=checkout)
        elif snapshot.subscription is None and succeeded:
            membership = memberships.upsert_one_off_membership(payment, checkout=checkout)
            memberships.follow_payment(membership, payment)
            Payment.objects.filter(pk=payment.pk).update(membership=membership)
        if membership is not None and succeeded:
            memberships.welcome(membership, language=checkout.language)
    return touched


def _as_gift(charge: ChargeSnapshot) -> ChargeSnapshot:
    return ChargeSnapshot(
        charge.intent, charge.charge, charge.refunds, charge.disputes, role=Payment.Role.GIFT
    )


def _count_anew(member: Member, touched: list[Gift]) -> None:
    people = [member]
    for gift in touched:
        progress.tally_gift(gift)
        if gift.claimed_by is not None:
            people.append(gift.claimed_by)
    progress.tally_members(people)


def next_settlement_at(checkout: Checkout, *, at: datetime) -> datetime | None:
    """When to look again if no webhook comes; None once there is nothing more to wait for."""
    if checkout.status in {Checkout.Status.FAILED, Checkout.Status.EXPIRED}:
        return None
    age = at - (checkout.opened_at or checkout.created_at)
    if checkout.status == Checkout.Status.PAID:
        return at + _LOOK_AFTER if age < _LOOKED_AFTER_FOR else None
    for younger_than, pause in _LOOK_AGAIN:
        if age < younger_than:
            return at + pause
    return None
