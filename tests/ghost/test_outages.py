"""Ghost is down, slow, too busy or confused; and two workers at once."""

import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
import time_machine
from django.conf import LazySettings
from django.db import transaction
from django.utils import timezone

from campaigns import actions, health, jobs, memberships
from campaigns import ghost as adapter
from campaigns.ghost import api, members
from campaigns.health.services import check_services
from campaigns.models import GhostMember, GhostSite, Member, Membership, Problem
from campaigns.models.due import claim_row
from tests.support.factories import make_member, make_plan
from tests.support.ghost_admin import GhostAdmin, tiers_of
from tests.support.ghost_stand_in import GhostStandIn

pytestmark = pytest.mark.django_db

Trouble = GhostSite.Trouble
UNTOUCHED = ("ghost_id", "is_created", "tier_id", "until", "labels", "newsletters")


def give_access(email: str, *, months: int = 6) -> Member:
    member = make_member(email)
    memberships.grant_membership(
        member,
        plan=make_plan(),
        source=Membership.Source.GRANTED,
        starts_at=timezone.now(),
        months=months,
    )
    memberships.announce_access([member])
    return member


def write_end(member: Member) -> str:
    until = memberships.access_until(member, timezone.now())
    return f"{until:%Y-%m-%dT%H:%M:%S}.000Z"


def test_a_token_is_what_ghost_asks_for(settings: LazySettings) -> None:
    key_id, secret = "a" * 24, "0f" * 32
    now = timezone.now()
    token = adapter.make_token(f"{key_id}:{secret}", at=now)
    assert jwt.get_unverified_header(token) == {"alg": "HS256", "typ": "JWT", "kid": key_id}
    claims = jwt.decode(token, bytes.fromhex(secret), algorithms=["HS256"], audience="/admin/")
    assert claims["exp"] - claims["iat"] == 300
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(token, bytes(32), algorithms=["HS256"], audience="/admin/")


def test_without_ghost_nothing_is_written(settings: LazySettings) -> None:
    give_access("ada@example.org")
    assert not GhostMember.objects.exists()
    assert jobs.run_due_jobs("ghost") == 0


def test_an_hour_without_ghost_loses_nothing_and_asks_rarely(
    ghost: GhostStandIn, admin: GhostAdmin
) -> None:
    began = timezone.now()
    ghost.is_down = True
    people = [give_access(f"reader{number}@example.org") for number in range(20)]
    with time_machine.travel(began, tick=False) as clock:
        while timezone.now() < began + timedelta(hours=1):
            jobs.run_due_jobs("ghost")
            clock.shift(15)
        asked = len(ghost.requests)
        assert 3 <= asked <= 20, asked
        assert adapter.find_trouble() == (Trouble.DOWN, "The server didn’t answer.")
        assert check_services(at=timezone.now(), is_stripe_broken=False)[Problem.Kind.GHOST]
        ghost.is_down = False
        for _ in range(61):
            clock.shift(15)
            jobs.run_due_jobs("ghost")
        assert adapter.find_trouble() is None
        clock.shift(timedelta(hours=1))
        jobs.run_due_jobs("ghost")
    found = {each["email"]: tiers_of(each) for each in admin.list_members()}
    assert {each.email for each in people} == found.keys()
    assert all(write_end(each) in found[each.email].values() for each in people)
    assert not GhostMember.objects.filter(due_at__isnull=False).exists()


def test_ghost_says_when_to_come_back(ghost: GhostStandIn, admin: GhostAdmin) -> None:
    give_access("ada@example.org")
    give_access("ben@example.org")
    ghost.answers = [(429, {"Retry-After": "120"})]
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        jobs.run_due_jobs("ghost")
        assert len(ghost.requests) == 1, "the second member waits as well"
        clock.shift(110)
        jobs.run_due_jobs("ghost")
        assert len(ghost.requests) == 1
        clock.shift(11)
        jobs.run_due_jobs("ghost")
        assert len(admin.list_members()) == 2


@pytest.mark.parametrize("status", [200, 201, 401, 403, 404])
@pytest.mark.parametrize(
    "text",
    [
        "",
        "<h1>Down for maintenance</h1>",
        "{}",
        "[]",
        '{"members": []}',
        '{"members": [{}]}',
        '{"members": {"id": 1}}',
        '{"tiers": null}',
        "[" * 5000,
    ],
)
def test_an_answer_that_is_not_ghosts_changes_nothing(
    ghost: GhostStandIn, admin: GhostAdmin, status: int, text: str
) -> None:
    """It comes from a server in front of it: nobody is gone, and our key is as good as before."""
    member = give_access("ada@example.org")
    jobs.run_due_jobs("ghost")
    before = GhostMember.objects.get()
    assert before.ghost_id
    ghost.answers, ghost.text = [(status, {})] * 2, text
    with transaction.atomic():
        memberships.revoke_access(member.memberships.get(), at=timezone.now())
    GhostMember.objects.note_changes([member.pk])
    jobs.run_due_jobs("ghost")
    row = GhostMember.objects.get()
    assert row.due_at is not None
    assert {name: getattr(row, name) for name in UNTOUCHED} == {
        name: getattr(before, name) for name in UNTOUCHED
    }
    assert GhostSite.read().trouble == Trouble.DOWN
    ghost.answers = []
    GhostMember.objects.update(due_at=timezone.now())
    adapter.stop_resting()
    jobs.run_due_jobs("ghost")
    assert tiers_of(admin.read(member.email)) == {}


def test_a_cache_that_repeats_a_page_is_not_read_for_ever(
    ghost: GhostStandIn, admin: GhostAdmin
) -> None:
    for number in range(api.PAGE):
        admin.add(f"reader{number}@example.org")
    page = json.dumps({"members": admin.list_members()})
    next(read := api.walk_people())
    ghost.answers, ghost.text = [(200, {})] * 3, page
    with pytest.raises(adapter.GhostDown):
        list(read)


