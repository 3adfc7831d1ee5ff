"""Downloads of the report page: by permission, for its days, and noted in the history."""

import csv
import io
import json
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns.models import Campaign
from tests.support.staff import grant_permissions, read_page, sign_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.once]

WHOLE = {
    "pdf": ("application/pdf", b"%PDF"),
    "xlsx": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", b"PK"),
    "html": ("text/html; charset=utf-8", b"<!DOCTYPE html>"),
    "json": ("application/json", b"{"),
}


def url_of(campaign: Campaign, path: str) -> str:
    return f"/admin/campaigns/campaign/{campaign.pk}/progress{path}"


def read_all(response: Any) -> bytes:
    return b"".join(response.streaming_content) if response.streaming else response.content


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("kind", WHOLE)
def test_the_report_is_downloaded_in_each_format(client: Client, rows: Campaign, kind: str) -> None:
    response = client.get(url_of(rows, f".{kind}"))
    content_type, beginning = WHOLE[kind]
    assert response.headers["Content-Type"] == content_type
    assert response.headers["Content-Disposition"].startswith('attachment; filename="birthday-20')
    assert response.headers["Content-Disposition"].endswith(f'.{kind}"')
    assert response.content.startswith(beginning)


@pytest.mark.usefixtures("editor")
def test_files_have_the_days_of_the_page(client: Client, rows: Campaign) -> None:
    asked = "?from=2026-11-09&to=2026-11-10&compare=previous"
    page = read_page(client.get(url_of(rows, "/") + asked))
    link = url_of(rows, ".json") + asked.replace("&", "&amp;")
    assert link in page
    data = json.loads(client.get(url_of(rows, ".json") + asked).content)
    assert (data["from"], data["to"], data["compared"]["to"]) == (
        *("2026-11-09", "2026-11-10"),
        "2026-11-08",
    )
    content = read_all(client.get(url_of(rows, "/rows/days.csv") + asked)).decode("utf-8-sig")
    days = [row["day"] for row in csv.DictReader(io.StringIO(content))]
    assert days == ["2026-11-09", "2026-11-10"]


@pytest.mark.usefixtures("editor")
def test_charts_are_downloaded_as_pictures(client: Client, rows: Campaign) -> None:
    png = client.get(url_of(rows, "/charts/curve.png"))
    assert png.headers["Content-Type"] == "image/png"
    assert png.content.startswith(b"\x89PNG")
    svg = client.get(url_of(rows, "/charts/amounts-eur.svg"))
    assert svg.headers["Content-Type"] == "image/svg+xml"
    for path in ("/charts/curve.gif", "/charts/unknown.png", ".exe", "/rows/days.exe"):
        assert client.get(url_of(rows, path)).status_code == 404


@pytest.mark.usefixtures("editor")
@pytest.mark.parametrize("name", ["members", "gifts", "payments", "refunds", "days"])
def test_rows_are_downloaded_and_noted(client: Client, rows: Campaign, name: str) -> None:
    text = read_all(client.get(url_of(rows, f"/rows/{name}.csv")))
    assert text.startswith("\ufeff".encode())
    assert read_all(client.get(url_of(rows, f"/rows/{name}.xlsx"))).startswith(b"PK")
    noted = LogEntry.objects.get_for_object(rows).values_list("changes_text", flat=True)
    assert sum(f"birthday-{name}-" in words for words in noted) == 2


def test_rows_with_names_need_a_recent_sign_in(client: Client, rows: Campaign) -> None:
    admin = User.objects.create_superuser("boss", password="long-and-unguessed")
    client.force_login(admin)  # without a sign-in in this session
    for name in ("members", "gifts", "payments", "refunds"):
        assert "reauthenticate" in client.get(url_of(rows, f"/rows/{name}.csv")).headers["Location"]
    assert client.get(url_of(rows, "/rows/days.csv")).status_code == 200


def test_the_page_links_only_what_the_user_may_download(
    client: Client, trainee: User, rows: Campaign
) -> None:
    grant_permissions(trainee, "view_campaign")
    page = read_page(client.get(url_of(rows, "/")))
    assert "/progress/rows/days.csv" in page
    assert "/progress.pdf" in page
    for name in ("members", "gifts", "payments", "refunds"):
        assert f"/progress/rows/{name}." not in page
        assert client.get(url_of(rows, f"/rows/{name}.csv")).status_code == 403
    finance = User.objects.create_user("finance", is_staff=True, password="long-and-unguessed")
    finance.groups.add(Group.objects.get(name="finance"))
    sign_in_staff(client, finance)
    page = read_page(client.get(url_of(rows, "/")))
    assert "/progress/rows/payments.xlsx" in page
    assert "/progress/rows/members." not in page
