"""Lists for the mailing tool: the file that goes out, and the one that comes back."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from campaigns import newsletters
from campaigns.models import Subscription
from tests.support.newsletters import ADA, make_newsletter, make_subscription, statuses
from tests.support.staff import admin_url, read_page, run_action, sign_in_staff

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture(autouse=True)
def ada() -> dict[str, Subscription]:
    return {
        slug: make_subscription(make_newsletter(slug), placement="signup")
        for slug in ("morning", "war")
    }


def import_text(text: str, **options: Any) -> newsletters.Outcome:
    return newsletters.end_returned(text.encode(), at=timezone.now(), **options)


def test_the_file_has_the_proof_of_consent_and_links_for_the_letters(
    client: Client, ada: dict[str, Subscription]
) -> None:
    headings, first, second = newsletters.list_subscribers(Subscription.objects.all())
    row = dict(zip(headings, first, strict=True))
    assert (row["email"], row["newsletter"], row["status"]) == (ADA, "morning", "confirmed")
    assert (row["consent"], row["confirmed_by"]) == ("By signing up", "link")
    assert row["form"] == "https://testserver/newsletters/"
    assert (row["placement"], row["requested_at"] is not None) == ("signup", True)
    url = str(row["unsubscribe_url"]).removeprefix("http://127.0.0.1:8000")
    client.post(url, {"List-Unsubscribe": "One-Click"})
    assert statuses() == {"morning": "unsubscribed", "war": "confirmed"}
    assert second[1] == "war"


def test_administrators_download_what_the_filter_shows(
    admin_client: Client, admin_user: Any
) -> None:
    sign_in_staff(admin_client, admin_user)
    Subscription.objects.filter(newsletter__slug="war").update(
        status="unsubscribed", ended_at=timezone.now()
    )
    url = admin_url(Subscription, "download", "csv")
    answer: Any = admin_client.get(url, {"status__exact": "confirmed"})
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["newsletter"], row["campaign"]) == ("morning", "")
    sheet: Any = admin_client.get(admin_url(Subscription, "download", "xlsx"))
    assert b"".join(sheet.streaming_content).startswith(b"PK")
    sheet.close()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("email\nADA@example.org\n", {"morning": "unsubscribed", "war": "unsubscribed"}),
        (
            "Email Address;List;Reason\r\nada@example.org;war;hard bounce\r\n",
            {"morning": "confirmed", "war": "unsubscribed"},
        ),
        (
            "\ufeffemail\tnewsletter\nada@example.org\tmorning\n\n",
            {"morning": "unsubscribed", "war": "confirmed"},
        ),
        ("email,name\n'ada@example.org,=1+1\n", {"morning": "unsubscribed", "war": "unsubscribed"}),
    ],
)
def test_subscriptions_in_the_mailing_tools_file_end_here_too(
    text: str, left: dict[str, str]
) -> None:
    assert import_text(text, is_rehearsal=True).ended == list(left.values()).count("unsubscribed")
    assert statuses() == {"morning": "confirmed", "war": "confirmed"}
    outcome = import_text(text)
    assert statuses() == left
    again = import_text(text)
    assert (again.ended, again.unchanged) == (0, outcome.ended)


def test_the_reason_is_kept() -> None:
    import_text(
        "email,newsletter,reason\nada@example.org,war,Bounced\nada@example.org,morning,SPAM"
    )
    causes = Subscription.objects.values_list("newsletter__slug", "cause")
    assert dict(causes) == {"war": "bounce", "morning": "complaint"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "This file is empty."),
        (b"name\nAda\n", "One of them has to be “email”."),
        (b"PK\x03\x04xlsx", "Save it as “CSV UTF-8”"),
        (b"email\n\xff\xfe\xff", "Save it as “CSV UTF-8”"),
        (b"email\nada\0@example.org", "We can’t read the characters"),
        (b'email\n"ada', "Line 2 can’t be read"),
        (b"email,newsletter\nada@example.org,weekly\n", "Line 2: there is no newsletter “weekly”"),
    ],
)
def test_a_wrong_file_changes_nothing_and_says_why(content: bytes, words: str) -> None:
    with pytest.raises(newsletters.UnreadableReturns) as error:
        newsletters.end_returned(content, at=timezone.now())
    assert words in str(error.value)
    assert statuses() == {"morning": "confirmed", "war": "confirmed"}


def test_the_command_imports_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "gone.csv"
    file.write_text("email\nada@example.org\nstranger@example.org\n")
    call_command("import_unsubscribes", str(file), "--dry-run")
    assert capsys.readouterr().out == "2 would end, 0 had already ended, 1 unknown\n"
    call_command("import_unsubscribes", str(file))
    printed = capsys.readouterr()
    assert printed.out == "2 ended, 0 had already ended, 1 unknown\n"
    assert printed.err == "line 3: no such subscription\n"
    with pytest.raises(CommandError, match="can't be read"):
        call_command("import_unsubscribes", str(tmp_path / "none.csv"))


def test_staff_import_a_file_and_end_single_subscriptions(
    admin_client: Client, admin_user: Any, ada: dict[str, Subscription]
) -> None:
    sign_in_staff(admin_client, admin_user)
    url = "/admin/campaigns/subscription/import/"
    page = admin_client.get(admin_url(Subscription, "changelist"))
    assert f'href="{url}"' in read_page(page)
    wrong = admin_client.post(url, {"file": SimpleUploadedFile("a.csv", b"name\nAda")})
    assert "One of them has to be “email”." in read_page(wrong)
    assert "This field is required." in read_page(admin_client.post(url))
    rows = b"email,newsletter\nada@example.org,war\nx@example.org,war"
    done = admin_client.post(url, {"file": SimpleUploadedFile("a.csv", rows)}, follow=True)
    assert "1 subscription ended." in read_page(done)
    assert "1 line matches no subscription: 3." in read_page(done)
    run_action(admin_client, Subscription, "unsubscribe", ada["morning"].pk)
    assert statuses() == {"morning": "unsubscribed", "war": "unsubscribed"}
    [entry] = LogEntry.objects.get_for_object(ada["morning"])
    assert (entry.changes_text, entry.actor) == ("Unsubscribed by staff.", admin_user)
