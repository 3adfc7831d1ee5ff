"""Rewards, and decisions about the wall, at the same moment in several workers."""

import threading
from functools import partial

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection
from django.utils import timezone

from campaigns import actions
from campaigns.actions import rewards
from campaigns.models import Campaign, Member, OutgoingMail, Plan, ShareReward, WallEntry
from tests.support.factories import (
    make_campaign,
    make_checkout,
    make_member,
    make_payment,
    make_plan,
    recount_campaign,
)
from tests.support.threads import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

only_with_many_writers = pytest.mark.skipif(
    connection.vendor == "sqlite", reason="SQLite has one writer at a time"
)


@pytest.fixture
def rewarding() -> Campaign:
    make_plan()
    return make_campaign(friends_for_reward=1, reward_months=1, shows_wall=True)


def make_sharer(campaign: Campaign, name: str, *, friends: int) -> Member:
    """Return a member by whose link that many friends joined."""
    sharer = make_member(f"{name}@example.org")
    code = Member.objects.give_share_code(sharer)
    for number in range(friends):
        friend = make_member(f"{name}.friend{number}@example.org")
        checkout = make_checkout(campaign, member=friend, status="paid", friend=code)
        make_payment(friend, campaign, "2026-11-10 12:00", checkout=checkout)
    recount_campaign(campaign)
    return sharer


def test_two_workers_give_each_reward_once(rewarding: Campaign) -> None:
    for number in range(3):
        sharer = make_sharer(rewarding, f"ada{number}", friends=2)
        give = partial(actions.give_due_rewards, rewarding.pk, sharer.pk)
        outcomes = race(give, give, give)
        assert sorted(map(str, outcomes)) == ["0", "0", "2"]
        assert sharer.share_rewards.count() == sharer.memberships.count() == 2
    assert OutgoingMail.objects.filter(kind="reward").count() == 6


@only_with_many_writers
def test_without_the_lock_the_database_refuses_the_second(
    rewarding: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control: both workers have counted before either gives."""
    sharer = make_sharer(rewarding, "ada", friends=1)
    both_counted = threading.Barrier(2)
    find_plan = rewards._find_plan

    def wait_for_the_other(member: Member) -> Plan | None:
        both_counted.wait(20)
        return find_plan(member)

    monkeypatch.setattr(rewards, "lock_member", lambda member: Member.objects.get(pk=member.pk))
    monkeypatch.setattr(rewards, "_find_plan", wait_for_the_other)
    give = partial(actions.give_due_rewards, rewarding.pk, sharer.pk)
    outcomes = race(give, give)
    assert sum(isinstance(each, IntegrityError) for each in outcomes) == 1, outcomes
    assert ShareReward.objects.count() == 1
    assert sharer.memberships.count() == 1


def test_words_that_were_taken_back_are_never_shown(rewarding: Campaign) -> None:
    editor = User.objects.create_user("editor")
    for number in range(5):
        member = make_sharer(rewarding, f"cleo{number}", friends=0)
        make_payment(member, rewarding, "2026-11-10 12:00")
        recount_campaign(rewarding)
        words = {"first_name": "Cleo", "town": "", "sentence": "Old", "language": "en"}
        entry = actions.write_wall_entry(member, rewarding, **words)
        rewrite = partial(
            actions.write_wall_entry, member, rewarding, **(words | {"sentence": "New"})
        )
        outcomes = race(partial(actions.show_wall_entry, entry, by=editor), rewrite)
        assert not [each for each in outcomes if isinstance(each, Exception)], outcomes
        assert WallEntry.objects.get(member=member).sentence == "New"
        assert not WallEntry.objects.visible(at=timezone.now()).filter(member=member).exists()
