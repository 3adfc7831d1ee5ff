"""Erasures that are interrupted, or run at the same time as payments, claims and settlements."""

from datetime import timedelta
from functools import partial
from smtplib import SMTPException
from types import ModuleType
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail as mailbox
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import actions, erasures, jobs, settlement, stripe_api, webhooks
from campaigns import checkout as checkouts
from campaigns.erasures import events, rows, steps, stripe_data, traces
from campaigns.erasures.traces import Traces
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
from tests.support.due import claim_due, list_due_events
from tests.support.erasures import (
    NAME,
    ZOE,
    buy_as_zoe,
    dump_everything,
    erase,
    find_secrets,
    order_as_zoe,
    post_all_events,
    run_erasure_once,
    wait,
)
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import make_gift, make_member
from tests.support.sales import CARD
from tests.support.threads import race
from tests.support.webhooks import post

clock = _clock  # a fixture
# Time is frozen unless a test moves it.
pytestmark = [pytest.mark.long, pytest.mark.usefixtures("clock")]


@pytest.fixture
def zoe(campaign: Campaign, sandbox: SandboxControl) -> Member:
    """A subscriber, with stored events."""
    buy_as_zoe(campaign, sandbox)
    post_all_events(sandbox, work_on=3)
    jobs.run_due_jobs("mails", "deliveries", "banners")
    return Member.objects.get(email=ZOE)


def ask(member: Member) -> Erasure:
    """Request the erasure and send its last e-mail."""
    erasure = erasures.request_erasure(member)
    jobs.run_due_jobs("mails", "deliveries", "banners")
    return erasure


def assert_forgotten(erasure: Erasure) -> None:
    assert (erasure.error, erasure.due_at) == ("", None)
    assert erasure.done_at is not None
    assert find_secrets(dump_everything()) == []
    assert not Membership.objects.exclude(status="ended").exists()


# Failures of Stripe, e-mail or a worker


@pytest.mark.thorough
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
def test_a_step_that_fails_at_stripe_is_retried(
    zoe: Member, sandbox: SandboxControl, clock: Clock, call: str, kind: str
) -> None:
    order_as_zoe(Campaign.objects.get())  # and one that she left open
    erasure = ask(zoe)
    sandbox.add_fault("api", match=call, kind=kind, times=-1)
    run_erasure_once(erasure)
    if kind == "error" or erasure.done_at is None:  # a retry may have got the lost answer
        assert erasure.error in {"StripeFailed", "StripeUnavailable"}
        assert erasure.due_at is not None
        assert timezone.now() < erasure.due_at < timezone.now() + timedelta(minutes=1)
        assert Member.objects.get(pk=zoe.pk).email == ZOE  # no step is half done
    sandbox.remove_faults()
    wait(clock, minutes=1)
    jobs.run_due_jobs()
    erasure.refresh_from_db()
    assert_forgotten(erasure)


def test_an_erasure_waits_one_day_for_the_last_email(
    zoe: Member, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*args: object) -> int:
        raise SMTPException("not now")

    send = EmailBackend.send_messages
    monkeypatch.setattr(EmailBackend, "send_messages", refuse)
    erasure = ask(zoe)
    for _ in range(3):
        run_erasure_once(erasure)
        assert (erasure.done_at, erasure.error) == (None, "")
        wait(clock, minutes=5)
    assert Membership.objects.get().status == "ended"  # this doesn't wait for the e-mail
    assert Member.objects.get(pk=zoe.pk).email == ZOE
    wait(clock, days=1)
    run_erasure_once(erasure)
    assert_forgotten(erasure)
    monkeypatch.setattr(EmailBackend, "send_messages", send)
    before = len(mailbox.outbox)
    jobs.run_due_jobs("mails", "deliveries", "banners")
    assert len(mailbox.outbox) == before


STEPS = [
    (stripe_data, "end_purchases"),
    (stripe_data, "delete_customers"),
    (rows, "strip_rows"),
    (events, "strip_events"),
]


