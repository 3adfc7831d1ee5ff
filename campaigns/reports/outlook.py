"""Will we make it? The curve of a campaign with its pace, its forecast and earlier campaigns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.dates import write_short_day
from campaigns.models import Campaign, Note, Phase
from campaigns.money import decimal_places
from campaigns.progress import Progress
from campaigns.reports.charts import Curve, Fan, Line, Mark
from campaigns.reports.courses import Course, Forecast
from campaigns.reports.days import Day

Write = Callable[[float], str]

# Loaded when a forecast is made, because numpy takes 13 MB.
_MAKE_FORECAST = "campaigns.reports.forecast.make_forecast"


@dataclass(frozen=True)
class Past:
    """A campaign with its days; the total of each is in the unit of the goal that is shown."""

    campaign: Campaign
    name: str
    days: Sequence[Day]

    @property
    def first_day(self) -> date:
        return self.campaign.starts_at.astimezone(self.campaign.zone_info).date()

    @property
    def length(self) -> int:
        """The number of days of the campaign's zone that its window touches."""
        last = self.campaign.ends_at - timedelta(microseconds=1)
        return (last.astimezone(self.campaign.zone_info).date() - self.first_day).days + 1

    @property
    def window(self) -> Sequence[Day]:
        """The days of the window; something can stop counting after it."""
        return self.days[: self.length]

    def as_course(self, *, until: date | None = None) -> Course:
        """Return the full days before `until`, and what counts on it so far."""
        full = [day for day in self.window if until is None or day.day < until]
        today = next((day for day in self.window if day.day == until), None)
        return Course(
            first_day=self.first_day,
            length=self.length,
            people=[day.people for day in full],
            gifts=[day.gifts for day in full],
            people_today=today.people if today else 0,
            gifts_today=today.gifts if today else 0,
            stopped=sum(day.stopped for day in self.days) if until else 0,
        )


@dataclass(frozen=True)
class Outlook:
    """The answer in words, the curve, and the numbers beside it; None where there is none.

    `expected` is what an even pace would have brought by now, `ahead` how far the count is ahead
    of it. `low` and `high` are the range of the forecast for the end.
    """

    verdict: str
    explanation: str
    curve: Curve
    expected: int | None = None
    ahead: int | None = None
    low: int | None = None
    high: int | None = None

    @property
    def behind(self) -> int:
        return -(self.ahead or 0)


def describe_outlook(
    now: Past,
    goal: Progress,
    *,
    at: datetime,
    notes: Sequence[Note],
    shown: Sequence[Past],
    earlier: Sequence[Past],
    write: Write,
) -> Outlook:
    """Return the outlook of a campaign for its primary goal.

    `shown` are laid over the curve, `earlier` calibrate the forecast; `write` writes a number in
    the goal's unit.
    """
    forecast = _forecast(now, goal, at=at, earlier=earlier)
    expected = _expect(now.campaign, goal, at=at)
    verdict, explanation = _judge(now, goal, forecast, at=at)
    low, high = (forecast.low[-1], forecast.high[-1]) if forecast else (None, None)
    curve = _draw(now, goal, forecast, at=at, notes=notes, shown=shown, write=write)
    return Outlook(
        verdict=verdict,
        explanation=explanation,
        curve=curve,
        expected=expected,
        ahead=None if expected is None else goal.counted - expected,
        low=low,
        high=high,
    )


def write_chance(chance: float) -> str:
    """Return a chance as people say it: "about 2 in 10"."""
    if chance < 0.05:
        return _("less than 1 in 20")
    if chance > 0.95:
        return _("more than 19 in 20")
    return _("about %(number)d in 10") % {"number": min(max(round(chance * 10), 1), 9)}


def write_day(day: date) -> str:
    """Return the day as short as an axis needs it: 21 Nov."""
    return write_short_day(day, with_year=False)


def _forecast(
    now: Past, goal: Progress, *, at: datetime, earlier: Sequence[Past]
) -> Forecast | None:
    """Return the forecast in the goal's unit, for a running campaign.

    Money is forecast by the number of sign-ups, each of which is worth the average so far.
    """
    if goal.phase is not Phase.RUNNING:
        return None
    today = at.astimezone(now.campaign.zone_info).date()
    course = now.as_course(until=today)
    worth = 1.0
    if goal.is_money:
        begun = sum(course.people) + sum(course.gifts) + course.people_today + course.gifts_today
        counted = begun - course.stopped
        worth = goal.counted / counted if counted > 0 and goal.counted > 0 else 0
        if not worth:
            return None
    make_forecast = import_string(_MAKE_FORECAST)
    forecast: Forecast | None = make_forecast(
        course,
        target=round(goal.target / worth),
        earlier=[past.as_course() for past in earlier],
    )
    if forecast is None or worth == 1:
        return forecast
    low, median, high = (
        [_round_money(value * worth, goal.currency) for value in values]
        for values in (forecast.low, forecast.median, forecast.high)
    )
    return Forecast(low, median, high, forecast.chance, forecast.calibrated_on)


