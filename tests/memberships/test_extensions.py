"""Gifts that extend a subscription."""

from datetime import timedelta
from typing import Any

import pytest

from campaigns import actions, jobs, memberships, stripe_api
from campaigns.models import Campaign, Gift, Member, Membership, Payment, Tally
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import (
    BEN,
    SUBSCRIBED,
    Clock,
    claim_and_confirm,
    fetch_subscription_of,
    make_campaign_gift,
    read_next_charge,
    spans,
)
from tests.support.extensions import clock as _clock
from tests.support.factories import at
from tests.support.renewals import change_at_stripe
from tests.support.sales import settle, subscribe

clock = _clock  # a fixture


def test_a_gift_to_a_subscriber_moves_the_next_charge(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    gift = claim_and_confirm(make_campaign_gift(campaign))
    assert gift.membership is not None
    assert gift.membership.extends == subscription
    assert gift.membership.started_at == at("2026-12-10 12:00")
    assert gift.membership.ends_at == at("2027-12-10 12:00")
    jobs.run_due_jobs()
    assert fetch_subscription_of(subscription).status == "trialing"
    assert read_next_charge(subscription) == at("2027-12-10 12:00")
    subscription.refresh_from_db()
    assert (subscription.status, subscription.due_at) == ("active", None)
    assert subscription.pushed_until == subscription.gifted_until == at("2027-12-10 12:00")
    # Nothing is charged for a year. Zero invoices create no payments.
    clock.move_to(at("2027-12-10 11:00"))
    settle(subscription)
    assert Payment.objects.filter(membership=subscription).count() == 1
    subscription.refresh_from_db()
    assert (subscription.status, subscription.ends_at) == ("active", at("2027-12-10 12:00"))
    clock.move_to(at("2027-12-10 13:00"))
    settle(subscription)
    [first, renewal] = Payment.objects.filter(membership=subscription).order_by("paid_at")
    assert (first.role, renewal.role) == ("first", "renewal")
    assert Tally.objects.filter(member=subscription.member).count() == 0  # the gift counts instead


def test_two_gifts_add_up_to_the_day(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    sandbox.freeze(int(at("2026-12-31 12:00").timestamp()))
    clock.move_to(at("2026-12-31 12:00"))
    subscription = subscribe(campaign, sandbox, email=BEN)  # paid until 31 January
    for _ in range(2):
        claim_and_confirm(make_campaign_gift(campaign, months=1))
    jobs.run_due_jobs()
    spans = Membership.objects.filter(extends=subscription).order_by("pk")
    assert [(span.started_at.day, span.ends_at) for span in spans] == [
        (31, at("2027-02-28 12:00")),
        (28, at("2027-03-31 11:00")),  # the same hour of the day in Kyiv, where summer has begun
    ]
    assert read_next_charge(subscription) == at("2027-03-31 11:00")


@pytest.mark.thorough
def test_an_extension_that_is_revoked_moves_the_next_charge_back(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, admin_user: Any
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    first, second = (
        claim_and_confirm(make_campaign_gift(campaign, months=3)),
        claim_and_confirm(make_campaign_gift(campaign, months=6)),
    )
    jobs.run_due_jobs()
    assert read_next_charge(subscription) == at("2027-09-10 11:00")
    clock.move_to(at("2027-01-10 12:00"))  # a month of the first was used
    actions.revoke_gift(first, by=admin_user, why="given by mistake")
    jobs.run_due_jobs()
    assert second.membership is not None
    second.membership.refresh_from_db()
    assert second.membership.started_at == at("2027-01-10 12:00")
    assert read_next_charge(subscription) == at("2027-07-10 11:00")
    actions.revoke_gift(second, by=admin_user, why="this one, too")
    jobs.run_due_jobs()
    assert (
        fetch_subscription_of(subscription).status == "active"
    )  # no month is left, so Stripe charges now
    settle(subscription)
    assert Payment.objects.filter(membership=subscription).count() == 2
    actions.restore_gift(second, by=admin_user, why="it was right")
    second.refresh_from_db()
    assert second.status == Gift.Status.CLAIMED


def test_a_gift_to_a_cancelled_subscriber_starts_after_the_paid_period(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    stripe_api.client().v1.subscriptions.update(
        str(subscription.subscription_id), {"cancel_at_period_end": True}
    )
    settle(subscription)
    gift = claim_and_confirm(make_campaign_gift(campaign))
    assert gift.membership is not None
    assert (gift.membership.extends, gift.membership.started_at) == (None, at("2026-12-10 12:00"))
    jobs.run_due_jobs()
    assert fetch_subscription_of(subscription).status == "active"
    assert read_next_charge(subscription) == at("2026-12-10 12:00")


def test_a_gift_to_a_past_due_subscriber_starts_now(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    clock.move_to(at("2026-12-09 12:00"))
    sandbox.renew(str(subscription.subscription_id), outcome="failed")
    settle(subscription)
    subscription.refresh_from_db()
    assert subscription.status == "past_due"
    gift = claim_and_confirm(make_campaign_gift(campaign))
    assert gift.membership is not None
    assert (gift.membership.extends, gift.membership.started_at) == (None, at("2026-12-09 12:00"))


def test_a_cancellation_before_the_charge_is_moved_separates_the_gift(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    """The gift is claimed before the webhook of the cancellation arrives."""
    subscription = subscribe(campaign, sandbox, email=BEN)
    stripe_api.client().v1.subscriptions.update(
        str(subscription.subscription_id), {"cancel_at_period_end": True}
    )
    gift = claim_and_confirm(make_campaign_gift(campaign))
    memberships.move_charge(subscription.pk, at=SUBSCRIBED)
    assert gift.membership is not None
    gift.membership.refresh_from_db()
    assert gift.membership.extends is None
    subscription.refresh_from_db()
    assert (subscription.due_at, subscription.gifted_until) == (None, None)
    assert fetch_subscription_of(subscription).trial_ends_at is None


def test_a_gift_moves_up_when_the_subscription_ends_at_once(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    gift = claim_and_confirm(make_campaign_gift(campaign))
    clock.move_to(at("2026-11-20 12:00"))
    stripe_api.client().v1.subscriptions.cancel(str(subscription.subscription_id))
    settle(subscription)
    assert gift.membership is not None
    gift.membership.refresh_from_db()
    assert gift.membership.started_at == at("2026-11-20 12:00")
    assert gift.membership.ends_at == at("2027-11-20 12:00")
    member = Member.objects.get(email=BEN)
    assert memberships.access_until(member, at("2027-11-20 11:00")) == at("2027-11-20 12:00")


@pytest.mark.thorough
def test_a_charge_more_than_two_years_away_is_moved_in_steps(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    claim_and_confirm(make_campaign_gift(campaign, months=36))
    jobs.run_due_jobs()
    assert read_next_charge(subscription) == SUBSCRIBED + timedelta(days=729)
    subscription.refresh_from_db()
    assert subscription.due_at is not None
    for _ in range(14):
        clock.move_to(subscription.due_at)
        jobs.run_due_jobs()
        subscription.refresh_from_db()
        if subscription.due_at is None:
            break
    assert read_next_charge(subscription) == at("2029-12-10 12:00")
    assert Payment.objects.filter(membership=subscription).count() == 1


def test_a_renewal_before_the_move_is_extended_from_its_paid_period(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    clock.move_to(at("2026-12-10 11:59"))
    gift = claim_and_confirm(make_campaign_gift(campaign, months=1))
    clock.move_to(at("2026-12-10 13:00"))  # another month was charged in the meantime
    jobs.run_due_jobs()
    assert read_next_charge(subscription) == at("2027-02-10 12:00")
    assert gift.membership is not None
    gift.membership.refresh_from_db()
    assert gift.membership.started_at == at("2027-01-10 12:00")


@pytest.mark.thorough
def test_moving_the_charge_is_retried_while_stripe_is_unavailable(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    claim_and_confirm(make_campaign_gift(campaign))
    sandbox.add_fault("api", match="POST /v1/subscriptions", kind="error", times=-1)
    jobs.run_due_jobs()
    subscription.refresh_from_db()
    assert subscription.push_error == "StripeFailed"
    assert subscription.due_at is not None
    sandbox.remove_faults()
    clock.move_to(subscription.due_at)
    jobs.run_due_jobs()
    subscription.refresh_from_db()
    moved = Membership.objects.filter(pk=subscription.pk, due_at__isnull=True, push_error="")
    assert moved.exists()
    assert read_next_charge(subscription) == at("2027-12-10 12:00")


# Regressions


def test_two_gifts_to_a_cancelled_subscriber_follow_each_other(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    change_at_stripe(subscription, cancel_at_period_end=True)
    settle(subscription)
    assert spans(
        claim_and_confirm(make_campaign_gift(campaign)),
        claim_and_confirm(make_campaign_gift(campaign)),
    ) == [
        (at("2026-12-10 12:00"), at("2027-12-10 12:00")),
        (at("2027-12-10 12:00"), at("2028-12-10 12:00")),
    ]


@pytest.mark.thorough
def test_a_cancelled_subscriber_is_not_charged_when_a_gift_is_revoked(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, admin_user: Any
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    gift = claim_and_confirm(make_campaign_gift(campaign))
    jobs.run_due_jobs()
    change_at_stripe(subscription, cancel_at_period_end=True)
    clock.move_to(at("2027-01-10 12:00"))
    settle(subscription)
    actions.revoke_gift(gift, by=admin_user, why="returned")
    jobs.run_due_jobs()
    clock.move_to(at("2027-01-10 13:00"))
    settle(subscription)
    subscription.refresh_from_db()
    assert subscription.status == "ended"
    assert Payment.objects.filter(membership=subscription).count() == 1


@pytest.mark.thorough
def test_a_separated_gift_does_not_block_later_settlements(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, admin_user: Any
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    first = claim_and_confirm(make_campaign_gift(campaign, months=1))
    jobs.run_due_jobs()
    clock.move_to(at("2027-01-20 13:00"))
    change_at_stripe(subscription, cancel_at_period_end=True)
    second = claim_and_confirm(make_campaign_gift(campaign, months=1))
    jobs.run_due_jobs()
    actions.revoke_gift(first, by=admin_user, why="a mistake of ours")
    stripe_api.client().v1.subscriptions.cancel(str(subscription.subscription_id))
    settle(subscription)
    subscription.refresh_from_db()
    assert subscription.status == "ended"
    assert spans(second)[0][1] is not None


@pytest.mark.thorough
def test_gifts_after_an_unnoticed_failed_renewal_follow_each_other(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    clock.move_to(at("2026-12-09 12:00"))
    sandbox.renew(str(subscription.subscription_id), outcome="failed")  # no webhook came yet
    clock.move_to(at("2026-12-10 12:30"))
    first = claim_and_confirm(make_campaign_gift(campaign, months=3))
    clock.move_to(at("2026-12-10 12:31"))
    jobs.run_due_jobs()
    settle(subscription)
    second = claim_and_confirm(make_campaign_gift(campaign, months=3))
    jobs.run_due_jobs()
    [(_, first_end), (second_start, _)] = spans(first, second)
    assert second_start == first_end
    stripe_api.client().v1.subscriptions.cancel(str(subscription.subscription_id))
    settle(subscription)
    assert spans(second)[0][0] == first_end


@pytest.mark.thorough
def test_a_gift_claimed_just_before_a_renewal_starts_after_the_paid_period(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    claim_and_confirm(make_campaign_gift(campaign, months=1))
    jobs.run_due_jobs()  # nothing is charged until 10 January
    clock.move_to(at("2027-01-10 11:59"))
    claim_and_confirm(make_campaign_gift(campaign, months=1))
    clock.move_to(at("2027-01-10 13:00"))  # charged until 10 February before the move
    jobs.run_due_jobs()
    assert read_next_charge(subscription) == at("2027-03-10 12:00")


@pytest.mark.thorough
def test_an_extension_restored_after_a_renewal_starts_after_the_paid_period(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, admin_user: Any
) -> None:
    subscription = subscribe(campaign, sandbox, email=BEN)
    gift = claim_and_confirm(make_campaign_gift(campaign))
    jobs.run_due_jobs()
    actions.revoke_gift(gift, by=admin_user, why="a mistake")
    jobs.run_due_jobs()
    clock.move_to(at("2027-02-01 12:00"))
    settle(subscription)
    subscription.refresh_from_db()
    paid_until = subscription.ends_at
    actions.restore_gift(gift, by=admin_user, why="no mistake after all")
    jobs.run_due_jobs()
    [(start, end)] = spans(gift)
    assert start == paid_until
    assert read_next_charge(subscription) == end
