"""Staff set another user's password: nobody overwrites a colleague's unseen."""

import pytest
from auditlog.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse

from tests.support.staff import Fields, fill_in, read_page, sign_in_staff

pytestmark = pytest.mark.django_db

NEW_PASSWORDS = ("first-long-password", "second-long-password")
PASSWORD_REFUSED = "this password was changed after you opened the page"


def type_password(browser: Client, url: str, password: str) -> dict[str, str]:
    return fill_in(browser, url, new_password1=password, new_password2=password)


@pytest.fixture
def ada() -> User:
    return User.objects.create_superuser("ada")


@pytest.fixture
def cleo() -> User:
    return User.objects.create_user("cleo", is_staff=True)


def sign_in(user: User) -> Client:
    browser = Client()
    sign_in_staff(browser, user)
    return browser


def name_page(user: User) -> str:
    return reverse("admin:auth_user_password_change", args=[user.pk])


def test_a_password_set_meanwhile_is_not_overwritten_unseen(ada: User, cleo: User) -> None:
    url = name_page(cleo)
    early, late = sign_in(ada), sign_in(User.objects.create_superuser("ben"))
    first, second = NEW_PASSWORDS
    typed = [type_password(early, url, first), type_password(late, url, second)]
    assert early.post(url, typed[0]).status_code == 302
    answer = late.post(url, typed[1])
    assert PASSWORD_REFUSED in read_page(answer)
    cleo.refresh_from_db()
    assert cleo.check_password(first)
    shown = Fields(read_page(answer)).sent
    assert second not in str(shown), "it is typed again"
    decided = shown | {"new_password1": second, "new_password2": second}
    assert late.post(url, decided).status_code == 302
    cleo.refresh_from_db()
    assert cleo.check_password(second)


def test_a_second_click_on_a_password_is_no_conflict(ada: User, cleo: User) -> None:
    browser, url = sign_in(ada), name_page(cleo)
    typed = type_password(browser, url, NEW_PASSWORDS[0])
    assert [browser.post(url, typed).status_code for _click in range(2)] == [302, 302]
    entry = LogEntry.objects.get(changes_text="Password changed.")
    assert entry.actor == ada


def test_an_own_password_set_in_the_admin_ends_no_session(ada: User) -> None:
    browser, url = sign_in(ada), name_page(ada)
    browser.post(url, type_password(browser, url, NEW_PASSWORDS[0]))
    assert browser.get(url).status_code == 200
    ada.refresh_from_db()
    assert ada.check_password(NEW_PASSWORDS[0])


@pytest.mark.parametrize("name", ["password_change", "reset_second_factor"])
def test_an_administrator_takes_over_no_superuser(ada: User, cleo: User, name: str) -> None:
    cleo.groups.add(Group.objects.get(name="administrator"))
    browser = sign_in(cleo)
    url = reverse(f"admin:auth_user_{name}", args=[ada.pk])
    assert browser.get(url).status_code == 403
    assert browser.post(url, {"why": "phone lost"}).status_code == 403
    ada.refresh_from_db()
    assert not ada.has_usable_password()
