"""A heat table of weekdays and hours, and a funnel of steps."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campaigns.reports.charts.drawing import WIDE, Drawing, Size, Table, Write, wrap, write_number

SHADES = 5


@dataclass(frozen=True)
class Heat:
    """A value for each row (weekday) and column (hour)."""

    title: str
    sentence: str
    rows: Sequence[str]
    columns: Sequence[str]
    values: Sequence[Sequence[float]]
    empty: str = ""
    write: Write = field(default=write_number)

    def tabulate(self) -> Table:
        """Return the values as they are drawn."""
        rows = [
            [name, *map(self.write, values)]
            for name, values in zip(self.rows, self.values, strict=True)
        ]
        return Table(self.title, ["", *self.columns], rows)


def draw_heat(chart: Heat, size: Size = WIDE) -> SafeString:
    """Return a table of shaded cells. Cells with room for it have their number."""
    unit, most = size.text, max([value for row in chart.values for value in row], default=0)
    if most <= 0:
        return Drawing(Size(size.width, size.height // 2, unit)).finish_empty(
            chart, chart.empty or _("There is nothing to show yet.")
        )
    left = max(map(size.measure, chart.rows)) + unit
    width = (size.width - left) / len(chart.columns)
    height = max(min(width, unit * 2.2), unit * 1.5)
    drawing = Drawing(Size(size.width, round(height * len(chart.rows) + unit * 1.8), unit))
    fits = size.measure(chart.write(most)) < width
    for at, (name, values) in enumerate(zip(chart.rows, chart.values, strict=True)):
        y = at * height
        drawing.text(left - 8, y + height / 2 + unit * 0.35, name, anchor="end")
        for column, value in enumerate(values):
            shade = min(int(value / most * SHADES), SHADES - 1) if value > 0 else "none"
            told = f"{name} {chart.columns[column]}: {chart.write(value)}"
            x = left + column * width
            drawing.rect(x + 1, y + 1, width - 2, height - 2, f"chart-heat-{shade}", tip=told)
            if fits and value:
                css = "chart-on-accent" if shade in {3, 4} else "chart-ink"
                middle = (x + width / 2, y + height / 2 + unit * 0.35)
                drawing.text(*middle, chart.write(value), css, anchor="middle")
    every = max(-(-int(max(map(size.measure, chart.columns)) * 1.3) // int(max(width, 1))), 1)
    for column in range(0, len(chart.columns), every):
        x = left + (column + 0.5) * width
        y = height * len(chart.rows) + unit * 1.3
        drawing.text(x, y, chart.columns[column], anchor="middle")
    return drawing.finish(chart)


@dataclass(frozen=True)
class Steps:
    """A funnel: each step is a part of the one before."""

    title: str
    sentence: str
    steps: Sequence[tuple[str, float]]
    heading: str = ""
    measure: str = ""
    empty: str = ""
    write: Write = field(default=write_number)

    def tabulate(self) -> Table:
        """Return the steps with their share of the first one; "—" if that is nothing."""
        rows = [[name, self.write(value), self.share(value)] for name, value in self.steps]
        first = self.steps[0][0] if self.steps else ""
        return Table(
            self.title,
            [self.heading, self.measure, _("Share of “%(step)s”") % {"step": first}],
            rows,
        )

    def share(self, value: float) -> str:
        first = self.steps[0][1]
        return f"{round(value * 100 / first)}%" if first else "—"


def draw_funnel(chart: Steps, size: Size = WIDE) -> SafeString:
    """Return a bar a step, each joined to the next, with number and share of the first."""
    unit, row = size.text, size.text * 4.2
    if not chart.steps or not chart.steps[0][1]:
        return Drawing(Size(size.width, size.height // 2, unit)).finish_empty(
            chart, chart.empty or _("There is nothing to show yet.")
        )
    drawing = Drawing(Size(size.width, round(row * len(chart.steps) - unit * 0.8), unit))
    scale = size.width / max(value for _name, value in chart.steps)
    for number, (name, value) in enumerate(chart.steps):
        y, width = number * row, max(value * scale, 1)
        words = f"{chart.write(value)} · {chart.share(value)}" if number else chart.write(value)
        most = (size.width - size.measure(words) - unit) / size.measure("x")
        drawing.text(0, y + unit, "".join(wrap(name, most=most, lines=1)[:1]), "chart-ink")
        drawing.text(size.width, y + unit, words, "chart-strong", anchor="end")
        drawing.rect(0, y + unit * 1.5, width, unit * 1.3, "chart-bar-0")
        if number + 1 < len(chart.steps):
            following = max(chart.steps[number + 1][1] * scale, 1)
            below, ahead = y + unit * 2.8, y + row + unit * 1.5
            corners = [(0, below), (width, below), (following, ahead), (0, ahead)]
            drawing.path(corners, "chart-join", closed=True)
    return drawing.finish(chart)
