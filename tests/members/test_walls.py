"""The wall: new members write a few words, staff approve them, the campaign page shows them."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import actions, banners, jobs, members, progress
from campaigns.banners.files import PAGE as PAGE_FILE
from campaigns.banners.files import WALL
from campaigns.models import Campaign, Checkout, Member, WallEntry
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at, make_campaign, make_member, make_payment, recount_campaign
from tests.support.pages import error_beside, main_of, read_form
from tests.support.refunds import refund_at_stripe
from tests.support.sales import buy
from tests.support.sign_in import open_account_page, sign_in

WORDS = {"first_name": "Ada", "town": "Lviv", "sentence": "You were there at night."}
ACCOUNT_WALL = "/membership/account/wall/birthday/"

pytestmark = pytest.mark.django_db


@pytest.fixture
def noon() -> Iterator[None]:
    with time_machine.travel(at("2026-11-10 12:00"), tick=False):
        yield


@pytest.fixture
def wall(noon: None) -> Campaign:
    """A running campaign with a wall and three members who count."""
    campaign = make_campaign(shows_wall=True)
    for name in ("ada", "ben", "cleo"):
        make_payment(make_member(f"{name}@example.org"), campaign, "2026-11-02 10:00")
    recount_campaign(campaign)
    return campaign


@pytest.fixture
def editor(db: None) -> User:
    return User.objects.create_user("editor")


def find(name: str) -> Member:
    return Member.objects.get(email=f"{name}@example.org")


def write(campaign: Campaign, name: str = "ada", **words: str) -> WallEntry:
    return actions.write_wall_entry(find(name), campaign, language="en", **WORDS | words)


def published(campaign: Campaign, name: str = PAGE_FILE) -> str:
    """Publish what is due, and return the file of the campaign page."""
    jobs.run_due_jobs("banners")
    return " ".join((Path(settings.PUBLISH_DIR) / "birthday" / "en" / name).read_text().split())


def test_words_wait_until_staff_show_them(wall: Campaign, editor: User) -> None:
    entry = write(wall)
    assert "Lviv" not in published(wall)
    assert actions.show_wall_entry(entry, by=editor)
    page = published(wall)
    assert '<blockquote dir="auto">You were there at night.</blockquote>' in page
    assert "<strong><bdi>Ada</bdi></strong>, <bdi>Lviv</bdi>" in page
    assert "and 2 more new members" in page
    entry.refresh_from_db()
    assert (entry.decided_by, entry.decided_at) == (editor, timezone.now())


def test_hidden_words_leave_the_published_page_at_once(wall: Campaign, editor: User) -> None:
    entry = write(wall)
    actions.show_wall_entry(entry, by=editor)
    assert "Lviv" in published(wall)
    assert actions.hide_wall_entry(entry, by=editor)
    assert "Lviv" not in published(wall)  # the clock hasn't moved
    assert not actions.hide_wall_entry(entry, by=editor)
    assert actions.show_wall_entry(entry, by=editor)
    assert "Lviv" in published(wall)


def test_the_total_is_the_true_one(wall: Campaign, editor: User) -> None:
    for name in ("ada", "ben", "cleo"):
        actions.show_wall_entry(write(wall, name, first_name=name.title()), by=editor)
    assert "more new member" not in published(wall)
    outsider = make_member("dan@example.org")
    make_payment(outsider, wall, "2026-10-02 10:00")  # before the campaign
    recount_campaign(wall)
    with pytest.raises(actions.NotOnWall):
        write(wall, "dan")
    wall.tallies.filter(member=find("ben")).update(counted_until=timezone.now())
    banners.request_publishing(wall.pk)
    page = published(wall)
    assert "<strong><bdi>Ben</bdi></strong>" not in page  # Ben counts no more
    assert page.count('class="wall-entry"') == 2
    assert "more new member" not in page
    assert progress.measure_campaign(wall, at=timezone.now())[0].counted == 2


def test_only_the_newest_are_named_and_the_rest_is_counted(
    wall: Campaign, editor: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("campaigns.banners.walls.MOST_NAMED", 1)
    for name in ("ada", "ben"):
        actions.show_wall_entry(write(wall, name, first_name=name.title()), by=editor)
    page = published(wall)
    assert "<strong><bdi>Ben</bdi></strong>" in page
    assert "<strong><bdi>Ada</bdi></strong>" not in page
    assert "and 2 more new members" in page


def test_new_words_wait_again_and_are_not_approved_unread(wall: Campaign, editor: User) -> None:
    read = write(wall)
    assert write(wall) == read  # sent twice
    actions.show_wall_entry(read, by=editor)
    assert "at night" in published(wall)
    new = write(wall, sentence="Buy my book!")
    assert new.status == WallEntry.Status.WAITING
    assert "at night" not in published(wall)
    assert not actions.show_wall_entry(read, by=editor)  # a colleague approves what was there
    assert "Buy my book" not in published(wall)
    assert WallEntry.objects.get() == new


def test_no_entry_goes_back_to_waiting() -> None:
    from_shown = WallEntry.MOVES[WallEntry.Status.SHOWN]
    assert from_shown == {WallEntry.Status.HIDDEN}
    assert set(WallEntry.MOVES) == set(WallEntry.Status)
    assert all(WallEntry.Status.WAITING not in after for after in WallEntry.MOVES.values())


def test_the_wall_screen_shows_no_words(wall: Campaign, editor: User) -> None:
    actions.show_wall_entry(write(wall), by=editor)
    assert "Lviv" in published(wall)
    assert "Lviv" not in published(wall, WALL)


def test_markup_stays_text(wall: Campaign, editor: User) -> None:
    actions.show_wall_entry(write(wall, sentence="<b>Read</b> & be well"), by=editor)
    assert "&lt;b&gt;Read&lt;/b&gt; &amp; be well" in published(wall)


def test_words_of_either_direction_keep_their_order(wall: Campaign, editor: User) -> None:
    actions.show_wall_entry(write(wall, town="חיפה", sentence="قرأت «The Post»."), by=editor)
    page = published(wall)
    assert '<blockquote dir="auto">قرأت «The Post».</blockquote>' in page
    assert "<strong><bdi>Ada</bdi></strong>, <bdi>חיפה</bdi>" in page


def test_without_a_wall_nobody_is_asked(wall: Campaign, editor: User, client: Client) -> None:
    actions.show_wall_entry(write(wall), by=editor)
    Campaign.objects.update(shows_wall=False)
    banners.request_publishing(wall.pk)
    assert "Lviv" not in published(wall)
    sign_in(client, "ben@example.org")
    assert "Add my name" not in open_account_page(client)
    assert client.get(ACCOUNT_WALL).status_code == 404
    sign_in(client, "ada@example.org")  # she can still take her words back
    form = client.get(ACCOUNT_WALL)
    assert 'name="first_name"' not in main_of(form)
    client.post(ACCOUNT_WALL, read_form(form).fields | {"remove": "yes"})
    assert not WallEntry.objects.exists()


# The form


def test_a_member_writes_and_removes_words_on_the_account_page(
    wall: Campaign, editor: User, client: Client
) -> None:
    sign_in(client)
    assert "Add my name" in open_account_page(client)
    form = client.get(ACCOUNT_WALL)
    answer = client.post(ACCOUNT_WALL, read_form(form).fields | WORDS | {"agrees": "on"})
    assert (answer.status_code, answer["Location"]) == (303, "/membership/account/#wall")
    page = open_account_page(client)
    assert "An editor will read your entry" in page
    assert "You were there at night." in page
    assert members.gather_data(find("ada"))["on_walls"][0]["town"] == "Lviv"
    actions.show_wall_entry(WallEntry.objects.get(), by=editor)
    assert "Lviv" in published(wall)
    client.post(ACCOUNT_WALL, {"remove": "yes"})
    assert "Lviv" not in published(wall)
    assert not WallEntry.objects.exists()


@pytest.mark.parametrize(
    ("field", "text", "error"),
    [
        ("first_name", "", "Enter a name."),
        ("first_name", "x" * 41, "Ensure this value has at most 40 characters (it has 41)."),
        ("sentence", "x" * 161, "Ensure this value has at most 160 characters (it has 161)."),
        ("sentence", "Read https://spam.example", "Leave out links"),
        ("sentence", "Read WWW.spam", "Leave out links"),
        ("sentence", "Read spam.example", "Leave out links"),
        ("sentence", "Читайте спам.укр", "Leave out links"),
        ("town", "me@spam", "Leave out links"),
        ("sentence", "Hidden\x07bell", "Remove the invisible characters"),
    ],
)
def test_links_and_long_texts_are_refused(
    wall: Campaign, client: Client, field: str, text: str, error: str
) -> None:
    sign_in(client)
    answer = client.post(ACCOUNT_WALL, {**WORDS, "agrees": "on", field: text})
    assert answer.status_code == 422
    assert error_beside(answer, field).startswith(error)
    assert not WallEntry.objects.exists()


def test_nothing_is_shown_without_the_tick(wall: Campaign, client: Client) -> None:
    sign_in(client)
    answer = client.post(ACCOUNT_WALL, WORDS)
    assert error_beside(answer, "agrees") == "Tick this box, so that we may show it."


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  One\r\nsentence.  ", "One sentence."),
        ("It costs 3.50 a week, e.g. less.", "It costs 3.50 a week, e.g. less."),
        ("re\u202etsil\u200b", "retsil"),
        ("Так! 👩‍👩‍👧", "Так! 👩‍👩‍👧"),
    ],
)
def test_a_sentence_is_one_clean_line(
    wall: Campaign, client: Client, typed: str, kept: str
) -> None:
    sign_in(client)
    client.post(ACCOUNT_WALL, WORDS | {"agrees": "on", "sentence": typed})
    assert WallEntry.objects.get().sentence == kept


# The person


def test_an_erasure_takes_the_words_at_once(
    wall: Campaign, editor: User, django_capture_on_commit_callbacks: Any
) -> None:
    actions.show_wall_entry(write(wall), by=editor)
    assert "Lviv" in published(wall)
    with django_capture_on_commit_callbacks(execute=True):
        actions.request_erasure(find("ada"))
    assert not WallEntry.objects.exists()
    assert "Lviv" not in published(wall)
    with pytest.raises(actions.MemberGone):
        write(wall)


@pytest.mark.parametrize("kept_has_words", [True, False])
def test_a_merge_keeps_one_entry(wall: Campaign, kept_has_words: bool) -> None:
    gone = write(wall, "ben", first_name="Ben")
    kept = write(wall) if kept_has_words else gone
    actions.merge_members(kept=find("ada"), gone=find("ben"))
    assert WallEntry.objects.get() == kept
    assert WallEntry.objects.get().member == find("ada")


def test_the_thank_you_page_offers_the_wall_after_the_payment(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    Campaign.objects.update(shows_wall=True)
    checkout = buy(campaign, sandbox)
    thanks = f"/membership/thanks/{checkout.pk}/"
    assert f'href="{thanks}wall/"' in main_of(client.get(thanks))
    form = read_form(client.get(f"{thanks}wall/"))
    assert form.fields["first_name"] == "Ada"
    sent: Any = form.fields | {"sentence": "At night.", "agrees": "on"}
    assert client.post(f"{thanks}wall/", sent)["Location"] == f"{thanks}#wall"
    assert "An editor will read your entry" in main_of(client.get(thanks))
    with time_machine.travel(timezone.now() + timedelta(seconds=5)):
        refund_at_stripe(checkout.payments.get(), 6000)
        assert not WallEntry.objects.visible(at=timezone.now()).exists()


def test_buyers_of_gifts_and_unpaid_orders_are_not_asked(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    Campaign.objects.update(shows_wall=True)
    gift = buy(campaign, sandbox, "gift")
    assert "wall/" not in main_of(client.get(f"/membership/thanks/{gift.pk}/"))
    assert client.get(f"/membership/thanks/{gift.pk}/wall/").status_code == 404
    Checkout.objects.filter(pk=gift.pk).update(kind="join", status="expired")
    assert client.get(f"/membership/thanks/{gift.pk}/wall/").status_code == 404
