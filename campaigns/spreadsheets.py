"""Cells of CSV files, safe to open in a spreadsheet. Pure functions."""

# Spreadsheets run a cell as a formula if it starts with one of these, in either width.
# https://owasp.org/www-community/attacks/CSV_Injection
FORMULA_STARTS = tuple("=+-@＝＋－＠\t\r\n")


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet would read the text as a formula."""
    return text.startswith(FORMULA_STARTS)


def neutralise_cell(text: str) -> str:
    """Return the text with an apostrophe before it if a spreadsheet would read a formula."""
    return f"'{text}" if is_formula(text) else text
