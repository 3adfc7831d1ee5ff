"""Merges of duplicates: rows that move, counts, and who is found afterwards."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone

from campaigns import actions, banners, emails, gifts, members, memberships, progress
from campaigns.members.merges import MOVED
from campaigns.models import (
    Campaign,
    Erasure,
    FormerAddress,
    Gift,
    Goal,
    Member,
    Membership,
    OptOut,
    OutgoingMail,
    Payment,
    PublishedNumber,
    Tally,
)
from tests.support.factories import (
    at,
    make_campaign,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    record_claim,
)

pytestmark = pytest.mark.django_db(transaction=True)

LATER = "2027-06-01 00:00"


def tally_all() -> None:
    for gift in Gift.objects.all():
        progress.tally_gift(gift)
    with transaction.atomic():
        progress.tally_members(Member.objects.all())


def counted(campaign: Campaign, *, on: str = LATER) -> int:
    """Return the primary goal's count from the current tallies."""
    return progress.measure_goal(campaign.goals.get(is_primary=True), at=at(on)).counted


def test_the_database_refuses_a_merge_that_leaves_a_payment(
    birthday: Campaign, ada: Member, adele: Member, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Control: the database protects a member who still has payments."""
    make_payment(adele, birthday, "2026-11-10 12:00")
    monkeypatch.setattr("campaigns.members.merges.MOVED", MOVED[1:])
    with pytest.raises(ProtectedError):
        members.merge_members(kept=ada, gone=adele)
    assert Payment.objects.get().member == adele


# Counts


def test_two_duplicates_who_counted_in_one_campaign_count_once(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    first = make_payment(adele, birthday, "2026-11-08 12:00")
    make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(make_member(), birthday, "2026-11-10 12:00")
    tally_all()
    banners.publish_campaign(birthday.pk)
    published = list(PublishedNumber.objects.values())
    assert counted(birthday) == published[0]["counted"] == 3
    members.merge_members(kept=ada, gone=adele)
    assert counted(birthday) == 2
    tally = Tally.objects.get(member=ada)
    assert (tally.counted_from, tally.payment) == (at("2026-11-08 12:00"), first)
    # The published number stays; the next one is due.
    assert list(PublishedNumber.objects.values()) == published
    birthday.refresh_from_db()
    assert birthday.publish_at is not None
    banners.publish_campaign(birthday.pk)
    assert [row.counted for row in PublishedNumber.objects.order_by("pk")] == [3, 2]


def test_a_closed_campaign_keeps_its_final_count(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(adele, birthday, "2026-11-10 12:00")
    tally_all()
    Campaign.objects.update(
        closed_at=at("2026-12-02 12:00"), final_counts={Goal.Kind.NEW_MEMBERS: 2}
    )
    members.merge_members(kept=ada, gone=adele)
    birthday.refresh_from_db()
    measured = progress.measure_goal(birthday.goals.get(), at=at(LATER))
    assert (measured.counted, measured.known_now) == (2, 1)


def test_duplicates_who_counted_in_two_campaigns_count_in_both(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    # Both campaigns began before either payment, so neither person was a member.
    other = make_campaign(slug="jubilee", starts_at=at("2026-11-05 00:00"))
    make_payment(ada, birthday, "2026-11-10 12:00")
    make_payment(adele, other, "2026-11-10 13:00")
    tally_all()
    assert (counted(birthday), counted(other)) == (1, 1)
    members.merge_members(kept=ada, gone=adele)
    assert (counted(birthday), counted(other)) == (1, 1)
    assert set(Tally.objects.values_list("campaign__slug", "member")) == {
        ("birthday", ada.pk),
        ("jubilee", ada.pk),
    }


@pytest.mark.parametrize("member_is_kept", [True, False])
def test_a_member_from_before_the_campaign_is_not_new(
    birthday: Campaign, ada: Member, adele: Member, member_is_kept: bool
) -> None:
    make_payment(ada, None, "2025-12-24 12:00")
    make_payment(adele, birthday, "2026-11-10 12:00")
    tally_all()
    assert counted(birthday) == 1
    kept, gone = (ada, adele) if member_is_kept else (adele, ada)
    members.merge_members(kept=kept, gone=gone)
    assert counted(birthday) == 0
    assert not Tally.objects.exists()


@pytest.mark.parametrize("claimer_is_kept", [True, False])
def test_a_payment_and_a_claimed_gift_of_one_person_count_once(
    birthday: Campaign, ada: Member, adele: Member, claimer_is_kept: bool
) -> None:
    gift = make_gift(make_member(), birthday, "2026-11-05 12:00")
    record_claim(gift, ada, "2026-11-07 12:00")
    make_payment(adele, birthday, "2026-11-06 12:00")
    tally_all()
    assert counted(birthday) == 2
    kept, gone = (ada, adele) if claimer_is_kept else (adele, ada)
    members.merge_members(kept=kept, gone=gone)
    assert counted(birthday) == 1
    # Counted by the payment until the claim, then by the gift, like one person.
    person = Tally.objects.get(member__isnull=False)
    assert (person.counted_from, person.counted_until) == (
        at("2026-11-06 12:00"),
        at("2026-11-07 12:00"),
    )
    make_refund(gift.payment, "2026-11-20 12:00")
    tally_all()
    assert counted(birthday) == 1  # the refunded gift no longer counts, so the person does


def test_a_merge_does_not_change_the_money_raised(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    Goal.objects.create(campaign=birthday, kind=Goal.Kind.MONEY, target=1)
    for who in (ada, adele):
        make_payment(who, birthday, "2026-11-10 12:00")
    tally_all()
    members.merge_members(kept=ada, gone=adele)
    assert progress.sum_money_raised(birthday, at=at(LATER)) == 12000


def test_a_rehearsal_shows_the_counts_and_changes_nothing(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    for who in (ada, adele):
        make_payment(who, birthday, "2026-11-10 12:00")
    tally_all()
    before = list(Tally.objects.values()), list(Member.objects.values())
    [change] = members.rehearse_merge(kept=ada, gone=adele).counted
    assert (change.campaign, len(change.before), len(change.after)) == (birthday, 2, 1)
    assert (list(Tally.objects.values()), list(Member.objects.values())) == before
    birthday.refresh_from_db()
    assert birthday.publish_at is None


# Details of the member


def test_the_member_who_is_kept_takes_over_missing_details(ada: Member, adele: Member) -> None:
    Member.objects.filter(pk=adele.pk).update(
        name="Ada Reader", created_at=at("2020-01-01 00:00"), language="uk"
    )
    members.merge_members(kept=ada, gone=adele)
    ada.refresh_from_db()
    assert (ada.name, ada.email, ada.language) == ("Ada Reader", "ada@example.org", "en")
    assert ada.created_at == at("2020-01-01 00:00")
    assert ada.due_at is not None
    assert ada.former_addresses.get().email == "adele@example.net"


def test_the_name_of_the_member_who_is_kept_stays(ada: Member, adele: Member) -> None:
    Member.objects.filter(pk=ada.pk).update(name="Ada")
    Member.objects.filter(pk=adele.pk).update(name="Adele")
    members.merge_members(kept=ada, gone=adele)
    assert Member.objects.get().name == "Ada"


def test_former_addresses_of_both_lead_to_the_member_who_is_kept(
    ada: Member, adele: Member
) -> None:
    """The duplicate used to have Ada's address, and someone else used to have the duplicate's."""
    FormerAddress.objects.create(member=adele, email=ada.email)
    FormerAddress.objects.create(member=make_member("ben@example.org"), email=adele.email)
    members.merge_members(kept=ada, gone=adele)
    assert [row.email for row in ada.former_addresses.all()] == ["adele@example.net"]
    assert FormerAddress.objects.count() == 1


def test_an_opt_out_of_reminders_is_kept(ada: Member, adele: Member) -> None:
    emails.stop_reminders(adele.email)
    members.merge_members(kept=ada, gone=adele)
    assert OptOut.objects.holds(ada.email)


def test_the_history_says_who_merged_and_why(ada: Member, adele: Member, admin_user: User) -> None:
    LogEntry.objects.create(
        user=admin_user,
        content_type_id=_content_type(),
        object_id=str(adele.pk),
        object_repr="Adele",
        action_flag=2,
        change_message="Granted.",
    )
    members.merge_members(kept=ada, gone=adele, by=admin_user, why="she wrote to us")
    history = LogEntry.objects.filter(object_id=str(ada.pk), content_type_id=_content_type())
    entries = [(entry.user, entry.get_change_message()) for entry in history.order_by("pk")]
    assert entries == [
        (admin_user, "Granted."),
        (admin_user, f"Merged with member {adele.pk}, a duplicate: she wrote to us"),
    ]


def _content_type() -> int:
    return ContentType.objects.get_for_model(Member).pk


# Refusals


def test_a_member_is_not_merged_with_the_same_member(ada: Member) -> None:
    with pytest.raises(members.MergeRefused, match="already the same member"):
        members.merge_members(kept=ada, gone=ada)


def test_a_merged_member_is_not_merged_again(ada: Member, adele: Member) -> None:
    members.merge_members(kept=ada, gone=adele)
    for kept, gone in ((ada, adele), (adele, ada)):
        with pytest.raises(members.MergeRefused, match="no longer exists"):
            members.merge_members(kept=kept, gone=gone)
    assert Member.objects.get() == ada


@pytest.mark.parametrize("which", ["kept", "gone"])
@pytest.mark.parametrize("how", ["erased", "being erased"])
def test_an_erased_member_is_not_merged(ada: Member, adele: Member, which: str, how: str) -> None:
    erased = ada if which == "kept" else adele
    if how == "erased":
        Member.objects.filter(pk=erased.pk).update(erased_at=timezone.now())
    else:
        Erasure.objects.create(member=erased)
    with pytest.raises(members.MergeRefused, match="erased"):
        members.merge_members(kept=ada, gone=adele)
    assert Member.objects.count() == 2


# Finding the member afterwards


def test_the_old_address_leads_to_the_member_who_is_kept(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    members.merge_members(kept=ada, gone=adele)
    assert Member.objects.get_or_create_by_email(" Adele@Example.net") == ada
    gift = make_gift(make_member(), birthday, "2026-11-10 12:00", expires_at=at("2099-01-01 00:00"))
    claimed = actions.claim_gift(gift.code, email="adele@example.net", name="", language="en")
    assert claimed.claimed_by == ada
    assert members.request_sign_in_link("adele@example.net", language="en", at=timezone.now())
    assert OutgoingMail.objects.get(kind="sign_in").member == ada
    assert Member.objects.filter(email="adele@example.net").count() == 0


def test_a_gift_claimed_with_an_old_address_has_to_be_confirmed(
    birthday: Campaign, ada: Member, adele: Member
) -> None:
    memberships.grant_membership(
        ada,
        plan=None,
        source=Membership.Source.GRANTED,
        starts_at=at("2026-11-01 00:00"),
        months=1200,
    )
    members.merge_members(kept=ada, gone=adele)
    gift = make_gift(make_member(), birthday, "2026-11-10 12:00", expires_at=at("2099-01-01 00:00"))
    with pytest.raises(gifts.ConfirmationRequired) as required:
        actions.claim_gift(gift.code, email="adele@example.net", name="", language="en")
    assert required.value.member == ada
