"""An erasure that is stopped on its way, or meets somebody who pays, claims or settles then."""

from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as mailbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import actions, erasures, members, settlement, stripe_api, tasks, webhooks
from campaigns import checkout as checkouts
from campaigns.models import (
    Campaign,
    Checkout,
    ErasedAddress,
    Erasure,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    StripeEvent,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.erasures import (
    CARD,
    NAME,
    ZOE,
    bring_events,
    buy,
    dump_everything,
    erase,
    find_secrets,
    go_on,
    order,
    pass_by,
)
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import make_gift, make_member
from tests.support.threads import race
from tests.support.webhooks import post

clock = _clock  # a fixture
# Time stands still unless it is moved.
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("clock")]


@pytest.fixture
def zoe(campaign: Campaign, sandbox: SandboxControl) -> Member:
    """A subscriber, of whom Stripe has told."""
    buy(campaign, sandbox)
    bring_events(sandbox, work_on=3)
    tasks.do_what_followed()
    return Member.objects.get(email=ZOE)


def ask(member: Member) -> Erasure:
    """With its last mail sent."""
    erasure = members.ask_erasure(member)
    tasks.do_what_followed()
    return erasure


def assert_forgotten(erasure: Erasure) -> None:
    assert (erasure.error, erasure.next_attempt_at) == ("", None)
    assert erasure.done_at is not None
    assert find_secrets(dump_everything()) == []
    assert not Membership.objects.exclude(status="ended").exists()


# Stripe, the mail or we are gone for a while


@pytest.mark.parametrize("kind", ["error", "lose_answer"])
@pytest.mark.parametrize(
    "call",
    [
        "POST /v1/checkout/sessions/",
        "DELETE /v1/subscriptions/",
        "POST /v1/subscriptions/",
        "DELETE /v1/customers/",
    ],
)
def test_what_stripe_does_not_do_is_noted_and_tried_again(
    zoe: Member, sandbox: SandboxControl, clock: Clock, call: str, kind: str
) -> None:
    order(Campaign.objects.get())  # and one that she left open
    erasure = ask(zoe)
    sandbox.add_fault("api", match=call, kind=kind, times=-1)
    go_on(erasure)
    if kind == "error" or erasure.done_at is None:  # a lost answer may be got by asking again
        assert erasure.error in {"StripeFailed", "StripeUnavailable"}
        assert erasure.next_attempt_at is not None
        assert timezone.now() < erasure.next_attempt_at < timezone.now() + timedelta(minutes=1)
        assert Member.objects.get(pk=zoe.pk).email == ZOE  # nothing is half done
    sandbox.remove_faults()
    pass_by(clock, minutes=1)
    tasks.sweep()
    erasure.refresh_from_db()
    assert_forgotten(erasure)


