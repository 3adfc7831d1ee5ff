"""What other systems are told, from the first payment to the erasure."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.utils import timezone

from campaigns import actions, deliveries, erasures, jobs, members, memberships, stripe_api
from campaigns.memberships.announcements import Standing, name_event
from campaigns.models import (
    Campaign,
    Gift,
    Member,
    MemberAccess,
    Membership,
    OutgoingEvent,
    Payment,
    WebhookDelivery,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.erasures import (
    SECRETS,
    ZOE,
    create_all_data,
    dump_everything,
    find_secrets,
    run_jobs_until_erased,
)
from tests.support.extensions import Clock, make_campaign_gift
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_campaign, make_member, make_plan
from tests.support.ghost_stand_in import GhostStandIn, run_stand_in
from tests.support.receiver import Receiver, list_faults, list_names
from tests.support.refunds import buy_gifts
from tests.support.renewals import change_at_stripe, pay_newest_invoice, replace_card
from tests.support.reports import join
from tests.support.sales import settle, settle_payment, subscribe

clock = _clock  # a fixture
State = MemberAccess.State


def read_types() -> list[str]:
    return list(OutgoingEvent.objects.order_by("pk").values_list("type", flat=True))


def deliver(receiver: Receiver) -> list[str]:
    """Deliver everything, check it against its schema, and return the names of the events."""
    jobs.run_due_jobs("webhooks")
    faults = {body["type"]: list_faults(body) for body in receiver.bodies}
    assert {name: found for name, found in faults.items() if found} == {}
    types, receiver.bodies = receiver.types, []
    return types


def test_every_event_has_a_schema_and_every_schema_an_event() -> None:
    assert list_names() == sorted(each.name for each in deliveries.EVENT_TYPES)


def test_a_schema_finds_faults() -> None:
    body: dict[str, Any] = {"type": "member.erased", "timestamp": "x", "data": {"member": {}}}
    assert len(list_faults(body)) > 1


def test_each_step_of_a_subscription_is_sent(
    receiver: Receiver, campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    receiver.make_endpoint()
    membership = subscribe(campaign, sandbox)
    settle(membership)
    jobs.run_due_jobs("webhooks")
    [joined] = receiver.bodies
    access = joined["data"]["access"]
    assert joined["data"]["member"]["email"] == "ada@example.org"
    assert (access["campaign"], access["plan"]) == ("birthday", "member")
    assert (access["state"], access["until"]) == ("active", None)
    assert access["renews_at"].startswith("2026-12-10")
    assert deliver(receiver) == ["member.joined"]
    clock.move_to(at("2026-12-10 12:30"))
    settle(membership)
    settle(membership)
    assert deliver(receiver) == ["member.renewed"]
    change_at_stripe(membership, cancel_at_period_end=True)
    settle(membership)
    jobs.run_due_jobs("webhooks")
    assert receiver.bodies[0]["data"]["access"]["until"].startswith("2027-01-10")
    assert deliver(receiver) == ["member.cancelled"]
    change_at_stripe(membership, cancel_at_period_end=False)
    settle(membership)
    assert deliver(receiver) == ["member.returned"]


@pytest.mark.django_db
def test_a_milestone_is_sent_once(receiver: Receiver) -> None:
    receiver.make_endpoint()
    join(make_campaign(target=10), "2026-11-02", 3)
    for moment in ("2026-11-02 13:00", "2026-11-02 14:00"):
        with time_machine.travel(at(moment)):
            jobs.run_due_jobs("milestones", "webhooks")
    [body] = receiver.bodies
    assert body["data"]["milestone"] == {"kind": "percent", "percent": 30}
    assert (body["data"]["goal"]["counted"], body["data"]["goal"]["target"]) == (3, 10)
    assert list_faults(body) == []


def test_a_failed_renewal_that_is_paid_and_one_that_lapses_are_sent(
    receiver: Receiver, campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    receiver.make_endpoint()
    membership = subscribe(campaign, sandbox)
    assert deliver(receiver) == ["member.joined"]
    clock.move_to(at("2026-12-01 12:00"))
    sandbox.renew(str(membership.subscription_id), outcome="failed")
    settle(membership)
    assert deliver(receiver) == ["member.past_due"]
    replace_card(membership)
    pay_newest_invoice(membership)
    settle(membership)
    assert deliver(receiver) == ["member.renewed"]
    clock.move_to(at("2026-12-20 12:00"))
    sandbox.renew(str(membership.subscription_id), outcome="failed")
    settle(membership)
    assert deliver(receiver) == ["member.past_due"]
    jobs.run_due_jobs("lapses", "accesses")
    assert deliver(receiver) == []
    membership.refresh_from_db()
    assert membership.access_until is not None
    sandbox.set_outcome_after_retries("past_due")
    clock.move_to(membership.access_until + timedelta(seconds=1))
    jobs.run_due_jobs("accesses", "lapses", "accesses")
    assert deliver(receiver) == ["member.lapsed"]
    settle(membership)  # Stripe's last attempt to collect the payment succeeded
    assert deliver(receiver) == ["member.returned"]


def test_a_job_sends_access_that_begins_and_ends_with_time(
    receiver: Receiver, campaign: Campaign, clock: Clock
) -> None:
    receiver.make_endpoint()
    staff = User.objects.create_superuser("olha")
    ada = make_member("ada@example.org")
    values: dict[str, Any] = {"plan": make_plan(), "months": 1, "by": staff, "note": "thanks"}
    actions.grant_membership(ada, starts_at=at("2026-11-12 12:00"), **values)
    jobs.run_due_jobs("accesses")
    assert deliver(receiver) == []
    clock.move_to(at("2026-11-12 12:01"))
    jobs.run_due_jobs("accesses")
    assert deliver(receiver) == ["member.joined"]
    clock.move_to(at("2026-12-01 12:00"))
    actions.grant_membership(ada, starts_at=at("2026-12-12 12:00"), **values)
    assert deliver(receiver) == ["member.renewed"]
    clock.move_to(at("2027-01-20 12:01"))
    jobs.run_due_jobs("lapses", "accesses")
    assert deliver(receiver) == ["member.lapsed"]


def test_gifts_are_sent_without_their_recipient(
    receiver: Receiver, campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    receiver.make_endpoint()
    payment = buy_gifts(campaign, sandbox, 1)
    jobs.run_due_jobs("mails", "deliveries", "webhooks")
    assert "ben@example.org" not in str(receiver.bodies)
    assert receiver.bodies[0]["data"]["member"]["email"] == "ada@example.org"
    assert deliver(receiver) == ["gift.bought", "gift.delivered"]
    gift = Gift.objects.get()
    actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
    assert deliver(receiver) == ["gift.claimed", "member.joined"]
    actions.revoke_gift(gift, by=User.objects.create_superuser("olha"), why="by mistake")
    assert deliver(receiver) == ["member.lapsed"]
    stripe_api.client().v1.refunds.create({"payment_intent": str(payment.intent_id)})
    settle_payment(payment)
    settle_payment(payment)
    assert deliver(receiver) == ["payment.refunded"]


def test_disputes_are_sent_with_each_status(
    receiver: Receiver, campaign: Campaign, sandbox: SandboxControl
) -> None:
    receiver.make_endpoint("payment.disputed")
    subscribe(campaign, sandbox)
    payment = Payment.objects.get()
    dispute = sandbox.open_dispute(payment_intent=str(payment.intent_id))
    settle_payment(payment)
    sandbox.close_dispute(dispute["id"], status="lost")
    settle_payment(payment)
    jobs.run_due_jobs("webhooks")
    told = [body["data"]["dispute"]["status"] for body in receiver.bodies]
    assert told == ["needs_response", "lost"]
    assert deliver(receiver) == ["payment.disputed"] * 2


def test_changed_and_merged_addresses_are_sent(
    receiver: Receiver, campaign: Campaign, sandbox: SandboxControl
) -> None:
    receiver.make_endpoint()
    ada = subscribe(campaign, sandbox).member
    members.set_address(ada, "ada@new.example", at=timezone.now())
    subscribe(campaign, sandbox, email="ada2@example.org", name="Ada")
    other = Member.objects.get(email="ada2@example.org")
    actions.merge_members(kept=ada, gone=other)
    jobs.run_due_jobs("webhooks")
    changes = [
        (body["data"]["member"]["email"], body["data"]["previous"]["email"])
        for body in receiver.bodies
        if body["type"] == "member.address_changed"
    ]
    assert changes == [
        ("ada@new.example", "ada@example.org"),
        ("ada@new.example", "ada2@example.org"),
    ]
    deliver(receiver)


def test_nothing_is_written_if_the_change_is_rolled_back(
    receiver: Receiver, campaign: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.make_endpoint()
    gift = make_campaign_gift(campaign)

    def fail(*given: object, **named: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("campaigns.gifts.claims.memberships.welcome", fail)
    with pytest.raises(ZeroDivisionError):
        actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
    assert read_types() == []
    assert not WebhookDelivery.objects.exists()


def test_members_from_before_are_noted_and_not_sent(receiver: Receiver, campaign: Campaign) -> None:
    receiver.make_endpoint()
    for _ in range(3):
        member = make_member()
        Membership.objects.create(member=member, source="imported", started_at=at("2025-01-01"))
        MemberAccess.objects.create(member=member, due_at=timezone.now())
    jobs.run_due_jobs("accesses")
    assert set(MemberAccess.objects.values_list("state", "due_at")) == {(State.ACTIVE, None)}
    assert read_types() == []
    Membership.objects.update(status="ended", ended_at=timezone.now())
    memberships.announce_access(Member.objects.all())
    assert read_types() == ["member.lapsed"] * 3


@pytest.mark.once
@pytest.mark.parametrize("before", [None, *State])
@pytest.mark.parametrize("now", [each for each in State if each != State.UNKNOWN])
def test_every_move_between_states_has_a_name_or_none(before: State | None, now: State) -> None:
    until = at("2027-01-01")
    told = name_event(None if before is None else Standing(before), Standing(now, until=until))
    had = before in MemberAccess.WITH_ACCESS
    has = now in MemberAccess.WITH_ACCESS
    if before == State.UNKNOWN or not (had or has):
        assert told is None
    else:
        assert told in list_names()
        assert (told == "member.lapsed") == (had and not has)


@pytest.fixture
def site(settings: LazySettings) -> Iterator[GhostStandIn]:
    """The newspaper's Ghost."""
    with run_stand_in() as site:
        settings.GHOST_URL, settings.GHOST_ADMIN_KEY = site.url, site.key
        yield site


