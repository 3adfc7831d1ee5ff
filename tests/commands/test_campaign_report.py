"""The command for reports: text for a terminal, files, charts and rows."""

import csv
import io
import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management.base import CommandError
from django.utils import timezone

from campaigns import progress
from campaigns.models import Campaign, Note
from campaigns.reports.strokes import draw_bar, draw_gauge, draw_spark, paint
from tests.support.commands import run_command
from tests.support.factories import make_campaign, make_gift, make_member, make_payment
from tests.support.generated import NOW, generate_sales, make_generated

pytestmark = pytest.mark.django_db


@pytest.fixture
def running() -> Campaign:
    """A running campaign with two new members."""
    now = timezone.now()
    campaign = make_campaign(
        starts_at=now - timedelta(days=3), ends_at=now + timedelta(days=10), target=10
    )
    for _ in range(2):
        member = make_member()
        make_payment(member, campaign, (now - timedelta(days=1)).isoformat())
        progress.tally_members([member])
    return campaign


def fail(*arguments: Any) -> CommandError:
    with pytest.raises(CommandError) as caught:
        run_command("campaign_report", *arguments)
    return caught.value


@pytest.mark.usefixtures("running")
def test_the_report_is_readable_text() -> None:
    text = run_command("campaign_report", "birthday")
    assert text.startswith("Third birthday (birthday)\n")
    assert "2 of 10 (20%)" in text
    assert re.search(r"EUR +2 +€120 ", text)
    assert "grants and imports never count." in " ".join(text.split())
    assert "It’s too early to tell." in text
    assert "\x1b" not in text


def test_the_text_has_bars_and_fits_80_columns() -> None:
    make_generated(generate_sales(60))
    autumn = Campaign.objects.get(slug="autumn")
    year = timedelta(days=365)
    make_campaign(slug="a" * 50, starts_at=autumn.starts_at - year, ends_at=autumn.ends_at - year)
    noted = autumn.starts_at + timedelta(days=3)
    Note.objects.create(campaign=autumn, at=noted, text="TV spot " * 15)
    text = run_command("campaign_report", "autumn", "--at", NOW.isoformat())
    assert max(map(len, text.splitlines())) <= 80
    assert re.search(r"\nNotes\n  23 Oct  TV spot", text)
    assert re.search(r"joined by day  [▁▂▃▄▅▆▇█]{32}", text)
    assert re.search(r"gift membership +\d+  █+", text)
    coloured = run_command("campaign_report", "autumn", "--at", NOW.isoformat(), force_color=True)
    assert "\x1b[1mGoals\x1b[0m" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == text


@pytest.mark.usefixtures("running")
def test_the_report_can_be_json_or_a_csv_file(tmp_path: Path) -> None:
    report = json.loads(run_command("campaign_report", "birthday", "--format", "json"))
    assert report["goals"][0]["counted"] == 2
    assert report["money"][0]["gross_minor"] == 12000
    path = tmp_path / "report.csv"
    assert run_command("campaign_report", "birthday", "--format", "csv", "--output", path) == ""
    days = list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    assert sum(int(day["people"]) for day in days) == 2
    assert days[-1]["total"] == "2"


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize(
    ("kind", "beginning"),
    [
        ("pdf", b"%PDF"),
        ("xlsx", b"PK"),
        ("html", b"<!DOCTYPE"),
        ("png", b"\x89PNG"),
        ("svg", b"<svg"),
    ],
)
def test_files_are_written_as_a_whole(tmp_path: Path, kind: str, beginning: bytes) -> None:
    path = tmp_path / f"report.{kind}"
    run_command("campaign_report", "birthday", "--format", kind, "--output", path)
    assert path.read_bytes().startswith(beginning)
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_rows_are_written_as_csv_and_xlsx(running: Campaign, tmp_path: Path) -> None:
    make_gift(make_member(), running, timezone.now().isoformat())
    for name, expected in (("members", 2), ("gifts", 1), ("payments", 3), ("refunds", 0)):
        text = run_command("campaign_report", "birthday", "--rows", name)
        assert len(list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))) == expected
        path = tmp_path / f"{name}.xlsx"
        given = ("--rows", name, "--format", "xlsx", "--output", path)
        run_command("campaign_report", "birthday", *given)
        assert path.read_bytes().startswith(b"PK")
    days = run_command("campaign_report", "birthday", "--rows", "days")
    assert days.splitlines()[0].startswith("\ufeffcampaign,day,people")


