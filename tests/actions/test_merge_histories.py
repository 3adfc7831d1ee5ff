"""Random histories of duplicates: after a merge they count like one member."""

import os
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns import members, memberships, progress
from campaigns.models import Campaign, Gift, Member, Membership, Payment, Tally
from tests.support.effort import effort
from tests.support.factories import (
    at,
    make_campaign,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    record_claim,
)

pytestmark = [pytest.mark.long, pytest.mark.django_db]

CI = "CI" in os.environ
# The history begins before the first of two overlapping campaigns, and ends after both.
FIRST_DAY = at("2026-10-25 09:00")
_buyer_numbers = count(1)


@dataclass(frozen=True)
class Action:
    """An action of one person on some day, and its result `days` later."""

    person: int
    kind: str
    day: int
    campaign: int
    result: str
    days: int

    def at(self, days: int = 0) -> str:
        return (FIRST_DAY + timedelta(days=self.day + days)).isoformat()


ACTIONS = st.builds(
    Action,
    person=st.integers(0, 1),
    kind=st.sampled_from(
        ["join", "join", "renew", "debit", "claim", "buy", "grant", "import_membership"]
    ),
    day=st.integers(0, 50),
    campaign=st.integers(0, 2),
    result=st.sampled_from(["", "", "refund", "half", "lose", "win", "end"]),
    days=st.integers(0, 12),
)


@dataclass
class History:
    """The rows of a history, of two duplicates or of one member."""

    people: list[Member]
    campaigns: list[Campaign | None]
    payments: list[Payment] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)

    def play(self, actions: list[Action]) -> None:
        for action in actions:
            person = self.people[action.person % len(self.people)]
            getattr(self, action.kind)(person, self.campaigns[action.campaign], action)
        for turn, payment in enumerate(self.payments):
            # The id decides between payments of the same second, so it must be in the same order.
            intent_id = f"pi_{self.people[0].pk}_{turn:03}"
            Payment.objects.filter(pk=payment.pk).update(intent_id=intent_id)

    def join(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        payment = make_payment(person, campaign, action.at())
        self.payments.append(payment)
        self._add_result(payment, action)

    def renew(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        self.payments.append(make_payment(person, campaign, action.at(), role=Payment.Role.RENEWAL))

    def debit(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        status = Payment.Status.PENDING if action.days % 2 else Payment.Status.FAILED
        self.payments.append(make_payment(person, campaign, action.at(), status=status))

    def buy(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        gift = make_gift(person, campaign, action.at())
        self._add_gift(gift, action)

    def claim(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        gift = make_gift(
            make_member(f"buyer{next(_buyer_numbers)}@example.org"), campaign, action.at()
        )
        record_claim(gift, person, action.at(action.days))
        self._add_gift(gift, action)

    def _add_gift(self, gift: Gift, action: Action) -> None:
        self.gifts.append(gift)
        self.payments.append(gift.payment)
        self._add_result(gift.payment, action)

    def grant(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        self._grant(person, action, Membership.Source.GRANTED)

    def import_membership(self, person: Member, campaign: Campaign | None, action: Action) -> None:
        self._grant(person, action, Membership.Source.IMPORTED)

    def _grant(self, person: Member, action: Action, source: Membership.Source) -> None:
        starts_at = datetime.fromisoformat(action.at()) - timedelta(days=10 * action.days)
        memberships.grant_membership(
            person, plan=None, source=source, starts_at=starts_at, months=1 + action.days % 3
        )

    def _add_result(self, payment: Payment, action: Action) -> None:
        match action.result:
            case "refund" | "half":
                part = 6000 if action.result == "refund" else 3000
                make_refund(payment, action.at(action.days), part)
            case "lose" | "win":
                status = "lost" if action.result == "lose" else "won"
                make_dispute(payment, action.at(action.days), status=status)
            case "end" if payment.membership is not None:
                Membership.objects.filter(pk=payment.membership.pk).update(
                    status=Membership.Status.ENDED, ended_at=at(action.at(action.days))
                )

    def count(self) -> None:
        for gift in self.gifts:
            progress.tally_gift(Gift.objects.get(pk=gift.pk))
        progress.tally_members(self.people)

    def tallies(self) -> list[Any]:
        """Return all tallies. Payments and gifts are numbered by their order in the history."""
        payment_turn = {payment.pk: turn for turn, payment in enumerate(self.payments)}
        gift_turn = {gift.pk: turn for turn, gift in enumerate(self.gifts)}
        tallies = Tally.objects.filter(payment__in=self.payments).select_related("campaign")
        return sorted(
            (
                tally.campaign.slug.split("-")[0],
                "person" if tally.gift_id is None else f"gift {gift_turn[tally.gift_id]}",
                payment_turn[tally.payment_id],
                tally.counted_from.isoformat(),
                str(tally.counted_until),
            )
            for tally in tallies
        )


def play_twice(actions: list[Action]) -> tuple[History, History]:
    """Create the same history for two duplicates and for one member, in separate campaigns."""
    histories = []
    for name, people in (("two", ["ada@example.org", "adele@example.net"]), ("one", ["eve@x.org"])):
        campaigns = [
            make_campaign(slug=f"birthday-{name}"),
            make_campaign(
                slug=f"jubilee-{name}",
                starts_at=at("2026-11-10 00:00"),
                ends_at=at("2026-12-10 00:00"),
            ),
            None,
        ]
        history = History([make_member(email) for email in people], campaigns)
        history.play(actions)
        history.count()
        histories.append(history)
    return histories[0], histories[1]


def daily_counts(history: History) -> list[list[int]]:
    """Return the primary goal's count of each campaign, every third day."""
    goals = [campaign.goals.get() for campaign in history.campaigns if campaign is not None]
    days = [FIRST_DAY + timedelta(days=day) for day in range(0, 70, 3)]
    return [[progress.measure_goal(goal, at=day).counted for day in days] for goal in goals]


@pytest.mark.walk
@settings(
    max_examples=effort(quick=8, thorough=60),
    derandomize=CI,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(actions=st.lists(ACTIONS, min_size=1, max_size=7), first_stays=st.booleans())
def test_merged_members_count_like_one_who_did_everything(
    actions: list[Action], first_stays: bool
) -> None:
    with transaction.atomic():
        two, one = play_twice(actions)
        kept, gone = two.people if first_stays else reversed(two.people)
        members.merge_members(kept=kept, gone=gone)
        assert two.tallies() == one.tallies()
        assert daily_counts(two) == daily_counts(one)
        two.people = [kept]
        two.count()
        assert two.tallies() == one.tallies(), "a recount gives the same"
        transaction.set_rollback(True)


@pytest.mark.thorough
def test_the_same_history_counts_more_without_a_merge() -> None:
    """Control: the comparison detects a difference."""
    actions = [Action(person, "join", 10 + person, 0, "", 0) for person in (0, 1)]
    two, one = play_twice(actions)
    assert len(two.tallies()) == 2
    assert len(one.tallies()) == 1
    assert daily_counts(two) != daily_counts(one)
