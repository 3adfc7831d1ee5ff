"""Two simulated years in which everything happens: in the end our books are Stripe's.

First walks that hypothesis draws: few people, every step in any order, and each failure shrunk to
its shortest history. Then one long history from a seed, as large as `SIMULATED_SALES` says. Both
end in the same comparisons (`tests.support.books`), and then everything that was heard is
forgotten: with every webhook dropped `manage.py reconcile` alone has to bring the same home.

    SIMULATED_SALES=3000 SIMULATED_WALKS=200 bin/test tests/settlement/test_simulation.py
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from random import Random
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from campaigns.models import Campaign, Dispute, Membership, Payment, Refund, StripeEvent, Tally
from campaigns.progress import tallies
from newsroom.sandbox.control import SandboxControl
from tests.support import books
from tests.support.campaigns import BEGINS, CAMPAIGNS, ENDS, KINDS, MEANS, open_campaigns
from tests.support.effort import effort
from tests.support.factories import at
from tests.support.renewals import CHANGES
from tests.support.simulation import World

pytestmark = [pytest.mark.long, pytest.mark.once, pytest.mark.django_db]

CI = "CI" in os.environ
WALKS = int(os.environ.get("SIMULATED_WALKS", effort(quick=1, thorough=4)))
SALES = int(os.environ.get("SIMULATED_SALES", effort(quick=8, thorough=20)))
SEED = int(os.environ.get("SIMULATED_SEED", "20261120"))

PEOPLE = ("ada", "bea", "cem", "dov")
BORDERS = sorted({edge for _, _, *edges in CAMPAIGNS.values() for edge in edges})
SPANS = [timedelta(hours=hours) for hours in (1, 9, 24, 4 * 24, 16 * 24, 33 * 24, 100 * 24)]
WHICH = st.integers(0, 59)
SALE = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(KINDS),
        "person": st.sampled_from(PEOPLE),
        "slug": st.sampled_from(sorted(CAMPAIGNS)),
        "currency": st.sampled_from(["the campaign's", "the campaign's", "eur", "usd"]),
        "means": st.sampled_from(list(MEANS)),
        "gifts": st.integers(1, 3),
    }
)


@contextmanager
def new_world(sandbox: SandboxControl, staff: User) -> Iterator[World]:
    """Both clocks stand still at its beginning; nothing of it is left in the end."""
    with time_machine.travel(BEGINS, tick=False) as traveller, transaction.atomic():
        with pytest.MonkeyPatch.context() as patch:
            world = World(sandbox, traveller, open_campaigns(sandbox), staff)
            world.forget_old_events(patch)
            yield world
        transaction.set_rollback(True)


class Walk(RuleBasedStateMachine):
    """Whatever readers, banks, staff, time and Stripe's webhooks do, in any order."""

    def __init__(self, sandbox: SandboxControl, staff: User) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.world = self.stack.enter_context(new_world(sandbox, staff))

    @initialize(
        sales=st.lists(SALE, min_size=3, max_size=6),
        span=st.sampled_from(SPANS[3:]),
        outcome=st.sampled_from(["cancel", "past_due", "unpaid"]),
    )
    def begin(self, sales: list[dict[str, Any]], span: timedelta, outcome: str) -> None:
        """A walk on which nobody buys leads nowhere."""
        self.world.sandbox.set_outcome_after_retries(outcome)
        for how in sales:
            self.world.sell(**how)
            self.world.wait(span)

    @rule(how=SALE)
    def sell(self, how: dict[str, Any]) -> None:
        self.world.sell(**how)

    @rule(which=WHICH, change=st.sampled_from(CHANGES))
    def change_subscription(self, which: int, change: str) -> None:
        self.world.change_subscription(which, change)

    @rule(which=WHICH, person=st.sampled_from(PEOPLE))
    def claim(self, which: int, person: str) -> None:
        self.world.claim(which, person)

    @rule(which=WHICH, part=st.sampled_from([1, 0.5, 0.3]))
    def refund(self, which: int, part: float) -> None:
        self.world.refund(which, part=part)

    @rule(which=WHICH)
    def fail_refund(self, which: int) -> None:
        self.world.fail_refund(which)

    @rule(which=WHICH, many=st.integers(1, 2))
    def give_back_gifts(self, which: int, many: int) -> None:
        self.world.give_back_gifts(which, many=many)

    @rule(which=WHICH, inquiry=st.booleans())
    def dispute(self, which: int, inquiry: bool) -> None:
        self.world.dispute(which, inquiry=inquiry)

    @rule(which=WHICH, status=st.sampled_from(["lost", "won", "warning_closed"]))
    def close_dispute(self, which: int, status: str) -> None:
        self.world.close_dispute(which, status=status)

    @rule(span=st.sampled_from(SPANS))
    def wait(self, span: timedelta) -> None:
        self.world.wait(span)

    @rule(border=st.sampled_from(BORDERS), seconds=st.sampled_from([-1, 0]))
    def wait_for_a_border(self, border: str, seconds: int) -> None:
        self.world.wait_until(border, seconds=seconds)

    @rule(rate=st.sampled_from(["0.0061", "0.0058"]))
    def change_rate(self, rate: str) -> None:
        """Yen are paid out in euros, at the rate of the day."""
        self.world.sandbox.set_rates(jpy=f"eur {rate}")

    @rule(which=st.lists(WHICH, max_size=6), rest_is_lost=st.booleans(), fails=st.booleans())
    def deliver_webhooks(self, which: list[int], rest_is_lost: bool, fails: bool) -> None:
        """Some of those on their way, in any order and again; the rest comes later, or never."""
        self.world.deliver(which, rest_is_lost=rest_is_lost, stripe_fails=fails)

    @rule()
    def sweep(self) -> None:
        self.world.sweep()

    @rule()
    def reconcile(self) -> None:
        self.world.reconcile()

    @rule(slug=st.sampled_from(sorted(CAMPAIGNS)))
    def close(self, slug: str) -> None:
        self.world.close(slug)

    def teardown(self) -> None:
        has_failed = sys.exc_info()[0] is not None
        with self.stack:
            if not has_failed:
                check_to_the_end(self.world)


