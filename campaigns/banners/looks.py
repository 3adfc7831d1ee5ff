"""The newsroom's look as a stylesheet: it overrides tokens.css, and is empty by default."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict

from campaigns.models import Look
from campaigns.models.look import COLOURS, SANS, SERIF


def write_look(look: Look) -> str:
    """Return CSS that sets the tokens which the newsroom chose, for light and for dark."""
    chosen = {name: getattr(look, name) for name in COLOURS}
    fonts = {"serif": look.serif, "sans": look.sans}
    chosen |= {name: font for name, font in fonts.items() if font not in {SERIF, SANS}}
    # A light colour would otherwise override the dark one of tokens.css, too.
    in_dark = {
        name: colour
        for name, colour in asdict(look.dark).items()
        if chosen[name] or getattr(look, f"dark_{name}")
    }
    css = _write_rule(chosen)
    if in_dark:
        css += f"@media (prefers-color-scheme: dark) {{\n{_write_rule(in_dark)}}}\n"
    return css


def _write_rule(tokens: Mapping[str, str]) -> str:
    lines = "".join(f"  --campaign-{name}: {value};\n" for name, value in tokens.items() if value)
    return f":root {{\n{lines}}}\n" if lines else ""


def add_version(address: str, css: str) -> str:
    """Return the stylesheet's address with its version; empty for an empty stylesheet."""
    return f"{address}?v={hashlib.sha256(css.encode()).hexdigest()[:12]}" if css else ""
