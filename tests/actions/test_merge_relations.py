"""Every row that belongs to a member moves with a merge, is deleted, or forbids it."""

from collections.abc import Callable
from typing import Any

import pytest

from campaigns import members, memberships
from campaigns.models import (
    AddressChange,
    Campaign,
    Erasure,
    FormerAddress,
    GhostMember,
    Gift,
    Member,
    MemberAccess,
    MemberNote,
    Membership,
    OutgoingEvent,
    OutgoingMail,
    ShareReward,
    SignInLink,
    Tally,
    WallEntry,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.support.factories import (
    at,
    make_checkout,
    make_gift,
    make_member,
    make_payment,
    record_claim,
)

pytestmark = pytest.mark.django_db(transaction=True)

LATER = "2027-06-01 00:00"


Maker = Callable[[Member, Campaign], Any]


def _gift(buyer: Member, campaign: Campaign) -> Gift:
    return make_gift(buyer, campaign, "2026-11-10 12:00")


MAKERS: dict[tuple[str, str], Maker] = {
    ("Checkout", "member"): lambda who, campaign: make_checkout(campaign, member=who),
    ("Payment", "member"): lambda who, campaign: make_payment(who, campaign, "2026-11-10 12:00"),
    ("Membership", "member"): lambda who, campaign: memberships.grant_membership(
        who, plan=None, source=Membership.Source.GRANTED, starts_at=at(LATER), months=1
    ),
    ("Gift", "buyer"): _gift,
    ("Gift", "claimed_by"): lambda who, campaign: record_claim(
        _gift(make_member(), campaign), who, "2026-11-11 12:00"
    ),
    ("OutgoingMail", "member"): lambda who, campaign: OutgoingMail.objects.create(
        key="mail", kind=OutgoingMail.Kind.PAST_DUE, member=who
    ),
    ("MemberNote", "member"): lambda who, _: MemberNote.objects.create(member=who, text="Called"),
    ("ShareReward", "member"): lambda who, campaign: ShareReward.objects.create(
        member=who,
        campaign=campaign,
        number=1,
        friends=3,
        months=1,
        membership=memberships.grant_membership(
            who, plan=None, source=Membership.Source.GRANTED, starts_at=at(LATER), months=1
        ),
    ),
    ("WallEntry", "member"): lambda who, campaign: WallEntry.objects.create(
        member=who, campaign=campaign, first_name="Adele"
    ),
    ("FormerAddress", "member"): lambda who, campaign: FormerAddress.objects.create(
        member=who, email="maiden@example.org"
    ),
    ("Tally", "member"): lambda who, campaign: Tally.objects.create(
        campaign=campaign,
        member=who,
        payment=make_payment(make_member(), campaign, "2026-11-10 12:00"),
        counted_from=at("2026-11-10 12:00"),
    ),
    ("AddressChange", "member"): lambda who, campaign: AddressChange.objects.create(
        member=who, email="new@example.org"
    ),
    ("SignInLink", "member"): lambda who, campaign: SignInLink.objects.create(
        member=who, secret_hash="0" * 64
    ),
    ("Member", "duplicate_of"): lambda who, campaign: Member.objects.create(duplicate_of=who),
    ("MemberAccess", "member"): lambda who, campaign: MemberAccess.objects.create(member=who),
    ("OutgoingEvent", "member"): lambda who, campaign: OutgoingEvent.objects.create(member=who),
    ("WebhookDelivery", "member"): lambda who, campaign: WebhookDelivery.objects.create(
        member=who,
        event=OutgoingEvent.objects.create(),
        endpoint=WebhookEndpoint.objects.create(),
    ),
    ("GhostMember", "member"): lambda who, campaign: GhostMember.objects.create(member=who),
    ("Erasure", "member"): lambda who, campaign: Erasure.objects.create(member=who),
}
# Tallies are recounted, the access is found again; links and address changes stop working.
DELETED = {
    *(("Tally", "member"), ("AddressChange", "member"), ("SignInLink", "member")),
    ("MemberAccess", "member"),
}
FORBIDDING = {("Erasure", "member")}
RELATIONS = [
    (relation.related_model.__name__, relation.field.name)
    for relation in Member._meta.related_objects
]


@pytest.mark.parametrize("relation", RELATIONS, ids="-".join)
def test_every_related_row_moves_is_deleted_or_forbids_the_merge(
    relation: tuple[str, str], birthday: Campaign, ada: Member, adele: Member
) -> None:
    """A new relation to Member fails here until merges handle it."""
    row, name = MAKERS[relation](adele, birthday), relation[1]
    rows = type(row)._default_manager.filter(pk=row.pk)
    if relation in FORBIDDING:
        with pytest.raises(members.MergeRefused):
            members.merge_members(kept=ada, gone=adele)
        assert rows.get(member=adele)
        return
    members.merge_members(kept=ada, gone=adele)
    assert not Member.objects.filter(pk=adele.pk).exists()
    if relation in DELETED:
        assert not rows.exists()
    else:
        assert getattr(rows.get(), name) == ada
