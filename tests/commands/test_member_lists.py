"""Lists of members as other systems export them, and days in the newspaper's time zone."""

import io
from datetime import date
from pathlib import Path

import pytest
import xlsxwriter
from django.conf import LazySettings
from django.core.management import CommandError

from campaigns import progress
from campaigns.management.commands.import_members import Command
from campaigns.models import Member, Membership, Tally
from tests.support.commands import import_file, run_command, write_file
from tests.support.factories import at, make_campaign, make_member, make_payment

pytestmark = pytest.mark.django_db

GHOST = (
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,"
    "deleted_at,labels,tiers\n"
    "1,ada@example.org,Ada Reader,,true,false,cus_1,2024-11-30T07:05:00.000Z,,,Supporter\n"
    "2,ben@example.org,,,true,false,,2024-12-01T07:05:00.000Z,,,\n"
)
WOOCOMMERCE = (
    "user_membership_id,user_id,user_name,member_first_name,member_last_name,member_email,"
    "membership_plan_id,membership_plan,membership_status,member_since,membership_expiration\n"
    "7,1,ada,Ada,Reader,ada@example.org,3,Supporter,active,2024-11-30 09:05:00,"
    "2099-11-30 09:05:00\n"
)
MAILCHIMP = (
    '"Email Address","First Name","Last Name",MEMBER_RATING,OPTIN_TIME,CONFIRM_TIME,TAGS\n'
    'ada@example.org,Ada,Reader,2,"2024-11-30 09:05:00","2024-11-30 09:05:00","paying"\n'
)
MEMBERFUL = (
    "Full Name,Email,Plan,Active,Created at,Expiration date\n"
    "Ada Reader,ada@example.org,Supporter,yes,2024-11-30 07:05:00 UTC,2099-11-30\n"
)
EXCEL = "sep=;\r\nName;E-Mail;Since\r\nAda Reader;ada@example.org;30.11.2024 09:05\r\n"


@pytest.fixture
def kyiv(settings: LazySettings) -> None:
    settings.NEWSROOM_TIME_ZONE = "Europe/Kyiv"


def the_membership() -> Membership:
    return Membership.objects.select_related("member").get()


# Days


@pytest.mark.usefixtures("kyiv")
@pytest.mark.parametrize("day", ["2024-11-30", "30.11.2024", "2024/11/30"])
def test_a_day_begins_in_the_newspapers_zone(tmp_path: Path, day: str) -> None:
    import_file(tmp_path, f"email,since\nada@example.org,{day}\n")
    assert the_membership().started_at == at("2024-11-29 22:00")
    assert the_membership().import_key == "ada@example.org 2024-11-30"


@pytest.mark.usefixtures("kyiv")
@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("30.11.2024 09:05", "2024-11-30 07:05"),
        ('"30.11.2024, 09:05:30"', "2024-11-30 07:05:30"),
        ("2024-11-30 09:05", "2024-11-30 07:05"),
        ("2024-11-30T09:05:00Z", "2024-11-30 09:05"),
        ("2024-11-30 09:05:00 UTC", "2024-11-30 09:05"),
        ("2024-11-30T09:05+05:00", "2024-11-30 04:05"),
    ],
)
def test_a_time_is_in_its_own_zone_or_in_the_newspapers(
    tmp_path: Path, written: str, moment: str
) -> None:
    import_file(tmp_path, f"email,since\nada@example.org,{written}\n")
    assert the_membership().started_at == at(moment)


@pytest.mark.usefixtures("kyiv")
def test_an_option_names_another_zone(tmp_path: Path) -> None:
    text = "email,since\nada@example.org,2024-11-30\n"
    import_file(tmp_path, text, zone="America/New_York")
    assert the_membership().started_at == at("2024-11-30 05:00")
    with pytest.raises(CommandError, match="--zone Kiew is not a time zone"):
        import_file(tmp_path, text, zone="Kiew")


@pytest.mark.usefixtures("kyiv")
def test_until_includes_its_day(tmp_path: Path) -> None:
    import_file(tmp_path, "email,since,until\nada@example.org,2024-11-30,2024-11-30\n")
    assert the_membership().ends_at == at("2024-11-30 22:00")


@pytest.mark.usefixtures("kyiv")
def test_a_member_until_the_day_before_a_campaign_counts_as_new(tmp_path: Path) -> None:
    """The campaign begins on 1 November in Kyiv, which is 31 October, 22:00 UTC."""
    campaign = make_campaign(starts_at=at("2026-10-31 22:00"))
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    for member in (ada, ben):
        make_payment(member, campaign, "2026-11-10 12:00")
    progress.tally_members([ada, ben])
    rows = "ada@example.org,2025-11-01,2026-10-31\nben@example.org,2025-11-01,2026-11-01\n"
    import_file(tmp_path, f"email,since,until\n{rows}")
    assert [tally.member for tally in Tally.objects.all()] == [ada]


def test_the_help_explains_days() -> None:
    help_text = " ".join(
        Command().create_parser("manage.py", "import_members").format_help().split()
    )
    assert "A day begins at midnight in the newspaper's time zone (NEWSROOM_TIME_ZONE)" in help_text
    assert "“until” includes its day" in help_text


# Exports of other systems


