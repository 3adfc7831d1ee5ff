"""The charts of a report as pictures in the newsroom's colours."""

from dataclasses import asdict, replace

from campaigns.models import read_look
from campaigns.reports.charts import WIDE, Palette, draw_png, make_standalone
from campaigns.reports.contents import NamedChart


def draw_chart_png(chart: NamedChart) -> bytes:
    """Return the chart as a PNG of twice its size, for sharp screens."""
    return draw_png(chart.draw(WIDE), read_palette())


def draw_chart_svg(chart: NamedChart) -> bytes:
    """Return the chart as an SVG document of its own."""
    return make_standalone(chart.draw(WIDE), read_palette()).encode()


def draw_for_paper(chart: NamedChart) -> str:
    """Return the chart as SVG on white."""
    return make_standalone(chart.draw(WIDE), replace(read_palette(), paper="#ffffff"))


def read_palette() -> Palette:
    return Palette(**asdict(read_look().light))
