"""Bars: horizontal ones by group, and stacked ones by day."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from campaigns.reports.charts.drawing import (
    WIDE,
    Drawing,
    Size,
    Table,
    Write,
    find_ticks,
    spread,
    wrap,
    write_number,
)

SHADES = 4  # stacks of one colour that can be told apart


@dataclass(frozen=True)
class Bar:
    """A group and its value; `compared` is its value in the period beside it."""

    name: str
    value: float
    compared: float | None = None


@dataclass(frozen=True)
class Bars:
    title: str
    sentence: str
    bars: Sequence[Bar]
    heading: str = ""  # of the column of names
    measure: str = ""  # of the column of values
    compared: str = ""
    empty: str = ""
    write: Write = field(default=write_number)

    def tabulate(self) -> Table:
        """Return the groups with their values and shares."""
        total = sum(bar.value for bar in self.bars)
        head = [self.heading, self.measure, _("Share")] + ([self.compared] if self.compared else [])
        rows = []
        for bar in self.bars:
            share = f"{round(bar.value * 100 / total)}%" if total else "—"
            beside = "—" if bar.compared is None else self.write(bar.compared)
            rows.append(
                [bar.name, self.write(bar.value), share] + ([beside] if self.compared else [])
            )
        return Table(self.title, head, rows)


def draw_bars(chart: Bars, size: Size = WIDE) -> SafeString:
    """Return one bar a group, with its name above and its value behind it.

    The height follows the number of bars. A mark shows the value compared with.
    """
    unit, row = size.text, size.text * 2.9
    if not chart.bars:
        return Drawing(Size(size.width, size.height // 2, unit)).finish_empty(
            chart, chart.empty or _("There is nothing to show yet.")
        )
    drawing = Drawing(Size(size.width, round(row * len(chart.bars)), unit))
    values = [value for bar in chart.bars for value in (bar.value, bar.compared or 0)]
    room = max(size.measure(chart.write(bar.value)) for bar in chart.bars) + unit
    scale = (size.width - room) / max([*values, 1])
    for number, bar in enumerate(chart.bars):
        y, width = number * row, max(bar.value, 0) * scale
        name = wrap(bar.name, most=size.width / size.measure("x"), lines=1)[:1]
        drawing.text(0, y + unit, "".join(name), "chart-ink")
        drawing.rect(0, y + unit * 1.4, max(width, 1), unit, "chart-bar-0")
        if bar.compared is not None:
            at = max(bar.compared, 0) * scale
            drawing.line(at, y + unit * 1.25, at, y + unit * 2.55, "chart-compared")
        value = chart.write(bar.value)
        drawing.text(max(width, 1) + 8, y + unit * 2.25, value, "chart-strong")
    return drawing.finish(chart)


@dataclass(frozen=True)
class Stack:
    """One part of every bar; the values of an `is_below` part are drawn downwards."""

    name: str
    values: Sequence[float]
    is_below: bool = False


@dataclass(frozen=True)
class Stacks:
    title: str
    sentence: str
    days: Sequence[str]
    stacks: Sequence[Stack]
    empty: str = ""
    write: Write = field(default=write_number)

    @property
    def is_empty(self) -> bool:
        """True if all values are 0."""
        return not any(value for stack in self.stacks for value in stack.values)

    def tabulate(self) -> Table:
        """Return the parts by day; those below the line are negative."""
        rows = [
            [
                day,
                *(
                    self.write(-stack.values[at] if stack.is_below else stack.values[at])
                    for stack in self.stacks
                ),
            ]
            for at, day in enumerate(self.days)
        ]
        return Table(self.title, [_("Day"), *(stack.name for stack in self.stacks)], rows)


def draw_stacks(chart: Stacks, size: Size = WIDE) -> SafeString:
    """Return a bar a day, of stacked parts that are named beside the last bar."""
    drawing, unit, count = Drawing(size), size.text, len(chart.days)
    if chart.is_empty:
        return drawing.finish_empty(chart, chart.empty or _("There is nothing to show yet."))
    heights = [
        [
            sum(stack.values[at] for stack in chart.stacks if stack.is_below is below)
            for at in range(count)
        ]
        for below in (False, True)
    ]
    ticks = find_ticks(max(heights[0]), most=4 if size.is_narrow else 5)
    high = max(ticks[-1], *heights[0])
    left = max(size.measure(chart.write(tick)) for tick in ticks) + 10
    right, top, bottom = (
        # The names of the parts are at the right of the last bar.
        size.width - max(size.measure(stack.name) for stack in chart.stacks) - unit * 1.6 - 8,
        unit,
        size.height - unit * 2,
    )
    scale = (bottom - top) / (high + max(heights[1]))
    zero, step = top + high * scale, (right - left) / count
    for tick in ticks:
        y = zero - tick * scale
        drawing.line(left, y, right, y, "chart-grid" if tick else "chart-axis")
        drawing.text(left - 8, y + unit * 0.35, chart.write(tick), anchor="end")
    for at, day in enumerate(chart.days):
        ups = downs = 0.0
        joined = sum(stack.values[at] for stack in chart.stacks if not stack.is_below) * scale
        # Paper below the light parts, or lines of the grid would cross them.
        drawing.rect(left + step * (at + 0.1), zero - joined, step * 0.8, joined, "chart-base")
        for number, stack in enumerate(chart.stacks):
            value, css = stack.values[at], f"chart-bar-{min(number, SHADES - 1)}"
            height = value * scale
            y = zero + downs if stack.is_below else zero - ups - height
            css = "chart-bar-below" if stack.is_below else css
            told = f"{day}: {stack.name} {chart.write(value)}"
            if value:
                drawing.rect(left + step * (at + 0.1), y, step * 0.8, height, css, tip=told)
            ups, downs = (ups, downs + height) if stack.is_below else (ups + height, downs)
    every = max(
        -(-count // max(int((right - left) / (size.measure(max(chart.days, key=len)) * 1.5)), 1)), 1
    )
    for at in range(0, count, every):
        drawing.text(left + step * (at + 0.5), bottom + unit * 1.5, chart.days[at], anchor="middle")
    _name_stacks(chart, drawing, right=right, zero=zero, scale=scale)
    return drawing.finish(chart)


def _name_stacks(
    chart: Stacks, drawing: Drawing, *, right: float, zero: float, scale: float
) -> None:
    """Name each part at its height in the last bar, in its own colour."""
    unit, ups = drawing.size.text, 0.0
    wanted: list[float] = []
    for stack in chart.stacks:
        last = stack.values[-1] * scale
        y = zero + unit * 1.2 if stack.is_below else zero - ups - last / 2 + unit * 0.3
        # Without a last bar all parts are at 0; their names keep the order of the bars.
        wanted.append(y - len(wanted) * 0.01)
        ups += 0 if stack.is_below else last
    heights = [unit * 1.3] * len(wanted)
    places = spread(wanted, heights, top=unit, bottom=drawing.size.height - unit)
    for number, (stack, y) in enumerate(zip(chart.stacks, places, strict=True)):
        css = "chart-bar-below" if stack.is_below else f"chart-bar-{min(number, SHADES - 1)}"
        drawing.rect(right + 6, y - unit * 0.75, unit * 0.7, unit * 0.8, css)
        drawing.text(right + 8 + unit, y, stack.name, "chart-ink")
