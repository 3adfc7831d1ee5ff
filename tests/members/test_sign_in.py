"""Sign-in links and sessions of the account page."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import emails, jobs, members
from campaigns.emails import links
from campaigns.models import OutgoingMail, SignInLink
from tests.support.factories import make_member
from tests.support.mails import assert_no_longer_wanted, find_link
from tests.support.pages import NOON, error_beside, main_of, read_form
from tests.support.sign_in import (
    ACCOUNT,
    ADA,
    is_signed_in,
    open_account_page,
    read_sign_in_mail,
    request_link,
    request_link_path,
    sign_in,
)
from tests.support.threads import race


@pytest.fixture(autouse=True)
def clock() -> Iterator[time_machine.Traveller]:
    """Run the application on the sandbox's clock."""
    with time_machine.travel(NOON, tick=True) as clock:
        yield clock


# Links


@pytest.mark.django_db
def test_known_and_unknown_addresses_get_the_same_answer(client: Client) -> None:
    make_member(ADA)
    known, unknown = (request_link(client, address) for address in (ADA, "eve@example.org"))
    assert known.status_code == unknown.status_code == 200
    words = "If this address belongs to a membership or a gift, we’ve sent you a sign-in link."
    assert f"{words} It works once and expires after 30 minutes." in main_of(known)
    assert main_of(known).replace(ADA, "eve@example.org") == main_of(unknown)
    assert set(known.headers) == set(unknown.headers)
    assert SignInLink.objects.get().member.email == ADA
    assert OutgoingMail.objects.get().kind == "sign_in"


@pytest.mark.django_db
def test_addresses_match_in_any_case_and_invalid_ones_are_refused(client: Client) -> None:
    make_member(ADA)
    request_link(client, "  ADA@Example.ORG ")
    assert SignInLink.objects.count() == 1
    answer = request_link(client, "ada at example")
    assert answer.status_code == 422
    assert error_beside(answer, "email").startswith("Enter a valid e-mail address")
    assert read_form(answer).fields["email"] == "ada at example"


@pytest.mark.django_db
def test_a_link_works_once(client: Client) -> None:
    make_member(ADA)
    path = request_link_path(client)
    assert not is_signed_in(client)
    for _ in range(2):  # a mail scanner's GET doesn't use up the link
        answer = client.get(path)
        assert answer.status_code == 200
        assert ">Sign in<" in main_of(answer)
    assert not is_signed_in(client)
    assert client.post(path)["Location"] == ACCOUNT
    assert ADA in open_account_page(client)
    for again in (Client().get(path), Client().post(path)):
        assert again.status_code == 410
        assert "Send sign-in link" in main_of(again)


@pytest.mark.both_databases
@pytest.mark.django_db(transaction=True)
def test_two_simultaneous_uses_of_a_link_sign_in_once(client: Client) -> None:
    make_member(ADA)
    path = request_link_path(client)
    outcomes = race(*[lambda: Client().post(path).status_code] * 4)
    assert sorted(map(str, outcomes)) == ["303", "410", "410", "410"]


@pytest.mark.django_db
def test_a_link_is_valid_for_half_an_hour(client: Client, clock: time_machine.Traveller) -> None:
    make_member(ADA)
    path = request_link_path(client)
    clock.shift(timedelta(minutes=29))
    assert client.get(path).status_code == 200
    clock.shift(timedelta(minutes=2))
    assert client.get(path).status_code == 410
    assert client.post(path).status_code == 410
    assert not is_signed_in(client)


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x", "A" * 43, "%00", "%F0%9F%92%A9", "a:b:c"])
def test_an_invalid_link_is_refused(client: Client, token: str) -> None:
    for answer in (client.get(f"{ACCOUNT}open/{token}/"), client.post(f"{ACCOUNT}open/{token}/")):
        assert answer.status_code == 410


@pytest.mark.django_db
def test_an_email_can_be_resent_and_the_table_does_not_reveal_its_link(
    client: Client, settings: LazySettings
) -> None:
    make_member(ADA)
    path = request_link_path(client)
    token = path.rstrip("/").rpartition("/")[2]
    mail = OutgoingMail.objects.get()
    assert emails.reschedule_mail([mail.pk]) == 1
    assert urlsplit(find_link(read_sign_in_mail(), f"{ACCOUNT}open/")).path == path
    for row in (*SignInLink.objects.values(), *OutgoingMail.objects.values()):
        assert token not in str(row)
    assert client.get(f"{ACCOUNT}open/{SignInLink.objects.get().secret_hash}/").status_code == 410
    settings.SECRET_KEY = "another-key"
    assert links.make_sign_in_token(SignInLink.objects.get()) != token
    emails.reschedule_mail([mail.pk])
    assert_no_longer_wanted(mail)  # its link has expired


