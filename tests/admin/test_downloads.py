"""Members and sign-ups leave as files: filtered, by permission, and safe in a spreadsheet."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from django.contrib.auth.models import Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from campaigns import progress
from campaigns.models import Campaign, Checkout, Member
from tests.support.commands import import_file
from tests.support.factories import (
    at,
    make_checkout,
    make_gift,
    make_member,
    make_payment,
    record_claim,
)
from tests.support.staff import admin_url, read_page

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def people(birthday: Campaign) -> dict[str, Member]:
    """Ada paid in the campaign, Ben claimed a gift of it, Cleo was imported."""
    ada, ben, cleo = (make_member(f"{name}@example.org") for name in ("ada", "ben", "cleo"))
    Member.objects.filter(pk=ada.pk).update(name="Ada, the “reader”")
    make_payment(ada, birthday, "2026-11-10 12:00")
    progress.tally_members([ada])
    record_claim(make_gift(ada, birthday, "2026-11-11 12:00"), ben, "2026-11-12 12:00")
    return {"ada": ada, "ben": ben, "cleo": cleo}


def download(client: Client, model: Any, kind: str = "csv", **filters: str) -> bytes:
    response: Any = client.get(admin_url(model, "download", kind), filters)
    assert response.status_code == 200
    assert response["Content-Disposition"].endswith(f'.{kind}"')
    return bytes(response.getvalue())


def read_csv(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))


def test_staff_filter_members_by_campaign(
    admin_client: Client, people: dict[str, Member], birthday: Campaign
) -> None:
    page = admin_client.get(admin_url(Member, "changelist"), {"campaign": "birthday"})
    shown = read_page(page)
    assert "ada@example.org" in shown
    assert "ben@example.org" in shown
    assert "cleo@example.org" not in shown
    url = admin_url(Member, "download", "csv")
    assert f'href="{url}?campaign=birthday"' in page.content.decode()


def test_members_of_a_campaign_are_downloaded_with_their_access_and_count(
    admin_client: Client, people: dict[str, Member], birthday: Campaign
) -> None:
    make_checkout(
        birthday,
        member=people["ada"],
        status=Checkout.Status.PAID,
        newsletter_wording="Send me the newsletter.",
        newsletter_agreed_at=at("2026-11-10 12:00"),
    )
    ada, ben = read_csv(download(admin_client, Member, campaign="birthday"))
    assert ada == {
        "member": str(people["ada"].pk),
        "email": "ada@example.org",
        "name": "Ada, the “reader”",
        "language": "en",
        "has_access": "yes",
        "since": "2026-11-10 12:00+00:00",
        "until": "",
        "plan": "",
        "source": "subscription",
        "status": "active",
        "counts_in": "birthday",
        "newsletter_agreed_at": "2026-11-10 12:00+00:00",
        "newsletter_wording": "Send me the newsletter.",
    }
    assert (ben["email"], ben["source"], ben["counts_in"]) == ("ben@example.org", "gift", "")
    assert ben["until"] == "2027-11-12 12:00+00:00"


def test_a_spreadsheet_has_the_same_rows_with_real_times(
    admin_client: Client, people: dict[str, Member]
) -> None:
    content = download(admin_client, Member, "xlsx")
    book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    headings, *rows = book.get_sheet_by_index(0).to_python()
    assert [row[headings.index("email")] for row in rows] == [
        *("ada@example.org", "ben@example.org", "cleo@example.org")
    ]
    assert rows[0][headings.index("since")] == at("2026-11-10 12:00").replace(tzinfo=None)


def test_sign_ups_are_downloaded_with_amounts(admin_client: Client, birthday: Campaign) -> None:
    make_checkout(birthday, email="ada@example.org", placement="end")
    make_checkout(None, email="erased-7@erased.invalid", name="", status=Checkout.Status.EXPIRED)
    ada, erased = read_csv(download(admin_client, Checkout))
    assert (ada["email"], ada["amount"], ada["currency"]) == ("ada@example.org", "60.00", "eur")
    assert (ada["campaign"], ada["placement"], ada["status"]) == ("birthday", "end", "open")
    assert (erased["email"], erased["status"]) == ("", "expired")
    [only] = read_csv(download(admin_client, Checkout, status__exact="open"))
    assert only == ada


def test_a_cell_that_a_spreadsheet_would_run_is_made_harmless(
    admin_client: Client, birthday: Campaign
) -> None:
    make_checkout(birthday, name="=1+1", email="+ada@example.org")
    [row] = read_csv(download(admin_client, Checkout))
    assert (row["name"], row["email"]) == ("'=1+1", "'+ada@example.org")
    book = python_calamine.CalamineWorkbook.from_filelike(
        io.BytesIO(download(admin_client, Checkout, "xlsx"))
    )
    assert "'=1+1" in book.get_sheet_by_index(0).to_python()[1]


def test_erased_members_are_left_out(admin_client: Client, people: dict[str, Member]) -> None:
    Member.objects.filter(pk=people["ada"].pk).update(erased_at=at("2026-11-20 12:00"))
    emails = [row["email"] for row in read_csv(download(admin_client, Member))]
    assert emails == ["ben@example.org", "cleo@example.org"]


def test_only_staff_with_the_permission_download_lists(
    client: Client, people: dict[str, Member]
) -> None:
    user = User.objects.create_user("viewer", is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_member"))
    client.force_login(user)
    assert "download/csv/" not in client.get(admin_url(Member, "changelist")).content.decode()
    assert client.get(admin_url(Member, "download", "csv")).status_code == 403
    user.user_permissions.add(Permission.objects.get(codename="export_member"))
    assert "download/csv/" in client.get(admin_url(Member, "changelist")).content.decode()
    assert client.get(admin_url(Member, "download", "csv")).status_code == 200
    assert client.get(admin_url(Checkout, "download", "csv")).status_code == 403
    assert client.get(admin_url(Member, "download", "pdf")).status_code == 404
    assert client.get(admin_url(Member, "download", "csv"), {"born": "x"}).status_code == 404


def test_a_longer_list_takes_no_more_queries_for_each_chunk(
    admin_client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(60):
        make_member(f"reader{number}@example.net")
    with django_assert_max_num_queries(12):
        assert len(read_csv(download(admin_client, Member))) == 60


def test_a_downloaded_list_can_be_imported(
    admin_client: Client, people: dict[str, Member], tmp_path: Path
) -> None:
    content = download(admin_client, Member, campaign="birthday")
    assert import_file(tmp_path, content, everyone=True).startswith("2 imported")
