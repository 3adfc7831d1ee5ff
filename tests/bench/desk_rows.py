"""Rows of every list that a supporter desk opens, beside the sales of the report's benchmark.

Each list and filter has a full page of rows at 1,000 sales, because a page of fewer rows is
faster. The shares grow with the sales: at a million, each filter finds 50,000 rows. What staff work
on doesn't grow: open disputes and failed events are 50 of the newest at any size.
"""

from django.utils import timezone

from campaigns.models import Campaign, Member, OutgoingMail
from tests.bench.report_measurement import NUMBER, UUID, copy_row, fill, spread_times
from tests.support.factories import (
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_plan,
)
from tests.support.staff import store_event

_WORD = "initcap(translate(substr(md5({}::text), 1, 7), '0123456789', 'aeioulmnrs'))"
_NAME = (
    "(array['Ada', 'Ben', 'Olena', 'Marta', 'Ivan', 'Jonas', 'Mila', 'Petra'])[1 + n % 8] "
    f"|| ' ' || {_WORD.format('n')}"
)
_IS_NEW = "n > {size} - 1000 AND"


def fill_desk(campaign: Campaign, *, size: int) -> None:
    """Create so many sales, with refunds, disputes, claims, e-mails and Stripe events."""
    paid_at = spread_times(campaign, size=size)
    fill(campaign, size=size, changes=_list_changes(paid_at, size=size))
    # Twenty people are called Quine, however many there are.
    named = Member.objects.filter(email__regex="^copy[0-9]{2}@").order_by("pk").values("pk")[:20]
    Member.objects.filter(pk__in=named).update(name="Willa Quine")
    _add_unfinished(campaign, paid_at, size=size)
    _add_disputes(campaign, paid_at, size=size)
    _add_mails(campaign, paid_at, size=size)
    _add_events(paid_at, size=size)


def _list_changes(paid_at: str, *, size: int) -> dict[str, dict[str, str]]:
    is_new = _IS_NEW.format(size=size)
    return {
        "member": {"name": _NAME, "created_at": paid_at},
        "checkout": {
            "name": _NAME,
            "email": "'copy' || n || '@example.org'",
            "created_at": paid_at,
        },
        "membership": {
            "where": "n % 5 <> 0 OR n % 10 = 0",  # of the buyer, or of who claimed the gift
            "plan_id": str(make_plan().pk),
            "source": "CASE WHEN n % 10 = 0 THEN 'gift' ELSE 'subscription' END",
            "subscription_id": "CASE WHEN n % 10 <> 0 THEN 'sub_copy_' || n END",
            "status": "CASE WHEN n % 20 IN (1, 7) THEN 'ended' WHEN n % 20 = 3 THEN 'past_due' "
            "ELSE 'active' END",
            "ended_at": f"CASE WHEN n % 20 IN (1, 7) THEN {paid_at} + interval '1 hour' END",
            "ends_at": f"{paid_at} + interval '1 year'",
        },
        "payment": {
            "status": "CASE WHEN n % 20 = 9 THEN 'pending' ELSE 'succeeded' END",
            "refund_state": "CASE WHEN n % 50 = 0 OR n % 20 = 7 THEN 'refunded' "
            "WHEN n % 20 = 11 THEN 'partly_refunded' WHEN n % 20 = 1 THEN 'lost' "
            f"WHEN {is_new} n % 20 = 13 THEN 'disputed' ELSE '' END",
        },
        "gift": {
            "buyer_name": _NAME,
            "code_hint": "upper(substr(md5(n::text), 1, 5))",
            "recipient_name": "CASE WHEN n BETWEEN 36 AND 60 THEN 'Ben Quine' ELSE "
            f"{_WORD.format('(n + 1)')} END",
            "recipient_email": "'to' || n || '@example.org'",
            "status": "CASE WHEN n % 10 = 0 THEN 'claimed' WHEN n % 20 = 5 THEN 'delivered' "
            "ELSE 'expired' END",
            "claimed_at": f"CASE WHEN n % 10 = 0 THEN {paid_at} + interval '2 hours' END",
            "redeemer_id": f"CASE WHEN n % 10 = 0 THEN {NUMBER} END",
            "membership_id": f"CASE WHEN n % 10 = 0 THEN {NUMBER} END",
            "expires_at": f"{paid_at} + interval '1 year'",
        },
        "refund": {
            "where": "n % 50 = 0 OR n % 20 IN (7, 11, 12)",
            "amount_minor": "CASE WHEN n % 20 = 11 THEN 100 ELSE 7000 END",
            "status": "CASE WHEN n % 20 = 12 THEN 'failed' ELSE 'succeeded' END",
        },
    }


