"""Drawings of a newsroom: only shapes and their paint reach a page."""

from pathlib import Path

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns.banners import publish_campaign, read_banner
from campaigns.models import Campaign
from campaigns.models.drawings import LONGEST, DrawingRefused, clean_drawing
from tests.support.factories import make_campaign

pytestmark = pytest.mark.once

CANDLES = '<g class="campaign-candles"'
SNOW = (
    '<?xml version="1.0"?>'
    '<svg xmlns="http://www.w3.org/2000/svg" width="24px" height="24px" id="x">'
    "<title>Snow</title><defs/><g style=\"fill:none;stroke:#1d4e89;font:x\" onclick='x()' id='y'>"
    '<path d="M12 2v20M3 7l18 10" stroke-width="2" data-x="1"/></g></svg>'
)
CLEAN = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="48" height="48" '
    'aria-hidden="true"><g fill="none" stroke="#1d4e89"><path d="M12 2v20M3 7l18 10" '
    'stroke-width="2"></path></g></svg>'
)
SHAPE = '<path d="M0 0"/>'


def wrap(inside: str, box: str = 'viewBox="0 0 9 9"') -> str:
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box}>{inside}</svg>'


def test_a_drawing_keeps_its_shapes_and_paint_alone() -> None:
    assert clean_drawing(SNOW) == CLEAN


@pytest.mark.parametrize(
    ("svg", "reason"),
    [
        ("", "not an SVG"),
        ("snow", "not an SVG"),
        ("<b>snow</b>", "not an SVG"),
        ("<svg>", "not an SVG"),
        (wrap(""), "no shapes"),
        (wrap(SHAPE, ""), "no viewBox"),
        (wrap(SHAPE, 'viewBox="0 0 9 9&quot; onload=&quot;x()"'), "no viewBox"),
        (wrap(f"{SHAPE}<script>alert(1)</script>"), "script"),
        (wrap(f'{SHAPE}<image href="https://example.org/x.png"/>'), "image"),
        (wrap(f'{SHAPE}<use href="#x"/>'), "use"),
        (wrap(f"{SHAPE}<foreignObject/>"), "foreignObject"),
        (wrap(f"{SHAPE}<style>*{{}}</style>"), "style"),
        (wrap(f"{SHAPE}<text>Snow</text>"), "text"),
        (wrap(f'{SHAPE}<a href="javascript:x()">{SHAPE}</a>'), "contains “a”"),
        (wrap('<path d="M0 0" fill="url(https://example.org)"/>'), "url("),
        (wrap('<path d="M0 0" style="fill:url(#x)"/>'), "url("),
        (wrap('<path d="M0 0&lt;script>"/>'), "Use plain colours"),
        (f"<!DOCTYPE svg [<!ENTITY a 'b'>]>{wrap(SHAPE)}", "DOCTYPE"),
        (wrap("<g>" * 400 + SHAPE + "</g>" * 400), "nested groups"),
        (wrap(SHAPE * LONGEST), "too large"),
    ],
)
def test_a_drawing_that_could_do_more_is_refused(svg: str, reason: str) -> None:
    with pytest.raises(DrawingRefused, match=reason.replace("(", r"\(")):
        clean_drawing(svg)


@pytest.mark.django_db
def test_a_campaigns_emblem_replaces_the_candles() -> None:
    campaign = make_campaign()
    for emblem, shown in (("", CANDLES), (SNOW, CLEAN), ("<b/>", CANDLES)):
        Campaign.objects.update(emblem=emblem)
        publish_campaign(campaign.pk)
        html = read_banner("birthday", "end", language="en")
        assert shown in html
        assert (CANDLES in html) == (shown == CANDLES)


@pytest.mark.django_db
def test_the_logo_replaces_the_newspapers_name(
    client: Client, settings: LazySettings, tmp_path: Path
) -> None:
    settings.NEWSROOM_LOGO = str(tmp_path / "logo.svg")
    Path(settings.NEWSROOM_LOGO).write_text(SNOW)
    make_campaign()
    page = client.get("/campaign/birthday/").content.decode()
    assert f'{CLEAN}<span class="visually-hidden">The Meridian Post</span>' in page