def test_an_erasure_leaves_nothing_in_an_outbox_log_or_list_and_is_sent(
    receiver: Receiver,
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,
    *,
    site: GhostStandIn,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
) -> None:
    """A webhook and Ghost know her, and neither has her last address when she asks."""
    receiver.make_endpoint()
    receiver.echoes = True
    zoe = create_all_data(campaign, sandbox, tmp_path)
    jobs.run_due_jobs("webhooks", "accesses", "ghost")
    assert ZOE in str(receiver.bodies)
    [known] = [each for each in site.members.values() if each["email"] == ZOE]
    assert known["status"] == "comped"
    assert find_secrets(dump_everything(), (ZOE,))
    receiver.answers, site.answers = [500], [None]
    members.set_address(zoe, "zoe@third.example", at=timezone.now())
    jobs.run_due_jobs("webhooks", "ghost")
    before = len(receiver.bodies)
    clock.move_to(timezone.now() + timedelta(minutes=30))
    erasures.request_erasure(zoe)
    run_jobs_until_erased(zoe, clock)
    new = receiver.bodies[before:]
    told = [body for body in new if body["data"].get("member", {}).get("id") == zoe.pk]
    assert [body["type"] for body in told] == ["newsletter.unsubscribed", "member.erased"]
    assert told[-1]["data"]["member"]["email"] == "zoe@third.example"
    for place in (dump_everything(), caplog.text, str(site.members)):
        assert find_secrets(place, (*SECRETS, "zoe@third.example")) == []
    left = OutgoingEvent.objects.filter(member=zoe)
    assert [event.data["member"]["email"] for event in left] == [None]
