"""The parts of a report file: headed parts with facts, charts and tables of typed cells.

PDF, HTML and XLSX are written from the same document, so that they can't disagree.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.utils.formats import date_format

from campaigns.money import format_money
from campaigns.reports.charts import write_number
from campaigns.reports.contents import Contents, NamedChart


@dataclass(frozen=True)
class Money:
    """An amount in minor units of a currency."""

    minor: int
    currency: str


@dataclass(frozen=True)
class Share:
    """A part of a whole, in percent."""

    percent: float


# Times have to be in the zone in which people read them. None is a value that doesn't exist.
Value = str | int | float | date | datetime | Money | Share | None


@dataclass(frozen=True)
class Fact:
    """A number with its name, and the words that belong behind it."""

    name: str
    value: Value
    words: str = ""


@dataclass(frozen=True)
class Grid:
    """A table of typed cells; the first column names the rows.

    `plot` asks for a chart of its numbers where the file can draw one: "line", "columns", "stacks"
    or "bars". On paper, tables of a chart (`is_detail`) are left out.
    """

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Value]]
    plot: str = ""
    plotted: Sequence[int] = ()  # columns; without any: all but the first
    is_detail: bool = False
    is_ranking: bool = False  # rows have a bar for their first number
    empty: str = ""

    @property
    def bars(self) -> Sequence[int | None]:
        """The length of each row's bar in percent of the longest; None without bars."""
        if not self.is_ranking:
            return [None] * len(self.rows)
        numbers = [measure(row[1]) for row in self.rows]
        longest = max([1.0, *numbers])
        return [round(100 * number / longest) for number in numbers]


@dataclass(frozen=True)
class Part:
    """One question of the report with its answer."""

    name: str  # the name of its sheet
    title: str
    answer: str = ""
    notes: Sequence[str] = ()
    definitions: Sequence[str] = ()
    facts: Sequence[Fact] = ()
    charts: Sequence[NamedChart] = ()
    grids: Sequence[Grid] = ()


@dataclass(frozen=True)
class Document:
    """A report file in one language. `number` is the largest thing in it, `of` the words behind."""

    title: str
    newsroom: str
    language: str
    lines: Sequence[str]
    number: str
    of: str
    percent: int | None  # of the goal; None without one
    parts: Sequence[Part]
    rule: str  # what counts


def select_charts(contents: Contents, *names: str) -> Sequence[NamedChart]:
    """Return the charts with these names that show anything."""
    return [chart for chart in contents.charts if chart.name in names and not chart.is_empty]


def measure(value: Value) -> float:
    """Return the number of a value for a bar; money in minor units, texts are 0."""
    match value:
        case Money():
            return value.minor
        case Share():
            return value.percent
        case int() | float():
            return value
        case _:
            return 0


def write_value(value: Value, language: str) -> str:
    """Return a value as people read it in the language, which has to be the active one."""
    match value:
        case None:
            text = "—"
        case str():
            text = value
        case Money():
            text = format_money(value.minor, value.currency, language=language)
        case Share():
            text = f"{write_number(round(value.percent, 1))}%"
        case datetime():
            text = date_format(value, "j E Y, H:i")
        case date():
            text = date_format(value, "j E Y")
        case _:
            text = write_number(value)
    return text
