"""Stylesheets: a rule that isn't closed swallows the rules after it, and browsers say nothing."""

import re
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[1] / "campaigns" / "static"
SHEETS = sorted(STATIC.rglob("*.css"))


def find_open_rules(text: str) -> list[str]:
    """Return the selectors of rules that contain another rule, or that are never closed."""
    plain = re.sub(r"/\*.*?\*/|\"[^\"]*\"", "", text, flags=re.DOTALL)
    stack: list[str] = []
    wrong: list[str] = []
    for before, brace in re.findall(r"([^{};]*)([{};])", plain):
        if brace == "{":
            wrong += [each for each in stack if not each.startswith("@")]
            stack.append(before.strip())
        elif brace == "}" and stack:
            stack.pop()
    return wrong + stack


@pytest.mark.parametrize("path", SHEETS, ids=lambda path: path.name)
def test_every_rule_is_closed(path: Path) -> None:
    assert not find_open_rules(path.read_text())


def test_an_open_rule_is_found() -> None:
    assert find_open_rules("@media print { a { b: c; } } d { e: f; /* } */ g { h: i; }") == [
        "d",
        "d",
    ]
    assert SHEETS
