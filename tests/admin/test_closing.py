"""Closing and reopening a campaign."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from campaigns import progress
from campaigns.models import Campaign, Goal, Payment
from tests.support.factories import at, make_member, make_payment, make_refund, recount_campaign
from tests.support.staff import admin_url, fill_in, grant_permissions, read_messages, read_page

pytestmark = pytest.mark.django_db(transaction=True)

AFTER = "2026-12-05 12:00"


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Freeze the time a few days after the campaign."""
    with time_machine.travel(at(AFTER), tick=False) as traveller:
        yield traveller


@pytest.fixture
def over(clock: time_machine.Traveller, birthday: Campaign) -> Campaign:
    """An ended campaign in which two members count."""
    for day in (3, 4):
        make_payment(make_member(), birthday, f"2026-11-0{day} 12:00")
    recount_campaign(birthday)
    return birthday


@pytest.fixture
def pending(over: Campaign) -> Payment:
    return make_payment(make_member(), over, "2026-11-30 20:00", status=Payment.Status.PENDING)


def close_url(campaign: Campaign) -> str:
    return admin_url(Campaign, "close", campaign.pk)


def close(client: Client, campaign: Campaign, **typed: str) -> Any:
    url = close_url(campaign)
    return client.post(url, fill_in(client, url, **typed), follow=True)


def is_closed(campaign: Campaign) -> bool:
    campaign.refresh_from_db()
    return campaign.closed_at is not None


def test_the_close_form_shows_the_count_and_asks_nothing_without_pending_payments(
    client: Client, editor: User, over: Campaign
) -> None:
    page = read_page(client.get(close_url(over)))
    assert "Current count: 2 of 1,000 new members." in page
    assert "without_pending" not in page
    response = close(client, over)
    assert "Campaign closed at 2 of 1,000 new members." in read_messages(response)
    assert "pending" not in read_messages(response)
    assert is_closed(over)
    assert (over.closed_by, over.final_counts) == ("editor", {"new_members": 2})
    assert over.publish_at is not None  # readers see it soon
    assert "Closed on 5 December 2026, 14:00 by editor at 2 of 1,000 new" in read_page(response)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (editor, str(over.pk))
    assert "Campaign closed at 2 of 1,000 new members." in entry.change_message


@pytest.mark.usefixtures("editor", "pending")
def test_pending_payments_have_to_be_confirmed(client: Client, over: Campaign) -> None:
    page = read_page(client.get(close_url(over)))
    assert "Close without the 1 pending payment" in page
    response = close(client, over)
    assert response.status_code == 422
    assert not is_closed(over)
    response = close(client, over, without_pending="on")
    assert "1 pending payment isn’t included." in read_messages(response)
    assert is_closed(over)


@pytest.mark.usefixtures("editor")
def test_a_payment_that_becomes_pending_later_has_to_be_confirmed(
    client: Client, over: Campaign
) -> None:
    fields = fill_in(client, close_url(over))
    make_payment(make_member(), over, "2026-11-30 20:00", status=Payment.Status.PENDING)
    assert client.post(close_url(over), fields).status_code == 422
    assert not is_closed(over)


@pytest.mark.usefixtures("editor")
def test_a_changed_count_is_shown_again_before_closing(client: Client, over: Campaign) -> None:
    fields = fill_in(client, close_url(over))
    make_refund(over.payments.order_by("pk")[0], "2026-12-04 12:00")
    recount_campaign(over)
    response = client.post(close_url(over), fields)
    assert response.status_code == 422
    page = read_page(response)
    assert "The numbers have changed since you opened this page." in page
    assert "Current count: 1 of 1,000 new members." in page
    assert not is_closed(over)
    close(client, over)
    assert is_closed(over)
    assert over.final_counts == {"new_members": 1}


@pytest.mark.usefixtures("editor")
def test_the_second_of_two_colleagues_reads_who_closed_it(client: Client, over: Campaign) -> None:
    fields = fill_in(client, close_url(over))
    progress.close_campaign(
        over.pk, by="ada", seen=progress.fingerprint(progress.measure_campaign(over, at=at(AFTER)))
    )
    response = client.post(close_url(over), fields, follow=True)
    assert "Closed on 5 December 2026, 14:00 by ada at 2 of 1,000 new members." in read_messages(
        response
    )
    over.refresh_from_db()
    assert over.closed_by == "ada"
    assert not LogEntry.objects.exists()


@pytest.mark.usefixtures("editor")
def test_a_running_campaign_cannot_be_closed(
    client: Client, over: Campaign, clock: time_machine.Traveller
) -> None:
    clock.move_to(at("2026-11-30 23:59:59"))
    client.force_login(User.objects.get())
    assert close_url(over) not in read_page(client.get(admin_url(Campaign, "change", over.pk)))
    for response in (
        client.get(close_url(over), follow=True),
        client.post(close_url(over), {"seen": "0"}, follow=True),
    ):
        assert "This campaign runs until today, 02:00" in read_messages(response)
    assert not is_closed(over)
    clock.move_to(at("2026-12-01 00:00"))
    assert close_url(over) in read_page(client.get(admin_url(Campaign, "change", over.pk)))


@pytest.mark.usefixtures("editor")
def test_a_campaign_without_a_goal_cannot_be_closed(client: Client, over: Campaign) -> None:
    over.goals.all().delete()
    assert "This campaign has no goal" in read_messages(client.get(close_url(over), follow=True))