def test_without_mail_it_waits_a_day_and_no_longer(
    zoe: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> int:
        raise SMTPException("not now")

    send = EmailBackend.send_messages
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    erasure = ask(zoe)
    for _ in range(3):
        go_on(erasure)
        assert (erasure.done_at, erasure.error) == (None, "")
        pass_by(clock, minutes=5)
    assert Membership.objects.get().status == "ended"  # that waits for nothing
    assert Member.objects.get(pk=zoe.pk).email == ZOE
    pass_by(clock, days=1)
    go_on(erasure)
    assert_forgotten(erasure)
    monkeypatch.setattr(EmailBackend, "send_messages", send)
    before = len(mailbox.outbox)
    tasks.do_what_followed()
    assert len(mailbox.outbox) == before


STEPS = ("end_at_stripe", "delete_customers", "strip_rows", "strip_events")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_worker_that_dies_at_a_step_leaves_it_to_the_next(
    zoe: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch, step: str, when: str
) -> None:
    class Killed(BaseException):
        pass

    do = getattr(erasures, step)

    def die(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            do(*args, **kwargs)
        raise Killed

    erasure = ask(zoe)
    monkeypatch.setattr(erasures, step, die)
    with pytest.raises(Killed):
        go_on(erasure)
    erasure.refresh_from_db()
    assert erasure.done_at is None
    assert erasures.claim_erasures(at=timezone.now()) == []  # its lease holds others off
    monkeypatch.setattr(erasures, step, do)
    pass_by(clock, minutes=3)
    [erasure_id] = erasures.claim_erasures(at=timezone.now())
    assert erasures.carry_out(erasure_id)
    erasure.refresh_from_db()
    assert_forgotten(erasure)


def test_each_step_done_twice_is_done_once(zoe: Member) -> None:
    erasure = ask(zoe)
    for step in (erasures.end_at_stripe, erasures.delete_customers):
        for _ in range(2):
            step(zoe)
    for _ in range(2):
        members.strip_rows(zoe.pk, at=timezone.now())
    for _ in range(2):
        erasures.strip_events(erasure, until=timezone.now() + timedelta(minutes=1))
        erasure.events_read_to = 0
    assert_forgotten(go_on(erasure))
    assert ErasedAddress.objects.count() == 1


def test_many_events_are_read_over_several_turns(
    zoe: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasures, "_BATCH", 3)
    monkeypatch.setattr(erasures, "_TURN", timedelta(0))
    erasure = ask(zoe)
    read_to = []
    while erasure.done_at is None:
        go_on(erasure)
        read_to.append(erasure.events_read_to)
    assert len(set(read_to)) >= 4
    assert read_to == sorted(read_to)
    assert_forgotten(erasure)


def test_an_error_keeps_no_address(zoe: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError(f"Key (email)=({ZOE}) already exists")

    erasure = ask(zoe)
    monkeypatch.setattr(members, "strip_rows", fail)
    monkeypatch.setattr(settlement, "find_checkout", fail)
    StripeEvent.objects.update(status="new", next_attempt_at=timezone.now())
    for event_id in webhooks.list_due_events(at=timezone.now()):
        webhooks.work_on_event(event_id)
    assert ZOE in StripeEvent.objects.latest("pk").error
    with pytest.raises(ValueError, match="already exists"):
        go_on(erasure)
    erasure.refresh_from_db()
    assert erasure.error == "ValueError"
    monkeypatch.undo()
    assert_forgotten(go_on(erasure))


# Others at the same time


def test_asked_for_twice_at_once_it_is_one(zoe: Member) -> None:
    outcomes = race(*[partial(members.ask_erasure, zoe)] * 3)
    assert all(isinstance(outcome, Erasure) for outcome in outcomes), outcomes
    assert Erasure.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="erasure").count() == 1


def test_workers_settlements_and_webhooks_at_once_leave_nothing(
    zoe: Member, sandbox: SandboxControl, clock: Clock
) -> None:
    erasure = ask(zoe)
    checkout_id = zoe.checkouts.get().pk
    events = list(StripeEvent.objects.values_list("event_id", flat=True))

    def work() -> None:
        for event_id in events:
            webhooks.replay_events([event_id])
            webhooks.work_on_event(event_id)

    def settle() -> None:
        for _ in range(5):
            settlement.settle_checkout(checkout_id)

    outcomes = race(work, settle, partial(erasures.carry_out, erasure.pk), settle)
    assert [each for each in outcomes if isinstance(each, Exception)] == []
    pass_by(clock, minutes=5)
    tasks.sweep()
    assert_forgotten(go_on(erasure))
    assert Payment.objects.get().member_id == zoe.pk
    assert Tally.objects.filter(counted_until=None).count() == 1


def test_who_pays_while_the_page_is_being_closed_is_cancelled_as_well(
    zoe: Member, campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe took the money a moment before we closed its page."""
    session_id = str(order(campaign, "month").session_id)
    expire = stripe_api.expire_session

    def pay_first(session: str) -> dict[str, Any]:
        sandbox.pay(session_id, card=CARD, name=NAME)
        return expire(session)

    monkeypatch.setattr(stripe_api, "expire_session", pay_first)
    assert_forgotten(go_on(ask(zoe)))
    assert Payment.objects.filter(member=zoe, status="succeeded").count() == 2
    assert Membership.objects.filter(member=zoe, status="ended").count() == 2


@pytest.mark.parametrize("is_paid", [True, False])
def test_what_is_begun_between_two_steps_is_ended_first(
    zoe: Member, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, is_paid: bool
) -> None:
    forget, campaign = members.forget_mentions, Campaign.objects.get()

    def order_first(traces: Any) -> None:
        monkeypatch.setattr(members, "forget_mentions", forget)
        if is_paid:
            buy(campaign, sandbox, "month")
        else:
            order(campaign, "month")
        forget(traces)

    monkeypatch.setattr(members, "forget_mentions", order_first)
    erasure = go_on(ask(zoe))
    assert (erasure.done_at, erasure.error) == (None, "")
    assert_forgotten(go_on(erasure))
    ended = Checkout.objects.exclude(pk=zoe.checkouts.earliest("created_at").pk).get()
    assert ended.status == ("paid" if is_paid else "expired")


def test_a_form_that_is_being_sent_makes_no_session_for_who_was_erased(
    zoe: Member, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, erasure, checkout_id = stripe_api.create_session, ask(zoe), uuid4()

    def erase_first(*args: Any, **kwargs: Any) -> dict[str, Any]:
        monkeypatch.setattr(stripe_api, "create_session", create)
        assert_forgotten(go_on(erasure))
        return create(*args, **kwargs)

    monkeypatch.setattr(stripe_api, "create_session", erase_first)
    wanted = checkouts.Order(
        kind=Checkout.Kind.JOIN,
        price=zoe.checkouts.get().price,
        email=ZOE,
        name=NAME,
        language="en",
        campaign=campaign,
    )
    with pytest.raises(stripe_api.StripeUnavailable):
        checkouts.start_checkout(checkout_id, wanted)
    assert find_secrets(dump_everything()) == []
    again = checkouts.start_checkout(checkout_id, wanted)  # the button once more: somebody new
    assert (again.status, again.email, again.member) == ("open", ZOE, None)


def test_what_stripe_sold_after_all_is_ended_and_names_nobody(
    zoe: Member, campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    """A session whose making we never heard of, paid when its buyer was erased already."""
    lost = order(campaign, "month")
    session_id = str(lost.session_id)
    Checkout.objects.filter(pk=lost.pk).update(status="starting", session_id=None, session_url="")
    erasure = erase(zoe)
    sandbox.pay(session_id, card=CARD, name=NAME)
    for event in sandbox.events()[-12:]:
        body, header = sandbox.signed(event["id"])
        assert post(client, body, header).status_code == 200
        webhooks.work_on_event(event["id"])
    assert find_secrets(dump_everything()) == []
    late = Membership.objects.get(checkout=lost)
    assert (late.member_id, late.status) == (zoe.pk, "active")
    erasure.refresh_from_db()
    assert erasure.done_at is None
    assert_forgotten(go_on(erasure))
    late.refresh_from_db()
    customer_id = Checkout.objects.get(pk=lost.pk).customer_id
    assert stripe_api.client().v1.customers.retrieve(customer_id).to_dict()["deleted"]
    assert Member.objects.count() == 1


@pytest.mark.parametrize("is_erased_first", [True, False])
def test_a_claim_at_the_same_moment_is_theirs_or_somebody_news(
    zoe: Member, campaign: Campaign, monkeypatch: pytest.MonkeyPatch, is_erased_first: bool
) -> None:
    gift = make_gift(make_member("ben@example.org"), campaign, "2026-11-10 12:00")
    erasure = ask(zoe)
    erasures.end_at_stripe(zoe)

    def claim() -> Gift:
        return actions.claim_gift(gift.code, email=ZOE, name=NAME, language="en")

    get_or_create_by_email = type(Member.objects).get_or_create_by_email

    def erase_meanwhile(*args: Any, **kwargs: Any) -> Member:
        found = get_or_create_by_email(*args, **kwargs)
        monkeypatch.setattr(type(Member.objects), "get_or_create_by_email", get_or_create_by_email)
        race(partial(members.strip_rows, zoe.pk, at=timezone.now()))
        return found

    if is_erased_first and connection.vendor != "sqlite":  # where two can write at once
        monkeypatch.setattr(type(Member.objects), "get_or_create_by_email", erase_meanwhile)
    elif is_erased_first:
        go_on(erasure)
    claimed = claim()
    assert claimed.claimed_by is not None
    assert (claimed.claimed_by != zoe) is is_erased_first
    go_on(erasure)
    assert (find_secrets(dump_everything()) == []) is not is_erased_first