@pytest.mark.thorough
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
@pytest.mark.parametrize("when", ["before", "after"])
def test_another_worker_repeats_a_step_at_which_one_died(
    zoe: Member,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    step: tuple[ModuleType, str],
    when: str,
) -> None:
    class Killed(BaseException):
        pass

    module, name = step
    do = getattr(module, name)

    def die(*args: Any, **kwargs: Any) -> None:
        if when == "after":
            do(*args, **kwargs)
        raise Killed

    erasure = ask(zoe)
    monkeypatch.setattr(module, name, die)
    with pytest.raises(Killed):
        run_erasure_once(erasure)
    erasure.refresh_from_db()
    assert erasure.done_at is None
    assert claim_due("erasures", at=timezone.now()) == []  # its lease is still valid
    monkeypatch.setattr(module, name, do)
    wait(clock, minutes=3)
    [erasure_id] = claim_due("erasures", at=timezone.now())
    assert erasures.carry_out_erasure(erasure_id)
    erasure.refresh_from_db()
    assert_forgotten(erasure)


def test_every_step_can_be_repeated(zoe: Member) -> None:
    erasure = ask(zoe)
    for step in (erasures.end_purchases, erasures.delete_customers):
        for _ in range(2):
            step(zoe)
    for _ in range(2):
        erasures.strip_rows(zoe.pk, at=timezone.now())
    for _ in range(2):
        erasures.strip_events(erasure, until=timezone.now() + timedelta(minutes=1))
        erasure.events_read_to = 0
    assert_forgotten(run_erasure_once(erasure))
    assert ErasedAddress.objects.count() == 1


def test_many_events_are_stripped_in_several_attempts(
    zoe: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "_BATCH", 3)
    monkeypatch.setattr(steps, "_TIME_LIMIT", timedelta(0))
    erasure = ask(zoe)
    read_to = []
    while erasure.done_at is None:
        run_erasure_once(erasure)
        read_to.append(erasure.events_read_to)
    assert len(set(read_to)) >= 4
    assert read_to == sorted(read_to)
    assert_forgotten(erasure)


def test_an_error_keeps_no_address(zoe: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise ValueError(f"Key (email)=({ZOE}) already exists")

    erasure = ask(zoe)
    monkeypatch.setattr(rows, "strip_rows", fail)
    monkeypatch.setattr(settlement, "find_checkout", fail)
    StripeEvent.objects.update(status="new", due_at=timezone.now())
    for event_id in list_due_events(at=timezone.now()):
        webhooks.work_on_event(event_id)
    assert ZOE in StripeEvent.objects.latest("pk").error
    with pytest.raises(ValueError, match="already exists"):
        run_erasure_once(erasure)
    erasure.refresh_from_db()
    assert erasure.error == "ValueError"
    monkeypatch.undo()
    assert_forgotten(run_erasure_once(erasure))


# At the same time


@pytest.mark.both_databases
def test_simultaneous_requests_create_one_erasure(zoe: Member) -> None:
    outcomes = race(*[partial(erasures.request_erasure, zoe)] * 3)
    assert all(isinstance(outcome, Erasure) for outcome in outcomes), outcomes
    assert Erasure.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="erasure").count() == 1


@pytest.mark.both_databases
def test_simultaneous_workers_settlements_and_webhooks_leave_no_data(
    zoe: Member, sandbox: SandboxControl, clock: Clock
) -> None:
    erasure = ask(zoe)
    checkout_id = zoe.checkouts.get().pk
    event_ids = list(StripeEvent.objects.values_list("event_id", flat=True))

    def work() -> None:
        for event_id in event_ids:
            webhooks.replay_events([event_id])
            webhooks.work_on_event(event_id)

    def settle() -> None:
        for _ in range(5):
            settlement.settle_checkout(checkout_id)

    outcomes = race(work, settle, partial(erasures.carry_out_erasure, erasure.pk), settle)
    assert [each for each in outcomes if isinstance(each, Exception)] == []
    wait(clock, minutes=5)
    jobs.run_due_jobs()
    assert_forgotten(run_erasure_once(erasure))
    assert Payment.objects.get().member_id == zoe.pk
    assert Tally.objects.filter(counted_until=None).count() == 1


