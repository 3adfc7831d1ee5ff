"""Cells that a spreadsheet would run as a formula are made harmless."""

import pytest

from campaigns.spreadsheets import is_formula, neutralise_cell


@pytest.mark.parametrize("text", ["=1+1", "+380", "-2", "@SUM(A1)", "＝1", "\t=1", "\r=1", "\n=1"])
def test_a_formula_gets_an_apostrophe(text: str) -> None:
    assert is_formula(text)
    assert neutralise_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "Ada", "2-1", "a@example.org", "'=1"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert not is_formula(text)
    assert neutralise_cell(text) == text
