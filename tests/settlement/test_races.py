"""Concurrent work on the same rows, each with its own database connection."""

import json
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from campaigns import actions, emails, gifts, memberships, settlement, stripe_api, webhooks
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    StripeEvent,
    Tally,
)
from campaigns.settlement import checkouts
from newsroom.sandbox.control import SandboxControl
from tests.conftest import WEBHOOK_SECRET
from tests.support.due import list_due
from tests.support.factories import at, make_gift, make_member
from tests.support.sales import place_order
from tests.support.threads import race, race_through
from tests.support.webhooks import ENDPOINT, post, sign

pytestmark = [pytest.mark.long, pytest.mark.both_databases]

CARD = "4242424242424242"
PEOPLE, EVENTS_OF_EACH, COPIES, WORKERS = 100, 5, 4, 8


def sell_to(people: int, campaign: Campaign, sandbox: SandboxControl) -> None:
    for number in range(people):
        checkout = place_order(campaign, "once", f"reader{number}@example.org")
        sandbox.pay(str(checkout.session_id), card=CARD)


def pick_events(sandbox: SandboxControl, *, of_each: int) -> list[tuple[str, str]]:
    """Return ids and bodies of events, in turns from each sale as if all were sold at once."""
    sales: list[list[tuple[str, str]]] = []
    for event in sandbox.events():
        event.pop("deliveries")
        kind = event["data"]["object"]["object"]
        if kind in {"product", "price", "billing_portal.configuration"}:
            continue
        if event["type"] == "payment_intent.created":  # the first event of each sale
            sales.append([])
        sales[-1].append((event["id"], json.dumps(event)))
    assert all(len(sale) >= of_each for sale in sales)
    return [sale[position] for position in range(of_each) for sale in sales]


@pytest.mark.thorough
def test_four_copies_of_each_of_500_events_at_once_have_500_effects(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    sell_to(PEOPLE, campaign, sandbox)
    events = pick_events(sandbox, of_each=EVENTS_OF_EACH)
    assert len({event_id for event_id, _ in events}) == PEOPLE * EVENTS_OF_EACH == 500

    client = Client()
    assert client.get(ENDPOINT).status_code == 405  # load the views before the threads start

    def post_event(event: tuple[str, str]) -> None:
        assert post(client, event[1], sign(event[1], secret=WEBHOOK_SECRET)).status_code == 200

    assert race_through(events, post_event, threads=COPIES) == []
    assert StripeEvent.objects.count() == 500

    ids = [event_id for event_id, _ in events]
    assert race_through(ids, webhooks.work_on_event, threads=WORKERS) == []
    assert set(StripeEvent.objects.values_list("attempts", "error")) == {(1, "")}
    # Events about customers are ignored; all others lead to their sale.
    assert StripeEvent.objects.filter(status="ignored").count() == PEOPLE
    assert StripeEvent.objects.filter(status="done").count() == 500 - PEOPLE
    assert StripeEvent.objects.count() == 500

    for model in (Payment, Membership, Member):
        assert model.objects.count() == PEOPLE
    assert Tally.objects.filter(counted_until__isnull=True).count() == Tally.objects.count()
    assert Tally.objects.count() == PEOPLE
    assert Payment.objects.filter(status="succeeded").count() == PEOPLE

    due_mails = list_due("mails", at=timezone.now())
    assert len(due_mails) == 2 * PEOPLE  # a receipt and a welcome each
    assert race_through(due_mails, emails.deliver_mail, threads=WORKERS) == []
    assert not OutgoingMail.objects.filter(sent_at__isnull=True).exists()
    assert len(mail.outbox) == 2 * PEOPLE
    assert len({(sent.to[0], sent.subject) for sent in mail.outbox}) == 2 * PEOPLE


def test_a_naive_handler_fails_the_same_race(transactional_db: None) -> None:
    """Control: a handler that reads first and writes later processes every event several times.

    The barrier takes the place of a slow answer from Stripe, between the read and the write.
    """
    now = timezone.now()
    ids = [f"evt_{number}" for number in range(20)]
    StripeEvent.objects.bulk_create(
        StripeEvent(event_id=event_id, type="charge.succeeded", payload="{}", created_at=now)
        for event_id in ids
    )
    ada = make_member()
    barrier = threading.Barrier(COPIES)

    def work_naively(event_id: str) -> None:
        event = StripeEvent.objects.get(event_id=event_id)
        barrier.wait(60)
        if event.status != StripeEvent.Status.NEW:
            return
        Membership.objects.create(
            member=ada, source=Membership.Source.GRANTED, started_at=at("2026-11-10 12:00")
        )
        event.status, event.due_at = StripeEvent.Status.DONE, None
        event.save()

    assert race_through(ids, work_naively, threads=COPIES) == []
    assert Membership.objects.count() == COPIES * len(ids)


@pytest.mark.parametrize("kind", ["year", "once", "gift"])
def test_eight_settlements_of_one_checkout_at_once_have_one_effect(
    campaign: Campaign, sandbox: SandboxControl, kind: str
) -> None:
    checkout = place_order(campaign, kind)
    sandbox.pay(str(checkout.session_id), card=CARD)
    settle = partial(settlement.settle_checkout, checkout.pk)
    outcomes = race(*[settle] * WORKERS)
    assert {getattr(outcome, "status", outcome) for outcome in outcomes} == {"paid"}
    assert Payment.objects.count() == 1
    assert Membership.objects.count() == (0 if kind == "gift" else 1)
    assert Gift.objects.count() == (1 if kind == "gift" else 0)
    assert Tally.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="receipt").count() == 1
    assert OutgoingMail.objects.count() == (3 if kind == "gift" else 2)


