"""Bars, sparklines and colours made of characters, for a terminal. Pure functions."""

import re
from collections.abc import Sequence

WIDTH = 80  # columns
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
