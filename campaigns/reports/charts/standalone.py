"""A chart with its colours and fonts inside it, for PDF, PNG and e-mail, where no stylesheet is."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import resvg_py
from django.utils.safestring import SafeString, mark_safe

from campaigns import fonts

STYLES = Path(__file__).resolve().parents[2] / "static" / "campaigns" / "charts.css"
FONT = "DejaVu Sans"


@dataclass(frozen=True)
class Palette:
    """The colours of `tokens.css` that charts use."""

    ink: str
    paper: str
    line: str
    accent: str
    glow: str
    wrong: str = "#9b1c1c"

    def as_tokens(self) -> dict[str, str]:
        """Return the value of each token, with the two that are mixed from others."""
        return vars(self) | {
            "quiet": _mix(self.ink, self.paper, 0.72),
            "edge": _mix(self.ink, self.paper, 0.55),
        }


LIGHT = Palette("#1b1a17", "#fbfaf7", "#d3cec2", "#1d4e89", "#f2b632")
DARK = Palette("#ece8de", "#171613", "#45423a", "#8fb8e8", "#f2c14e", "#ff9d94")


def make_standalone(svg: SafeString, palette: Palette = LIGHT) -> SafeString:
    """Return a chart of this package as a document of its own, on the palette's paper."""
    found = re.match(r'<svg [^>]*viewBox="0 0 (\d+) (\d+)"', svg)
    assert found, "only charts of this package have a size here"
    width, height = found.groups()
    begin, rest = svg.split(">", 1)
    style = f"text{{font-family:'{FONT}'}}{_resolve(palette)}"
    # Every text in the chart was escaped when it was drawn; the stylesheet is ours.
    return mark_safe(  # noqa: S308
        f'{begin} width="{width}" height="{height}"><style>{style}</style>'
        f'<rect width="100%" height="100%" fill="{palette.paper}"/>{rest}'
    )


def draw_png(svg: SafeString, palette: Palette = LIGHT, *, zoom: int = 2) -> bytes:
    """Return the chart as a PNG of `zoom` pixels for each unit."""
    folders = [str(folder) for folder in fonts.list_folders(svg)]
    document = make_standalone(svg, palette)
    return bytes(
        resvg_py.svg_to_bytes(
            svg_string=document, font_dirs=folders, skip_system_fonts=True, zoom=zoom
        )
    )


@cache
def _resolve(palette: Palette) -> str:
    """Return the charts' stylesheet with values in place of tokens."""
    css = re.sub(r"/\*.*?\*/", "", STYLES.read_text("utf-8"), flags=re.S)
    css = css.partition("@")[0]  # what comes after it is about pages
    for name, value in palette.as_tokens().items():
        css = css.replace(f"var(--campaign-{name})", value)
    return re.sub(r"\s+", " ", css).strip()


def _mix(first: str, second: str, share: float) -> str:
    """Return the color-mix in sRGB of two colours like #1b1a17."""
    pairs = zip(bytes.fromhex(first[1:]), bytes.fromhex(second[1:]), strict=True)
    return "#" + "".join(f"{round(a * share + b * (1 - share)):02x}" for a, b in pairs)
