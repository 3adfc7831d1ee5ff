"""Charts: what they draw and say, in pages and alone, whatever the numbers are."""

import io
import re
from collections.abc import Callable
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from django.utils.safestring import SafeString
from PIL import Image

from campaigns.reports.charts import (
    DARK,
    LIGHT,
    NARROW,
    WIDE,
    Bar,
    Bars,
    Curve,
    Fan,
    Heat,
    Line,
    Mark,
    Palette,
    Size,
    Stack,
    Stacks,
    Steps,
    draw_bars,
    draw_both,
    draw_curve,
    draw_funnel,
    draw_heat,
    draw_png,
    draw_stacks,
    make_standalone,
    write_table,
)
from campaigns.reports.charts.drawing import find_ticks, spread

pytestmark = pytest.mark.once

MARKUP = "<script>alert(1)</script>"
DAYS = [f"{number} Nov" for number in range(1, 11)]
CURVE = Curve(
    title="Total by day",
    sentence="The curve is at 50.",
    days=DAYS,
    main=Line("Third birthday", [10, 20, 30, 40, 50]),
    earlier=[Line("Second birthday", [5, 9, None, 15])],
    pace=Line("Even pace", [10 * number for number in range(1, 11)]),
    fan=Fan(
        "Likely 70 to 130", 5, [55, 60, 63, 66, 70], [60, 68, 76, 84, 95], [70, 85, 99, 110, 130]
    ),
    target=100,
    today=4,
    notes=[Mark(2, "Newsletter sent")],
)
STACKS = Stacks(
    "Joined and left",
    "12 joined.",
    DAYS[:3],
    [Stack("People", [5, 0, 4]), Stack("Left", [0, 2, 0], True)],
)
BARS = Bars(
    "By article",
    "Most came from one.",
    [Bar("Bridges", 9, 4), Bar("Direct", 0)],
    "Article",
    "Members",
)
HEAT = Heat("When", "Mostly at 20:00.", ["Mon", "Tue"], ["19", "20"], [[0, 9], [3, 1]])
STEPS = Steps("Gifts", "Half were claimed.", [("Paid", 10), ("Claimed", 5), ("Paying", 0)])
Draw = Callable[[Size], SafeString]


def every_chart() -> list[Draw]:
    return [
        lambda size: draw_curve(CURVE, size),
        lambda size: draw_stacks(STACKS, size),
        lambda size: draw_bars(BARS, size),
        lambda size: draw_heat(HEAT, size),
        lambda size: draw_funnel(STEPS, size),
    ]


def odd_charts() -> list[Draw]:
    """Return charts of nothing, of one day, of huge, tiny and negative numbers."""
    return [
        lambda size: draw_curve(replace(CURVE, main=Line("", []), days=[]), size),
        lambda size: draw_curve(replace(CURVE, main=Line("", [None]), empty="x " * 200), size),
        lambda size: draw_curve(Curve("", "", ["today"], Line("", [1]), target=50, today=0), size),
        lambda size: draw_curve(Curve("", "", DAYS, Line("", [0] * 10)), size),
        lambda size: draw_curve(Curve("", "", DAYS, Line("", [-5, 10**15, 0.4])), size),
        lambda size: draw_curve(replace(CURVE, days=[str(day) for day in range(1100)]), size),
        lambda size: draw_stacks(replace(STACKS, days=[], stacks=[]), size),
        lambda size: draw_stacks(replace(STACKS, stacks=[Stack("Left", [1, 2, 3], True)]), size),
        lambda size: draw_bars(replace(BARS, bars=[]), size),
        lambda size: draw_bars(replace(BARS, bars=[Bar("a" * 4000, 0), Bar("", -3)]), size),
        lambda size: draw_heat(replace(HEAT, values=[[0, 0], [0, 0]]), size),
        lambda size: draw_funnel(replace(STEPS, steps=[]), size),
        lambda size: draw_funnel(replace(STEPS, steps=[("Paid", 0), ("Claimed", 0)]), size),
    ]


def read_places(svg: str) -> list[tuple[float, float]]:
    """Return the points of all shapes and texts."""
    places = []
    for element in ElementTree.fromstring(svg).iter():  # noqa: S314 (ours)
        for across, down in (("x", "y"), ("x1", "y1"), ("x2", "y2"), ("cx", "cy")):
            if across in element.attrib and down in element.attrib:
                places.append((float(element.attrib[across]), float(element.attrib[down])))
        numbers = re.findall(r"-?[\d.]+", element.attrib.get("d", ""))
        places += [(float(x), float(y)) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
    return places


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["desk", "phone"])
def test_every_shape_of_every_chart_is_inside_it(size: Size) -> None:
    for draw in [*every_chart(), *odd_charts()]:
        svg = draw(size)
        width, height = map(int, re.findall(r'viewBox="0 0 (\d+) (\d+)"', svg)[0])
        for x, y in read_places(svg):
            assert -1 <= x <= width + 1, svg
            assert -1 <= y <= height + 1, svg


def test_every_chart_says_what_it_shows_without_styles_or_scripts() -> None:
    for draw in every_chart():
        svg = draw(WIDE)
        assert re.match(r'<svg [^>]*role="img" aria-label="\w[^"]*\. \w[^"]*\."', svg)
        assert not re.search(r"style|<script|#|rgb|\son\w+=", svg)


def test_names_and_notes_are_escaped() -> None:
    curve = replace(
        CURVE,
        title=MARKUP,
        main=Line(MARKUP, [1] * 10),
        notes=[Mark(1, MARKUP)],
        days=[MARKUP] * 10,
    )
    for html in (draw_curve(curve), write_table(curve.tabulate())):
        assert "<script" not in html
        assert "&lt;script&gt;" in html


