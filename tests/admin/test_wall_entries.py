"""Staff read what new members wrote for the campaign page, and show or hide it."""

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns.models import Campaign, WallEntry
from tests.support.factories import make_campaign, make_member
from tests.support.staff import (
    admin_url,
    read_messages,
    read_page,
    run_action,
    sign_in_staff,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def wall() -> Campaign:
    campaign = make_campaign(shows_wall=True)
    for name in ("Ada", "Ben"):
        WallEntry.objects.create(
            campaign=campaign,
            member=make_member(f"{name.lower()}@example.org"),
            first_name=name,
            sentence=f"{name} reads.",
        )
    return campaign


@pytest.fixture
def publisher(client: Client) -> User:
    user = User.objects.create_user("publisher", password="long-and-unguessed", is_staff=True)
    user.groups.add(Group.objects.get(name="publisher"))
    sign_in_staff(client, user)
    return user


def test_a_publisher_reads_and_shows_what_waits(
    client: Client, wall: Campaign, publisher: User
) -> None:
    home = read_page(client.get("/admin/"))
    assert "Entries on the wall: show or hide them" in home
    assert "/admin/campaigns/wallentry/?needs=to-read" in home
    waiting = client.get(admin_url(WallEntry, "changelist"), {"needs": "to-read"})
    assert "Ada reads." in read_page(waiting)
    ada, ben = WallEntry.objects.order_by("pk")
    preview = client.post(
        admin_url(WallEntry, "changelist"),
        {"action": "show_on_wall", "_selected_action": [ada.pk, ben.pk]},
    )
    assert "as they are here" in read_page(preview)
    assert "Ben reads." in read_page(preview)
    assert not WallEntry.objects.filter(status="shown").exists()
    done = run_action(client, WallEntry, "show_on_wall", ada.pk, ben.pk)
    assert read_messages(done) == "2 entries shown on the campaign page."
    assert set(WallEntry.objects.values_list("status", "decided_by")) == {("shown", publisher.pk)}
    assert Campaign.objects.get().publish_at is not None
    assert "Entries on the wall: show" not in read_page(client.get("/admin/"))
    done = run_action(client, WallEntry, "hide_from_wall", ben.pk)
    assert read_messages(done) == "1 entry hidden from the campaign page."
    done = run_action(client, WallEntry, "hide_from_wall", ben.pk)
    assert "decided already" in read_messages(done)


def test_the_history_says_who_decided_and_keeps_no_words(
    client: Client, wall: Campaign, publisher: User
) -> None:
    ada = WallEntry.objects.get(first_name="Ada")
    run_action(client, WallEntry, "show_on_wall", ada.pk)
    [entry] = LogEntry.objects.get_for_object(ada)
    assert entry.actor == publisher
    assert entry.changes == {"status": ["waiting", "shown"]}
    assert "Ada" not in f"{entry.object_repr} {entry.changes}"


def test_a_campaign_without_a_wall_asks_nobody_to_read(
    client: Client, wall: Campaign, publisher: User
) -> None:
    Campaign.objects.update(shows_wall=False)
    assert "Entries on the wall: show" not in read_page(client.get("/admin/"))


def test_an_entry_is_shown_and_hidden_on_its_own_page(
    client: Client, wall: Campaign, publisher: User
) -> None:
    ada = WallEntry.objects.get(first_name="Ada")
    show, hide = (admin_url(WallEntry, page, ada.pk) for page in ("show", "hide"))
    own = read_page(client.get(admin_url(WallEntry, "change", ada.pk)))
    assert show in own
    assert hide in own
    assert "“Ada reads.”" in read_page(client.get(show))
    assert WallEntry.objects.get(pk=ada.pk).status == "waiting"
    done = client.post(show, {"seen": "0"}, follow=True)
    assert read_messages(done) == "1 entry shown on the campaign page."
    assert WallEntry.objects.get(pk=ada.pk).status == "shown"
    assert show not in read_page(done)
    assert "decided already" in read_messages(client.get(show, follow=True))
    done = client.post(hide, {"seen": "0"}, follow=True)
    assert read_messages(done) == "1 entry hidden from the campaign page."
    assert WallEntry.objects.get(pk=ada.pk).status == "hidden"