def test_one_member_who_breaks_ghost_stops_nobody_else(
    ghost: GhostStandIn, admin: GhostAdmin
) -> None:
    jobs.run_due_jobs("ghost")
    give_access("breaks@example.org")
    others = [give_access(f"reader{number}@example.org") for number in range(3)]
    ghost.breaks_on = "breaks@example.org"
    began = timezone.now()
    with time_machine.travel(began, tick=False) as clock:
        for _ in range(8):
            jobs.run_due_jobs("ghost")
            clock.shift(15)
    assert {each["email"] for each in admin.list_members()} == {each.email for each in others}
    assert adapter.find_trouble() is None
    assert GhostMember.objects.get(member__email="breaks@example.org").error == "HTTP 500"


def test_a_refused_member_needs_attention_without_their_address(
    ghost: GhostStandIn, admin: GhostAdmin
) -> None:
    """Ghost's database takes addresses that differ by an accent for the same."""
    admin.add("rene@example.org")
    member = give_access("rené@example.org")
    jobs.run_due_jobs("ghost")
    row = GhostMember.objects.get(member=member)
    assert (row.state, row.error) == ("refused", "HTTP 422 ValidationError email")
    assert tiers_of(admin.read("rene@example.org")) == {}, "somebody else's"
    assert adapter.find_trouble() is None
    assert row.due_at is not None
    assert row.due_at > timezone.now() + timedelta(hours=23)


def test_two_members_here_never_share_one_in_ghost(ghost: GhostStandIn, admin: GhostAdmin) -> None:
    """One changed the address in Ghost to that of the other, who has to be merged."""
    first = give_access("first@example.org")
    jobs.run_due_jobs("ghost")
    admin.change(admin.read("first@example.org"), email="second@example.org")
    second = give_access("second@example.org")
    jobs.run_due_jobs("ghost")
    rows = {row.member_id: row for row in GhostMember.objects.all()}
    assert (rows[first.pk].state, rows[second.pk].state) == ("given", "refused")
    assert rows[second.pk].error == "is another member here"
    actions.merge_members(kept=second, gone=first)
    jobs.run_due_jobs("ghost")
    jobs.run_due_jobs("ghost")
    assert GhostMember.objects.get().state == "given"
    assert len(admin.list_members()) == 1


def test_a_ghost_without_stripe_is_named(ghost: GhostStandIn, admin: GhostAdmin) -> None:
    """It stores the tier, but goes on to refuse access."""
    ghost.is_connected = False
    admin.add("ada@example.org")
    member = give_access("ada@example.org")
    jobs.run_due_jobs("ghost")
    trouble = adapter.find_trouble()
    assert trouble == (Trouble.STRIPE, "free, not comped")
    ghost.is_connected = True
    adapter.stop_resting()
    GhostMember.objects.update(due_at=timezone.now())
    jobs.run_due_jobs("ghost")
    assert admin.read("ada@example.org")["status"] == "comped"
    assert GhostMember.objects.get(member=member).state == "given"


def test_a_worker_that_died_after_it_added_somebody_is_remembered(
    ghost: GhostStandIn, admin: GhostAdmin, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = give_access("ada@example.org")
    with monkeypatch.context() as patch:
        patch.setattr(members, "_finish", lambda *given: (_ for _ in ()).throw(SystemExit))
        with pytest.raises(SystemExit):
            jobs.run_due_jobs("ghost")
    assert admin.read("ada@example.org")["status"] == "comped"
    row = GhostMember.objects.get(member=member)
    assert (row.ghost_id, row.is_created, bool(row.tier_id)) == ("", True, True)
    member.memberships.update(ends_at=timezone.now())
    memberships.announce_access([member])
    with time_machine.travel(timezone.now() + timedelta(minutes=3)):
        jobs.run_due_jobs("ghost")
    assert admin.read("ada@example.org")["status"] == "free"


@pytest.mark.parametrize("is_guarded", [True, False], ids=["guarded", "control"])
def test_a_change_while_a_worker_writes_is_written_after_it(
    ghost: GhostStandIn,
    admin: GhostAdmin,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_guarded: bool,
) -> None:
    """The access ends between the worker's reading and its writing."""
    member = give_access("ada@example.org")
    create = api.create_person

    def end_meanwhile(**values: Any) -> Any:
        member.memberships.update(ends_at=timezone.now())
        memberships.announce_access([member])
        if not is_guarded:
            GhostMember.objects.update(version=0)
        # Another worker must not take the row now, and overtake this one.
        assert claim_row(adapter.select_due_members()) is None
        return create(**values)

    monkeypatch.setattr(api, "create_person", end_meanwhile)
    if not is_guarded:
        GhostMember.objects.update(version=0)
    jobs.run_due_jobs("ghost")
    jobs.run_due_jobs("ghost")
    expected = "free" if is_guarded else "comped"
    assert admin.read("ada@example.org")["status"] == expected


def test_problems_name_the_cure(ghost: GhostStandIn) -> None:
    give_access("ada@example.org")
    ghost.revoke_key()
    jobs.run_due_jobs("ghost")
    found = check_services(at=timezone.now(), is_stripe_broken=False)
    assert found[Problem.Kind.GHOST_KEY] == "HTTP 401 UNKNOWN_ADMIN_API_KEY"
    assert found[Problem.Kind.GHOST] is None
    problem = Problem.objects.create(kind=Problem.Kind.GHOST_KEY)
    assert "GHOST_ADMIN_KEY" in problem.cure
    shown = {each.name: each for each in health.check_setup(at=timezone.now())}
    assert shown["ghost"].state is health.State.BAD
