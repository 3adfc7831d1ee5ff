"""Every setting is described in `.env.example` and in the README's table, and no other is."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = re.compile(r"#?([A-Z][A-Z_]+)=")


def read_settings() -> set[str]:
    """Return the names of the variables that the settings read."""
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "newsroom").glob("*.py")]
    return set(re.findall(r'\benv\.\w+\(\s*"([A-Z_]+)"', "".join(sources)))


def read_example() -> list[str]:
    return (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()


def test_every_setting_is_in_the_example_and_nothing_else() -> None:
    documented = [found[1] for line in read_example() if (found := VARIABLE.match(line))]
    assert len(read_settings()) > 20
    assert sorted(documented) == sorted(read_settings())


def test_every_setting_in_the_example_has_a_comment() -> None:
    for before, line in pairwise(read_example()):
        if VARIABLE.match(line) and not VARIABLE.match(before):
            assert before.startswith("# "), line


def test_every_setting_is_in_the_table_of_the_readme_and_nothing_else() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme[readme.index("### Settings") :]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([A-Z_]+)`", row)} == read_settings()