def test_a_payment_just_before_the_session_expires_is_cancelled_too(
    zoe: Member, campaign: Campaign, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stripe took the payment a moment before the session expired."""
    session_id = str(order_as_zoe(campaign, "month").session_id)
    expire = stripe_api.expire_session

    def pay_first(session: str) -> None:
        sandbox.pay(session_id, card=CARD, name=NAME)
        expire(session)

    monkeypatch.setattr(stripe_api, "expire_session", pay_first)
    assert_forgotten(run_erasure_once(ask(zoe)))
    assert Payment.objects.filter(member=zoe, status="succeeded").count() == 2
    assert Membership.objects.filter(member=zoe, status="ended").count() == 2


@pytest.mark.parametrize("is_paid", [True, False])
def test_a_purchase_started_between_two_steps_is_ended_first(
    zoe: Member, sandbox: SandboxControl, monkeypatch: pytest.MonkeyPatch, is_paid: bool
) -> None:
    forget, campaign = traces.forget_mentions, Campaign.objects.get()

    def order_first(found: Traces) -> None:
        monkeypatch.setattr(traces, "forget_mentions", forget)
        if is_paid:
            buy_as_zoe(campaign, sandbox, "month")
        else:
            order_as_zoe(campaign, "month")
        forget(found)

    monkeypatch.setattr(traces, "forget_mentions", order_first)
    erasure = run_erasure_once(ask(zoe))
    assert (erasure.done_at, erasure.error) == (None, "")
    assert_forgotten(run_erasure_once(erasure))
    ended = Checkout.objects.exclude(pk=zoe.checkouts.earliest("created_at").pk).get()
    assert ended.status == ("paid" if is_paid else "expired")


def test_a_form_sent_during_the_erasure_opens_no_session(
    zoe: Member, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    create, erasure, checkout_id = stripe_api.create_session, ask(zoe), uuid4()

    def erase_first(*args: Any, **kwargs: Any) -> stripe_api.Session:
        monkeypatch.setattr(stripe_api, "create_session", create)
        assert_forgotten(run_erasure_once(erasure))
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
    again = checkouts.start_checkout(checkout_id, wanted)  # a second click: a new member
    assert (again.status, again.email, again.member) == ("open", ZOE, None)


def test_a_lost_session_that_is_paid_later_is_ended_and_names_nobody(
    zoe: Member, campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    """The answer with the session was lost; it is paid after the erasure."""
    lost = order_as_zoe(campaign, "month")
    session_id = str(lost.session_id)
    Checkout.objects.filter(pk=lost.pk).update(status="starting", session_id=None, session_url="")
    erasure = erase(zoe)
    sandbox.pay(session_id, card=CARD, name=NAME)
    for event in sandbox.events()[-12:]:
        body, header = sandbox.sign_event(event["id"])
        assert post(client, body, header).status_code == 200
        webhooks.work_on_event(event["id"])
    assert find_secrets(dump_everything()) == []
    late = Membership.objects.get(checkout=lost)
    assert (late.member_id, late.status) == (zoe.pk, "active")
    erasure.refresh_from_db()
    assert erasure.done_at is None
    assert_forgotten(run_erasure_once(erasure))
    late.refresh_from_db()
    customer_id = Checkout.objects.get(pk=lost.pk).customer_id
    assert stripe_api.client().v1.customers.retrieve(customer_id).to_dict()["deleted"]
    assert Member.objects.count() == 1


@pytest.mark.both_databases
@pytest.mark.parametrize("is_erased_first", [True, False])
def test_a_simultaneous_claim_belongs_to_the_erased_or_to_a_new_member(
    zoe: Member, campaign: Campaign, monkeypatch: pytest.MonkeyPatch, is_erased_first: bool
) -> None:
    gift = make_gift(make_member("ben@example.org"), campaign, "2026-11-10 12:00")
    erasure = ask(zoe)
    erasures.end_purchases(zoe)

    def claim() -> Gift:
        return actions.claim_gift(gift.code, email=ZOE, name=NAME, language="en")

    get_or_create_by_email = type(Member.objects).get_or_create_by_email

    def erase_meanwhile(*args: Any, **kwargs: Any) -> Member:
        found = get_or_create_by_email(*args, **kwargs)
        monkeypatch.setattr(type(Member.objects), "get_or_create_by_email", get_or_create_by_email)
        race(partial(erasures.strip_rows, zoe.pk, at=timezone.now()))
        return found

    if is_erased_first and connection.vendor != "sqlite":  # where two can write at once
        monkeypatch.setattr(type(Member.objects), "get_or_create_by_email", erase_meanwhile)
    elif is_erased_first:
        run_erasure_once(erasure)
    claimed = claim()
    assert claimed.claimed_by is not None
    assert (claimed.claimed_by != zoe) is is_erased_first
    run_erasure_once(erasure)
    assert (find_secrets(dump_everything()) == []) is not is_erased_first