def test_closing_needs_its_permission(client: Client, trainee: User, over: Campaign) -> None:
    grant_permissions(trainee, "view_campaign")
    pages = [admin_url(Campaign, page, over.pk) for page in ("change", "progress")]
    for url in pages:
        assert close_url(over) not in read_page(client.get(url))
    assert client.get(close_url(over)).status_code == 403
    assert client.post(close_url(over)).status_code == 403
    assert client.post(admin_url(Campaign, "reopen", over.pk), {"why": "x"}).status_code == 403
    assert not is_closed(over)
    grant_permissions(trainee, "close_campaign")
    for url in pages:
        assert close_url(over) in read_page(client.get(url))


@pytest.mark.usefixtures("editor")
def test_the_progress_page_shows_the_final_and_the_current_count(
    client: Client, over: Campaign
) -> None:
    Goal.objects.create(campaign=over, kind=Goal.Kind.MONEY, target=100_000)
    url = admin_url(Campaign, "progress", over.pk)
    page = read_page(client.get(url))
    assert "Provisional until you close the campaign. No payment is pending." in page
    assert close_url(over) in page
    close(client, over)
    make_payment(make_member(), over, "2026-11-30 20:00", status=Payment.Status.PENDING)
    make_refund(over.payments.order_by("pk")[0], "2026-12-05 11:00")
    recount_campaign(over)
    page = " ".join(read_page(client.get(url)).split())
    assert "<strong>2</strong> of 1,000 new members" in page
    assert "Closed on 5 December 2026, 14:00 by editor." in page
    assert "Final count: 2. Current count: 1." in page
    assert "Final count: €120. Current count: €60." in page
    assert "1 payment made during the campaign is still pending." in page
    assert "Provisional" not in page
    assert "<strong>2</strong> of 1,000 new members" in read_page(client.get("/admin/"))
    page = read_page(client.get(admin_url(Campaign, "change", over.pk)))
    assert "Current count: 1 of 1,000 new members; €60 of €1,000." in page


def test_a_closed_campaign_is_reopened_with_a_reason(
    client: Client, editor: User, over: Campaign
) -> None:
    close(client, over)
    url = admin_url(Campaign, "reopen", over.pk)
    assert url in read_page(client.get(admin_url(Campaign, "change", over.pk)))
    assert client.post(url, fill_in(client, url)).status_code == 422
    assert is_closed(over)
    response = client.post(url, fill_in(client, url, why="a batch came late"), follow=True)
    assert "Campaign reopened." in read_messages(response)
    assert not is_closed(over)
    entry = LogEntry.objects.order_by("pk").last()
    assert entry is not None
    assert entry.user == editor
    assert "a batch came late" in entry.change_message
    assert "by editor at 2 of 1,000 new members" in entry.change_message
    assert "This campaign isn’t closed." in read_messages(client.get(url, follow=True))


@pytest.mark.usefixtures("editor")
def test_dates_and_goals_of_a_closed_campaign_cannot_change(client: Client, over: Campaign) -> None:
    url = admin_url(Campaign, "change", over.pk)
    opened_before = fill_in(client, url)
    close(client, over)
    over.refresh_from_db()
    before = Campaign.objects.defer("publish_at").values().get(), list(Goal.objects.values())
    page = read_page(client.get(url))
    assert 'name="ends_at"' not in page
    assert 'name="goals-0-target"' not in page
    assert client.post(url, fill_in(client, url)).status_code == 302
    moved = opened_before | {"ends_at": "2027-01-31T00:00", "goals-0-target": "5"}
    assert client.post(url, moved).status_code == 302
    after = Campaign.objects.defer("publish_at").values().get(), list(Goal.objects.values())
    assert [
        {name: value for name, value in row.items() if name != "publish_at"}
        for row in (before[0], *before[1])
    ] == [
        {name: value for name, value in row.items() if name != "publish_at"}
        for row in (after[0], *after[1])
    ]


@pytest.mark.usefixtures("editor")
def test_saving_the_campaign_form_does_not_reopen_it(client: Client, over: Campaign) -> None:
    url = admin_url(Campaign, "change", over.pk)
    fields = fill_in(client, url, supporters_before="13000")
    close(client, over)
    page = read_page(client.post(url, fields))
    assert "Nothing was saved: this was changed after you opened it" in page
    decided = re.search(r'name="save_over" value="([^"]+)"', page)
    assert decided
    assert client.post(url, fields | {"save_over": decided[1]}).status_code == 302
    assert is_closed(over)
    assert over.supporters_before == 13000


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("day", "time"),
    [("2027-03-28", "03:30:00"), ("2026-10-25", "03:30:00")],
    ids=["an hour that is left out", "an hour that comes twice"],
)
def test_a_campaign_cannot_end_at_a_skipped_or_repeated_hour(
    client: Client, birthday: Campaign, day: str, time: str
) -> None:
    Campaign.objects.update(starts_at=at("2026-10-01 00:00"))
    url = admin_url(Campaign, "change", birthday.pk)
    response = client.post(url, fill_in(client, url, ends_at=f"{day}T{time}"))
    assert response.status_code == 200
    assert "it may be ambiguous or it may not exist" in read_page(response)


@pytest.mark.usefixtures("editor")
def test_a_campaign_can_start_and_end_at_midnight_when_clocks_change(
    client: Client, birthday: Campaign
) -> None:
    url = admin_url(Campaign, "change", birthday.pk)
    window = {"starts_at": "2026-10-25T00:00", "ends_at": "2027-03-29T00:00"}
    assert client.post(url, fill_in(client, url, **window)).status_code == 302
    birthday.refresh_from_db()
    assert birthday.starts_at == at("2026-10-24 21:00")  # still summer
    assert birthday.ends_at == at("2027-03-28 21:00")  # summer again
