"""Granted memberships, offline payments and imports through their actions."""

from datetime import datetime

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from campaigns import actions, memberships
from campaigns.models import (
    Campaign,
    Erasure,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Tally,
)
from tests.support.factories import at, make_campaign, make_member, make_payment, make_plan
from tests.support.mails import send_mail, text_of

pytestmark = pytest.mark.django_db
PAID_AT = at("2026-11-10 12:00")
BEFORE_CAMPAIGN = at("2026-10-01 12:00")


@pytest.fixture
def campaign() -> Campaign:
    return make_campaign()


@pytest.fixture
def ada(campaign: Campaign) -> Member:
    return make_member("ada@example.org")


def grant(member: Member, by: User, starts_at: datetime = BEFORE_CAMPAIGN) -> Membership:
    return actions.grant_membership(
        member, plan=make_plan(), starts_at=starts_at, months=12, by=by, note="a volunteer"
    )


def record(member: Member, campaign: Campaign | None, by: User) -> Payment:
    return actions.record_offline_payment(
        member,
        plan=make_plan(),
        months=12,
        amount_minor=6000,
        currency="eur",
        paid_at=PAID_AT,
        campaign=campaign,
        by=by,
        note="cash",
    )


def is_due_for_publishing(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.publish_at is not None


def test_an_offline_payment_counts_and_publishes(
    ada: Member, campaign: Campaign, admin_user: User
) -> None:
    payment = record(ada, campaign, admin_user)
    assert Tally.objects.get().payment == payment
    assert actions.counts_as_new_member(payment)
    assert is_due_for_publishing(campaign)


def test_an_offline_payment_without_a_campaign_counts_nowhere(
    ada: Member, admin_user: User
) -> None:
    assert not actions.counts_as_new_member(record(ada, None, admin_user))
    assert not Tally.objects.exists()


def test_an_offline_payment_is_recorded_once(
    ada: Member, campaign: Campaign, admin_user: User
) -> None:
    record(ada, campaign, admin_user)
    with pytest.raises(actions.AlreadyRecorded):
        record(ada, campaign, admin_user)
    assert Payment.objects.count() == Membership.objects.count() == 1


def test_a_grant_before_the_campaign_ends_the_count_and_publishes(
    ada: Member, campaign: Campaign, admin_user: User
) -> None:
    record(ada, campaign, admin_user)
    Campaign.objects.update(publish_at=None)
    membership = grant(ada, admin_user)
    assert (membership.granted_by, membership.note) == (admin_user, "a volunteer")
    assert not Tally.objects.exists()
    assert is_due_for_publishing(campaign)


def test_a_grant_is_made_once(ada: Member, admin_user: User) -> None:
    grant(ada, admin_user)
    with pytest.raises(actions.AlreadyGranted):
        grant(ada, admin_user)
    assert Membership.objects.count() == 1


@pytest.mark.parametrize("gone", ["merged", "being erased"])
def test_a_merged_or_erased_person_gets_no_new_rows(
    ada: Member, campaign: Campaign, admin_user: User, gone: str
) -> None:
    found = Member.objects.get(pk=ada.pk)
    if gone == "merged":
        actions.merge_members(kept=make_member("adele@example.org"), gone=ada)
    else:
        Erasure.objects.create(member=ada)
    with pytest.raises(actions.MemberGone):
        grant(found, admin_user)
    with pytest.raises(actions.MemberGone):
        record(found, campaign, admin_user)
    assert not Membership.objects.exists()


def test_an_erasure_is_not_requested_for_a_merged_person(ada: Member) -> None:
    found = Member.objects.get(pk=ada.pk)
    actions.merge_members(kept=make_member("adele@example.org"), gone=ada)
    with pytest.raises(actions.MemberGone):
        actions.request_erasure(found)


def test_an_imported_membership_ends_the_count_and_publishes(
    ada: Member,
    campaign: Campaign,
    admin_user: User,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    record(ada, campaign, admin_user)
    Campaign.objects.update(publish_at=None)
    entry = actions.ImportedMembership(
        email="ada@example.org", name="Ada", since=BEFORE_CAMPAIGN, until=None
    )
    with django_capture_on_commit_callbacks(execute=True):
        actions.import_memberships([entry], now=timezone.now())
    assert not Tally.objects.exists()
    assert is_due_for_publishing(campaign)


def test_a_granted_membership_ends_now_and_its_gifts_begin(
    ada: Member, admin_user: User, campaign: Campaign
) -> None:
    now = timezone.now()
    granted = grant(ada, admin_user, starts_at=now)
    with pytest.raises(actions.EndRefused, match="You can cancel only a subscription"):
        actions.end_membership(granted, actions.End.AT_PERIOD_END)
    with transaction.atomic():
        current = memberships.lock_current_memberships(ada, at=now)
        gift = memberships.add_gift(
            ada, plan=make_plan(), months=3, zone=campaign.zone_info, current=current, at=now
        )
    assert gift.started_at == granted.ends_at
    assert actions.end_membership(granted, actions.End.NOW, message="A mistake")
    granted.refresh_from_db()
    gift.refresh_from_db()
    assert (granted.status, gift.status) == ("ended", "active")
    assert gift.started_at == granted.ended_at
    mail = OutgoingMail.objects.get(kind="ended")
    assert "A mistake" in text_of(send_mail(mail))
    with pytest.raises(actions.EndRefused, match="has already ended"):
        actions.end_membership(granted, actions.End.NOW)


def test_a_granted_membership_of_someone_being_erased_is_left_to_the_erasure(
    ada: Member, admin_user: User
) -> None:
    granted = grant(ada, admin_user, starts_at=timezone.now())
    Erasure.objects.create(member=ada)
    with pytest.raises(actions.EndRefused, match="is being erased"):
        actions.end_membership(granted, actions.End.NOW)


@pytest.mark.parametrize("end", actions.End)
def test_a_membership_that_was_paid_elsewhere_is_not_ended(ada: Member, end: actions.End) -> None:
    make_payment(ada, None, "2026-11-10 12:00")
    with pytest.raises(actions.EndRefused, match="You can end only a subscription"):
        actions.check_end(Membership.objects.get(), end)
