"""Scenes of a membership in Ghost: played with the real Ghost and with its stand-in.

Each scene has people of its own: the real Ghost keeps those of earlier scenes.
"""

import io
from dataclasses import dataclass
from datetime import timedelta

import time_machine
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from campaigns import actions, ghost, jobs, members, memberships
from campaigns.models import (
    Campaign,
    GhostMember,
    GhostSite,
    Member,
    Membership,
    Plan,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.erasures import erase
from tests.support.factories import make_member, make_plan
from tests.support.ghost_admin import AnyGhost, GhostAdmin, labels_of, tiers_of
from tests.support.refunds import refund_at_stripe
from tests.support.sales import buy

LABEL = "campaign:birthday"


@dataclass
class Stage:
    """What a scene plays with: our application, and a Ghost whose `other_tier` nobody sells."""

    campaign: Campaign
    sandbox: SandboxControl
    ghost: AnyGhost
    admin: GhostAdmin
    settings: LazySettings
    tier: str
    other_tier: str

    def join(self, email: str) -> Member:
        """Buy a membership of a year, and bring Ghost in line."""
        buy(self.campaign, self.sandbox, "once", email=email)
        sync()
        return Member.objects.get(email=email)

    def grant(self, email: str, *, months: int = 6) -> Member:
        """Grant a membership, which has no campaign, and bring Ghost in line."""
        staff, _is_new = User.objects.get_or_create(username="desk")
        member = make_member(email)
        plan = Plan.objects.first() or make_plan()
        now = timezone.now()
        actions.grant_membership(
            member, plan=plan, starts_at=now, months=months, by=staff, note="for the test"
        )
        sync()
        return member


def sync() -> None:
    """Let the jobs run that lead to Ghost; the second run finds what the first one made due."""
    jobs.run_due_jobs("lapses", "accesses", "ghost")
    jobs.run_due_jobs("ghost")


def hurry_all() -> None:
    """Make all time pass that Ghost and its rows wait."""
    ghost.stop_resting()
    GhostMember.objects.filter(due_at__isnull=False).update(due_at=timezone.now())


def write_end(member: Member) -> str:
    """Return the end of a member's access as Ghost writes it."""
    until = memberships.access_until(member, timezone.now())
    assert until is not None
    return f"{until:%Y-%m-%dT%H:%M:%S}.000Z"


def end_now(member: Member) -> None:
    member.memberships.update(ends_at=timezone.now())
    sync()


def row_of(member: Member) -> GhostMember:
    return GhostMember.objects.get(member=member)


def join_and_refund(stage: Stage) -> None:
    """Whoever joins has access until the same day; whoever is refunded has none."""
    member = stage.join("ada@example.org")
    ada = stage.admin.read("ada@example.org")
    assert (ada["status"], labels_of(ada)) == ("comped", [LABEL])
    assert tiers_of(ada) == {stage.tier: write_end(member)}
    assert (ada["name"], ada["newsletters"]) == ("Ada Reader", [])
    assert row_of(member).due_at is None
    assert members.gather_data(member)["in_ghost"][0]["id"] == ada["id"]
    refund_at_stripe(member.payments.get(), 6000)
    sync()
    ada = stage.admin.read("ada@example.org")
    assert (ada["status"], tiers_of(ada), labels_of(ada)) == ("free", {}, [LABEL])


def lapse_and_return(stage: Stage) -> None:
    """Whoever lapses loses access, and gets it again with the next membership."""
    member = stage.grant("lapsing@example.org")
    assert stage.admin.read("lapsing@example.org")["status"] == "comped"
    end_now(member)
    ended = stage.admin.read("lapsing@example.org")
    assert (ended["status"], tiers_of(ended)) == ("free", {})
    Membership.objects.update(ends_at=None, ended_at=None, status=Membership.Status.ACTIVE)
    memberships.announce_access([member])
    sync()
    back = stage.admin.read("lapsing@example.org")
    assert (back["id"], back["status"]) == (ended["id"], "comped")
    assert tiers_of(back) == {stage.tier: None}


def keep_what_ghost_has(stage: Stage) -> None:
    """What somebody has in Ghost already stays as it is; capital letters make nobody new."""
    before = stage.admin.add(
        "Early.Reader@Example.org", name="Early", note="friend", labels=[{"name": "VIP"}]
    )
    newsletters = [each["id"] for each in before["newsletters"]]
    assert newsletters
    member = stage.join("early.reader@example.org")
    now = stage.admin.read("Early.Reader@Example.org")
    assert (now["id"], now["name"], now["note"]) == (before["id"], "Early", "friend")
    assert (now["status"], labels_of(now)) == ("comped", ["VIP", LABEL])
    assert [each["id"] for each in now["newsletters"]] == newsletters
    stage.admin.change(now, name="Renamed", labels=[{"name": "VIP"}], newsletters=[])
    GhostMember.objects.note_changes([member.pk])
    sync()
    now = stage.admin.read("Early.Reader@Example.org")
    assert (now["name"], labels_of(now), now["newsletters"]) == ("Renamed", ["VIP"], [])
    end_now(member)
    now = stage.admin.read("Early.Reader@Example.org")
    assert (now["status"], now["name"], labels_of(now)) == ("free", "Renamed", ["VIP"])


def leave_payers_alone(stage: Stage) -> None:
    """Members who pay in Ghost are left alone, and named."""
    stage.admin.add("payer@example.org")
    stage.ghost.pay("payer@example.org")
    before = stage.admin.read("payer@example.org")
    member = stage.join("payer@example.org")
    assert stage.admin.read("payer@example.org") == before
    assert row_of(member).state == GhostMember.State.PAYS
    assert "payer@example.org" in ghost.compare_with_ghost(dry_run=True).paying
    refund_at_stripe(member.payments.get(), 6000)
    sync()
    assert stage.admin.read("payer@example.org") == before
    erase(member)
    sync()
    assert stage.admin.read("payer@example.org") == before


def leave_gifts_of_staff_alone(stage: Stage) -> None:
    """Complimentary access that Ghost's own staff gave stays, on another tier or for longer."""
    free = stage.admin.add("guest@example.org")
    stage.admin.change(free, tiers=[{"id": stage.other_tier, "expiry_at": None}])
    free = stage.admin.add("friend@example.org")
    stage.admin.change(free, tiers=[{"id": stage.tier, "expiry_at": None}])
    for email, tier in (
        ("guest@example.org", stage.other_tier),
        ("friend@example.org", stage.tier),
    ):
        member = stage.grant(email)
        assert row_of(member).state == GhostMember.State.OTHER
        end_now(member)
        assert tiers_of(stage.admin.read(email)) == {tier: None}
    assert row_of(member).state == GhostMember.State.ENDED


def follow_addresses(stage: Stage) -> None:
    """A new address here is one in Ghost; one that was changed in Ghost stays."""
    member = stage.grant("old@example.org")
    before = stage.admin.read("old@example.org")
    members.set_address(member, "new@example.org", at=timezone.now())
    sync()
    assert stage.admin.read("new@example.org")["id"] == before["id"]
    stage.admin.change(before, email="moved.there@example.org")
    GhostMember.objects.note_changes([member.pk])
    sync()
    assert stage.admin.read("moved.there@example.org")["id"] == before["id"]
    assert row_of(member).state == GhostMember.State.MOVED
    end_now(member)
    assert stage.admin.read("moved.there@example.org")["status"] == "free"


def follow_to_a_known_address(stage: Stage) -> None:
    """If Ghost has the new address as well, that member gets the access of the first one."""
    member = stage.grant("first@example.org")
    stage.admin.add("Second@example.org", labels=[{"name": "VIP"}])
    members.set_address(member, "second@example.org", at=timezone.now())
    sync()
    assert stage.admin.find("first@example.org") is None
    second = stage.admin.read("Second@example.org")
    assert (second["status"], labels_of(second)) == ("comped", ["VIP"])


def merge_duplicates(stage: Stage) -> None:
    """Of two merged members, one has access in Ghost, and what we gave the other is gone."""
    kept, gone = stage.grant("kept@example.org"), stage.grant("gone@example.org", months=9)
    actions.merge_members(kept=kept, gone=gone)
    sync()
    assert stage.admin.find("gone@example.org") is None
    assert tiers_of(stage.admin.read("kept@example.org")) == {stage.tier: write_end(kept)}
    other = stage.grant("other@example.org")
    before = stage.admin.read("other@example.org")
    alone = make_member("alone@example.org")
    actions.merge_members(kept=alone, gone=other)
    sync()
    assert stage.admin.read("alone@example.org")["id"] == before["id"]


def erase_people(stage: Stage) -> None:
    """An erasure takes back what came from us: the whole person, if nothing else is there."""
    stage.admin.add("known@example.org", labels=[{"name": "VIP"}], newsletters=[])
    ours, known = stage.join("ours@example.org"), stage.join("known@example.org")
    noted = stage.join("noted@example.org")
    stage.admin.change(stage.admin.read("noted@example.org"), note="writes letters")
    for member in (ours, known, noted):
        erase(member)
    sync()
    assert stage.admin.find("ours@example.org") is None
    for email, labels in (("known@example.org", ["VIP"]), ("noted@example.org", [])):
        left = stage.admin.read(email)
        assert (left["status"], tiers_of(left), labels_of(left)) == ("free", {}, labels)
    assert not GhostMember.objects.filter(member__in=[ours, known, noted]).exists()
    assert not GhostMember.objects.filter(member=None).exists()


def fill_ghost(stage: Stage) -> None:
    """The first run brings members from before Ghost was connected there; a dry run does not."""
    url, stage.settings.GHOST_URL = stage.ghost.url, ""
    emails = [f"before{number}@example.org" for number in range(3)]
    people = [stage.grant(email) for email in emails]
    stage.settings.GHOST_URL = url
    stage.admin.add("Before0@Example.org", name="Known")
    output = io.StringIO()
    call_command("sync_ghost", dry_run=True, stdout=output)
    assert f"2 to add or to give access: {emails[1]}, {emails[2]}" in output.getvalue()
    assert "1 to change: Before0@Example.org" in output.getvalue()
    assert stage.admin.find(emails[1]) is None
    call_command("sync_ghost", stdout=output, stderr=output)
    assert output.getvalue().endswith("Ghost is in line.\n")
    for member, email in zip(people, ["Before0@Example.org", *emails[1:]], strict=True):
        assert tiers_of(stage.admin.read(email)) == {stage.tier: write_end(member)}


def find_and_repair_drift(stage: Stage) -> None:
    """The nightly comparison finds what differs, and the job mends it."""
    right, longer = stage.grant("right@example.org"), stage.grant("longer@example.org")
    removed, ended = stage.grant("removed@example.org"), stage.grant("ended@example.org")
    stage.grant("deleted@example.org")
    change, read = stage.admin.change, stage.admin.read
    tier = {"id": stage.tier, "expiry_at": "2036-01-01T00:00:00.000Z"}
    change(read("longer@example.org"), tiers=[tier])
    change(read("removed@example.org"), tiers=[])
    status, _answer = stage.admin.call("DELETE", f"/members/{read('deleted@example.org')['id']}/")
    assert status == 204
    over = {"status": Membership.Status.ENDED, "ended_at": timezone.now()}
    Membership.objects.filter(member=ended).update(**over)  # told to nobody
    found = ghost.compare_with_ghost(dry_run=True)
    assert (found.equal, [each.email for each in found.missing]) == (1, ["deleted@example.org"])
    assert sorted(found.differing) == ["longer@example.org", "removed@example.org"]
    assert found.ending == ["ended@example.org"]
    sync()
    assert tiers_of(read("removed@example.org")) == {}, "a dry run changes nothing"
    ghost.compare_with_ghost()
    sync()
    for member in (right, longer, removed):
        assert tiers_of(read(member.email)) == {stage.tier: write_end(member)}
    assert read("ended@example.org")["status"] == "free"
    assert read("deleted@example.org")["status"] == "comped"
    assert ghost.compare_with_ghost().is_equal
    assert GhostSite.read().differences["missing"] == 0


def survive_an_outage(stage: Stage) -> None:
    """While Ghost is down for an hour, it is asked rarely and nothing is lost.

    The last change is what counts. Its process is stopped, and started an hour later by our clock:
    Ghost takes tokens of a clock that is fast.
    """
    before = stage.grant("before@example.org")
    stage.ghost.stop()
    with time_machine.travel(timezone.now()) as clock:
        during, short = stage.grant("during@example.org"), stage.grant("short@example.org")
        end_now(before)
        end_now(short)
        pass_time(clock, hours=1)
        assert ghost.find_trouble() == (GhostSite.Trouble.DOWN, "The server didn’t answer.")
        assert 3 <= GhostSite.read().failures <= 20, "it was asked rarely"
        assert GhostMember.objects.filter(due_at__isnull=False).count() == 3
        back_at = timezone.now()
    stage.ghost.start_again()
    assert stage.admin.read("before@example.org")["status"] == "comped"
    with time_machine.travel(back_at) as clock:
        pass_time(clock, minutes=15)
        assert ghost.find_trouble() is None
        pass_time(clock, hours=1)
        assert stage.admin.read("before@example.org")["status"] == "free"
        assert tiers_of(stage.admin.read("during@example.org")) == {stage.tier: write_end(during)}
        assert stage.admin.find("short@example.org") is None
    assert not GhostMember.objects.filter(due_at__isnull=False).exists()


def pass_time(clock: time_machine.Traveller, **how_long: float) -> None:
    """Run the job every 15 seconds, as beat does."""
    until = timezone.now() + timedelta(**how_long)
    while timezone.now() < until:
        clock.shift(15)
        jobs.run_due_jobs("ghost")


def bear_another_clock(stage: Stage) -> None:
    """A clock that is minutes slow or fast is borne; one that is slower is named."""
    now = timezone.now()
    for minutes in (-4, 4, 30):
        with time_machine.travel(now + timedelta(minutes=minutes)):
            stage.grant(f"clock{minutes}@example.org")
        assert stage.admin.read(f"clock{minutes}@example.org")["status"] == "comped"
    with time_machine.travel(now - timedelta(minutes=10)):
        stage.grant("slow@example.org")
        assert ghost.find_trouble() == (GhostSite.Trouble.KEY, "HTTP 401 INVALID_JWT")


def wait_for_a_tier(stage: Stage) -> None:
    """An archived, unknown or ambiguous tier is named, and not asked for again and again."""
    for number, wanted in enumerate(("Old", "unknown", "")):
        email = f"tier{number}@example.org"
        stage.settings.GHOST_TIER = wanted
        stage.grant(email)
        trouble = ghost.find_trouble()
        assert trouble is not None
        assert trouble[0] == GhostSite.Trouble.TIER
        assert stage.admin.find(email) is None
        assert not ghost.select_due_members().exists(), "Ghost is asked again later"
        stage.settings.GHOST_TIER = "SUPPORTER"
        hurry_all()
        sync()
        assert ghost.find_trouble() is None
        assert list(tiers_of(stage.admin.read(email))) == [stage.other_tier]


def wait_for_a_key(stage: Stage) -> None:
    """A revoked key is named. It is the last scene: the real Ghost has no other key."""
    stage.ghost.revoke_key()
    member = stage.grant("locked@example.org")
    trouble = ghost.find_trouble()
    assert trouble is not None
    assert trouble[0] == GhostSite.Trouble.KEY
    assert row_of(member).due_at is not None
    assert not ghost.select_due_members().exists()