def test_many_rows_have_a_progress_bar_in_a_terminal(
    running: Campaign, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("campaigns.management.commands.campaign_report.EVERY", 1)
    for terminal, shown in ((io.StringIO(), ""), (Terminal(), "2 of 2 rows\n")):
        run_command("campaign_report", running.slug, "--rows", "payments", stderr=terminal)
        assert terminal.getvalue().endswith(shown)
        assert bool(terminal.getvalue()) == bool(shown)


def test_the_report_of_some_days_is_compared_with_those_before(running: Campaign) -> None:
    paid = running.tallies.earliest("counted_from").counted_from.astimezone(running.zone_info)
    day = paid.date()
    after, before = (day + timedelta(days=days) for days in (1, -1))
    one = ("--from", day.isoformat(), "--to", day.isoformat(), "--compare", "previous")
    text = run_command("campaign_report", "birthday", *one)
    assert re.search(rf"from +{day} +{before}\n", text)
    assert re.search(r"joined +2 +0\n", text)
    assert re.search(r"gross EUR +€120 +€0\n", text)
    data = json.loads(run_command("campaign_report", "birthday", *one, "--format=json"))
    assert (data["from"], data["to"], len(data["days"])) == (str(day), str(day), 1)
    assert data["compared"]["to"] == str(before)
    swapped = ("--from", after.isoformat(), "--to", day.isoformat(), "--format=json")
    data = json.loads(run_command("campaign_report", "birthday", *swapped))
    assert (data["from"], data["to"]) == (str(day), str(after))
    early = run_command(
        "campaign_report", "birthday", "--at", (paid - timedelta(hours=1)).isoformat()
    )
    assert "0 of 10 (0%)" in early


@pytest.mark.usefixtures("running")
def test_a_report_in_another_language() -> None:
    html = run_command("campaign_report", "birthday", "--format", "html", "--language", "uk")
    assert '<html lang="uk">' in html


@pytest.mark.usefixtures("running")
def test_wrong_options_are_explained_with_their_exit_code(tmp_path: Path) -> None:
    for arguments, words, code in (
        (["christmas"], "Existing campaigns: birthday", 2),
        (["birthday", "--compare", "christmas"], "There is no campaign “christmas”", 2),
        (["birthday", "--compare", "birthday"], "“birthday” didn’t begin before “birthday”", 2),
        (["birthday", "--rows", "gifts", "--format", "pdf"], "Use --format csv or xlsx", 2),
        (["birthday", "--format", "png", "--chart", "pie"], "Existing charts: curve, days", 2),
        (["birthday", "--format", "pdf", "--output", tmp_path / "no" / "x"], "could not be", 3),
    ):
        error = fail(*arguments)
        assert words in str(error)
        assert error.returncode == code
    assert "Write a date, for example" in str(fail("birthday", "--from", "soon"))


def test_a_report_without_any_campaign_is_an_error() -> None:
    assert "Existing campaigns: none" in str(fail("birthday"))


def test_bars_and_lines_are_drawn_of_characters() -> None:
    assert draw_bar(0.5, 3) == "█▌"
    assert (draw_bar(-1, 3), draw_bar(9, 3)) == ("", "███")
    assert draw_gauge(0.5, 4) == "██░░"
    assert draw_spark([0, 1, 2, 4]) == "▁▃▅█"
    assert draw_spark([0, 0]) == "▁▁"
    assert draw_spark([]) == ""
    assert len(draw_spark([1] * 1095, 60)) <= 60
    assert paint("Head\n\nGoals\n  1 ██\n") == (
        "\x1b[1mHead\x1b[0m\n\n\x1b[1mGoals\x1b[0m\n  1 \x1b[36m██\x1b[0m\n"
    )
