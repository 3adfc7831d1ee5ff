"""The form of a campaign: its time zone, dates and goals."""

import re
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from campaigns import jobs, progress
from campaigns.models import Campaign, Goal, Tally
from tests.support.factories import at, make_gift, make_member, make_payment, recount_campaign
from tests.support.staff import (
    admin_url,
    fill_in,
    measure_primary_goal,
    read_messages,
    read_page,
    run_action,
)

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor", "rows")
def test_saving_an_unchanged_campaign_changes_nothing(client: Client, rows: Campaign) -> None:
    def read_rows() -> list[list[Any]]:
        tables = (Campaign.objects.defer("publish_at"), Goal.objects.all(), Tally.objects.all())
        return [
            [
                {name: value for name, value in vars(row).items() if name != "_state"}
                for row in table.order_by("pk")
            ]
            for table in tables
        ]

    before = read_rows()
    url = admin_url(Campaign, "change", rows.pk)
    assert client.post(url, fill_in(client, url)).status_code == 302
    assert read_rows() == before


@pytest.mark.usefixtures("editor")
def test_the_links_that_add_rows_name_them(client: Client, birthday: Campaign) -> None:
    page = read_page(client.get(admin_url(Campaign, "change", birthday.pk)))
    for words in ("Add a goal", "Add a translation", "Add a custom banner text"):
        assert words in page
    assert "Add another" not in page


@pytest.mark.usefixtures("editor")
def test_the_window_is_shown_and_read_in_the_campaigns_own_zone(
    client: Client, birthday: Campaign
) -> None:
    url = admin_url(Campaign, "change", birthday.pk)
    fields = fill_in(client, url)
    assert fields["starts_at"] == "2026-11-01T02:00"
    fields |= {"starts_at": "2026-11-01T00:00"}
    assert client.post(url, fields).status_code == 302
    birthday.refresh_from_db()
    assert birthday.starts_at == at("2026-10-31 22:00")


@pytest.mark.usefixtures("editor")
def test_new_dates_start_a_recount_and_publish_its_result(
    client: Client, birthday: Campaign, django_capture_on_commit_callbacks: Any
) -> None:
    early, late = make_member(), make_member()
    make_payment(early, birthday, "2026-11-05 12:00")
    make_payment(late, birthday, "2026-11-20 12:00")
    make_gift(late, birthday, "2026-11-05 12:00")
    recount_campaign(birthday)
    assert measure_primary_goal(birthday) == 3
    url = admin_url(Campaign, "change", birthday.pk)
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post(url, fill_in(client, url, starts_at="2026-11-10T02:00"), follow=True)
    assert "the campaign is being recounted" in read_messages(response)
    assert "Recount in progress: 0 of 3 purchases and members." in read_page(client.get(url))
    Campaign.objects.update(publish_at=None)
    jobs.run_due_jobs("recounts")
    assert measure_primary_goal(birthday) == 1
    birthday.refresh_from_db()
    assert birthday.publish_at is not None
    assert "Recount in progress" not in read_page(client.get(url))


@pytest.mark.usefixtures("editor")
def test_a_campaign_is_neither_closed_nor_published_during_a_recount(
    client: Client, birthday: Campaign
) -> None:
    with time_machine.travel(at("2026-12-02 00:00"), tick=False):
        progress.request_recount(birthday.pk)
        url = reverse("admin:campaigns_campaign_close", args=[birthday.pk])
        assert "This campaign is being recounted." in read_messages(client.get(url, follow=True))
        assert url not in read_page(client.get(admin_url(Campaign, "change", birthday.pk)))
        response = run_action(client, Campaign, "publish_now", birthday.pk)
        assert "being published or recounted right now" in read_messages(response)
        jobs.run_due_jobs("recounts")
        assert url in read_page(client.get(admin_url(Campaign, "change", birthday.pk)))


