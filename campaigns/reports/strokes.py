"""Bars, sparklines, tables and colours made of characters, for a terminal. Pure functions."""

import re
import textwrap
from collections.abc import Sequence

WIDTH = 80  # columns
_LONGEST_BAR, _SHORTEST_BAR = 24, 4
DIVIDER = "──"  # begins a line that divides the parts of a text
_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = "▁▂▃▄▅▆▇█"
_BOLD, _ACCENT, _FAINT, _PLAIN = "\x1b[1m", "\x1b[36m", "\x1b[2m", "\x1b[0m"


def draw_bar(share: float, width: int) -> str:
    """Return a bar of that share of the width, to an eighth of a column."""
    eighths = round(min(max(share, 0), 1) * width * 8)
    full, rest = divmod(eighths, 8)
    return "█" * full + (_EIGHTHS[rest] if rest else "")


def draw_gauge(share: float, width: int) -> str:
    """Return a bar on its track."""
    return f"{draw_bar(share, width).rstrip():░<{width}}"


def draw_spark(values: Sequence[float], width: int = WIDTH) -> str:
    """Return a line of columns; more values than `width` are added up in groups of equal size."""
    size = -(-len(values) // width) or 1
    sums = [sum(values[at : at + size]) for at in range(0, len(values), size)]
    most = max([*sums, 0])
    if most <= 0:
        return _LEVELS[0] * len(sums)
    steps = len(_LEVELS) - 1
    return "".join(_LEVELS[round(max(value, 0) / most * steps)] for value in sums)


def divide(question: str) -> list[str]:
    """Return a line across the terminal that begins a question of the report."""
    return [f"{DIVIDER} {question} ".ljust(WIDTH, DIVIDER[0])]


def wrap_text(text: str) -> list[str]:
    """Return the text in indented lines."""
    return textwrap.wrap(text, 78, initial_indent="  ", subsequent_indent="  ")


def indent_table(rows: list[list[str]]) -> list[str]:
    """Return the rows as aligned columns: the first flush left, the others flush right.

    A table that is too wide is turned: its columns become lines.
    """
    lines = align_rows(rows)
    if max(map(len, lines), default=0) <= WIDTH or not any(not row[0] for row in rows[:1]):
        return lines
    return align_rows([list(column) for column in zip(*rows, strict=True)])


def align_rows(rows: list[list[str]]) -> list[str]:
    """Return the rows as aligned columns, however wide they are."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.rjust(width) if at else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def add_bars(lines: list[str], values: Sequence[float]) -> list[str]:
    """Return the lines with a bar behind each, as far as there is room for it."""
    start = max(map(len, lines), default=0) + 2
    room, most = min(WIDTH - start, _LONGEST_BAR), max([*values, 0])
    if room < _SHORTEST_BAR or most <= 0:
        return lines
    return [
        f"{line:<{start}}{draw_bar(value / most, room)}".rstrip()
        for line, value in zip(lines, values, strict=True)
    ]


def cut_text(label: str, most: int = 52) -> str:
    """Return the text on one line of at most that many characters."""
    return textwrap.shorten(label, most, placeholder="…") or label[:most]


def paint(text: str) -> str:
    """Return the text with bold headings, coloured bars and faint definitions."""
    lines, is_faint = text.split("\n"), False
    painted: list[str] = []
    for before, line, after in zip(["", *lines], lines, [*lines[1:], ""], strict=False):
        is_heading = not before and line[:1].strip() and (after.startswith(" ") or not painted)
        is_faint = line == "Definitions" or (is_faint and not is_heading)
        if is_heading or line == "Definitions" or line.startswith(DIVIDER):
            painted.append(f"{_BOLD}{line}{_PLAIN}")
        elif is_faint and line:
            painted.append(f"{_FAINT}{line}{_PLAIN}")
        else:
            painted.append(re.sub(r"[▁-▏]+", rf"{_ACCENT}\g<0>{_PLAIN}", line))
    return "\n".join(painted)
