"""Confirming who is at the keyboard, and forms that come back filled in."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from campaigns.admin.identity import CONFIRMED_SECONDS, KEPT_SECONDS, is_large_refund
from campaigns.models import Campaign, Erasure, Member, RefundOrder
from tests.support.factories import make_member, make_payment
from tests.support.refunds import refund_url
from tests.support.staff import admin_url, fill_in, read_page, sign_in_staff

pytestmark = pytest.mark.django_db
PASSWORD = "long-and-unguessed"
CONFIRM = "/admin/account/reauthenticate/"
LOGIN = "/admin/login/"


def confirm(client: Client, answer: Any, url: str) -> Any:
    assert answer["Location"].startswith(CONFIRM)
    return client.post(answer["Location"], {"password": PASSWORD, "next": url}, follow=True)


@pytest.fixture
def ada() -> Member:
    return make_member("ada@example.org")


def test_an_erasure_needs_a_recent_sign_in(
    client: Client, editor: User, ada: Member, clock: Any
) -> None:
    url = admin_url(Member, "erase", ada.pk)
    assert client.get(url).status_code == 200
    clock.shift(CONFIRMED_SECONDS + 1)
    back = confirm(client, client.post(url, {"why": "asked by letter"}), url)
    assert not Erasure.objects.exists(), "it isn't carried out without another click"
    assert 'value="asked by letter"' in read_page(back)
    assert client.post(url, {"why": "asked by letter"}).status_code == 302
    assert Erasure.objects.get().why == "asked by letter"


@pytest.mark.parametrize("name", ["download", "user", "add", "password"])
def test_downloads_and_accounts_need_a_recent_sign_in(
    client: Client, editor: User, clock: Any, name: str
) -> None:
    url = {
        "download": admin_url(Member, "download", "csv"),
        "user": reverse("admin:auth_user_change", args=[editor.pk]),
        "add": reverse("admin:auth_user_add"),
        "password": reverse("admin:auth_user_password_change", args=[editor.pk]),
    }[name]
    assert client.get(url).status_code == 200
    clock.shift(CONFIRMED_SECONDS + 1)
    assert confirm(client, client.get(url), url).status_code == 200


def test_a_large_refund_needs_a_recent_sign_in(
    client: Client, editor: User, birthday: Campaign, ada: Member, clock: Any
) -> None:
    payment = make_payment(ada, birthday, "2026-11-10 12:00", amount_minor=12000)
    url = refund_url(payment)
    reason = "requested_by_customer"
    fields = fill_in(client, url, amount="101", reason=reason, why="moved away")
    clock.shift(CONFIRMED_SECONDS + 1)
    back = confirm(client, client.post(url, fields), url)
    assert not RefundOrder.objects.exists()
    assert 'value="moved away"' in read_page(back)
    assert 'value="101' in read_page(back)


@pytest.mark.parametrize(
    ("minor", "currency", "is_large"),
    [(10000, "eur", False), (10001, "eur", True), (100, "jpy", False), (101, "jpy", True)],
)
def test_the_limit_of_refunds_is_in_units_of_the_currency(
    minor: int, currency: str, is_large: bool
) -> None:
    assert is_large_refund(minor, currency) is is_large


def test_a_wrong_password_confirms_nothing(
    client: Client, editor: User, ada: Member, clock: Any
) -> None:
    clock.shift(CONFIRMED_SECONDS + 1)
    url = admin_url(Member, "erase", ada.pk)
    answer = client.post(client.get(url)["Location"], {"password": "wrong", "next": url})
    assert "This isn’t your password." in read_page(answer)
    assert client.get(url).status_code == 302


@pytest.mark.parametrize("page", ["change", "grant"])
def test_a_form_sent_after_the_session_has_ended_comes_back_filled_in(
    client: Client, editor: User, ada: Member, page: str
) -> None:
    client.post("/admin/logout/")
    client.post(LOGIN, {"login": "editor", "password": PASSWORD})  # a known browser
    url = admin_url(Member, page, ada.pk)
    typed = {"change": {"name": "Ada Else"}, "grant": {"note": "A prize"}}[page]
    fields = fill_in(client, url, **typed)
    del client.cookies["sessionid"]
    answer = client.post(url, fields)
    assert answer["Location"].startswith(LOGIN)
    back = client.post(
        answer["Location"], {"login": "editor", "password": PASSWORD, "next": url}, follow=True
    )
    assert "Nothing has been saved yet." in read_page(back)
    [value] = typed.values()
    assert f'value="{value}"' in read_page(back)
    assert Member.objects.get().name != "Ada Else"
    assert f'value="{value}"' not in read_page(client.get(url)), "once"


def test_strangers_and_passwords_leave_nothing_in_sessions(
    client: Client, editor: User, clock: Any
) -> None:
    stranger = Client()
    stranger.post("/admin/campaigns/plan/add/", {"slug": "x" * 1000})
    assert "sessionid" not in stranger.cookies
    url = reverse("admin:auth_user_add")
    clock.shift(CONFIRMED_SECONDS + 1)
    client.post(url, {"username": "ben", "password1": "a-secret-word", "password2": "other"})
    assert "secret" not in str(dict(client.session))
    assert "ben" in str(dict(client.session))
    clock.shift(KEPT_SECONDS + 1)
    client.get("/admin/")
    assert "ben" not in str(dict(client.session))
    sign_in_staff(client, editor)
    assert 'value="ben"' not in read_page(client.get(url))