@pytest.mark.usefixtures("kyiv")
@pytest.mark.parametrize(
    "text",
    [GHOST.partition("2,ben")[0], WOOCOMMERCE, MAILCHIMP, MEMBERFUL, EXCEL],
    ids=["Ghost", "WooCommerce", "Mailchimp", "Memberful", "Excel"],
)
def test_an_export_is_read_as_it_is(tmp_path: Path, text: str) -> None:
    assert import_file(tmp_path, text).startswith("1 imported")
    ada = the_membership()
    assert (ada.member.email, ada.member.name) == ("ada@example.org", "Ada Reader")
    assert ada.started_at == at("2024-11-30 07:05")


def write_sheet(path: Path, *rows: tuple[object, ...]) -> Path:
    book = xlsxwriter.Workbook(path, {"default_date_format": "dd.mm.yyyy hh:mm"})
    sheet = book.add_worksheet()
    for number, cells in enumerate(rows):
        sheet.write_row(number + 1, 0, cells)  # below an empty row
    book.close()
    return path


@pytest.mark.usefixtures("kyiv")
def test_a_spreadsheet_is_read(tmp_path: Path) -> None:
    path = write_sheet(
        tmp_path / "members.xlsx",
        ("Name", "E-mail", "Member since", "Until", "Number"),
        ("Ada Reader", "ada@example.org", at("2024-11-30 09:05").replace(tzinfo=None), "", 12),
        ("Ben", "ben@example.org", date(2024, 11, 30), date(2099, 11, 30), 13),
        ("Cleo", "cleo@example.org", "soon", "", 14),
    )
    errors = io.StringIO()
    with pytest.raises(CommandError):
        run_command("import_members", path, stderr=errors)
    assert errors.getvalue().startswith("row 5: “since” is not a date.")
    ada, ben = Membership.objects.order_by("member__email")
    assert (ada.member.name, ada.started_at) == ("Ada Reader", at("2024-11-30 07:05"))
    assert (ben.started_at, ben.ends_at) == (at("2024-11-29 22:00"), at("2099-11-30 22:00"))


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0broken"])
def test_a_broken_spreadsheet_is_reported(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CommandError, match="can't be read as a spreadsheet"):
        import_file(tmp_path, content)


def test_the_preview_shows_what_each_column_was_taken_for(tmp_path: Path) -> None:
    path = write_file(tmp_path, GHOST)
    printed = run_command("import_members", path, only=["tier"], dry_run=True)
    unused = "id, note, subscribed_to_emails, complimentary_plan, stripe_customer_id, "
    unused += "deleted_at, labels"
    assert printed.splitlines() == [
        "2 rows; days and times that name no zone are in UTC",
        "email: column “email”",
        "name: column “name”",
        "since: column “created_at”, for example “2024-11-30T07:05:00.000Z”: from 2024-11-30 07:05",
        "tier: column “tiers”",
        "until: no column, so the memberships have no end",
        f"not used: {unused}",
        "1 row left out by --only",
        "1 would be imported, 0 already on file, 0 errors; 0 rows skipped",
    ]


# Options


def test_a_column_can_be_chosen(tmp_path: Path) -> None:
    text = "Login,Mail to,First paid\nAda,ada@example.org,2024-11-30\n"
    chosen = ["email=mail to", "since=First_paid", "name=Login"]
    assert import_file(tmp_path, text, column=chosen).startswith("1 imported")
    assert the_membership().member.name == "Ada"


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"column": ["since=paid"]}, "There is no column “paid”"),
        ({"column": ["born=since"]}, "--column born=since is not valid"),
        ({"column": ["since"]}, "--column since is not valid"),
        ({"only": ["level=Gold"]}, "There is no column “level”"),
    ],
)
def test_a_wrong_option_is_reported(
    tmp_path: Path, options: dict[str, list[str]], error: str
) -> None:
    with pytest.raises(CommandError, match=error):
        import_file(tmp_path, "email,since\nada@example.org,2024-11-30\n", **options)


def test_free_readers_among_paying_ones_are_not_imported_by_mistake(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="1 of 2 rows have no “tiers”: they may be readers who"):
        import_file(tmp_path, GHOST)
    assert not Member.objects.exists()
    assert import_file(tmp_path, GHOST, everyone=True).startswith("2 imported")


@pytest.mark.parametrize(
    ("only", "imported"),
    [
        (["tier"], "ab"),
        (["tiers=gold"], "a"),
        (["Tiers=Gold", "tiers=Silver"], "ab"),
        (["tier", "state=active"], "b"),
        (["tiers=Bronze"], ""),
    ],
)
def test_only_rows_with_the_chosen_values_are_imported(
    tmp_path: Path, only: list[str], imported: str
) -> None:
    text = (
        "email,since,tiers,state\na@example.org,2024-11-30,Gold,ended\n"
        'b@example.org,2024-11-30,"Old, Silver",active\nc@example.org,2024-11-30,free,active\n'
    )
    import_file(tmp_path, text, only=only)
    emails = Member.objects.order_by("email").values_list("email", flat=True)
    assert "".join(email[0] for email in emails) == imported


def test_names_of_an_import_are_cleaned_and_checked_as_in_forms(tmp_path: Path) -> None:
    text = "email,since,name\nada@example.org,2024-11-30,\u2066Ada\u2028R\u202e\n"
    import_file(tmp_path, text)
    assert the_membership().member.name == "Ada R"
    with pytest.raises(CommandError):
        import_file(tmp_path, "email,since,name\nben@example.org,2024-11-30,\u200b＝1+1\n")
    assert Member.objects.count() == 1