def _add_unfinished(campaign: Campaign, paid_at: str, *, size: int) -> None:
    copy_row(
        make_checkout(campaign, status="expired"),
        size=size,
        where="n % 5 = 2",
        id="('00000000-0000-4000-9000-' || lpad(to_hex(n), 12, '0'))::uuid",
        session_id="'cs_left_' || n",
        name=_NAME,
        email="'left' || n || '@example.org'",
        created_at=paid_at,
    )


def _add_disputes(campaign: Campaign, paid_at: str, *, size: int) -> None:
    payment = make_payment(make_member(), campaign, campaign.starts_at.isoformat())
    is_new = _IS_NEW.format(size=size)
    copy_row(
        make_dispute(payment, campaign.starts_at.isoformat()),
        size=size,
        where=f"n % 20 = 1 OR ({is_new} n % 20 = 13)",
        id=NUMBER,
        payment_id=NUMBER,
        dispute_id="'du_copy_' || n",
        status="CASE WHEN n % 20 = 1 THEN 'lost' ELSE 'needs_response' END",
        opened_at=f"{paid_at} + interval '3 hours'",
    )


def _add_mails(campaign: Campaign, paid_at: str, *, size: int) -> None:
    """Add a receipt of each payment, and an invitation of each gift. Some bounce or fail."""
    gift = make_gift(make_member(), campaign, campaign.starts_at.isoformat())
    sent = {"sent_at": timezone.now(), "due_at": None}
    receipt = OutgoingMail.objects.create(
        key="receipt:bench", kind="receipt", payment=gift.payment, **sent
    )
    invitation = OutgoingMail.objects.create(
        key="invitation:bench", kind="gift_invitation", gift=gift, **sent
    )
    copy_row(
        receipt,
        size=size,
        id=NUMBER,
        key="'receipt:copy_' || n",
        payment_id=NUMBER,
        created_at=paid_at,
        sent_at=f"CASE WHEN n % 20 <> 13 THEN {paid_at} END",
        bounced_at=f"CASE WHEN n % 20 = 3 THEN {paid_at} END",
        failed_at=f"CASE WHEN n % 20 = 13 THEN {paid_at} END",
        told_at=f"CASE WHEN n < {size} - 1000 THEN {paid_at} END",
    )
    copy_row(
        invitation,
        size=size,
        where="n % 5 = 0",
        id=f"{NUMBER} + {size}",
        key="'invitation:copy_' || n",
        gift_id=UUID,
        created_at=paid_at,
        sent_at=paid_at,
    )


def _add_events(paid_at: str, *, size: int) -> None:
    is_failed = f"{_IS_NEW.format(size=size)} n % 20 = 5"
    copy_row(
        store_event("evt_bench"),
        size=size,
        id=NUMBER,
        event_id="'evt_copy_' || n",
        object_id="'pi_copy_' || n",
        type="(array['charge.succeeded', 'payment_intent.succeeded', 'invoice.paid', "
        "'customer.updated'])[1 + n % 4]",
        created_at=paid_at,
        received_at=paid_at,
        status=f"CASE WHEN {is_failed} THEN 'failed' WHEN n % 20 = 3 THEN 'ignored' "
        "ELSE 'done' END",
        reason="CASE WHEN n % 20 = 3 THEN 'names none' ELSE '' END",
        next_attempt_at=f"CASE WHEN {is_failed} THEN {paid_at} END",
        attempts=f"CASE WHEN {is_failed} THEN 4 ELSE 1 END",
    )
