"""The report of a campaign: its page, its notes and its downloads."""

import json
import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from campaigns.models import Campaign, Checkout, Note, PlanCopy
from tests.support.factories import at, make_campaign
from tests.support.staff import MARKUP, grant_permissions, read_page

pytestmark = pytest.mark.django_db


@pytest.mark.usefixtures("editor")
def test_the_progress_page_shows_the_number_and_the_rule(client: Client, rows: Campaign) -> None:
    response = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/")
    assert response.status_code == 200
    page = read_page(response)
    assert "<strong>2</strong> of 1,000 new members" in page
    assert "A person counts once" in page
    assert 'class="chart"' in page
    assert "€120" in page  # gross
    assert "Member" in page
    assert "Kyiv (UTC+2)" in page
    assert "—: Nobody joined that long ago." in page


@pytest.mark.usefixtures("editor")
def test_a_campaign_without_a_goal_or_a_row_has_a_progress_page(client: Client) -> None:
    campaign = make_campaign()
    campaign.goals.all().delete()
    assert client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress/").status_code == 200
    assert client.get("/admin/").status_code == 200


@pytest.mark.usefixtures("editor")
def test_a_goal_of_money_has_a_progress_page(client: Client, rows: Campaign) -> None:
    rows.goals.all().update(kind="money", target=100_000)
    page = read_page(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/"))
    assert "of €1,000 raised" in page


@pytest.mark.usefixtures("editor")
def test_the_figures_can_be_downloaded(client: Client, rows: Campaign) -> None:
    today = timezone.now().astimezone(ZoneInfo("Europe/Kyiv")).date()
    for kind, content_type in (("json", "application/json"), ("csv", "text/csv; charset=utf-8")):
        response = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.{kind}")
        assert response.status_code == 200
        assert response.headers["Content-Type"] == content_type
        assert response.headers["Content-Disposition"] == (
            f'attachment; filename="birthday-{today}.{kind}"'
        )
    assert (
        json.loads(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.json").content)[
            "goals"
        ][0]["counted"]
        == 2
    )
    assert client.get(f"/admin/campaigns/campaign/{rows.pk}/progress.exe").status_code == 404
    assert client.get("/admin/campaigns/campaign/999999/progress/").status_code == 404


@pytest.mark.usefixtures("editor")
def test_a_slug_like_a_formula_is_neutralised(client: Client) -> None:
    now = timezone.now()
    campaign = make_campaign(
        slug="-2", starts_at=now - timedelta(days=1), ends_at=now + timedelta(days=1)
    )
    text = read_page(client.get(f"/admin/campaigns/campaign/{campaign.pk}/progress.csv"))
    assert text.splitlines()[1].startswith("'-2,")


@pytest.mark.usefixtures("editor")
def test_markup_in_a_name_is_escaped(client: Client, rows: Campaign) -> None:
    Checkout.objects.update(placement="<b>top</b>")
    PlanCopy.objects.update(name="<i>Member</i>")
    rows.copies.update(name=MARKUP)
    page = read_page(client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/"))
    assert MARKUP not in page
    assert "<b>top</b>" not in page
    assert "<i>Member</i>" not in page
    assert "&lt;i&gt;Member&lt;/i&gt;" in page


def note_url(campaign: Campaign, note: Note) -> str:
    return f"/admin/campaigns/campaign/{campaign.pk}/progress/notes/{note.pk}/delete/"


@pytest.mark.usefixtures("editor")
def test_a_note_is_added_shown_and_deleted_on_the_page(client: Client, rows: Campaign) -> None:
    url = f"/admin/campaigns/campaign/{rows.pk}/progress/?compare=none"
    typed = {"text": f"Newsletter {MARKUP}", "at": "2026-11-10T09:30"}
    added = client.post(url, typed)
    assert added.headers["Location"] == f"{url}#notes"
    note = rows.notes.get()
    assert note.at == at("2026-11-10 07:30")  # typed in the campaign's zone
    assert str(note.written_by) == "editor"
    page = read_page(client.get(url))
    assert "10 November, 09:30" in page
    assert MARKUP not in page
    assert client.get(note_url(rows, note)).status_code == 404
    assert client.post(note_url(rows, note)).status_code == 302
    assert client.post(note_url(rows, note)).status_code == 302  # a second click
    assert not rows.notes.exists()
    log = LogEntry.objects.order_by("pk").values_list("change_message", flat=True)
    assert [message.split(":")[0] for message in log] == ["Note added", "Note deleted"]


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "typed", [{"text": "", "at": "2026-11-10T09:30"}, {"text": "x" * 121, "at": ""}]
)
def test_a_wrong_note_is_shown_again_with_its_error(
    client: Client, rows: Campaign, typed: dict[str, str]
) -> None:
    answer = client.post(f"/admin/campaigns/campaign/{rows.pk}/progress/", typed)
    assert answer.status_code == 422
    assert "errorlist" in read_page(answer)
    assert not rows.notes.exists()


def test_only_staff_with_the_permission_write_and_delete_notes(
    client: Client, trainee: User, rows: Campaign
) -> None:
    grant_permissions(trainee, "view_campaign")
    note = Note.objects.create(campaign=rows, at=timezone.now(), text="Newsletter sent")
    url = f"/admin/campaigns/campaign/{rows.pk}/progress/"
    page = read_page(client.get(url))
    assert "Newsletter sent" in page
    assert "Add note" not in page
    assert "Delete note" not in page
    client.post(url, {"text": "Mine", "at": "2026-11-10T09:30"})
    assert client.post(note_url(rows, note)).status_code == 403
    assert [each.text for each in rows.notes.all()] == ["Newsletter sent"]


@pytest.mark.usefixtures("editor")
def test_a_note_of_another_campaign_is_left_alone(client: Client, rows: Campaign) -> None:
    other = make_campaign(slug="other")
    note = Note.objects.create(campaign=other, at=timezone.now(), text="Theirs")
    client.post(note_url(rows, note))
    assert other.notes.exists()


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize(
    "asked",
    [
        "from=2026-11-12&to=2026-11-09",
        "from=tomorrow&to=&compare=nobody",
        "from=0001-01-01&to=9999-12-31&compare=previous",
        "from=2030-01-01",
        "compare=" + "x" * 4000,
    ],
)
def test_whatever_the_address_asks_for_there_is_a_page(
    client: Client, rows: Campaign, asked: str
) -> None:
    answer = client.get(f"/admin/campaigns/campaign/{rows.pk}/progress/?{asked}")
    assert answer.status_code == 200
    assert "of 1,000 new members" in read_page(answer)


@pytest.mark.usefixtures("editor")
def test_swapped_days_are_put_right(client: Client, rows: Campaign) -> None:
    url = f"/admin/campaigns/campaign/{rows.pk}/progress/"
    swapped = client.get(f"{url}?from=2026-11-10&to=2026-11-09")
    assert [day.day.day for day in swapped.context["page"].days] == [9, 10]


@pytest.mark.usefixtures("editor")
def test_the_report_needs_no_more_queries_for_more_days(client: Client, rows: Campaign) -> None:
    url = f"/admin/campaigns/campaign/{rows.pk}/progress/"
    client.get(url)  # fills caches
    with CaptureQueriesContext(connection) as short:
        client.get(url)
    Campaign.objects.update(starts_at=at("2025-11-01 00:00"))
    with CaptureQueriesContext(connection) as long:
        client.get(url)
    assert len(long) == len(short)


@pytest.mark.usefixtures("editor")
def test_the_numbers_of_the_comparison_stand_beside_those_of_the_days(
    client: Client, rows: Campaign
) -> None:
    now = timezone.now()
    earlier = make_campaign(
        slug="appeal", starts_at=now - timedelta(days=200), ends_at=now - timedelta(days=180)
    )
    url = f"/admin/campaigns/campaign/{rows.pk}/progress/"
    page = client.get(url)
    assert page.context["report"].compared.slug == earlier.slug
    assert "Same days of Third birthday" in read_page(page)
    days = f"{url}?from=2026-11-08&to=2026-11-14"
    page = client.get(f"{days}&compare=previous")
    assert "7 days before" in read_page(page)
    ranking = page.context["sections"].rankings[0].rows
    assert {(row.group.counted, row.beside) for row in ranking} == {(1, 0)}
    page = client.get(f"{days}&compare=none")
    assert page.context["report"].compared is None
    assert "report-beside" not in read_page(page)


def test_only_those_who_may_see_the_rows_get_links_to_them(
    client: Client, trainee: User, rows: Campaign
) -> None:
    url = f"/admin/campaigns/campaign/{rows.pk}/progress/"
    grant_permissions(trainee, "view_campaign")
    page = read_page(client.get(url))
    for model in ("tally", "payment", "gift"):
        assert f"/admin/campaigns/{model}/?" not in page
    grant_permissions(trainee, "view_tally")
    page = read_page(client.get(url))
    assert "/admin/campaigns/tally/?" in page
    assert "/admin/campaigns/payment/?" not in page
    links = set(re.findall(r'href="(/admin/campaigns/tally/\?[^"]*)"', page))
    assert len(links) > 10
    assert {client.get(link.replace("&amp;", "&")).status_code for link in links} == {200}


@pytest.mark.usefixtures("editor", "rows")
@pytest.mark.parametrize("group", ["plan", "plan:", "nonsense:x", ":", "article:'\"<>"])
def test_a_group_that_does_not_exist_is_no_error(client: Client, group: str) -> None:
    answer = client.get("/admin/campaigns/tally/", {"group": group}, follow=True)
    assert answer.status_code == 200
