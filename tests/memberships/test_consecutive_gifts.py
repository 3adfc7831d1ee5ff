"""Gifts to members without a subscription: each follows the one before."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine

from campaigns import actions, jobs
from campaigns.models import OutgoingMail
from tests.support.extensions import (
    claim_and_confirm,
    clock,  # noqa: F401 - a fixture
    make_claimed_gift,
    make_gift_without_campaign,
    spans,
)
from tests.support.factories import at


@pytest.mark.django_db(transaction=True)
def test_two_gifts_to_a_member_without_a_subscription_add_up() -> None:
    with time_machine.travel(at("2027-01-31 12:00"), tick=False):
        first = make_claimed_gift(months=1)
        second = claim_and_confirm(make_gift_without_campaign(months=1))
        third = claim_and_confirm(make_gift_without_campaign(months=1))
    ends = [gift.membership.ends_at for gift in (first, second, third) if gift.membership]
    assert ends == [at("2027-02-28 12:00"), at("2027-03-31 12:00"), at("2027-04-30 12:00")]
    assert {gift.membership.extends_id for gift in (second, third) if gift.membership} == {
        first.membership_id
    }


def test_the_next_gift_starts_when_one_is_revoked(admin_user: Any) -> None:
    with time_machine.travel(at("2027-01-31 12:00"), tick=False):
        first, second = (
            make_claimed_gift(months=3),
            claim_and_confirm(make_gift_without_campaign(months=6)),
        )
    with time_machine.travel(at("2027-02-10 12:00"), tick=False):
        actions.revoke_gift(first, by=admin_user, why="returned")
    assert second.membership is not None
    second.membership.refresh_from_db()
    assert second.membership.started_at == at("2027-02-10 12:00")
    assert second.membership.ends_at == at("2027-08-10 12:00")


@pytest.mark.thorough
def test_the_warning_moves_up_with_its_gift(admin_user: Any) -> None:
    with time_machine.travel(at("2027-01-31 12:00"), tick=False) as traveller:
        first, second = (
            make_claimed_gift(months=12),
            claim_and_confirm(make_gift_without_campaign(months=12)),
        )
        traveller.move_to(at("2027-02-02 12:00"))
        actions.revoke_gift(first, by=admin_user, why="returned")
        assert spans(second)[0][1] == at("2028-02-02 12:00")
        moment = at("2027-12-20 12:00")
        while moment < at("2028-02-02 12:00"):
            traveller.move_to(moment)
            jobs.run_due_jobs()
            moment += timedelta(days=1)
    assert OutgoingMail.objects.filter(kind="gift_ending", gift=second).count() == 2
