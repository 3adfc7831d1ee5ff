"""Ghost as staff see it: the command, the list in the admin, checks and the nightly task."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from campaigns import ghost as adapter
from campaigns import jobs, memberships, tasks
from campaigns.ghost.checks import check_ghost
from campaigns.models import GhostMember, GhostSite, Newsletter
from tests.ghost.test_outages import give_access
from tests.support.factories import make_member
from tests.support.ghost_admin import GhostAdmin, tiers_of
from tests.support.ghost_stand_in import GhostStandIn
from tests.support.staff import admin_url, read_page, run_action, sign_in_staff

pytestmark = pytest.mark.django_db
KEY = f"{'a' * 24}:{'b' * 64}"


def sync_ghost(**options: Any) -> str:
    output = io.StringIO()
    call_command("sync_ghost", stdout=output, stderr=io.StringIO(), **options)
    return output.getvalue()


def test_the_first_run_shows_what_it_will_do_and_then_does_it(
    ghost: GhostStandIn, admin: GhostAdmin, settings: LazySettings
) -> None:
    settings.GHOST_URL = ""  # they joined before the newsroom had Ghost
    people = [give_access(f"reader{number}@example.org") for number in range(3)]
    settings.GHOST_URL = ghost.url
    admin.add("Reader1@Example.org", name="Known")
    admin.add("payer@example.org")
    ghost.pay("payer@example.org")
    give_access("payer@example.org")
    output = sync_ghost(dry_run=True)
    assert "2 members in Ghost, 4 with access here" in output
    assert "2 to add or to give access: reader0@example.org, reader2@example.org" in output
    assert "1 to change: Reader1@Example.org" in output
    assert "1 left alone, because they pay in Ghost: payer@example.org" in output
    assert "Nothing was changed." in output
    assert len(admin.list_members()) == 2
    assert "Ghost is in line." in sync_ghost()
    assert [each["status"] for each in admin.list_members()] == [
        *("comped", "paid", "comped", "comped")
    ]
    output = sync_ghost()
    assert f"{len(people)} are in line" in output
    assert "to change" not in output


def test_staff_see_which_newsletters_ghost_has(
    ghost: GhostStandIn, client: Client, admin_user: User
) -> None:
    letter = Newsletter.objects.create(slug="daily", name="Daily", ghost_slug="dayly")
    output = sync_ghost(dry_run=True)
    assert "Newsletters in Ghost: default-newsletter\n" in output
    assert "Not among them, but set in our newsletters: dayly\n" in output
    sign_in_staff(client, admin_user)
    page = read_page(client.get(admin_url(Newsletter, "change", letter.pk)))
    assert "Newsletters in your Ghost: default-newsletter." in page


def test_the_first_run_names_what_is_missing(
    ghost: GhostStandIn, admin: GhostAdmin, settings: LazySettings
) -> None:
    give_access("ada@example.org")
    ghost.is_connected = False
    with pytest.raises(CommandError, match="Connect Ghost to Stripe") as error:
        sync_ghost()
    assert error.value.returncode == 2
    assert not admin.list_members()
    settings.GHOST_TIER = "unknown"
    with pytest.raises(CommandError, match="Set GHOST_TIER") as error:
        sync_ghost()
    assert error.value.returncode == 2
    ghost.revoke_key()
    with pytest.raises(CommandError, match="Set GHOST_ADMIN_KEY"):
        sync_ghost()
    ghost.is_down = True
    with pytest.raises(CommandError, match="did not answer"):
        sync_ghost(dry_run=True)
    settings.GHOST_URL = ""
    with pytest.raises(CommandError, match="Set GHOST_URL"):
        sync_ghost()


def test_the_command_fails_while_ghost_refuses_somebody(
    ghost: GhostStandIn, admin: GhostAdmin
) -> None:
    admin.add("rene@example.org")
    give_access("rené@example.org")
    with pytest.raises(CommandError, match="Ghost refused 1 members") as error:
        sync_ghost()
    assert error.value.returncode == 1


def test_every_night_ghost_is_compared_and_mended(ghost: GhostStandIn, admin: GhostAdmin) -> None:
    member = give_access("ada@example.org")
    jobs.run_due_jobs("ghost")
    admin.change(admin.read("ada@example.org"), tiers=[])
    tasks.compare_ghost()
    assert GhostSite.read().differences["differing"] == 1
    jobs.run_due_jobs("ghost")
    assert len(tiers_of(admin.read("ada@example.org"))) == 1
    assert GhostMember.objects.get(member=member).due_at is None
    ghost.is_down = True
    tasks.compare_ghost()
    assert GhostSite.read().trouble == GhostSite.Trouble.DOWN


def test_staff_see_the_members_and_bring_them_in_line(
    ghost: GhostStandIn, admin: GhostAdmin, client: Client
) -> None:
    admin.add("rene@example.org")
    give_access("rené@example.org")
    jobs.run_due_jobs("ghost")
    adapter.compare_with_ghost()
    desk = User.objects.create_user("dora", is_staff=True)
    desk.groups.add(Group.objects.get(name="supporter desk"))
    sign_in_staff(client, desk)
    url = admin_url(GhostMember, "changelist")
    page = read_page(client.get(url, {"needs": "refused-by-ghost"}))
    assert "refused by Ghost</span>: HTTP 422 ValidationError email" in page
    assert "Compared with Ghost on" in page
    assert "Members that Ghost refused" in read_page(client.get("/admin/"))
    row = GhostMember.objects.get()
    GhostSite.write(rests_until=timezone.now() + timedelta(minutes=10))
    assert not adapter.select_due_members().exists()
    run_action(client, GhostMember, "sync_now", row.pk)
    assert adapter.select_due_members().filter(pk=row.pk, due_at__lte=timezone.now()).exists()


@pytest.mark.parametrize(
    ("url", "key", "found"),
    [
        ("", "", []),
        ("https://www.example.org", KEY, []),
        ("http://ghost:2368", KEY, []),
        ("http://127.0.0.1:2368/blog", KEY, []),
        ("http://www.example.org", KEY, ["campaigns.E071"]),
        ("www.example.org", KEY, ["campaigns.E071"]),
        ("https://user:secret@www.example.org", KEY, ["campaigns.E071"]),
        ("", KEY, ["campaigns.E071"]),
        ("https://www.example.org", "", ["campaigns.E072"]),
        ("https://www.example.org", "22444f78447824223cefc48062", ["campaigns.E072"]),
    ],
)
def test_wrong_settings_are_named_with_the_cure(
    settings: LazySettings, url: str, key: str, found: list[str]
) -> None:
    settings.GHOST_URL, settings.GHOST_ADMIN_KEY = url, key
    errors = check_ghost()
    assert [error.id for error in errors] == found
    assert all("Settings, Integrations" in str(error.hint) for error in errors)


def test_somebody_without_access_is_not_added(ghost: GhostStandIn) -> None:
    memberships.announce_access([make_member("ada@example.org")])
    assert not GhostMember.objects.exists()