def test_the_goal_today_the_range_and_notes_are_marked_and_named() -> None:
    texts = [element.text for element in ElementTree.fromstring(draw_curve(CURVE)).iter()]  # noqa: S314
    named = {"Goal: 100", "today", "Likely 70 to 130", "Even pace", "Second birthday", "50"}
    assert named | {"1", "Newsletter sent"} <= {*texts}


def test_the_goals_name_makes_room_for_the_curve() -> None:
    def find_name(values: list[float]) -> float:
        svg = draw_curve(replace(CURVE, main=Line("", values), notes=[], fan=None), NARROW)
        [x] = re.findall(r'x="([\d.]+)"[^>]*>Goal: 100<', svg)
        return float(x)

    below = find_name([10, 20, 30, 40])
    assert find_name([60, 130, 160, 190]) > below + 60
    assert find_name([150, 160, 170, 180]) == below


def test_a_curve_of_one_day_is_a_point() -> None:
    svg = draw_curve(Curve("", "", ["1 Nov"], Line("", [17]), target=100, today=0))
    assert '<circle class="chart-main chart-point"' in svg
    assert "L" not in "".join(re.findall(r' d="([^"]*)"', svg))


def test_the_range_of_the_last_day_is_a_bar() -> None:
    last = replace(CURVE, fan=Fan("Likely 70 to 130", 9, [70], [95], [130]), today=9)
    chart = draw_curve(replace(last, main=Line("Third birthday", [10 * at for at in range(10)])))
    bars = re.findall(r'<rect class="chart-fan"[^>]*height="([\d.]+)"', chart)
    [height] = [float(bar) for bar in bars]
    assert height > 10


def test_the_number_of_a_first_day_is_right_of_its_point() -> None:
    first = replace(CURVE, main=Line("Third birthday", [10]), earlier=(), fan=None, today=0)
    chart = draw_curve(first)
    [number] = re.findall(r'<text class="[^"]*chart-accent[^"]*" x="([\d.]+)"[^>]*>10<', chart)
    point = re.findall(r'<circle class="chart-point" cx="([\d.]+)"', chart)[-1]
    assert float(number) > float(point)


def test_parts_are_named_in_their_order_though_the_last_bar_is_empty() -> None:
    stacks = [Stack("People", [5, 0]), Stack("Gifts", [3, 0]), Stack("Left", [1, 0], True)]
    chart = draw_stacks(replace(STACKS, days=DAYS[:2], stacks=stacks))
    names = [
        (float(element.attrib["y"]), element.text)
        for element in ElementTree.fromstring(chart).iter()  # noqa: S314 (ours)
        if element.text in {"People", "Gifts", "Left"}
    ]
    assert [name for _y, name in sorted(names)] == ["Gifts", "People", "Left"]


def test_a_chart_without_data_says_why() -> None:
    curve = replace(CURVE, main=Line("", []), empty="The campaign starts on 1 November.")
    assert "The campaign starts on 1 November." in draw_curve(curve)
    assert "There is nothing to show yet." in draw_heat(replace(HEAT, values=[[0, 0], [0, 0]]))


def test_tables_have_the_numbers_of_the_charts() -> None:
    assert CURVE.tabulate().rows[3] == ["4 Nov", "40", "15", "40", "", "", ""]
    assert CURVE.tabulate().rows[9] == ["10 Nov", "", "", "100", "70", "95", "130"]
    assert STACKS.tabulate().rows == [
        ["1 Nov", "5", "0"],
        ["2 Nov", "0", "-2"],
        ["3 Nov", "4", "0"],
    ]
    assert BARS.tabulate().rows == [["Bridges", "9", "100%"], ["Direct", "0", "0%"]]
    assert replace(BARS, bars=[Bar("Direct", 0)]).tabulate().rows == [["Direct", "0", "—"]]
    assert STEPS.tabulate().rows[1] == ["Claimed", "5", "50%"]
    assert HEAT.tabulate().rows[0] == ["Mon", "0", "9"]


def test_there_are_both_sizes_for_a_page() -> None:
    html = draw_both(lambda size: draw_curve(CURVE, size))
    assert re.findall(r'viewBox="0 0 (\d+) ', html) == [str(WIDE.width), str(NARROW.width)]


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
def test_a_chart_alone_brings_its_colours(palette: Palette) -> None:
    svg = make_standalone(draw_curve(CURVE), palette)
    assert "var(" not in svg
    assert "@" not in svg
    picture = Image.open(io.BytesIO(draw_png(draw_curve(CURVE), palette, zoom=1))).convert("RGB")
    assert picture.size == (WIDE.width, WIDE.height)
    colours = {colour for _count, colour in picture.getcolors(100_000) or []}
    for wanted in (palette.paper, palette.ink, palette.accent, palette.glow):
        assert tuple(bytes.fromhex(wanted[1:])) in colours, wanted


def test_labels_keep_their_distance_and_their_order() -> None:
    assert spread([10, 11, 90], [20, 20, 20], top=0, bottom=200) == [10, 30, 90]
    assert spread([190, 195], [20, 20], top=0, bottom=200) == [160, 180]


def test_ticks_are_round_and_few() -> None:
    assert find_ticks(1000) == [0, 200, 400, 600, 800, 1000]
    assert find_ticks(3) == [0, 1, 2, 3]
    assert find_ticks(0) == [0, 1]
