"""Report addresses in the admin: shown once, revoked for good, and each user's own."""

import re

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns.models import Campaign, ReportToken
from tests.support.staff import admin_url, fill_in, read_page, sign_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def make_user(name: str, role: str) -> User:
    user = User.objects.create_user(name, is_staff=True, password="long-and-unguessed")
    user.groups.add(Group.objects.get(name=role))
    return user


def add_token(client: Client, name: str = "Sheet") -> str:
    """Add an address and return the page that shows it."""
    answer = client.post(admin_url(ReportToken, "add"), {"name": name})
    assert answer.status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]
    return read_page(answer)


def test_an_address_is_shown_once_and_works(client: Client, birthday: Campaign) -> None:
    reader = make_user("reader", "report reader")
    sign_in_staff(client, reader)
    page = add_token(client)
    [csv, figures] = re.findall(r'value="https?://[^/]+(/reports/[^"]+)"', page)
    token = ReportToken.objects.get()
    assert token.user == reader
    key = csv.split("/")[2]
    assert client.get(figures).json()["slug"] == birthday.slug
    for url in (
        admin_url(ReportToken, "changelist"),
        admin_url(ReportToken, "change", token.pk),
        admin_url(ReportToken, "history", token.pk),
    ):
        shown = read_page(client.get(url))
        assert key not in shown
        assert token.secret_hash not in shown
    entry = LogEntry.objects.get_for_object(token).earliest("pk")
    assert (entry.actor, key in str(entry.changes)) == (reader, False)
    assert token.secret_hash not in str(entry.changes)


def test_a_revoked_address_opens_nothing(client: Client, birthday: Campaign) -> None:
    sign_in_staff(client, make_user("reader", "report reader"))
    [csv, _json] = re.findall(r'value="https?://[^/]+(/reports/[^"]+)"', add_token(client))
    token = ReportToken.objects.get()
    url = admin_url(ReportToken, "revoke", token.pk)
    assert "can’t be undone" in read_page(client.get(url))
    assert client.get(csv).status_code == 200
    assert client.post(url, fill_in(client, url)).status_code == 302
    assert client.get(csv).status_code == 404
    assert client.post(url, {}).status_code == 302  # a second click
    assert "revoked" in read_page(client.get(admin_url(ReportToken, "change", token.pk)))


def test_users_see_their_own_addresses_and_administrators_all(client: Client) -> None:
    reader, other = make_user("reader", "report reader"), make_user("other", "finance")
    theirs = ReportToken.objects.create(user=other, name="Books", secret_hash="1")
    sign_in_staff(client, reader)
    assert "Books" not in read_page(client.get(admin_url(ReportToken, "changelist")))
    assert client.get(admin_url(ReportToken, "revoke", theirs.pk)).status_code == 404
    sign_in_staff(client, make_user("boss", "administrator"))
    assert "Books" in read_page(client.get(admin_url(ReportToken, "changelist")))
    url = admin_url(ReportToken, "revoke", theirs.pk)
    assert client.post(url, fill_in(client, url)).status_code == 302
    theirs.refresh_from_db()
    assert theirs.revoked_at is not None


def test_a_new_address_needs_a_recent_sign_in(client: Client) -> None:
    reader = make_user("reader", "report reader")
    client.force_login(reader)
    answer = client.post(admin_url(ReportToken, "add"), {"name": "Sheet"})
    assert answer.status_code == 302
    assert "reauthenticate" in answer.headers["Location"]
    assert not ReportToken.objects.exists()


def test_an_address_needs_a_name(client: Client) -> None:
    sign_in_staff(client, make_user("reader", "report reader"))
    for name in ("", "x" * 61):
        answer = client.post(admin_url(ReportToken, "add"), {"name": name})
        assert "errorlist" in read_page(answer)
    assert not ReportToken.objects.exists()
