"""The newsroom's look: its defaults, its contrast, and what may be in it."""

import re
from dataclasses import asdict
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from campaigns.banners.looks import write_look
from campaigns.colours import measure_contrast, mix_colours
from campaigns.models import Look
from campaigns.models.look import COLOURS, DARK, LIGHT, SANS, SERIF

pytestmark = pytest.mark.once

TOKENS = Path(__file__).resolve().parents[2] / "campaigns/static/campaigns/tokens.css"


def test_the_defaults_are_those_of_the_tokens() -> None:
    css = TOKENS.read_text()
    for part, palette in zip(css.split("@media"), (LIGHT, DARK), strict=True):
        found = dict(re.findall(r"--campaign-(\w+):\s*(#\w{6});", part))
        assert {name: found[name] for name in COLOURS} == asdict(palette)
    assert f"--campaign-serif: {SERIF};" in css
    assert f"--campaign-sans: {SANS};" in css


def test_contrast_is_that_of_wcag() -> None:
    assert measure_contrast("#000000", "#ffffff") == pytest.approx(21)
    assert measure_contrast("#ffffff", "#777777") == pytest.approx(4.48, abs=0.005)
    assert measure_contrast("#1D4E89", "#1d4e89") == 1


def test_colours_are_mixed_as_in_css() -> None:
    assert mix_colours("#1b1a17", 72, "#fbfaf7") == "#5a5956"


def test_the_defaults_have_no_fault_and_no_stylesheet() -> None:
    assert list(Look().list_faults()) == []
    assert write_look(Look()) == ""


def test_a_light_colour_leaves_the_dark_one() -> None:
    css = write_look(Look(accent="#a0392b", dark_glow="#33ff99", text_font="Noto Sans"))
    light, dark = css.split("@media (prefers-color-scheme: dark)")
    assert "--campaign-accent: #a0392b" in light
    assert f'--campaign-sans: "Noto Sans", {SANS}' in light
    assert "glow" not in light
    assert f"--campaign-accent: {DARK.accent}" in dark
    assert "--campaign-glow: #33ff99" in dark


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("accent", "red"),
        ("paper", "#fff"),
        ("dark_ink", "#12345g"),
        ("glow", "#١٢٣٤٥٦"),
        ("text_font", 'x"; } body { display: none'),
        ("headline_font", "url(https://elsewhere.example/x.woff)"),
        ("headline_font", "Source\nSerif"),
        ("logo", '<svg viewBox="0 0 1 1"><script>alert(1)</script></svg>'),
        ("logo", "<!DOCTYPE svg [<!ENTITY x 'y'>]><svg/>"),
        ("logo", "not a drawing"),
    ],
)
def test_nothing_else_gets_into_a_look(field: str, value: str) -> None:
    with pytest.raises(ValidationError) as error:
        Look(**{field: value}).clean_fields()
    assert list(error.value.message_dict) == [field]
