"""Charts as SVG: pure functions of the numbers they show, without models and without scripts.

Colours come from the classes in `static/campaigns/charts.css`. `make_standalone` writes them into
the SVG for PDF, PNG and e-mail. Each chart has a sentence that says what it shows, and a table.
"""

from campaigns.reports.charts.bars import Bar, Bars, Stack, Stacks, draw_bars, draw_stacks
from campaigns.reports.charts.drawing import (
    NARROW,
    WIDE,
    Size,
    Table,
    draw_both,
    write_number,
    write_table,
)
from campaigns.reports.charts.grids import Heat, Steps, draw_funnel, draw_heat
from campaigns.reports.charts.lines import Curve, Fan, Line, Mark, draw_curve
from campaigns.reports.charts.standalone import DARK, LIGHT, Palette, draw_png, make_standalone

__all__ = [
    "DARK",
    "LIGHT",
    "NARROW",
    "WIDE",
    "Bar",
    "Bars",
    "Curve",
    "Fan",
    "Heat",
    "Line",
    "Mark",
    "Palette",
    "Size",
    "Stack",
    "Stacks",
    "Steps",
    "Table",
    "draw_bars",
    "draw_both",
    "draw_curve",
    "draw_funnel",
    "draw_heat",
    "draw_png",
    "draw_stacks",
    "make_standalone",
    "write_number",
    "write_table",
]
