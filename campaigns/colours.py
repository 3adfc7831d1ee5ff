"""Colours as "#rrggbb": their contrast, and mixtures of two."""

import re

_COLOUR = re.compile(r"#[0-9a-fA-F]{6}")


def is_colour(text: str) -> bool:
    return _COLOUR.fullmatch(text) is not None


def measure_contrast(first: str, second: str) -> float:
    """Return the contrast of two colours, from 1 to 21. Source: WCAG 2.2, "contrast ratio"."""
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix_colours(first: str, percent: int, second: str) -> str:
    """Return `percent` of the first colour in the second, as CSS color-mix() does in sRGB."""
    channels = zip(_channels(first), _channels(second), strict=True)
    mixed = (round((a * percent + b * (100 - percent)) / 100) for a, b in channels)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def _channels(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
