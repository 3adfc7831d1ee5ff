"""Each variable that the settings read stands in .env.example with a comment, and no other does."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = re.compile(r"#?([A-Z][A-Z_]+)=")


def test_every_setting_is_documented_and_nothing_else() -> None:
    settings = (ROOT / "newsroom" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', settings))
    documented = [
        found[1]
        for line in (ROOT / ".env.example").read_text().splitlines()
        if (found := VARIABLE.match(line))
    ]
    assert len(read) > 20
    assert sorted(documented) == sorted(read)


def test_every_setting_has_words_of_its_own() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    for before, line in pairwise(lines):
        if VARIABLE.match(line) and not VARIABLE.match(before):
            assert before.startswith("# "), line