def check_to_the_end(world: World) -> None:
    """What production does in the end, and what must then be true, now and at every moment."""
    world.come_to_rest()
    books.compare_everything(world)
    rows = books.copy_rows()
    world.reconcile()
    assert books.copy_rows() == rows, "a second run changes nothing"
    if not world.is_repeatable:
        return
    known = books.dump_stripe_rows()
    world.forget_everything_heard()
    world.reconcile()
    books.compare_books(world)
    books.compare_counts(world)
    world.come_to_rest(after=timedelta(0))  # in hours more would happen at Stripe
    differing = books.list_differences(books.dump_stripe_rows(), known)
    assert not differing, "\n".join(differing)


WALKING = settings(
    max_examples=WALKS,
    stateful_step_count=25,
    deadline=None,
    derandomize=CI,
    print_blob=not CI,
    suppress_health_check=list(HealthCheck),
)


def test_no_walk_parts_our_books_from_stripes(
    sandbox: SandboxControl, admin_user: User, mailoutbox: list[Any]
) -> None:
    make_walk: Any = lambda: Walk(sandbox, admin_user)  # noqa: E731
    run_state_machine_as_test(make_walk, settings=WALKING)


# One long history


def live_through_two_years(world: World, luck: Random, *, sales: int) -> None:
    """So many sales, spread evenly, and between them all that becomes of those before."""
    pause = (ENDS - BEGINS) / sales
    people = [f"reader{number}" for number in range(max(sales * 2 // 3, 1))]
    for _ in range(sales):
        which, kind = luck.randrange(10**6), luck.choices(KINDS, weights=[2, 4, 3, 4])[0]
        world.sell(
            kind,
            person=luck.choice(people),
            slug=luck.choice(sorted(CAMPAIGNS)),
            currency=luck.choice(["the campaign's"] * 9 + ["eur"]),
            means=luck.choices(list(MEANS), weights=[50, 5, 5, 8, 4, 12, 8, 8])[0],
            gifts=luck.choice([1, 1, 2, 3]),
        )
        if kind == "month" and luck.random() < 0.9:  # each renewal costs the test a hundred calls
            world.change_subscription(-1, "end in three months")
        if luck.random() < 0.25:
            world.refund(which, part=luck.choice([1, 1, 0.4]))
        if luck.random() < 0.04:
            world.fail_refund(which)
        if luck.random() < 0.12:
            world.dispute(which, inquiry=luck.random() < 0.2)
        if luck.random() < 0.15:
            status = luck.choice(["lost", "lost", "won", "warning_closed"])
            world.close_dispute(which, status=status)
        if luck.random() < 0.3:
            world.change_subscription(which, luck.choice(CHANGES))
        world.wait(timedelta(seconds=int(pause.total_seconds() * luck.uniform(0.2, 1.8))))
        come = [luck.randrange(10**6) for _ in range(luck.randrange(6))]
        world.deliver(come, rest_is_lost=luck.random() < 0.7)
        if luck.random() < min(0.05, 30 / sales):  # each looks again at all of the last 120 days
            world.sweep()
            world.close(luck.choice(sorted(CAMPAIGNS)))


def test_two_years_end_with_stripes_books(
    sandbox: SandboxControl, admin_user: User, mailoutbox: list[Any]
) -> None:
    with new_world(sandbox, admin_user) as world:
        luck = Random(SEED)  # noqa: S311
        sandbox.set_outcome_after_retries("past_due")
        live_through_two_years(world, luck, sales=SALES)
        sys.stdout.write(books.describe_figures(world))
        check_to_the_end(world)


# The controls


@pytest.fixture
def small_world(sandbox: SandboxControl, admin_user: User) -> Iterator[World]:
    """A handful of sales at Stripe, of which we have heard nothing."""
    with new_world(sandbox, admin_user) as world:
        how: dict[str, Any] = {"slug": "birthday", "currency": "eur", "means": "card"}
        world.sell("once", person="once", **how)  # before it begins
        world.wait_until("2026-12-01T12:00+00:00", seconds=0)
        for kind in KINDS:
            world.sell(kind, person=kind, gifts=2, **how)
        world.wait(timedelta(days=1))
        world.refund(0, part=0.5)
        world.dispute(1, inquiry=False)
        world.close_dispute(0, status="lost")
        world.wait_until(CAMPAIGNS["birthday"][3], seconds=0)  # its end is not of it
        world.sell("once", person="ada", **how)
        yield world


TAMPERINGS: dict[str, Callable[[], object]] = {
    "a refund is gone": lambda: Refund.objects.all().delete(),
    "a dispute is gone": lambda: Dispute.objects.all().delete(),
    "a payment of the day before": lambda: first_payment().update(
        paid_at=F("paid_at") - timedelta(days=1)
    ),
    "a payment of another campaign": lambda: first_payment().update(
        campaign=Campaign.objects.get(slug="spring")
    ),
    "a cent too much": lambda: first_payment().update(
        settled_minor=F("settled_minor") + 1, net_minor=F("net_minor") + 1
    ),
    "a fee too low": lambda: first_payment().update(
        fee_minor=F("fee_minor") - 1, net_minor=F("net_minor") + 1
    ),
    "a person's tally is gone": lambda: Tally.objects.filter(gift=None).delete(),
    "a gift counts from later on": lambda: Tally.objects.exclude(gift=None).update(
        counted_from=at("2026-12-20 12:00")
    ),
    "a membership is paused": lambda: Membership.objects.filter(status="active").update(
        status="paused"
    ),
    "an event failed": lambda: StripeEvent.objects.update(status="failed", next_attempt_at=BEGINS),
}


def first_payment() -> Any:
    return Payment.objects.filter(pk=Payment.objects.order_by("paid_at", "pk")[0].pk)


def sees_a_difference(world: World) -> bool:
    try:
        books.compare_everything(world)
    except AssertionError:
        return True
    return False


def test_what_compares_sees_a_single_row_that_differs(small_world: World) -> None:
    assert sees_a_difference(small_world)  # no webhook came, and nobody reconciled
    small_world.deliver(range(60))
    small_world.come_to_rest()
    books.compare_everything(small_world)
    small_world.moments = [at("2026-12-10 12:00")]
    for name, tamper in TAMPERINGS.items():
        with transaction.atomic():
            tamper()
            assert sees_a_difference(small_world), f"nobody saw: {name}"
            transaction.set_rollback(True)
    books.compare_everything(small_world)


def with_its_end(campaign: Campaign) -> Any:
    """The window as many would have written it."""
    between = (campaign.starts_at, campaign.ends_at)
    paid = Payment.objects.filter(campaign=campaign, status="succeeded", paid_at__range=between)
    return paid.filter(role__in=Payment.COUNTED_ROLES)


BROKEN_RULES: dict[str, tuple[object, str, object]] = {
    "the end is in the window": (tallies, "select_window_payments", with_its_end),
    "what was lost counts on": (Dispute, "LOST", "nothing"),
    "members are new as well": (tallies, "_find_members", lambda people, moment: set()),
}


@pytest.mark.parametrize("broken", BROKEN_RULES)
def test_what_compares_sees_a_rule_that_is_broken(
    small_world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(*BROKEN_RULES[broken])
        small_world.come_to_rest()
        with pytest.raises(AssertionError):
            books.compare_counts(small_world)
    books.compare_books(small_world)  # the money is Stripe's all the same
