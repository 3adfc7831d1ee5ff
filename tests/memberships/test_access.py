"""Access of members: a table of cases."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pytest

from campaigns import emails, gifts, members, memberships
from campaigns.models import Campaign, Member, Membership, OutgoingMail
from tests.support.factories import at, make_campaign, make_gift, make_member
from tests.support.factories import record_claim as claim_gift

START, NOW, END = "2026-01-10 12:00", "2026-06-10 12:00", "2027-01-10 12:00"
SUBSCRIPTION: dict[str, Any] = {"source": "subscription", "subscription_id": "sub_1"}


@dataclass(frozen=True)
class Case:
    """One membership, the moments with and without access, and when access at NOW ends."""

    name: str
    changes: dict[str, Any]
    until: str | None = None
    has: list[str] = field(default_factory=list)
    lacks: list[str] = field(default_factory=list)


CASES = [
    Case("active subscription", SUBSCRIPTION, None, has=[START, NOW, END, "2030-01-01 12:00"]),
    Case(
        "cancelling subscription",
        SUBSCRIPTION | {"is_cancelling": True},
        END,
        has=[NOW, "2027-01-10 11:59"],
        lacks=[END],
    ),
    Case(
        "past due within its grace period",
        SUBSCRIPTION | {"status": "past_due", "access_until": at("2026-06-20 12:00")},
        "2026-06-20 12:00",
        has=[NOW, "2026-06-20 11:59"],
        lacks=["2026-06-20 12:00"],
    ),
    Case(
        "past due after its grace period, before the job",
        SUBSCRIPTION | {"status": "past_due", "access_until": at("2026-06-10 12:00")},
        NOW,
        has=["2026-06-10 11:59"],
        lacks=[NOW],
    ),
    Case(
        "lapsed",
        SUBSCRIPTION | {"status": "lapsed", "access_until": at("2026-05-24 12:00")},
        NOW,
        has=["2026-05-24 11:59"],
        lacks=["2026-05-24 12:00", NOW],
    ),
    Case(
        "cancelled while past due",
        SUBSCRIPTION
        | {"status": "past_due", "is_cancelling": True, "access_until": at("2026-06-20 12:00")},
        "2026-06-20 12:00",
        has=[NOW],
        lacks=["2026-06-20 12:00", "2026-12-01 12:00"],
    ),
    Case(
        "paused",
        SUBSCRIPTION | {"status": "paused", "access_until": at("2026-07-10 12:00")},
        "2026-07-10 12:00",
        has=[NOW],
        lacks=["2026-07-10 12:00"],
    ),
    Case(
        "ended subscription",
        SUBSCRIPTION | {"status": "ended", "ended_at": at("2026-05-01 12:00")},
        NOW,
        has=["2026-05-01 11:59"],
        lacks=["2026-05-01 12:00", NOW],
    ),
    Case(
        "ended after it lapsed",
        SUBSCRIPTION
        | {
            "status": "ended",
            "ended_at": at("2026-05-01 12:00"),
            "access_until": at("2026-04-24 12:00"),
        },
        NOW,
        has=["2026-04-24 11:59"],
        lacks=["2026-04-24 12:00", NOW],
    ),
    Case(
        "gap",
        SUBSCRIPTION
        | {
            "gaps": [
                [at("2026-03-01 12:00").timestamp(), at("2026-03-09 12:00").timestamp()],
            ]
        },
        None,
        has=["2026-03-01 11:59", "2026-03-09 12:00", NOW],
        lacks=["2026-03-01 12:00", "2026-03-09 11:59"],
    ),
    Case("pending", SUBSCRIPTION | {"status": "pending"}, NOW, lacks=[START, NOW]),
    *(
        Case(
            source,
            {"source": source},
            END,
            has=[START, NOW, "2027-01-10 11:59"],
            lacks=["2026-01-10 11:59", END],
        )
        for source in ("once", "gift", "granted", "imported")
    ),
    Case("without an end", {"source": "imported", "ends_at": None}, None, has=["2099-01-01 12:00"]),
    Case(
        "run out, before the job",
        {"source": "gift", "ends_at": at("2026-06-01 12:00")},
        NOW,
        has=["2026-06-01 11:59"],
        lacks=["2026-06-01 12:00", NOW],
    ),
    Case(
        "revoked",
        {"source": "gift", "status": "ended", "ended_at": at("2026-04-01 12:00")},
        NOW,
        has=["2026-04-01 11:59"],
        lacks=["2026-04-01 12:00", NOW],
    ),
    Case(
        "starts later",
        {"source": "gift", "started_at": at("2026-07-01 12:00")},
        NOW,
        has=["2026-07-01 12:00"],
        lacks=[NOW],
    ),
]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def make_membership(member: Member | None = None, **changes: Any) -> Membership:
    row = {"started_at": at(START), "ends_at": at(END), "source": "granted"}
    return Membership.objects.create(member=member or make_member(), **row | changes)


@pytest.mark.django_db
@each_case
def test_a_member_has_access_by_one_definition(case: Case) -> None:
    membership = make_membership(**case.changes)
    for moment in case.has:
        assert memberships.has_access(membership.member, at(moment)), moment
    for moment in case.lacks:
        assert not memberships.has_access(membership.member, at(moment)), moment
    expected = None if case.until is None else at(case.until)
    assert memberships.access_until(membership.member, at(NOW)) == expected


@pytest.mark.django_db
@each_case
@pytest.mark.parametrize("moment", [START, NOW, END])
def test_account_page_and_gifts_agree_with_the_definition(case: Case, moment: str) -> None:
    membership = make_membership(**case.changes)
    access = memberships.find_access(membership)
    row = members.describe_membership(membership, at=at(moment))
    assert row.has_access == memberships.has_access(membership.member, at(moment))
    if row.over_since is not None:
        assert access is not None
        assert row.over_since == access.until
    current = memberships.list_current_memberships(membership.member, at=at(moment))
    is_over = access is None or access.is_over(at=at(moment))
    assert current == ([] if is_over or membership.ended_at else [membership])


@pytest.mark.django_db
@each_case
def test_the_job_ends_only_memberships_without_access(case: Case) -> None:
    membership = make_membership(**case.changes)
    ran_out = {"past due after its grace period, before the job": "lapsed"}
    ran_out |= {"run out, before the job": "ended"}
    memberships.lapse_memberships(at=at(NOW))
    membership.refresh_from_db()
    assert membership.status == ran_out.get(case.name, case.changes.get("status", "active"))
    if membership.ended_at is not None and case.name in ran_out:
        access = memberships.find_access(membership)
        assert access is not None
        assert membership.ended_at == access.until


# Several memberships of one member


@pytest.mark.django_db
def test_memberships_that_follow_each_other_are_joined() -> None:
    member = make_member()
    make_membership(member)
    make_membership(member, started_at=at(END), ends_at=at("2027-07-10 12:00"))
    make_membership(member, started_at=at("2027-07-11 12:00"), ends_at=at("2028-07-10 12:00"))
    assert memberships.access_until(member, at(NOW)) == at("2027-07-10 12:00")
    assert memberships.access_until(member, at("2027-07-10 18:00")) == at("2027-07-10 18:00")


@pytest.mark.django_db
def test_a_renewing_subscription_beside_a_gift_has_no_end() -> None:
    member = make_member()
    make_membership(member, source="gift")
    make_membership(member, **SUBSCRIPTION)
    assert memberships.access_until(member, at(NOW)) is None


@pytest.mark.django_db
def test_a_gap_ends_access_unless_another_membership_covers_it() -> None:
    member, gap = make_member(), ["2026-07-01 12:00", "2026-08-01 12:00"]
    seconds = [at(moment).timestamp() for moment in gap]
    make_membership(member, **SUBSCRIPTION, gaps=[seconds])
    assert memberships.access_until(member, at(NOW)) == at("2026-07-01 12:00")
    make_membership(member, source="gift", ends_at=at("2026-09-01 12:00"))
    assert memberships.access_until(member, at(NOW)) is None


@pytest.mark.django_db
def test_a_gift_that_extends_a_cancelled_subscription_moves_the_end() -> None:
    member = make_member()
    base = make_membership(member, **SUBSCRIPTION, is_cancelling=True)
    end = at("2028-01-10 12:00")
    make_membership(member, source="gift", extends=base, started_at=at(END), ends_at=end)
    assert memberships.access_until(member, at(NOW)) == end


# The e-mails


@pytest.fixture
def campaign(db: None) -> Campaign:
    return make_campaign()


def write_mail(membership: Membership, kind: str) -> bool:
    mail = OutgoingMail.objects.create(key=f"{kind}:1", kind=kind, membership=membership)
    return emails.deliver_mail(mail.pk)


@pytest.mark.parametrize(("until", "is_sent"), [("2099-01-01 12:00", True), (NOW, False)])
def test_no_past_due_mail_is_sent_after_the_grace_period(
    campaign: Campaign, until: str, is_sent: bool
) -> None:
    membership = make_membership(**SUBSCRIPTION, status="past_due", access_until=at(until))
    assert write_mail(membership, "past_due") == is_sent


@pytest.mark.parametrize(
    ("other", "is_the_end"),
    [
        (None, True),
        ({"status": "past_due", "access_until": at("2026-11-24 12:00")}, True),
        ({"is_cancelling": True, "ends_at": at("2027-10-20 12:00")}, True),
        ({}, False),
        ({"is_cancelling": True, "ends_at": at("2028-01-01 12:00")}, False),
    ],
    ids=["nothing else", "past due", "cancelled before", "renewing", "cancelled after"],
)
def test_a_gift_warns_of_its_end_only_if_access_ends_then(
    campaign: Campaign, other: dict[str, datetime] | None, is_the_end: bool
) -> None:
    """A past due subscription isn't paid up to its period's end, although Stripe moves that on."""
    gift = make_gift(make_member(), campaign, "2026-11-09 12:00")
    gift = claim_gift(gift, make_member(), "2026-11-10 12:00")
    assert gift.membership is not None
    assert gift.claimed_by is not None
    if other is not None:
        row = {"ends_at": at("2028-12-10 12:00"), "started_at": at("2026-10-10 12:00")}
        make_membership(gift.claimed_by, **row | SUBSCRIPTION | other)
    gifts.take_steps(gift.pk, at=at("2027-10-15 12:00"))
    assert OutgoingMail.objects.filter(kind="gift_ending").exists() == is_the_end
