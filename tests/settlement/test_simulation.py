"""Two simulated years, after which our records must equal Stripe's.

The first test draws random walks with hypothesis: few people, and steps in any order. The second
one runs a long history from a seed, with `SIMULATED_SALES` sales. Both end with the comparisons of
`tests.support.books`. Then all our rows except the Checkouts are deleted, and `manage.py reconcile`
must rebuild them without any webhook.

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

pytestmark = [pytest.mark.long, pytest.mark.once, pytest.mark.walk, pytest.mark.django_db]

CI = "CI" in os.environ
WALKS = int(os.environ.get("SIMULATED_WALKS", effort(quick=1, thorough=4)))
SALES = int(os.environ.get("SIMULATED_SALES", effort(quick=8, thorough=20)))
SEED = int(os.environ.get("SIMULATED_SEED", "20261120"))

PEOPLE = ("ada", "bea", "cem", "dov")
WINDOW_EDGES = sorted({edge for _, _, *edges in CAMPAIGNS.values() for edge in edges})
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
    """Yield a world with both clocks frozen, and roll back its rows afterwards."""
    with time_machine.travel(BEGINS, tick=False) as traveller, transaction.atomic():
        with pytest.MonkeyPatch.context() as patch:
            world = World(sandbox, traveller, open_campaigns(sandbox), staff)
            world.hide_old_events(patch)
            yield world
        transaction.set_rollback(True)


class Walk(RuleBasedStateMachine):
    """A random walk of readers, banks, staff, time and webhooks, with steps in any order."""

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
        """Start with a few sales, because most steps need one."""
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
    def refund_gifts(self, which: int, many: int) -> None:
        self.world.refund_gifts(which, many=many)

    @rule(which=WHICH, inquiry=st.booleans())
    def dispute(self, which: int, inquiry: bool) -> None:
        self.world.dispute(which, inquiry=inquiry)

    @rule(which=WHICH, status=st.sampled_from(["lost", "won", "warning_closed"]))
    def close_dispute(self, which: int, status: str) -> None:
        self.world.close_dispute(which, status=status)

    @rule(span=st.sampled_from(SPANS))
    def wait(self, span: timedelta) -> None:
        self.world.wait(span)

    @rule(edge=st.sampled_from(WINDOW_EDGES), seconds=st.sampled_from([-1, 0]))
    def wait_until_edge(self, edge: str, seconds: int) -> None:
        """Wait for the start or end of a campaign, or for the second before it."""
        self.world.wait_until(edge, seconds=seconds)

    @rule(rate=st.sampled_from(["0.0061", "0.0058"]))
    def change_rate(self, rate: str) -> None:
        """Change the rate at which Stripe pays out yen in euros."""
        self.world.sandbox.set_rates(jpy=f"eur {rate}")

    @rule(which=st.lists(WHICH, max_size=6), rest_is_lost=st.booleans(), fails=st.booleans())
    def deliver_webhooks(self, which: list[int], rest_is_lost: bool, fails: bool) -> None:
        """Deliver some pending webhooks, in any order and repeatedly. The rest may be lost."""
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
                finish_and_compare(self.world)


def finish_and_compare(world: World) -> None:
    """Finish all due work, compare everything, rebuild our rows from Stripe and compare again."""
    world.finish_due_work()
    books.compare_everything(world)
    rows = books.copy_rows()
    world.reconcile()
    assert books.copy_rows() == rows, "a second run changes nothing"
    if not world.can_be_rebuilt:
        return
    original = books.dump_stripe_rows()
    world.reset_to_checkouts()
    world.reconcile()
    books.compare_books(world)
    books.compare_counts(world)
    world.finish_due_work(after=timedelta(0))  # later, more would happen at Stripe
    differing = books.list_differences(books.dump_stripe_rows(), original)
    assert not differing, "\n".join(differing)


WALKING = settings(
    max_examples=WALKS,
    stateful_step_count=25,
    derandomize=CI,
    print_blob=not CI,
    suppress_health_check=list(HealthCheck),
)


def test_every_random_walk_ends_with_records_equal_to_stripes(
    sandbox: SandboxControl, admin_user: User, mailoutbox: list[Any]
) -> None:
    make_walk: Any = lambda: Walk(sandbox, admin_user)  # noqa: E731
    run_state_machine_as_test(make_walk, settings=WALKING)


# A long history


def simulate_two_years(world: World, random: Random, *, sales: int) -> None:
    """Make sales, spread evenly, with refunds, disputes, claims and other changes in between."""
    pause = (ENDS - BEGINS) / sales
    people = [f"reader{number}" for number in range(max(sales * 2 // 3, 1))]
    for _ in range(sales):
        which, kind = random.randrange(10**6), random.choices(KINDS, weights=[2, 4, 3, 4])[0]
        world.sell(
            kind,
            person=random.choice(people),
            slug=random.choice(sorted(CAMPAIGNS)),
            currency=random.choice(["the campaign's"] * 9 + ["eur"]),
            means=random.choices(list(MEANS), weights=[50, 5, 5, 8, 4, 12, 8, 8])[0],
            gifts=random.choice([1, 1, 2, 3]),
        )
        if kind == "month" and random.random() < 0.9:  # every renewal needs about 100 calls
            world.change_subscription(-1, "end in three months")
        if random.random() < 0.25:
            world.refund(which, part=random.choice([1, 1, 0.4]))
        if random.random() < 0.04:
            world.fail_refund(which)
        if random.random() < 0.12:
            world.dispute(which, inquiry=random.random() < 0.2)
        if random.random() < 0.15:
            status = random.choice(["lost", "lost", "won", "warning_closed"])
            world.close_dispute(which, status=status)
        if random.random() < 0.3:
            world.change_subscription(which, random.choice(CHANGES))
        world.wait(timedelta(seconds=int(pause.total_seconds() * random.uniform(0.2, 1.8))))
        delivered = [random.randrange(10**6) for _ in range(random.randrange(6))]
        world.deliver(delivered, rest_is_lost=random.random() < 0.7)
        if random.random() < min(0.05, 30 / sales):  # closing reconciles the last 120 days
            world.sweep()
            world.close(random.choice(sorted(CAMPAIGNS)))


@pytest.mark.thorough
def test_two_years_end_with_records_equal_to_stripes(
    sandbox: SandboxControl, admin_user: User, mailoutbox: list[Any]
) -> None:
    with new_world(sandbox, admin_user) as world:
        random = Random(SEED)  # noqa: S311
        sandbox.set_outcome_after_retries("past_due")
        simulate_two_years(world, random, sales=SALES)
        sys.stdout.write(books.describe_figures(world))
        finish_and_compare(world)


# Controls: the comparison detects mistakes


@pytest.fixture
def small_world(sandbox: SandboxControl, admin_user: User) -> Iterator[World]:
    """A world with a few sales at Stripe, before any webhook is delivered."""
    with new_world(sandbox, admin_user) as world:
        how: dict[str, Any] = {"slug": "birthday", "currency": "eur", "means": "card"}
        world.sell("once", person="once", **how)  # before the campaign begins
        world.wait_until("2026-12-01T12:00+00:00", seconds=0)
        for kind in KINDS:
            world.sell(kind, person=kind, gifts=2, **how)
        world.wait(timedelta(days=1))
        world.refund(0, part=0.5)
        world.dispute(1, inquiry=False)
        world.close_dispute(0, status="lost")
        world.wait_until(CAMPAIGNS["birthday"][3], seconds=0)  # the end isn't in the window
        world.sell("once", person="ada", **how)
        yield world


TAMPERINGS: dict[str, Callable[[], object]] = {
    "a refund is missing": lambda: Refund.objects.all().delete(),
    "a dispute is missing": lambda: Dispute.objects.all().delete(),
    "a payment is dated a day early": lambda: first_payment().update(
        paid_at=F("paid_at") - timedelta(days=1)
    ),
    "a payment has another campaign": lambda: first_payment().update(
        campaign=Campaign.objects.get(slug="spring")
    ),
    "a payment is a cent too high": lambda: first_payment().update(
        settled_minor=F("settled_minor") + 1, net_minor=F("net_minor") + 1
    ),
    "a fee is a cent too low": lambda: first_payment().update(
        fee_minor=F("fee_minor") - 1, net_minor=F("net_minor") + 1
    ),
    "a person's tally is missing": lambda: Tally.objects.filter(gift=None).delete(),
    "a gift counts from a later date": lambda: Tally.objects.exclude(gift=None).update(
        counted_from=at("2026-12-20 12:00")
    ),
    "a membership is paused": lambda: Membership.objects.filter(status="active").update(
        status="paused"
    ),
    "an event failed": lambda: StripeEvent.objects.update(status="failed", due_at=BEGINS),
}


def first_payment() -> Any:
    return Payment.objects.filter(pk=Payment.objects.order_by("paid_at", "pk")[0].pk)


def finds_difference(world: World) -> bool:
    try:
        books.compare_everything(world)
    except AssertionError:
        return True
    return False


@pytest.mark.thorough
def test_the_comparison_finds_a_single_changed_row(small_world: World) -> None:
    assert finds_difference(small_world)  # before any webhook or reconciliation
    small_world.deliver(range(60))
    small_world.finish_due_work()
    books.compare_everything(small_world)
    small_world.moments = [at("2026-12-10 12:00")]
    for name, tamper in TAMPERINGS.items():
        with transaction.atomic():
            tamper()
            assert finds_difference(small_world), f"not found: {name}"
            transaction.set_rollback(True)
    books.compare_everything(small_world)


def select_payments_up_to_end(campaign: Campaign) -> Any:
    """Return the payments in the window, with the common mistake of including its end."""
    window = (campaign.starts_at, campaign.ends_at)
    paid = Payment.objects.filter(campaign=campaign, status="succeeded", paid_at__range=window)
    return paid.filter(role__in=Payment.COUNTED_ROLES)


BROKEN_RULES: dict[str, tuple[object, str, object]] = {
    "the end belongs to the window": (tallies, "select_window_payments", select_payments_up_to_end),
    "lost disputes still count": (Dispute, "LOST", "nothing"),
    "existing members count as new": (tallies, "_find_members", lambda people, moment: set()),
}


@pytest.mark.thorough
@pytest.mark.parametrize("broken", BROKEN_RULES)
def test_the_comparison_finds_a_broken_rule(
    small_world: World, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(*BROKEN_RULES[broken])
        small_world.finish_due_work()
        with pytest.raises(AssertionError):
            books.compare_counts(small_world)
    books.compare_books(small_world)  # the payments are still correct
