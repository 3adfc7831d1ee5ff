"""Months for a member whose friends joined by their link: once each, up to a maximum."""

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import actions, jobs, members, memberships
from campaigns.models import (
    Campaign,
    Checkout,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Plan,
    ShareReward,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import (
    make_campaign,
    make_checkout,
    make_member,
    make_payment,
    make_plan,
    make_price,
    make_refund,
    recount_campaign,
)
from tests.support.mails import send_mail, text_of
from tests.support.sales import buy
from tests.support.sign_in import open_account_page, sign_in
from tests.support.staff import admin_url, read_page, sign_in_staff

pytestmark = pytest.mark.django_db

NOW = "2026-11-10 12:00"


@pytest.fixture
def rewarding() -> Campaign:
    """A campaign that gives a month for every two friends, and three months at most."""
    return make_campaign(friends_for_reward=2, reward_months=1, most_reward_months=3)


@pytest.fixture
def ada(rewarding: Campaign) -> Member:
    """A member with a year that was paid once, who has shared her link."""
    member = make_member("ada@example.org")
    memberships.grant_membership(
        member,
        plan=make_plan(),
        source=Membership.Source.ONCE,
        starts_at=timezone.now(),
        months=12,
    )
    Member.objects.give_share_code(member)
    return member


def bring(campaign: Campaign, *friends: str, by: Member) -> list[Payment]:
    """Let friends join by a member's link; return their payments."""
    payments = []
    for name in friends:
        friend = make_member(f"{name}@example.org")
        checkout = make_checkout(
            campaign, member=friend, email=friend.email, status="paid", friend=by.share_code
        )
        payments.append(make_payment(friend, campaign, NOW, checkout=checkout))
    recount_campaign(campaign)
    return payments


def give() -> int:
    return jobs.run_due_jobs("rewards")


def months_of(member: Member) -> int:
    return sum(ShareReward.objects.filter(member=member).values_list("months", flat=True))


def test_friends_earn_months_after_the_paid_time(rewarding: Campaign, ada: Member) -> None:
    paid_until = ada.memberships.get().ends_at
    assert paid_until is not None
    bring(rewarding, "ben", by=ada)
    assert give() == 0
    bring(rewarding, "cleo", by=ada)
    assert give() == 1
    assert give() == 0  # once
    reward = ShareReward.objects.get()
    assert (reward.number, reward.friends, reward.months) == (1, 2, 1)
    given = reward.membership
    assert (given.source, given.plan) == (Membership.Source.GRANTED, make_plan())
    assert given.started_at == paid_until
    assert memberships.access_until(ada, at=timezone.now()) == given.ends_at


def test_somebody_without_a_plan_gets_one_that_is_sold_to_members(
    rewarding: Campaign, ada: Member
) -> None:
    ada.memberships.update(plan=None)
    make_price("contribution", plan=make_plan("contribution"))
    Plan.objects.filter(slug="contribution").update(position=-1)
    bring(rewarding, "ben", "cleo", by=ada)
    give()
    assert ShareReward.objects.get().membership.plan == make_plan()


def test_a_subscription_that_is_not_at_stripe_is_extended_without_it(
    rewarding: Campaign, ada: Member
) -> None:
    ada.memberships.update(source=Membership.Source.SUBSCRIPTION, months=None)
    bring(rewarding, "ben", "cleo", by=ada)
    give()
    base = ada.memberships.get(source=Membership.Source.SUBSCRIPTION)
    assert ShareReward.objects.get().membership.extends == base
    assert base.due_at is None
    assert jobs.run_due_jobs("charges") == 0


def test_there_is_a_maximum(rewarding: Campaign, ada: Member) -> None:
    bring(rewarding, *(f"friend{number}" for number in range(20)), by=ada)
    give()
    assert months_of(ada) == 3
    assert ShareReward.objects.count() == 3
    assert give() == 0


def test_a_refund_takes_no_months_back_and_is_not_counted_again(
    rewarding: Campaign, ada: Member
) -> None:
    [ben, _cleo] = bring(rewarding, "ben", "cleo", by=ada)
    give()
    make_refund(ben, "2026-11-11 12:00")
    bring(rewarding, "dan", by=ada)  # Cleo and Dan count, and one reward was given
    assert members.count_friends(ada, rewarding, at=timezone.now()) == 2
    give()
    assert months_of(ada) == 1
    bring(rewarding, "eve", "fay", by=ada)
    give()
    assert months_of(ada) == 2


def test_nobody_is_rewarded_for_themself(rewarding: Campaign, ada: Member) -> None:
    bring(rewarding, "ada", "ben", by=ada)  # the same address
    assert members.count_friends(ada, rewarding, at=timezone.now()) == 1
    give()
    assert months_of(ada) == 0
    bring(rewarding, "ada.other", by=ada)
    assert members.count_friends(ada, rewarding, at=timezone.now()) == 2
    actions.merge_members(kept=ada, gone=make_member("ada.other@example.org"))
    assert members.count_friends(ada, rewarding, at=timezone.now()) == 1
    give()
    assert months_of(ada) == 0


def test_a_merge_keeps_the_rewards_of_both(rewarding: Campaign, ada: Member) -> None:
    twin = make_member("twin@example.org")
    Member.objects.give_share_code(twin)
    bring(rewarding, "ben", "cleo", by=ada)
    bring(rewarding, "dan", "eve", by=twin)
    assert give() == 2
    actions.merge_members(kept=ada, gone=twin)
    assert list(ada.share_rewards.order_by("number").values_list("number", flat=True)) == [1, 2]
    assert give() == 0
    bring(rewarding, "fay", "gus", by=ada)
    give()
    assert months_of(ada) == 3


def test_a_job_that_repeats_its_work_gives_nothing_twice(rewarding: Campaign, ada: Member) -> None:
    bring(rewarding, "ben", "cleo", by=ada)
    assert members.list_due_rewards(at=timezone.now()) == [(rewarding.pk, ada.pk)]
    assert actions.give_due_rewards(rewarding.pk, ada.pk) == 1
    assert actions.give_due_rewards(rewarding.pk, ada.pk) == 0
    assert members.list_due_rewards(at=timezone.now()) == []


def test_without_the_setting_or_after_an_erasure_nothing_is_given(
    rewarding: Campaign, ada: Member
) -> None:
    bring(rewarding, "ben", "cleo", by=ada)
    Campaign.objects.update(friends_for_reward=0)
    assert give() == 0
    assert actions.give_due_rewards(rewarding.pk, ada.pk) == 0
    Campaign.objects.update(friends_for_reward=2)
    actions.request_erasure(ada)
    assert members.list_due_rewards(at=timezone.now()) == []
    assert actions.give_due_rewards(rewarding.pk, ada.pk) == 0


def test_a_renewing_subscription_is_charged_later(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    Campaign.objects.update(friends_for_reward=1)
    member = buy(campaign, sandbox).member
    assert member is not None
    Member.objects.give_share_code(member)
    subscription = member.memberships.get()
    before = subscription.charge_at
    friend = buy(campaign, sandbox, email="ben@example.org")
    Checkout.objects.filter(pk=friend.pk).update(friend=member.share_code)
    assert give() == 1
    subscription.refresh_from_db()
    assert before is not None
    assert subscription.charge_at == memberships.add_months(before, 1, zone=campaign.zone_info)
    jobs.run_due_jobs("charges")
    subscription.refresh_from_db()
    assert subscription.pushed_until == subscription.charge_at
    assert not subscription.push_error


# Who is told


def test_the_member_is_told_by_mail_and_on_the_account_page(
    rewarding: Campaign, ada: Member, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    Campaign.objects.update(starts_at=timezone.now(), ends_at=timezone.now().replace(year=2099))
    sign_in(client)
    page = open_account_page(client)
    assert "Each time 2 friends join through your link, we give you 1 month of membership." in page
    assert "so far" not in page
    Campaign.objects.update(friends_for_reward=1)
    page = open_account_page(client)
    assert "Each time 1 friend joins through your link, we give you 1 month of" in page
    Campaign.objects.update(friends_for_reward=2)
    Campaign.objects.update(starts_at="2026-11-01T00:00Z")
    bring(rewarding, "ben", "cleo", by=ada)
    give()
    text = text_of(send_mail(OutgoingMail.objects.get(kind="reward")))
    assert "so we’ve given you 1 month of membership" in text
    assert "You’ve been given 1 month so far." in open_account_page(client)
    data = members.gather_data(ada)
    assert data["own_link"]["months_given"][0]["months"] == 1
    assert "reward" in {mail["kind"] for mail in data["mails"]}


def test_staff_see_it_on_the_person_page(rewarding: Campaign, ada: Member, client: Client) -> None:
    bring(rewarding, "ben", "cleo", by=ada)
    give()
    sign_in_staff(client, User.objects.create_superuser("editor"))
    page = read_page(client.get(admin_url(Member, "change", ada.pk)))
    assert "Months for friends" in page
    assert "Friends who joined by their link: 2" in page
