"""The second factor: required of staff, used once, lost, and set up again."""

import base64
import hashlib
import hmac
import io
import struct
import time
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.usersessions.models import UserSession
from auditlog.models import LogEntry
from django.conf import LazySettings
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from campaigns.admin.gate import SECOND_FACTOR_SECONDS
from campaigns.admin.logins import TIMES_BY_CODE
from campaigns.management.commands import restore_admin
from campaigns.models import Member, MemberNote
from tests.support.factories import make_member
from tests.support.staff import admin_url, fill_in, read_messages, read_page

pytestmark = pytest.mark.django_db
PASSWORD = "long-and-unguessed"
SECRET = "JBSWY3DPEHPK3PXP"
LOGIN = "/admin/login/"
CODE = "/admin/account/second-factor/authenticate/"


def make_code(secret: str = SECRET, *, at: float | None = None) -> str:
    """Return the code of an authenticator app, as RFC 6238 describes it."""
    counter = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    start = digest[-1] & 15
    number = int.from_bytes(digest[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 1_000_000:06d}"


@pytest.fixture(autouse=True)
def is_required(settings: LazySettings) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    cache.clear()  # of used codes: the tests share a date, and so the codes


@pytest.fixture
def ada() -> User:
    """An administrator with an authenticator app and recovery codes."""
    ada = User.objects.create_superuser("ada", password=PASSWORD)
    TOTP.activate(ada, SECRET)
    RecoveryCodes.activate(ada)
    return ada


def type_password(client: Client, name: str = "ada") -> Any:
    return client.post(LOGIN, {"login": name, "password": PASSWORD})


def sign_in(client: Client) -> None:
    assert type_password(client)["Location"] == CODE
    assert client.post(CODE, {"code": make_code()})["Location"] == "/admin/"


def test_the_code_is_that_of_the_standard() -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert make_code(secret, at=59) == "287082"  # from appendix B of RFC 6238


def test_staff_set_up_a_second_factor_before_anything_else(client: Client) -> None:
    User.objects.create_superuser("ben", password=PASSWORD)
    assert type_password(client, "ben").status_code == 302
    for url in ("/admin/", "/admin/campaigns/member/", "/admin/auth/user/"):
        assert client.get(url)["Location"].startswith(reverse("mfa_index"))
    setup = reverse("mfa_activate_totp")
    page = read_page(client.get(setup))
    secret = page.split('id="secret">')[1].split("<")[0]
    assert client.post(setup, {"code": "000000"}).status_code == 200
    answer = client.post(setup, {"code": make_code(secret)})
    assert answer["Location"] == reverse("mfa_view_recovery_codes")
    assert read_page(client.get(answer["Location"])).count("<code>") == 10
    assert client.get("/admin/").status_code == 200


def test_a_code_works_once(client: Client, ada: User) -> None:
    sign_in(client)
    other = Client()
    type_password(other)
    answer = other.post(CODE, {"code": make_code()})
    assert "was already used" in read_page(answer)
    assert other.get("/admin/").status_code == 302


def test_codes_cannot_be_guessed(client: Client, ada: User) -> None:
    type_password(client)
    for number in range(TIMES_BY_CODE):
        client.post(CODE, {"code": f"{number:06d}"})
    answer = client.post(CODE, {"code": make_code()})
    assert "Too many attempts" in read_page(answer)
    assert client.get("/admin/").status_code == 302


def test_a_recovery_code_signs_in_once(client: Client, ada: User) -> None:
    code = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()[0]
    type_password(client)
    assert client.post(CODE, {"code": code})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    again = Client()
    type_password(again)
    assert again.post(CODE, {"code": code}).status_code == 200


def test_an_expired_second_factor_is_asked_for_again_and_the_form_is_kept(
    client: Client, ada: User, clock: Any
) -> None:
    sign_in(client)
    url = "/admin/campaigns/plan/add/"
    fields = fill_in(client, url, slug="gold")
    clock.shift(SECOND_FACTOR_SECONDS + 1)
    answer = client.post(url, fields)
    assert answer["Location"].startswith(reverse("mfa_reauthenticate"))
    back = client.post(answer["Location"], {"code": make_code(), "next": url})
    assert back["Location"] == url
    assert fill_in(client, url)["slug"] == "gold"


@pytest.mark.parametrize("ends", ["second factor", "session"])
@pytest.mark.parametrize("asked_by", ["iframe", "empty"])
def test_what_a_page_asks_for_meanwhile_never_loses_the_form_that_was_kept(
    client: Client, ada: User, clock: Any, ends: str, asked_by: str
) -> None:
    """The preview of banners sends the form into a frame, and the home page asks for itself."""
    sign_in(client)
    url = "/admin/campaigns/plan/add/"
    fields = fill_in(client, url, slug="gold")
    if ends == "session":
        Session.objects.all().delete()
    else:
        clock.shift(SECOND_FACTOR_SECONDS + 1)
    old = client.cookies["sessionid"].value
    client.post(url, fields)
    new = client.cookies["sessionid"].value
    client.cookies["sessionid"] = old  # it was sent before the answer to the form came
    frame = client.post(
        "/admin/campaigns/campaign/preview/", {"x": "1"}, headers={"Sec-Fetch-Dest": asked_by}
    )
    assert (frame.status_code, frame.content) == (204, b"")
    assert not frame.cookies, "an answer that comes late would end the new session"
    client.cookies["sessionid"] = new
    assert client.session["kept_form"]["path"] == url


def test_an_administrator_resets_a_lost_second_factor(client: Client, ada: User) -> None:
    ben = User.objects.create_superuser("ben", password=PASSWORD)
    TOTP.activate(ben, SECRET)
    bens = Client()
    type_password(bens, "ben")
    bens.post(CODE, {"code": make_code()})
    assert bens.get("/admin/").status_code == 200
    sign_in(client)
    url = reverse("admin:auth_user_reset_second_factor", args=[ben.pk])
    answer = client.post(url, {"why": "phone lost, called back"}, follow=True)
    assert "Second factor reset." in read_messages(answer)
    assert bens.get("/admin/").status_code == 302
    assert not Authenticator.objects.filter(user=ben).exists()
    assert not UserSession.objects.filter(user=ben).exists()
    entry = LogEntry.objects.get(changes_text="Second factor reset.")
    assert (entry.actor, entry.additional_data) == (ada, {"reason": "phone lost, called back"})
    assert "has no second factor" in read_messages(client.get(url, follow=True))


@pytest.mark.parametrize("name", ["ada", "new-editor"])
def test_the_last_administrator_is_restored_on_the_server(
    client: Client, ada: User, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sign_in(client)
    User.objects.filter(pk=ada.pk).update(is_active=False)
    monkeypatch.setattr(restore_admin, "getpass", lambda prompt: "another-long-one")
    call_command("restore_admin", name, stdout=io.StringIO())
    user = User.objects.get(username=name)
    assert [group.name for group in user.groups.all()] == ["administrator"]
    assert LogEntry.objects.filter(object_id=user.pk, changes_text__contains="on the server")
    fresh = Client()
    fresh.post(LOGIN, {"login": name, "password": "another-long-one"})
    assert fresh.get("/admin/")["Location"].startswith(reverse("mfa_index"))
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize("typed", [["short", "short"], ["another-long-one", "and-one-more-word"]])
def test_a_bad_password_restores_nobody(
    ada: User, monkeypatch: pytest.MonkeyPatch, typed: list[str]
) -> None:
    answers = iter(typed)
    monkeypatch.setattr(restore_admin, "getpass", lambda prompt: next(answers))
    with pytest.raises(CommandError, match="Nothing was changed"):
        call_command("restore_admin", "ada", stdout=io.StringIO())
    assert User.objects.get().check_password(PASSWORD)


def test_without_a_terminal_the_password_is_asked_for_in_one(
    ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end_input(prompt: str) -> str:
        raise EOFError

    monkeypatch.setattr(restore_admin, "getpass", end_input)
    with pytest.raises(CommandError, match="Type the password in a terminal"):
        call_command("restore_admin", "ada", stdout=io.StringIO())
    assert User.objects.get().check_password(PASSWORD)


def test_other_sessions_are_listed_and_ended(client: Client, ada: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = False
    Authenticator.objects.all().delete()
    other = Client(headers={"User-Agent": "Some Browser"})
    for each in (client, other):
        type_password(each)
    url = reverse("usersessions_list")
    assert "Some Browser" in read_page(client.get(url))
    client.post(url)
    assert other.get("/admin/").status_code == 302
    assert client.get("/admin/").status_code == 200


@pytest.mark.parametrize(
    "path", ["signup/", "email/", "password/reset/", "account/signup/", "account/email/"]
)
def test_nobody_signs_up_or_resets_a_password_by_e_mail(client: Client, path: str) -> None:
    assert client.get(f"/admin/{path}", follow=True).status_code in {200, 404}
    assert not User.objects.exists()


def test_only_staff_sign_in(client: Client, ada: User) -> None:
    User.objects.create_user("reader", password=PASSWORD)
    answer = type_password(client, "reader")
    assert "The user name or the password is wrong." in read_page(answer)
    sign_in(client)
    User.objects.filter(pk=ada.pk).update(is_staff=False)
    assert client.get("/admin/", follow=True).status_code == 403


def test_a_role_that_is_taken_away_ends_at_the_next_click(
    client: Client, settings: LazySettings
) -> None:
    """Also in the middle of a form, and although the person stays signed in."""
    settings.REQUIRE_SECOND_FACTOR = False
    member = make_member("ada@example.org")
    desk = User.objects.create_user("mia", password=PASSWORD, is_staff=True)
    desk.groups.set([Group.objects.get(name="supporter desk")])
    type_password(client, "mia")
    url = admin_url(Member, "note", member.pk)
    fields = fill_in(client, url, text="Called back.")
    desk.groups.clear()
    assert client.post(url, fields).status_code == 403
    assert not MemberNote.objects.exists()
    home = client.get("/admin/")
    assert home.status_code == 200
    assert "/admin/campaigns/member/" not in read_page(home)
    assert client.get("/admin/search/", {"q": "ada@example.org"}).status_code == 200
    User.objects.filter(pk=desk.pk).update(is_active=False)
    assert client.get("/admin/")["Location"].startswith(LOGIN)
