"""Requests of staff that fail: the page says why, leads on, and loses no form."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from campaigns.models import Member, MemberNote
from tests.support.factories import make_member
from tests.support.staff import admin_url, read_page, sign_in_staff

pytestmark = pytest.mark.django_db

HOME = '<a href="/admin/">Go to Home</a>'
PLAIN_HOME = '<a class="button" href="/admin/">Go to Home</a>'
FOR_READERS = ("Become a member", "Claim a gift", "charged")
TYPED = {"text": "Called, paid by mistake."}


def sign_in(client: Client, role: str) -> Client:
    user = User.objects.create_user(role, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    sign_in_staff(client, user)
    return client


@pytest.fixture
def desk(client: Client) -> Client:
    return sign_in(client, "supporter desk")


@pytest.fixture
def checked() -> Client:
    """Return a client of the supporter desk whose forms need a CSRF token, as in a browser."""
    client = Client(enforce_csrf_checks=True)
    return sign_in(client, "supporter desk")


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("/admin/campaigns/stripeevent/", 403, "Your role doesn’t include it."),
        ("/admin/nothing/", 404, "The link may be incomplete"),
    ],
)
def test_staff_stay_in_the_admin(desk: Client, url: str, status: int, words: str) -> None:
    response = desk.get(url)
    assert response.status_code == status
    page = read_page(response)
    assert words in page
    assert HOME in page
    assert 'id="desk-navigation"' in page
    assert not any(each in page for each in FOR_READERS)


def test_readers_get_their_own_page(desk: Client) -> None:
    for client in (desk, Client()):
        page = read_page(client.get("/nothing/"))
        assert "Claim a gift" in page
        assert "Go to Home" not in page


def test_strangers_learn_nothing_about_the_admin() -> None:
    response = Client().get("/admin/nothing/")
    assert response["Location"] == "/admin/login/?next=/admin/nothing/"


def test_an_error_in_the_admin_leads_on(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_typed: str) -> None:
        raise RuntimeError

    monkeypatch.setattr("campaigns.admin.search.search_everything", fail)
    desk.raise_request_exception = False
    response = desk.get("/admin/search/?q=ada")
    assert response.status_code == 500
    page = read_page(response)
    assert PLAIN_HOME in page
    assert not any(each in page for each in FOR_READERS)


def test_a_request_that_is_too_large_leads_on(desk: Client) -> None:
    fields = {f"field-{number}": "x" for number in range(20_001)}
    response = desk.post(admin_url(Member, "changelist"), fields)
    assert response.status_code == 400
    page = read_page(response)
    assert "choose fewer rows" in page
    assert PLAIN_HOME in page
    assert not any(each in page for each in FOR_READERS)


def send_with_old_token(client: Client, **headers: str) -> tuple[int, str]:
    """Send a note whose form was opened before its sender signed in again elsewhere."""
    url = admin_url(Member, "note", make_member("ada@example.org").pk)
    client.get(url)
    answer = client.post(url, {**TYPED, "csrfmiddlewaretoken": "x" * 64}, headers=headers)
    assert not MemberNote.objects.exists()
    return answer.status_code, read_page(client.get(url))


def test_a_form_from_before_the_sign_in_is_not_lost(checked: Client) -> None:
    status, page = send_with_old_token(checked, **{"Sec-Fetch-Site": "same-origin"})
    assert status == 302
    assert TYPED["text"] in page
    assert "Nothing has been saved yet." in page


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none", ""])
def test_a_form_of_another_site_is_refused_and_not_kept(checked: Client, site: str) -> None:
    status, page = send_with_old_token(checked, **{"Sec-Fetch-Site": site})
    assert status == 403
    assert TYPED["text"] not in page
