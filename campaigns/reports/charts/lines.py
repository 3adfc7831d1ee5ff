"""A curve over days: the count, its forecast, target and pace, earlier campaigns, and notes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

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

Values = Sequence[float | None]
STRONG, BOLD = "chart-strong", 0.88  # bold words have fewer letters in the same room
EARLIER = 4  # more lines than this can't be told apart


@dataclass(frozen=True)
class Line:
    """A line with its own label at its end; a value of None is a gap."""

    name: str
    values: Values


@dataclass(frozen=True)
class Fan:
    """A range that opens from the position `first`, with its median."""

    name: str
    first: int
    low: Sequence[float]
    median: Sequence[float]
    high: Sequence[float]


@dataclass(frozen=True)
class Mark:
    """A note at a position."""

    at: int
    text: str


@dataclass(frozen=True)
class Curve:
    """A curve over days. `days` names each position; every line may be shorter."""

    title: str
    sentence: str
    days: Sequence[str]
    main: Line
    earlier: Sequence[Line] = ()
    pace: Line | None = None
    fan: Fan | None = None
    target: float | None = None
    today: int | None = None
    notes: Sequence[Mark] = ()
    empty: str = ""
    write: Write = field(default=write_number)

    @property
    def is_empty(self) -> bool:
        """True if the curve hasn't begun."""
        return not self.days or all(value is None for value in self.main.values)

    @property
    def lines(self) -> list[Line]:
        others = [*self.earlier[:EARLIER], *([self.pace] if self.pace else [])]
        return [self.main, *others]

    def tabulate(self) -> Table:
        """Return the values of all lines by day."""
        head = [_("Day"), *(line.name for line in self.lines)]
        fan = self.fan
        if fan:
            head += [_("Forecast: lower end"), _("Median"), _("Upper end")]
        rows = []
        for at, day in enumerate(self.days):
            row = [day, *(self._cell(line.values, at) for line in self.lines)]
            if fan:
                row += [
                    self._cell(values, at - fan.first) for values in (fan.low, fan.median, fan.high)
                ]
            rows.append(row)
        return Table(self.title, head, rows)

    def _cell(self, values: Values, at: int) -> str:
        value = values[at] if 0 <= at < len(values) else None
        return "" if value is None else self.write(value)


def draw_curve(curve: Curve, size: Size = WIDE) -> SafeString:
    """Return the curve as SVG. A line of one day is a point."""
    drawing = Drawing(size)
    if curve.is_empty:
        return drawing.finish_empty(curve, curve.empty or _("There is nothing to show yet."))
    _CurveDrawing(curve, drawing).draw()
    return drawing.finish(curve)