def test_two_checkouts_of_one_person_settled_at_once_count_one_person(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    for number in range(5):
        email = f"reader{number}@example.org"
        both = [place_order(campaign, kind, email) for kind in ("year", "month")]
        for checkout in both:
            sandbox.pay(str(checkout.session_id), card=CARD)
        settle = [partial(settlement.settle_checkout, checkout.pk) for checkout in both]
        outcomes = race(*settle, *settle)
        assert {getattr(outcome, "status", outcome) for outcome in outcomes} == {"paid"}
        assert Member.objects.count() == number + 1
        assert Payment.objects.count() == Membership.objects.count() == 2 * (number + 1)
        assert Tally.objects.filter(counted_until__isnull=True).count() == number + 1
        assert Tally.objects.count() == number + 1


def test_a_settlement_reads_again_if_another_one_wrote_in_between(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """One settlement has read the payment when another writes its refund."""
    checkout = place_order(campaign, "once")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    has_read, may_write = threading.Event(), threading.Event()
    reads = []

    def read_slowly(session_id: str) -> settlement.Snapshot:
        snapshot = READ_SNAPSHOT(session_id)
        reads.append(len(snapshot.charges[0].refunds))
        if len(reads) == 1:
            has_read.set()
            assert may_write.wait(60)
        return snapshot

    def refund_meanwhile() -> None:
        assert has_read.wait(60)
        sandbox.advance(60)
        refund_whole(Payment.objects.get())
        with_read(READ_SNAPSHOT, checkout)
        may_write.set()

    outcomes = race(partial(with_read, read_slowly, checkout), refund_meanwhile)
    assert outcomes == [None, None]
    assert reads == [0, 1]
    assert Refund.objects.count() == 1
    assert Tally.objects.get().counted_until is not None


READ_SNAPSHOT = settlement.read_snapshot
_reader = threading.local()


def with_read(read: Callable[[str], settlement.Snapshot], checkout: Checkout) -> None:
    """Settle with another way to read, in this thread only."""
    _reader.read = read
    settlement.settle_checkout(checkout.pk)


@pytest.fixture(autouse=True)
def read_by_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(session_id: str, **_: str) -> settlement.Snapshot:
        by_thread: Callable[[str], settlement.Snapshot] = getattr(_reader, "read", READ_SNAPSHOT)
        return by_thread(session_id)

    monkeypatch.setattr(checkouts, "read_snapshot", read)


def refund_whole(payment: Payment) -> None:
    stripe_api.client().v1.refunds.create({"payment_intent": str(payment.intent_id)})


def sell_gift(campaign: Campaign, sandbox: SandboxControl, number: int = 0) -> Gift:
    checkout = place_order(campaign, "gift", email=f"buyer{number}@example.org")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    return Gift.objects.get(checkout=checkout)


def test_a_gift_claimed_by_several_at_once_goes_to_one(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    gift = sell_gift(campaign, sandbox)
    people = ["ben", "cleo", "dan", "eve"]
    outcomes = race(
        *(
            partial(
                actions.claim_gift,
                gift.code,
                email=f"{name}@example.org",
                name=name,
                language="en",
            )
            for name in people
        )
    )
    winners = [outcome for outcome in outcomes if isinstance(outcome, Gift)]
    losers = [outcome.reason for outcome in outcomes if isinstance(outcome, gifts.GiftNotClaimable)]
    assert (len(winners), losers) == (1, ["claimed"] * 3)
    gift.refresh_from_db()
    assert gift.claimed_by == Membership.objects.get().member == winners[0].claimed_by
    assert OutgoingMail.objects.filter(kind="gift_claimed").count() == 1


@pytest.mark.thorough
def test_fifty_people_claiming_two_hundred_codes_at_once_get_two_hundred_memberships(
    campaign: Campaign,
) -> None:
    ada = make_member("ada@example.org")
    codes = [make_gift(ada, campaign, "2026-11-10 12:00").code for _ in range(200)]
    taken: list[str] = []
    reasons: list[str] = []

    def claim_some(person: int) -> None:
        # Ten people claim each code, each in their own order.
        for code in (codes + codes)[person * 4 : person * 4 + 40]:
            email = f"reader{person}-{code[:5].lower()}@example.org"
            try:
                actions.claim_gift(code, email=email, name="", language="en")
                taken.append(code)
            except gifts.GiftNotClaimable as error:
                reasons.append(error.reason)

    assert race(*(partial(claim_some, person) for person in range(50))) == [None] * 50
    assert sorted(taken) == sorted(codes)
    assert reasons == ["claimed"] * 1800
    assert Membership.objects.filter(source="gift").count() == 200
    assert Gift.objects.filter(status="claimed").values("membership").distinct().count() == 200
    assert OutgoingMail.objects.filter(kind="gift_claimed").count() == 200


def test_two_gifts_claimed_at_once_by_one_person_do_not_overlap(
    campaign: Campaign,
) -> None:
    ada = make_member("ada@example.org")
    for number in range(12):
        email = f"reader{number}@example.org"
        make_member(email)
        both = [make_gift(ada, campaign, "2026-11-10 12:00") for _ in range(2)]
        outcomes = race(
            *(
                partial(actions.claim_gift, gift.code, email=email, name="", language="en")
                for gift in both
            )
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == [
            "ConfirmationRequired",
            "Gift",
        ]
        assert Membership.objects.filter(member__email=email).count() == 1


def test_deliveries_are_recorded_while_their_purchase_is_settled(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    """Both lock the gift, and the delivery refers to the Checkout: neither blocks the other."""
    for number in range(6):
        gift = sell_gift(campaign, sandbox, number)
        OutgoingMail.objects.filter(gift=gift, kind="gift_invitation").update(
            sent_at=timezone.now(), due_at=None
        )
        settle = partial(settlement.settle_checkout, gift.checkout_id)
        outcomes = race(settle, gifts.record_deliveries, settle, gifts.record_deliveries)
        assert not [outcome for outcome in outcomes if isinstance(outcome, Exception)], outcomes
    assert Gift.objects.filter(status="delivered").count() == 6


def claim_without_a_lock(code: str, email: str) -> None:
    """Claim by reading first and writing later."""
    gift = gifts.find_gift(code)
    assert gift is not None
    gifts.refuse_unless_claimable(gift, at=timezone.now())
    time.sleep(0.01)
    gift.membership = memberships.grant_membership(
        make_member(email),
        plan=gift.price.plan,
        source=Membership.Source.GIFT,
        starts_at=timezone.now(),
        months=12,
    )
    gift.status, gift.claimed_at = Gift.Status.CLAIMED, timezone.now()
    gift.claimed_by = gift.membership.member
    gift.save()


def test_without_a_lock_one_code_makes_several_memberships(campaign: Campaign) -> None:
    """Control of the tests above: they detect a missing lock."""
    gift = make_gift(make_member("ada@example.org"), campaign, "2026-11-10 12:00")
    race(*(partial(claim_without_a_lock, gift.code, f"r{n}@example.org") for n in range(8)))
    assert Membership.objects.filter(source="gift").count() > 1


def test_a_person_who_clicks_twice_claims_once(campaign: Campaign, sandbox: SandboxControl) -> None:
    gift = sell_gift(campaign, sandbox)
    claim = partial(
        actions.claim_gift, gift.code, email="ben@example.org", name="Ben", language="en"
    )
    outcomes = race(claim, claim, claim)
    assert outcomes == [gift] * 3
    assert Membership.objects.count() == Member.objects.filter(email="ben@example.org").count() == 1


def test_a_refund_and_a_claim_at_once_leave_the_gift_in_one_valid_state(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    for number in range(8):
        gift = sell_gift(campaign, sandbox, number)
        sandbox.advance(60)
        refund_whole(gift.payment)
        outcomes = race(
            partial(settlement.settle_checkout, gift.checkout_id),
            partial(
                actions.claim_gift,
                gift.code,
                email=f"reader{number}@example.org",
                name="Ben",
                language="en",
            ),
        )
        gift.refresh_from_db()
        if isinstance(outcomes[1], gifts.GiftNotClaimable):
            assert (gift.status, gift.membership, gift.claimed_by) == ("revoked", None, None)
        else:
            assert isinstance(outcomes[1], Gift), outcomes
            assert (gift.status, gift.revoked_at) == ("claimed", None)
            assert gift.membership is not None
        # Either way the money was refunded, so the gift no longer counts.
        refund = Refund.objects.get(payment=gift.payment)
        assert Tally.objects.get(gift=gift).counted_until == refund.refunded_at
