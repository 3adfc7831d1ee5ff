"""Members and sign-ups leave as files: filtered, by permission, and safe in a spreadsheet."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
import python_calamine
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from campaigns import progress
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
)
from tests.support.commands import import_file
from tests.support.factories import (
    at,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_refund,
    record_claim,
)
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.staff import admin_url, read_page, sign_in_staff

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
    for slug, status in (("war", "confirmed"), ("morning", "confirmed"), ("art", "pending")):
        make_subscription(make_newsletter(slug), status=status)
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
        "newsletters": "morning, war",
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
    sign_in_staff(client, user)
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


@pytest.fixture
def sales(birthday: Campaign) -> Payment:
    """A payment with a refund and a dispute, a gift that was claimed, and an e-mail."""
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    Member.objects.filter(pk=ada.pk).update(name="=ADA()")
    payment = make_payment(
        ada,
        birthday,
        "2026-11-10 12:00",
        settled_minor=6000,
        fee_minor=150,
        net_minor=5850,
        settled_currency="eur",
    )
    make_refund(payment, "2026-11-11 12:00", 1000)
    make_dispute(payment, "2026-11-12 12:00", status="won")
    record_claim(make_gift(ada, birthday, "2026-11-11 12:00"), ben, "2026-11-12 12:00")
    OutgoingMail.objects.create(key="receipt:1", kind="receipt", payment=payment)
    return payment


def test_the_books_are_downloaded_without_names(
    client: Client, sales: Payment, birthday: Campaign
) -> None:
    user = User.objects.create_user("books", is_staff=True)
    user.groups.add(Group.objects.get(name="finance"))
    client.force_login(user)  # long ago: no recent sign-in is needed
    [payment, gift] = read_csv(download(client, Payment))
    assert (payment["status"], payment["amount"], payment["refunded"]) == (
        *("partly_refunded", "60.00", "10.00"),
    )
    assert (payment["fee"], payment["net"], payment["campaign"]) == ("1.50", "58.50", "birthday")
    assert gift["role"] == "gift"
    [refund] = read_csv(download(client, Refund))
    assert (refund["amount"], refund["payment"]) == ("10.00", str(sales.pk))
    [dispute] = read_csv(download(client, Dispute))
    assert (dispute["amount"], dispute["status"]) == ("60.00", "won")
    for model in (Payment, Refund, Dispute):
        assert b"ada" not in download(client, model).lower()
        assert len(download(client, model, "xlsx")) > 1000


def test_lists_with_people_are_downloaded_as_they_are_filtered(
    admin_client: Client, sales: Payment
) -> None:
    [own] = read_csv(download(admin_client, Membership, source__exact="subscription"))
    assert (own["email"], own["name"]) == ("ada@example.org", "'=ADA()")
    [gift] = read_csv(download(admin_client, Gift, status__exact="claimed"))
    assert (gift["buyer_email"], gift["recipient_email"]) == ("ada@example.org", "ben@example.org")
    assert gift["share"] == "60.00"
    [mail] = read_csv(download(admin_client, OutgoingMail))
    assert (mail["kind"], mail["email"]) == ("receipt", "ada@example.org")
    assert read_csv(download(admin_client, OutgoingMail, kind__exact="gift")) == []


def test_a_file_that_names_people_needs_a_recent_sign_in(
    admin_client: Client, admin_user: User, sales: Payment
) -> None:
    admin_client.logout()
    admin_client.force_login(admin_user)
    for model in (Member, Checkout, Membership, Gift, OutgoingMail):
        answer = admin_client.get(admin_url(model, "download", "csv"))
        assert answer.status_code == 302
        assert "reauthenticate" in answer["Location"]
