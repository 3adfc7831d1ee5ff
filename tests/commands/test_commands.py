"""The management commands, run as staff run them."""

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.utils import timezone

from campaigns import memberships, progress
from campaigns.management.commands import import_members
from campaigns.models import Member, Membership, OutgoingMail, Tally
from tests.support.commands import import_file, run_command, write_file
from tests.support.factories import at, make_campaign, make_member, make_payment

# import_members


def import_with_errors(folder: Path, text: str) -> list[str]:
    """Import a file with mistakes; return the error lines, one for each row."""
    errors = io.StringIO()
    with pytest.raises(CommandError, match="Correct the skipped rows and import the file again"):
        run_command("import_members", write_file(folder, text), stderr=errors)
    return errors.getvalue().splitlines()


@pytest.mark.django_db
def test_earlier_members_are_imported_without_an_e_mail(tmp_path: Path) -> None:
    output = import_file(
        tmp_path,
        "email,since,name,until\n"
        "Ada@Example.org ,2024-11-30,Ada Reader,\n"
        "ben@example.org,2023-01-02,Ben,2099-01-01\n",
    )
    assert output == "2 imported, 0 already on file, 0 errors; 0 rows skipped\n"
    ada = Membership.objects.get(member__email="ada@example.org")
    assert (ada.source, ada.status, ada.member.name) == ("imported", "active", "Ada Reader")
    assert (ada.started_at, ada.ends_at) == (at("2024-11-30 00:00"), None)
    ben = Membership.objects.get(member__email="ben@example.org")
    assert ben.ends_at == at("2099-01-02 00:00")
    assert not OutgoingMail.objects.exists()


@pytest.mark.django_db
def test_a_membership_that_ran_out_is_imported_as_ended(tmp_path: Path) -> None:
    import_file(tmp_path, "email,since,until\nada@example.org,2020-01-01,2021-01-01\n")
    membership = Membership.objects.get()
    assert (membership.status, membership.ended_at) == ("ended", at("2021-01-02 00:00"))
    assert not memberships.has_access(membership.member, timezone.now())


@pytest.mark.django_db
def test_a_second_import_adds_only_new_rows(tmp_path: Path) -> None:
    first = "email,since,name\nada@example.org,2024-11-30,Ada\n"
    import_file(tmp_path, first)
    output = import_file(tmp_path, first + "ben@example.org,2024-11-30,Ben\n")
    assert output == "1 imported, 1 already on file, 0 errors; 0 rows skipped\n"
    assert Membership.objects.count() == Member.objects.count() == 2


@pytest.mark.django_db
def test_a_dry_run_reports_the_same_and_writes_nothing(tmp_path: Path) -> None:
    output = import_file(tmp_path, "email,since\nada@example.org,2024-11-30\n", dry_run=True)
    assert output == "1 would be imported, 0 already on file, 0 errors; 0 rows skipped\n"
    assert not Member.objects.exists()


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nobody,2024-11-30,,", "“email” is not an e-mail address"),
        (",2024-11-30,Ada,", "“email” is not an e-mail address"),
        ("ada@example.org,,,", "“since” is empty"),
        ("ada@example.org,11/30/2024,,", "“since” is not a date. Write it as 2024-11-30"),
        ("ada@example.org,2024-02-30,,", "“since” is not a date"),
        ("ada@example.org,31.11.2024,,", "“since” is not a date"),
        ("ada@example.org,30.11.24,,", "“since” is not a date"),
        ("ada@example.org,0001-01-01T00:00+05:00,,", "“since” is not a date"),
        ("ada@example.org,2100-01-01,,", "“since” is in the future"),
        ("ada@example.org,2024-11-30,,2024-11-29", "“until” is not after “since”"),
        ("ada@example.org,2024-11-30T09:05,,2024-11-30T09:05", "“until” is not after “since”"),
        ("ada@example.org,2024-11-30,,soon", "“until” is not a date"),
        ("ada@example.org,2024-11-30,,9999-12-31T23:59-05:00", "“until” is not a date"),
        ("ada@example.org,2024-11-30", "2 fewer cells than the header"),
        ("ada@example.org,2024-11-30,Ada,,more", "1 more cell than the header"),
        (
            f"ada@example.org,2024-11-30,{'A' * 121},",
            "“name” is not valid. Ensure this value has at most 120",
        ),
        (
            'ada@example.org,2024-11-30,"Ada\nReader",',
            "“name” is not valid. Enter the name on one line.",
        ),
        (
            "ada@example.org,2024-11-30,A\0da,",
            "“name” is not valid. Null characters are not allowed.",
        ),
        (
            'ada@example.org,2024-11-30,"=HYPERLINK(""x"")",',
            "“name” is not valid. A name can’t start with “=”.",
        ),
        ("=1+1@example.org,2024-11-30,,", "“email” starts with ="),
        (f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.org,2024-11-30,,", "“email” is too long"),
    ],
)
def test_a_row_with_a_mistake_is_reported_and_the_others_are_imported(
    tmp_path: Path, row: str, reason: str
) -> None:
    text = f"email,since,name,until\nben@example.org,2024-11-30,Ben,\n{row}\n"
    [line] = import_with_errors(tmp_path, text)
    assert line.startswith(f"row {3 + row.count(chr(10))}: {reason}")
    assert "ada@" not in line
    assert [member.email for member in Member.objects.all()] == ["ben@example.org"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "written",
    [
        "email;since;name\r\nada@example.org;30.11.2024;Áda, the reader\r\n".encode(),
        "email\tsince\tname\nada@example.org\t2024-11-30\tÁda, the reader\n".encode(),
        '\ufeffemail,since,name\r\nada@example.org,2024-11-30,"Áda, the reader"\r\n'.encode(),
        "Email\tSince\tName\r\nada@example.org\t30.11.2024\tÁda, the reader\r\n".encode("utf-16"),
        (
            "phone;EMAIL ;since;name;;\n;ada@example.org;2024-11-30T00:00Z;Áda, the reader;;\n"
            "\n;;;;;\n"
        ).encode(),
    ],
    ids=["semicolons", "tabs", "byte order mark", "utf-16", "other columns and empty rows"],
)
def test_files_from_spreadsheets_are_read(tmp_path: Path, written: bytes) -> None:
    assert import_file(tmp_path, written).startswith("1 imported")
    membership = Membership.objects.get()
    assert membership.member.email == "ada@example.org"
    assert membership.member.name == "Áda, the reader"
    assert membership.started_at == at("2024-11-30 00:00")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("written", "error"),
    [
        (b"email,since,name\na@example.org,2024-11-30,Ada\nb@example.org,,\xc1da\n", "see line 3"),
        (b"", "There is no column email and since. The columns are: none"),
        (b"address,since\n", "There is no column email. The columns are: address, since"),
        (b"email,since,Email\n", "There are two columns email"),
        (b'email,since\nada@example.org,"2024', "can't be read at line 2"),
    ],
    ids=["not UTF-8", "empty", "no e-mail", "twice", "open quotation mark"],
)
def test_a_file_that_cannot_be_read_imports_nothing(
    tmp_path: Path, written: bytes, error: str
) -> None:
    with pytest.raises(CommandError, match=error):
        import_file(tmp_path, written)
    assert not Member.objects.exists()


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nowhere\.csv can't be read: No such file"):
        run_command("import_members", tmp_path / "nowhere.csv")
    with pytest.raises(CommandError, match="can't be read: Is a directory"):
        run_command("import_members", tmp_path)