@pytest.mark.django_db
def test_an_email_is_not_sent_after_its_link_expired(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_member(ADA)
    request_link(client)
    clock.shift(timedelta(minutes=31))
    assert_no_longer_wanted(OutgoingMail.objects.get())
    request_link(client)
    members.open_link(links.make_sign_in_token(SignInLink.objects.latest("pk")), at=timezone.now())
    assert_no_longer_wanted(OutgoingMail.objects.latest("pk"))


@pytest.mark.django_db
def test_an_old_link_is_deleted_with_its_email(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_member(ADA)
    request_link_path(client)
    clock.shift(timedelta(days=29))
    jobs.run_due_jobs("old_rows")
    assert SignInLink.objects.count() == OutgoingMail.objects.filter(kind="sign_in").count() == 1
    clock.shift(timedelta(days=2))
    jobs.run_due_jobs("old_rows")
    assert SignInLink.objects.count() == OutgoingMail.objects.filter(kind="sign_in").count() == 0


@pytest.mark.django_db
def test_a_link_of_a_member_who_is_merged_meanwhile_is_refused(
    client: Client,
) -> None:
    """The link is used up, then deleted by the merge before the member is loaded."""
    make_member(ADA)
    path = request_link_path(client)

    def merge_after_update(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        done = execute(sql, params, many, context)
        if sql.startswith("UPDATE") and "signinlink" in sql:
            gone = SignInLink.objects.get().member
            members.merge_members(kept=make_member("eve@example.org"), gone=gone, why="one")
        return done

    with connection.execute_wrapper(merge_after_update):
        answer = client.post(path)
    assert answer.status_code == 410
    assert not is_signed_in(client)


@pytest.mark.django_db
def test_repeated_requests_do_not_flood_a_mailbox(
    client: Client, clock: time_machine.Traveller
) -> None:
    make_member(ADA)
    first, second = (client.post(ACCOUNT, {"email": ADA}) for _ in range(2))
    assert main_of(first) == main_of(second)
    assert SignInLink.objects.count() == 1  # one a minute
    for _ in range(9):
        clock.shift(timedelta(minutes=2))
        request_link(client)
    assert SignInLink.objects.count() == 5  # an hour
    clock.shift(timedelta(hours=1))
    request_link(client)
    assert SignInLink.objects.count() == 6


@pytest.mark.django_db
def test_a_client_can_request_a_limited_number_of_links(client: Client) -> None:
    statuses = [
        client.post(ACCOUNT, {"email": f"reader{number}@example.org"}).status_code
        for number in range(11)
    ]
    assert statuses == [200] * 10 + [429]
    assert client.get(ACCOUNT).status_code == 200


@pytest.mark.django_db
def test_the_link_reaches_no_log_and_no_other_site(
    client: Client, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    make_member(ADA)
    path = request_link_path(client)
    with caplog.at_level("DEBUG"):
        answers = [client.get(path), client.post(path), client.post(path), client.get(ACCOUNT)]
    for answer in answers:
        assert answer["Referrer-Policy"] == "strict-origin"
        assert answer["X-Robots-Tag"] == "noindex"
        assert "no-store" in answer["Cache-Control"]
        assert "private" in answer["Cache-Control"]
    written = caplog.text + "".join(capfd.readouterr())
    token = path.rstrip("/").rpartition("/")[2]
    assert token not in written
    assert ADA not in written


# Sessions


@pytest.mark.django_db
def test_a_session_ends_after_an_hour(client: Client, clock: time_machine.Traveller) -> None:
    make_member(ADA)
    sign_in(client)
    clock.shift(timedelta(minutes=59))
    assert is_signed_in(client)
    clock.shift(timedelta(minutes=2))
    assert not is_signed_in(client)
    answer = client.get(f"{ACCOUNT}data.json", follow=True)
    assert "we signed you out after one hour" in main_of(answer)


@pytest.mark.django_db
def test_the_session_key_changes_at_sign_in_and_sign_out(client: Client) -> None:
    make_member(ADA)
    client.cookies["sessionid"] = "planted-by-an-attacker"
    sign_in(client)
    key = client.cookies["sessionid"].value
    assert key not in {"", "planted-by-an-attacker"}
    answer = client.post(f"{ACCOUNT}sign-out/", follow=True)
    assert "You’ve signed out" in main_of(answer)
    assert not is_signed_in(client)
    thief = Client()
    thief.cookies["sessionid"] = key
    assert not is_signed_in(thief)


@pytest.mark.django_db
def test_staff_login_and_account_page_are_independent(
    client: Client, clock: time_machine.Traveller
) -> None:
    staff = User.objects.create_superuser("desk", "desk@example.org", "a long password")
    make_member(ADA)
    client.force_login(staff)
    before = client.session.get_expiry_age()
    assert not is_signed_in(client)  # staff users aren't members
    sign_in(client)
    assert client.session[SESSION_KEY] == str(staff.pk)
    assert client.session.get_expiry_age() == before
    assert client.get("/admin/").status_code == 200
    clock.shift(timedelta(hours=2))
    assert not is_signed_in(client)
    assert client.get("/admin/").status_code == 200
    sign_in(client)
    client.post(f"{ACCOUNT}sign-out/")
    assert client.get("/admin/").status_code == 200
    other = Client()
    sign_in(other)
    assert other.get("/admin/").status_code == 302  # members aren't staff users


@pytest.mark.django_db
def test_reading_the_page_changes_nothing_and_sign_out_is_a_form(client: Client) -> None:
    make_member(ADA)
    sign_in(client)
    assert client.get(f"{ACCOUNT}sign-out/").status_code == 405
    assert is_signed_in(client)