@pytest.mark.thorough
@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"ends_at": "2026-11-01T02:00"}, "The end must be after"),
        ({"ends_at": "2020-01-01T00:00"}, "The end must be after the start."),
        ({"zone": "Europe/Atlantis"}, "Choose a time zone, for example Europe/Berlin."),
        ({"zone": "../../etc/passwd"}, "Choose a time zone, for example Europe/Berlin."),
        ({"currency": "EUR"}, "Choose a currency that Stripe knows, for example eur."),
        ({"currency": "xxx"}, "Choose a currency that Stripe knows, for example eur."),
        ({"goals-0-target": "0"}, "target must be above zero."),
        ({"goals-0-target": "-5"}, "Enter a whole number."),
        ({"goals-0-target": "9" * 20}, "This amount is too large."),
        ({"goals-0-target": "9" * 30}, "Enter a whole number."),
        ({"goals-0-target": "1000.5"}, "Enter a whole number."),
        ({"goals-0-target": "1,000"}, "Leave out the thousands separator"),
        ({"goals-0-target": "many"}, "Enter a whole number."),
        ({"starts_at": "yesterday"}, "Enter the day and the time like this: 2026-12-24T18:00."),
        ({"starts_at": "0001-01-01T00:00"}, "Choose a day from 2000 to 2199."),
        ({"ends_at": "9999-12-31T23:59"}, "Choose a day from 2000 to 2199."),
        ({"starts_at": "05/11/2026"}, "Enter the day and the time like this"),
        ({"copies-0-name": "\0"}, "Null characters are not allowed."),
    ],
)
def test_errors_of_a_campaign_are_shown_beside_the_field(
    client: Client, birthday: Campaign, typed: dict[str, str], words: str
) -> None:
    url = admin_url(Campaign, "change", birthday.pk)
    before = Campaign.objects.values().get(), list(Goal.objects.values())
    response = client.post(url, fill_in(client, url) | typed)
    assert response.status_code == 200
    errors = " ".join(re.findall(r'<ul class="errorlist[^>]*>(.*?)</ul>', read_page(response)))
    assert words in errors.replace("&#x27;", "'"), errors
    assert (Campaign.objects.values().get(), list(Goal.objects.values())) == before


def goal_fields(
    client: Client, campaign: Campaign, *goals: tuple[str, str, bool]
) -> dict[str, str]:
    """Return the campaign's form with more goals: kind, target, whether it is primary."""
    fields = fill_in(client, admin_url(Campaign, "change", campaign.pk))
    for number, (kind, target, is_primary) in enumerate(goals, start=1):
        fields |= {f"goals-{number}-kind": kind, f"goals-{number}-target": target}
        if is_primary:
            fields[f"goals-{number}-is_primary"] = "on"
    return fields | {"goals-TOTAL_FORMS": str(len(goals) + 1)}


@pytest.mark.usefixtures("editor")
def test_a_slug_that_is_taken_is_refused_beside_its_field(
    client: Client, birthday: Campaign
) -> None:
    add = reverse("admin:campaigns_campaign_add")
    response = client.post(add, fill_in(client, add) | {"slug": birthday.slug})
    assert response.context["adminform"].form.errors["slug"] == [
        "Another campaign has this short name. Choose a different one."
    ]


@pytest.mark.usefixtures("editor")
def test_two_primary_goals_are_refused(client: Client, birthday: Campaign) -> None:
    fields = goal_fields(client, birthday, ("gifts", "100", True))
    response = client.post(admin_url(Campaign, "change", birthday.pk), fields)
    assert response.status_code == 200
    assert "Choose only one primary goal." in read_page(response)
    assert birthday.goals.count() == 1


@pytest.mark.usefixtures("editor")
def test_a_campaign_keeps_a_primary_goal(client: Client, birthday: Campaign) -> None:
    fields = goal_fields(client, birthday)
    del fields["goals-0-is_primary"]
    response = client.post(admin_url(Campaign, "change", birthday.pk), fields)
    assert "Choose a primary goal" in read_page(response)
    assert birthday.goals.get().is_primary


@pytest.mark.usefixtures("editor")
def test_the_primary_goal_can_change_in_one_save(client: Client, birthday: Campaign) -> None:
    gifts = Goal.objects.create(campaign=birthday, kind="gifts", target=100)
    fields = fill_in(client, admin_url(Campaign, "change", birthday.pk))
    del fields["goals-0-is_primary"]
    fields["goals-1-is_primary"] = "on"
    assert client.post(admin_url(Campaign, "change", birthday.pk), fields).status_code == 302
    assert birthday.goals.get(is_primary=True) == gifts


@pytest.mark.usefixtures("editor")
def test_a_campaign_has_one_goal_of_each_kind(client: Client, birthday: Campaign) -> None:
    fields = goal_fields(client, birthday, ("new_members", "100", False))
    response = client.post(admin_url(Campaign, "change", birthday.pk), fields)
    assert response.status_code == 200
    assert birthday.goals.count() == 1


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("is_closed", [True, False])
def test_goals_that_cannot_be_changed_are_shown_with_their_unit(
    client: Client, birthday: Campaign, is_closed: bool
) -> None:
    birthday.goals.create(kind="money", target=4_123_456, starts_from=212_345)
    birthday.goals.filter(kind="new_members").update(stretch_target=1500)
    if is_closed:
        Campaign.objects.update(closed_at=birthday.ends_at)
    else:
        reader = User.objects.create_user("reader", is_staff=True)
        reader.groups.add(Group.objects.get(name="report reader"))
        client.force_login(reader)
    page = read_page(client.get(admin_url(Campaign, "change", birthday.pk)))
    shown = re.findall(r'<div class="readonly">([^<]*\d)</div>', page)
    for words in ("1,000", "1,500", "€41,234.56", "€2,123.45"):
        assert words in shown
    assert "4123456" not in page