@pytest.mark.django_db
def test_the_first_of_two_rows_with_one_person_and_first_day_is_imported(tmp_path: Path) -> None:
    notes = io.StringIO()
    path = write_file(
        tmp_path,
        "email,since,until\n"
        "ada@example.org,2024-11-30,\n"
        "ADA@example.org,2024-11-30,\n"
        "ada@example.org,2024-11-30,2099-01-01\n",
    )
    output = run_command("import_members", path, stderr=notes)
    assert (
        output.splitlines(keepends=True)[-1]
        == "1 imported, 2 already on file, 0 errors; 0 rows skipped\n"
    )
    assert notes.getvalue() == "row 4: “until” differs from row 2, which is used\n"
    assert Membership.objects.get().ends_at is None


@pytest.mark.django_db
def test_another_end_in_a_later_import_is_reported_and_changes_nothing(tmp_path: Path) -> None:
    import_file(tmp_path, "email,since,until\nada@example.org,2024-11-30,\n")
    notes = io.StringIO()
    path = write_file(tmp_path, "email,since,until\nada@example.org,2024-11-30,2099-01-01\n")
    assert "1 already on file" in run_command("import_members", path, stderr=notes)
    assert "row 2: already on file with another “until”, which doesn't change" in notes.getvalue()
    assert Membership.objects.get().ends_at is None


@pytest.mark.django_db
def test_a_person_can_have_two_earlier_memberships(tmp_path: Path) -> None:
    ada = make_member("ada@example.org")
    output = import_file(
        tmp_path,
        "email,since,until,name\n"
        "ada@example.org,2020-01-01,2021-01-01,\n"
        "ada@example.org,2024-01-01,,Ada\n",
    )
    assert output.startswith("2 imported")
    assert ada.memberships.count() == 2
    ada.refresh_from_db()
    assert ada.name == "Ada"


@pytest.mark.django_db
def test_a_name_on_file_is_kept(tmp_path: Path) -> None:
    Member.objects.get_or_create_by_email("ada@example.org", name="Ada Lovelace")
    import_file(tmp_path, "email,since,name\nada@example.org,2024-11-30,A. L.\n")
    assert Member.objects.get().name == "Ada Lovelace"


@pytest.mark.django_db
def test_an_imported_earlier_member_no_longer_counts_as_new(tmp_path: Path) -> None:
    campaign = make_campaign()
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    for member in (ada, ben):
        make_payment(member, campaign, "2026-11-10 12:00")
    progress.tally_members([ada, ben])
    assert Tally.objects.count() == 2
    import_file(
        tmp_path,
        "email,since,until\nada@example.org,2024-11-30,\nben@example.org,2024-11-30,2025-11-30\n",
    )
    assert [tally.member for tally in Tally.objects.all()] == [ben]


@pytest.mark.thorough
@pytest.mark.django_db
def test_an_import_costs_few_queries_per_batch(
    tmp_path: Path, django_assert_max_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_members, "BATCH", 100)
    rows = [f"reader{number}@example.org,2024-11-30,Reader {number}" for number in range(1000)]
    with django_assert_max_num_queries(10 * 22):
        assert import_file(tmp_path, "\n".join(["email,since,name", *rows])).startswith(
            "1000 imported"
        )


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.django_db
def test_only_a_terminal_shows_a_progress_bar(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_members, "BATCH", 2)
    rows = [f"reader{number}@example.org,2024-11-30" for number in range(4)]
    path = write_file(tmp_path, "\n".join(["email,since", *rows]))
    piped, terminal = io.StringIO(), Terminal()
    run_command("import_members", path, stderr=piped)
    run_command("import_members", path, stderr=terminal)
    assert piped.getvalue() == ""
    half, full = "#" * 20 + "." * 20, "#" * 40
    assert terminal.getvalue() == f"\r[{half}] 2 of 4\r[{full}] 4 of 4\n"