class _CurveDrawing:
    """The scales of one curve and its layers, from back to front."""

    def __init__(self, curve: Curve, drawing: Drawing) -> None:
        self.curve, self.drawing, size = curve, drawing, drawing.size
        fan = [*curve.fan.low, *curve.fan.high] if curve.fan else []
        values = [value for line in curve.lines for value in line.values if value is not None]
        known = [*values, *fan, curve.target or 0]
        self.ticks = find_ticks(max(known), most=4 if size.is_narrow else 6)
        self.low, self.high = min([*known, 0]), max([*known, self.ticks[-1]])
        self.unit = size.text
        self.left = max(size.measure(curve.write(tick)) for tick in self.ticks) + 10
        self.right = size.width - self.unit * (9.2 if size.is_narrow else 12)
        # The goal's name is above its line, and the notes are above that.
        self.top = self.unit * (3.4 if curve.notes else 1.8)
        self.bottom = size.height - self.unit * 2

    def x(self, at: float) -> float:
        steps = max(len(self.curve.days) - 1, 1)
        if len(self.curve.days) == 1:
            return (self.left + self.right) / 2
        return self.left + at * (self.right - self.left) / steps

    def y(self, value: float) -> float:
        height = self.bottom - self.top
        return self.bottom - (value - self.low) * height / (self.high - self.low)

    def draw(self) -> None:
        self._draw_grid()
        self._draw_days()
        self._draw_fan()
        for number, line in enumerate(self.curve.earlier[:EARLIER]):
            self._draw_line(line, f"chart-earlier chart-earlier-{number}")
        if self.curve.pace:
            self._draw_line(self.curve.pace, "chart-pace")
        self._draw_target()
        self._draw_line(self.curve.main, "chart-main")
        self._draw_notes()
        self._draw_names()
        self._draw_tips()

    def _draw_grid(self) -> None:
        for tick in self.ticks:
            y = self.y(tick)
            self.drawing.line(
                self.left, y, self.right, y, "chart-axis" if not tick else "chart-grid"
            )
            words = self.curve.write(tick)
            self.drawing.text(self.left - 8, y + self.unit * 0.35, words, anchor="end")

    def _draw_days(self) -> None:
        """Name as many days as fit; today is always named, and marked by a line."""
        days, today = self.curve.days, self.curve.today
        y, width = self.bottom + self.unit * 1.5, max(map(self.drawing.size.measure, days))
        fitting = max(int((self.right - self.left) / (width * 1.4)), 1)
        step = max(-(-(len(days) - 1) // fitting), 1)
        if today is not None:
            self.drawing.line(self.x(today), self.top, self.x(today), self.bottom, "chart-today")
            words = pgettext("on an axis", "today")
            self.drawing.text(self.x(today), y, words, "chart-strong", anchor="middle")
        for at in range(0, len(days), step):
            if today is None or abs(self.x(at) - self.x(today)) > width * 1.1:
                self.drawing.text(self.x(at), y, days[at], anchor="middle")

    def _draw_fan(self) -> None:
        fan = self.curve.fan
        if fan is None:
            return
        start = self._last(self.curve.main)
        begin = [start] if start and start[0] < fan.first else []
        sides = [
            [*begin, *((fan.first + at, value) for at, value in enumerate(values))]
            for values in (fan.high, fan.median, fan.low)
        ]
        high, median, low = ([(self.x(at), self.y(value)) for at, value in side] for side in sides)
        if len(high) == 1:
            # On the last day the range is a bar.
            (x, top), (_x, bottom) = high[0], low[0]
            width = self.unit * 0.8
            self.drawing.rect(x - width / 2, top, width, bottom - top, "chart-fan")
            return
        self.drawing.path([*high, *low[::-1]], "chart-fan", closed=True)
        self.drawing.path(median, "chart-median")

    def _draw_line(self, line: Line, css: str) -> None:
        places = [(at, value) for at, value in enumerate(line.values) if value is not None]
        # Consecutive positions have the same difference to their rank: a gap starts a new path.
        for _gap, part in groupby(enumerate(places), lambda item: item[1][0] - item[0]):
            points = [(self.x(at), self.y(value)) for _rank, (at, value) in part]
            if len(points) == 1:
                self.drawing.circle(*points[0], self.unit * 0.3, f"{css} chart-point")
            self.drawing.path(points, css)
        if css == "chart-main" and places:
            at, value = places[-1]
            self.drawing.circle(self.x(at), self.y(value), self.unit * 0.35, "chart-point")

    def _draw_target(self) -> None:
        if self.curve.target is None:
            return
        y = self.y(self.curve.target)
        self.drawing.line(self.left, y, self.right, y, "chart-target")
        words = _("Goal: %(target)s") % {"target": self.curve.write(self.curve.target)}
        width = self.drawing.size.measure(words)
        left, right = self.left + 4, self.right - width - 4
        # At the left, unless the curve passes there.
        x = right if self._passes(left, left + width, y) and right > left else left
        self.drawing.text(x, y - self.unit * 0.45, words, "chart-strong")

    def _passes(self, left: float, right: float, y: float) -> bool:
        """Return whether the main line passes through a word above `y`."""
        heights = [
            self.y(value)
            for at, value in enumerate(self.curve.main.values)
            if value is not None and left - self.unit <= self.x(at) <= right + self.unit
        ]
        # Between two days it is somewhere between their heights.
        return bool(heights) and min(heights) < y and max(heights) > y - self.unit * 1.4

    def _draw_notes(self) -> None:
        """Number the notes; on a desk their first words stand beside the number if they fit."""
        places = [self.x(note.at) for note in self.curve.notes]
        y = self.unit * 0.9
        for number, (x, note) in enumerate(zip(places, self.curve.notes, strict=True), 1):
            self.drawing.line(x, y, x, self.bottom, "chart-note")
            self.drawing.circle(x, y, self.unit * 0.75, "chart-note-dot")
            self.drawing.text(
                x, y + self.unit * 0.35, str(number), "chart-note-number", anchor="middle"
            )
            following = min([place for place in places if place > x] + [self.drawing.size.width])
            room = (following - x - self.unit * 2.2) / self.drawing.size.measure("x")
            if room >= min(len(note.text), 12) and not self.drawing.size.is_narrow:
                words = wrap(note.text, most=room, lines=1)[0]
                self.drawing.text(x + self.unit * 1.2, y + self.unit * 0.35, words)

    def _draw_names(self) -> None:
        """Name the lines at their ends, without overlaps; the main line with its number."""
        ends = [(self.curve.pace.name, self._last(self.curve.pace), "")] if self.curve.pace else []
        ends += [(line.name, self._last(line), "") for line in self.curve.earlier[:EARLIER]]
        if self.curve.fan:
            fan = self.curve.fan
            last = (fan.first + len(fan.median) - 1, fan.median[-1])
            ends.append((fan.name, last, "chart-accent"))
        main = self._last(self.curve.main)
        if main and main[0] > (len(self.curve.days) - 1) * 0.9:
            ends.append((self._name_main(main[1]), main, "chart-accent chart-strong"))
        elif main:
            x, y = self.x(main[0]) - self.unit * 0.6, self.y(main[1]) - self.unit * 0.7
            words, css = self.curve.write(main[1]), "chart-accent chart-strong"
            anchor = "end"
            if x < self.left + self.drawing.size.measure(words):
                x, anchor = self.x(main[0]) + self.unit * 0.6, "start"
            self.drawing.text(x, max(y, self.unit), words, css, anchor=anchor)
        self._draw_leaders()
        most = (self.drawing.size.width - self.right - 8) / self.drawing.size.measure("x")
        rows = 3 if self.drawing.size.is_narrow else 2
        named = [
            (
                wrap(name, most=most * (BOLD if css.endswith(STRONG) else 1), lines=rows),
                self.y(place[1]) - self.unit * 0.6,
                css,
            )
            for name, place, css in ends
            if place is not None
        ]
        gap = self.unit * 1.2
        heights = [len(lines) * gap + self.unit * 0.2 for lines, _y, _css in named]
        wanted = [y for _lines, y, _css in named]
        places = spread(wanted, heights, top=self.unit, bottom=self.bottom + gap)
        for (lines, _y, css), y in zip(named, places, strict=True):
            for number, line in enumerate(lines):
                self.drawing.text(self.right + 8, y + self.unit + number * gap, line, css)

    def _draw_leaders(self) -> None:
        """Lead from the end of an earlier campaign that was shorter to its name."""
        for line in self.curve.earlier[:EARLIER]:
            last = self._last(line)
            if last and last[0] < len(self.curve.days) - 1:
                y = self.y(last[1])
                self.drawing.line(self.x(last[0]), y, self.right, y, "chart-leader")

    def _name_main(self, value: float) -> str:
        return f"{self.curve.main.name} {self.curve.write(value)}"

    def _draw_tips(self) -> None:
        """Show the values of a day while the mouse rests on it."""
        table = self.curve.tabulate()
        width = self.x(1) - self.x(0) if len(self.curve.days) > 1 else self.right - self.left
        for at, row in enumerate(table.rows):
            values = zip(table.head[1:], row[1:], strict=True)
            told = ", ".join(f"{name} {value}" for name, value in values if value)
            height = self.bottom - self.top
            left = max(self.x(at) - width / 2, 0)
            self.drawing.rect(left, self.top, width, height, "chart-tip", tip=f"{row[0]}: {told}")

    def _last(self, line: Line) -> tuple[int, float] | None:
        found = [(at, value) for at, value in enumerate(line.values) if value is not None]
        return found[-1] if found else None