def _round_money(minor: float, currency: str) -> int:
    """Return the amount in whole units of the currency: a forecast isn't known to the cent."""
    unit: int = 10 ** decimal_places(currency)
    return round(minor / unit) * unit


def _expect(campaign: Campaign, goal: Progress, *, at: datetime) -> int | None:
    """Return what an even pace would have brought by now; None before the campaign."""
    if at < campaign.starts_at:
        return None
    length = campaign.ends_at - campaign.starts_at
    return round(goal.target * min((at - campaign.starts_at) / length, 1))


def _judge(
    now: Past, goal: Progress, forecast: Forecast | None, *, at: datetime
) -> tuple[str, str]:
    """Return the answer and how it is known, as two texts."""
    reached = next((day.day for day in now.window if day.total >= goal.target), None)
    if goal.is_reached:
        if reached is None:
            return _("Yes, the goal is reached."), ""
        return _("Yes, the goal was reached on %(day)s.") % {
            "day": date_format(reached, "j\xa0E Y")
        }, (_explain(forecast) if forecast else "")
    if goal.phase is Phase.ENDED:
        return _("No. The campaign ended short of its goal."), ""
    if goal.phase is Phase.BEFORE:
        return _("The campaign hasn’t started yet."), ""
    if forecast is None:
        return _("It’s too early to tell."), _(
            "A forecast appears after three full days, once its range is narrow enough to mean "
            "something."
        )
    words = _("The chance of reaching the goal is %(chance)s.")
    return words % {"chance": write_chance(forecast.chance)}, _explain(forecast)


def _explain(forecast: Forecast) -> str:
    """Say where the range comes from, and how often it has held."""
    if not forecast.calibrated_on:
        return _(
            "The range is wide on purpose: its method was tried on 9 real campaigns, and 8 in 10 "
            "ended inside it. It gets narrower once four earlier campaigns can be compared."
        )
    return ngettext(
        "8 in 10 campaigns like yours end inside the range. It’s set by %(count)d earlier "
        "campaign of yours.",
        "8 in 10 campaigns like yours end inside the range. It’s set by %(count)d earlier "
        "campaigns of yours.",
        forecast.calibrated_on,
    ) % {"count": forecast.calibrated_on}


def _draw(
    now: Past,
    goal: Progress,
    forecast: Forecast | None,
    *,
    at: datetime,
    notes: Sequence[Note],
    shown: Sequence[Past],
    write: Write,
) -> Curve:
    zone, length = now.campaign.zone_info, now.length
    position = (at.astimezone(zone).date() - now.first_day).days
    is_running = goal.phase is Phase.RUNNING
    values = [day.total for day in now.window] if goal.phase is not Phase.BEFORE else []
    fan = None
    if forecast:
        likely = _("Likely %(low)s to %(high)s") % {
            "low": write(forecast.low[-1]),
            "high": write(forecast.high[-1]),
        }
        first = length - len(forecast.low)
        # Today's count is drawn already, so the fan opens from it.
        fan = Fan(likely, first, forecast.low, forecast.median, forecast.high)
        if is_running and len(forecast.low) > 1:
            fan = Fan(likely, first + 1, forecast.low[1:], forecast.median[1:], forecast.high[1:])
    marks = [
        Mark((note.at.astimezone(zone).date() - now.first_day).days, note.text) for note in notes
    ]
    return Curve(
        title=_("Total by day"),
        sentence=_describe(goal, values, forecast, write),
        days=[write_day(now.first_day + timedelta(days=number)) for number in range(length)],
        main=Line(now.name, values),
        # A single day has no course to compare with.
        earlier=[
            Line(past.name, [day.total for day in past.window[:length]])
            for past in shown
            if length > 1
        ],
        pace=Line(_("Even pace"), [goal.target * (number + 1) / length for number in range(length)])
        if length > 1
        else None,
        fan=fan,
        target=goal.target,
        today=position if is_running else None,
        notes=[mark for mark in marks if 0 <= mark.at < length],
        empty=_("The curve starts with the campaign’s first day."),
        write=write,
    )


def _describe(
    goal: Progress, values: Sequence[int], forecast: Forecast | None, write: Write
) -> str:
    """Return the sentence that says what the curve shows."""
    if not values:
        return _("Nothing counts yet. The goal is %(target)s.") % {"target": write(goal.target)}
    told = _("The curve is at %(count)s; the goal is %(target)s.") % {
        "count": write(values[-1]),
        "target": write(goal.target),
    }
    if forecast is None:
        return told
    return (
        told
        + " "
        + _("At the end, between %(low)s and %(high)s are likely.")
        % {
            "low": write(forecast.low[-1]),
            "high": write(forecast.high[-1]),
        }
    )
