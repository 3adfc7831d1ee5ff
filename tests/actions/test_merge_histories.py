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
# Two campaigns that overlap, and time before, between and after them.
FIRST_DAY = at("2026-10-25 09:00")
_letters = count(1)


@dataclass(frozen=True)
class Deed:
    """What one of the two did on some day; `more` is what became of it, so many days later."""

    who: int
    what: str
    day: int
    campaign: int
    more: str
    days: int

    def at(self, days: int = 0) -> str:
        return (FIRST_DAY + timedelta(days=self.day + days)).isoformat()


DEEDS = st.builds(
    Deed,
    who=st.integers(0, 1),
    what=st.sampled_from(["join", "join", "renew", "debit", "claim", "buy", "grant", "bring_in"]),
    day=st.integers(0, 50),
    campaign=st.integers(0, 2),
    more=st.sampled_from(["", "", "refund", "half", "lose", "win", "end"]),
    days=st.integers(0, 12),
)


@dataclass
class Life:
    """The rows of a history, made by two duplicates or by one member."""

    people: list[Member]
    campaigns: list[Campaign | None]
    payments: list[Payment] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)

    def live(self, deeds: list[Deed]) -> None:
        for deed in deeds:
            who = self.people[deed.who % len(self.people)]
            getattr(self, deed.what)(who, self.campaigns[deed.campaign], deed)
        for turn, payment in enumerate(self.payments):
            # Of two in one second Stripe's id decides, which is no other for being one person.
            named = f"pi_{self.people[0].pk}_{turn:03}"
            Payment.objects.filter(pk=payment.pk).update(intent_id=named)

    def join(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        payment = make_payment(who, campaign, deed.at())
        self.payments.append(payment)
        self._go_on(payment, deed)

    def renew(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        self.payments.append(make_payment(who, campaign, deed.at(), role=Payment.Role.RENEWAL))

    def debit(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        status = Payment.Status.PENDING if deed.days % 2 else Payment.Status.FAILED
        self.payments.append(make_payment(who, campaign, deed.at(), status=status))

    def buy(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        gift = make_gift(who, campaign, deed.at())
        self._keep(gift, deed)

    def claim(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        gift = make_gift(make_member(f"buyer{next(_letters)}@example.org"), campaign, deed.at())
        record_claim(gift, who, deed.at(deed.days))
        self._keep(gift, deed)

    def _keep(self, gift: Gift, deed: Deed) -> None:
        self.gifts.append(gift)
        self.payments.append(gift.payment)
        self._go_on(gift.payment, deed)

    def grant(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        self._give(who, deed, Membership.Source.GRANTED)

    def bring_in(self, who: Member, campaign: Campaign | None, deed: Deed) -> None:
        self._give(who, deed, Membership.Source.IMPORTED)

    def _give(self, who: Member, deed: Deed, source: Membership.Source) -> None:
        starts_at = datetime.fromisoformat(deed.at()) - timedelta(days=10 * deed.days)
        memberships.grant_membership(
            who, plan=None, source=source, starts_at=starts_at, months=1 + deed.days % 3
        )

    def _go_on(self, payment: Payment, deed: Deed) -> None:
        match deed.more:
            case "refund" | "half":
                part = 6000 if deed.more == "refund" else 3000
                make_refund(payment, deed.at(deed.days), part)
            case "lose" | "win":
                status = "lost" if deed.more == "lose" else "won"
                make_dispute(payment, deed.at(deed.days), status=status)
            case "end" if payment.membership is not None:
                Membership.objects.filter(pk=payment.membership.pk).update(
                    status=Membership.Status.ENDED, ended_at=at(deed.at(deed.days))
                )

    def count(self) -> None:
        for gift in self.gifts:
            progress.tally_gift(Gift.objects.get(pk=gift.pk))
        progress.tally_members(self.people)

    def tallies(self) -> list[Any]:
        """Who counts where, when and by what: payments and gifts by their turn in the history."""
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


def live_twice(deeds: list[Deed]) -> tuple[Life, Life]:
    """Make the same history by two duplicates and by one member, in separate campaigns."""
    lives = []
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
        life = Life([make_member(email) for email in people], campaigns)
        life.live(deeds)
        life.count()
        lives.append(life)
    return lives[0], lives[1]


def numbers(life: Life) -> list[list[int]]:
    """Return the primary goal's count of each campaign, day by day."""
    goals = [campaign.goals.get() for campaign in life.campaigns if campaign is not None]
    days = [FIRST_DAY + timedelta(days=day) for day in range(0, 70, 3)]
    return [[progress.measure_goal(goal, at=day).counted for day in days] for goal in goals]


@pytest.mark.walk
@settings(
    max_examples=effort(quick=12, thorough=60),
    deadline=None,
    derandomize=CI,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(deeds=st.lists(DEEDS, min_size=1, max_size=7), first_stays=st.booleans())
def test_merged_members_count_like_one_who_did_everything(
    deeds: list[Deed], first_stays: bool
) -> None:
    with transaction.atomic():
        two, one = live_twice(deeds)
        kept, gone = two.people if first_stays else reversed(two.people)
        members.merge_members(kept=kept, gone=gone)
        assert two.tallies() == one.tallies()
        assert numbers(two) == numbers(one)
        two.people = [kept]
        two.count()
        assert two.tallies() == one.tallies(), "a recount gives the same"
        transaction.set_rollback(True)


def test_the_same_history_counts_more_without_a_merge() -> None:
    """Control: the comparison detects a difference."""
    deeds = [Deed(who, "join", 10 + who, 0, "", 0) for who in (0, 1)]
    two, one = live_twice(deeds)
    assert len(two.tallies()) == 2
    assert len(one.tallies()) == 1
    assert numbers(two) != numbers(one)
