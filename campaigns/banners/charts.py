"""The chart of a campaign's days, as positions in percent for a template that draws it as SVG."""

from dataclasses import dataclass
from datetime import date, timedelta

from campaigns.banners.placeholders import write_amount
from campaigns.models import Campaign
from campaigns.progress import DayTotal, Progress, list_day_totals, list_milestones

# The space above the highest value, for its label.
HEADROOM = 1.14
MILESTONES_SHOWN = 4


@dataclass(frozen=True)
class Mark:
    """A label at a point of the chart; positions are in percent from the top left corner."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Chart:
    line: str  # "x,y x,y ..."
    area: str
    goal: Mark
    today: Mark
    is_label_left: bool  # of the last point: there is no room to its right
    last: date  # the campaign's last day


def draw_chart(
    campaign: Campaign, progress: Progress, days: list[DayTotal], *, language: str
) -> Chart | None:
    """Return the chart of all days of the campaign up to now; None if there is nothing to draw.

    It is drawn from what the campaign itself brought, and labelled with the numbers of the page,
    which include a starting number.
    """
    if not days or not any(day.total for day in days):
        return None
    zone = campaign.zone_info
    last_moment = campaign.ends_at - timedelta(microseconds=1)
    first, last = days[0].day, last_moment.astimezone(zone).date()
    width = (last - first).days + 1
    top = max(*(day.total for day in days), progress.own_target) * HEADROOM

    def x_of(position: float) -> float:
        return round(100 * position / width, 2)

    def y_of(value: int) -> float:
        return round(100 - 100 * max(value, 0) / top, 2)

    points = [(x_of(at + 1), y_of(day.total)) for at, day in enumerate(days)]
    now = progress.as_of.astimezone(zone)
    if now.date() == days[-1].day and campaign.holds(progress.as_of):
        passed = (now.hour * 60 + now.minute) / (24 * 60)  # the part of today that is over
        points[-1] = (x_of(len(days) - 1 + passed), points[-1][1])
    points.insert(0, (0, y_of(days[0].total - days[0].change)))
    line = " ".join(f"{x},{y}" for x, y in points)
    x, y = points[-1]
    goal = write_amount(progress, progress.shown_target, language=language)
    return Chart(
        line=line,
        area=f"0,100 {line} {x},100",
        goal=Mark(0, y_of(progress.own_target), goal),
        today=Mark(x, y, write_amount(progress, progress.shown, language=language)),
        is_label_left=x > 60,
        last=last,
    )


def list_days(campaign: Campaign, goals: list[Progress]) -> list[DayTotal]:
    """Return the totals of the primary goal's days; none without a goal."""
    return list_day_totals(campaign, goals[0]) if goals else []


def describe_days(
    campaign: Campaign, goals: list[Progress], days: list[DayTotal], *, language: str
) -> dict[str, object]:
    """Return the chart, its rows and the latest milestones of the primary goal, for a template.

    The language has to be the active one.
    """
    if not goals:
        return {}
    progress, start = goals[0], goals[0].starts_from
    passed = list_milestones(days, target=progress.own_target)[:MILESTONES_SHOWN]
    return {
        "chart": draw_chart(campaign, progress, days, language=language),
        "rows": [
            (
                day.day,
                write_amount(progress, day.change, language=language),
                write_amount(progress, start + day.total, language=language),
            )
            for day in reversed(days)
        ],
        "milestones": [
            (write_amount(progress, start + milestone.value, language=language), milestone.day)
            for milestone in passed
        ],
    }
