"""The parts of every chart: shapes, text, round ticks, labels that don't overlap, and its table."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Protocol

from django.utils.formats import number_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

Write = Callable[[float], str]


@dataclass(frozen=True)
class Size:
    """Width and height of a chart, and the size of its text, in the chart's own units."""

    width: int
    height: int
    text: int = 15

    @property
    def is_narrow(self) -> bool:
        return self.width < 600

    def measure(self, words: str) -> float:
        """Return about how wide the words are: fonts differ, so this is on the safe side."""
        return len(words) * self.text * 0.6


WIDE, NARROW = Size(960, 420), Size(340, 300, text=12)


class Chart(Protocol):
    """A chart has a name and a sentence that says what it shows."""

    @property
    def title(self) -> str: ...
    @property
    def sentence(self) -> str: ...


@dataclass(frozen=True)
class Table:
    """The numbers of a chart as text; the first column names the rows."""

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


class Drawing:
    """An SVG under construction. Coordinates are rounded to a tenth; every text is escaped."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._parts: list[SafeString] = []

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        self._add(
            '<line class="{}" x1="{}" y1="{}" x2="{}" y2="{}"/>',
            css,
            *map(_short, (x1, y1, x2, y2)),
        )

    def path(
        self, points: Iterable[tuple[float, float]], css: str, *, closed: bool = False
    ) -> None:
        places = format_html_join("L", "{} {}", ((_short(x), _short(y)) for x, y in points))
        if places:
            self._add('<path class="{}" d="M{}{}"/>', css, places, "Z" if closed else "")

    def rect(
        self, x: float, y: float, width: float, height: float, css: str, *, tip: str = ""
    ) -> None:
        """Draw a rectangle; `tip` is shown when the mouse rests on it."""
        title = format_html("<title>{}</title>", tip) if tip else ""
        sides = map(_short, (x, y, max(width, 0), max(height, 0)))
        self._add(
            '<rect class="{}" x="{}" y="{}" width="{}" height="{}">{}</rect>', css, *sides, title
        )

    def circle(self, x: float, y: float, radius: float, css: str) -> None:
        self._add('<circle class="{}" cx="{}" cy="{}" r="{}"/>', css, _short(x), _short(y), radius)

    def text(self, x: float, y: float, words: str, css: str = "", *, anchor: str = "start") -> None:
        self._add(
            '<text class="{}" x="{}" y="{}" font-size="{}" text-anchor="{}">{}</text>',
            *(f"chart-text {css}".strip(), _short(x), _short(y), self.size.text, anchor, words),
        )

    def _add(self, pattern: str, *values: Any) -> None:
        self._parts.append(format_html(pattern, *values))

    def finish(self, chart: Chart) -> SafeString:
        """Return the SVG with its name and its sentence for screen readers."""
        return format_html(
            '<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 {} {}" role="img"'
            ' aria-label="{}. {}">{}</svg>',
            *(self.size.width, self.size.height, chart.title, chart.sentence),
            format_html_join("", "{}", ((part,) for part in self._parts)),
        )

    def finish_empty(self, chart: Chart, words: str) -> SafeString:
        """Return a frame with the reason why there is nothing to draw."""
        self.rect(0.5, 0.5, self.size.width - 1, self.size.height - 1, "chart-frame")
        lines = wrap(words, most=(self.size.width - 40) / self.size.measure("x"))
        for number, line in enumerate(lines):
            y = self.size.height / 2 + (number - (len(lines) - 1) / 2) * self.size.text * 1.4
            self.text(self.size.width / 2, y, line, anchor="middle")
        return self.finish(chart)


def draw_both(draw: Callable[[Size], SafeString]) -> SafeString:
    """Return the chart for desks and for phones; the stylesheet shows the one that fits."""
    return format_html(
        '<div class="chart-both"><div class="chart-wide">{}</div>'
        '<div class="chart-narrow">{}</div></div>',
        *(draw(WIDE), draw(NARROW)),
    )


def write_number(value: float) -> str:
    """Return a number in the reader's language, with at most one decimal place."""
    whole = float(value).is_integer()
    return str(number_format(value, decimal_pos=0 if whole else 1, force_grouping=True))


def find_ticks(highest: float, *, most: int = 5) -> list[float]:
    """Return round whole numbers from 0 to at most `highest`, but at least 0 and 1."""
    rough = max(highest, 1) / most
    power = 10.0 ** math.floor(math.log10(rough))
    step = max(next(power * by for by in (1, 2, 5, 10) if power * by >= rough), 1)
    return [number * step for number in range(max(int(highest / step), 1) + 1)]


def spread(
    wanted: Sequence[float], heights: Sequence[float], *, top: float, bottom: float
) -> list[float]:
    """Return places near the wanted ones, in their order and without overlaps, if they fit."""
    order = sorted(range(len(wanted)), key=lambda at: wanted[at])
    places = list(wanted)
    for at in order:
        places[at] = max(places[at], top)
        top = places[at] + heights[at]
    for at in reversed(order):
        places[at] = min(places[at], bottom - heights[at])
        bottom = places[at]
    return places


def wrap(words: str, *, most: float, lines: int = 9) -> list[str]:
    """Return the words in lines of at most `most` characters; what doesn't fit ends in "…"."""
    found: list[str] = []
    for word in words.split():
        if found and len(found[-1]) + 1 + len(word) <= most:
            found[-1] += f" {word}"
        else:
            found.append(word)
    kept = found[:lines]
    if len(found) > lines:
        kept[-1] += "…"
    width = max(int(most), 2)
    return [line if len(line) <= width else line[: width - 1] + "…" for line in kept]


def write_table(table: Table, urls: Sequence[Sequence[str]] = ()) -> SafeString:
    """Return the table as HTML: words to the left, numbers to the right by the stylesheet.

    `urls` are what the numbers link to, row by row; empty for those without a link.
    """

    def write(cell: str, url: str) -> SafeString:
        return format_html('<a href="{}">{}</a>', url, cell) if url else format_html("{}", cell)

    head = format_html_join("", '<th scope="col">{}</th>', ((cell,) for cell in table.head))
    rows = format_html_join(
        "",
        '<tr><th scope="row">{}</th>{}</tr>',
        (
            (row[0], format_html_join("", "<td>{}</td>", ((write(*each),) for each in cells)))
            for row, cells in (
                (row, zip_longest(row[1:], links or (), fillvalue=""))
                for row, links in zip_longest(table.rows, urls[: len(table.rows)])
            )
        ),
    )
    return format_html(
        "<table><caption>{}</caption><thead><tr>{}</tr></thead><tbody>{}</tbody></table>",
        *(table.caption, head, rows),
    )


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
