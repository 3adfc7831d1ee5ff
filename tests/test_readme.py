"""The README is true where a machine can tell."""

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def test_its_first_screen_has_the_picture_and_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:20])
    assert "bin/demo" in first_screen
    assert "bin/test" in first_screen
    assert re.search(r"!\[[^\]]{20,}\]\(", first_screen)


def test_everything_it_points_to_is_there() -> None:
    targets = [
        target for target in re.findall(r"\]\(([^)#\s]+)", README) if not target.startswith("http")
    ]
    assert len(targets) >= 3
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_command_that_it_names_exists() -> None:
    named = set(re.findall(r"manage\.py (\w+)", README))
    assert {"campaign_report", "import_members", "stripe_setup"} <= named
    assert named - set(get_commands()) == set()
    for program in set(re.findall(r"(?<![\w/])bin/\w+", README)):
        assert (ROOT / program).exists(), program


def test_it_names_every_setting_and_no_other() -> None:
    settings = (ROOT / "newsroom" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    table = README[README.index("### Settings") : README.index("## Figures")]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == read


def test_its_figures_name_the_command_that_prints_them() -> None:
    figures = README[README.index("## Figures") : README.index("## Decisions")]
    for module in set(re.findall(r"-m (tests\.bench\.\w+)", figures)):
        assert (ROOT / (module.replace(".", "/") + ".py")).exists(), module
    assert "-m tests.bench." in figures
