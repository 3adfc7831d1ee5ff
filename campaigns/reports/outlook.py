from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from django.utils.formats import date_format
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from campaigns.dates import write_short_day
from campaigns.models import Campaign, Note, Phase
from campaigns.money import decimal_places
from campaigns.progress import Progress
from campaigns.reports.charts import Curve, Fan, Line, Mark
from campaigns.reports.courses import LEAST_DAYS, Course, Forecast
from campaigns.reports.days import Day
from campaigns.reports.pace import expect_by_now

__doc__ = DEFINITION = gettext_noop(
    "The forecast continues the full days so far: their level, their trend, the weekdays, and a "
    "rise on the last days, as most campaigns have. It is a range in which 8 in 10 campaigns end, "
    "and a chance. People and gifts are forecast separately; money is forecast by their number and "
    "what each of them brought on average."
)

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
    of it. `low` and `high` are the range of the forecast for the end, in the goal's unit.
    """

    verdict: str
    explanation: str
    curve: Curve
    expected: int | None = None
    ahead: int | None = None
    forecast: Forecast | None = None

    @property
    def low(self) -> int | None:
        return self.forecast.low[-1] if self.forecast else None

    @property
    def high(self) -> int | None:
        return self.forecast.high[-1] if self.forecast else None

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

    `shown` are laid over the curve. `earlier` calibrate the forecast, as far as they have ended.
    `write` writes a number in the goal's unit.
    """
    ended = [past for past in earlier if past.campaign.ends_at <= at]
    forecast = _forecast(now, goal, at=at, earlier=ended)
    expected = expect_by_now(now.campaign, goal, at=at)
    verdict, explanation = _judge(now, goal, forecast)
    curve = _draw(now, goal, forecast, at=at, notes=notes, shown=shown, write=write)
    return Outlook(
        verdict=verdict,
        explanation=explanation,
        curve=curve,
        expected=expected,
        ahead=None if expected is None else goal.counted - expected,
        forecast=forecast,
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
        target=round(goal.own_target / worth),
        earlier=[past.as_course() for past in earlier],
    )
    if forecast is None or worth == 1:
        return forecast
    low, median, high = (
        [_round_money(value * worth, goal.currency) for value in values]
        for values in (forecast.low, forecast.median, forecast.high)
    )
    return replace(forecast, low=low, median=median, high=high)


def _round_money(minor: float, currency: str) -> int:
    """Return the amount in whole units of the currency: a forecast isn't known to the cent."""
    unit: int = 10 ** decimal_places(currency)
    return round(minor / unit) * unit


def _judge(now: Past, goal: Progress, forecast: Forecast | None) -> tuple[str, str]:
    """Return the answer and how it is known, as two texts."""
    if goal.is_reached:
        return _write_reached(now, goal.own_target), _explain(forecast) if forecast else ""
    if goal.phase is Phase.BEFORE:
        return _("The campaign hasn’t started yet."), ""
    if goal.is_stretching:
        return _judge_next(now, goal, forecast)
    if goal.phase is Phase.ENDED:
        return _("No. The campaign ended short of its goal."), ""
    if forecast is None:
        return _("It’s too early to tell."), _explain_none(now)
    words = _("The chance of reaching the goal is %(chance)s.")
    return words % {"chance": write_chance(forecast.chance)}, _explain(forecast)


def _judge_next(now: Past, goal: Progress, forecast: Forecast | None) -> tuple[str, str]:
    """Return the answer after the first target: it is reached, and what about the next one."""
    reached = _write_reached(now, goal.first_own_target)
    if goal.phase is Phase.ENDED:
        return f"{reached} {_('The next target wasn’t reached.')}", ""
    if forecast is None:
        return reached, ""
    words = _("The chance of reaching the next target is %(chance)s.")
    chance = words % {"chance": write_chance(forecast.chance)}
    return f"{reached} {chance}", _explain(forecast)


def _write_reached(now: Past, target: int) -> str:
    reached = next((day.day for day in now.window if day.total >= target), None)
    if reached is None:
        return _("Yes, the goal is reached.")
    return _("Yes, the goal was reached on %(day)s.") % {"day": date_format(reached, "j\xa0E Y")}


def _explain_none(now: Past) -> str:
    if now.length <= LEAST_DAYS:
        return _("A forecast needs three full days, and this campaign is too short for it.")
    return _(
        "A forecast appears after three full days, once its range is narrow enough to mean "
        "something."
    )


def _explain(forecast: Forecast) -> str:
    """Say where the range comes from, and how often it has held."""
    if not forecast.calibrated_on:
        return _(
            "The range is wide on purpose: its method was tried on 9 real campaigns, and 8 in 10 "
            "ended inside it. It gets narrower once four earlier campaigns can be compared."
        )
    return ngettext(
        "8 in 10 campaigns like yours end inside the range. At this point, it would have held for "
        "%(held)d of your %(count)d earlier campaign.",
        "8 in 10 campaigns like yours end inside the range. At this point, it would have held for "
        "%(held)d of your %(count)d earlier campaigns.",
        forecast.calibrated_on,
    ) % {"held": forecast.held_for, "count": forecast.calibrated_on}


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
        pace=Line(
            _("Even pace"), [goal.own_target * (number + 1) / length for number in range(length)]
        )
        if length > 1
        else None,
        fan=fan,
        target=goal.own_target,
        today=position if is_running else None,
        notes=[mark for mark in marks if 0 <= mark.at < length],
        empty=_("The curve starts with the campaign’s first day."),
        write=write,
    )


def _describe(
    goal: Progress, values: Sequence[int], forecast: Forecast | None, write: Write
) -> str:
    """Return the sentence that says what the curve shows."""
    target = write(goal.own_target)
    if not values:
        return _("Nothing counts yet. The goal is %(target)s.") % {"target": target}
    told = _("The curve is at %(count)s; the goal is %(target)s.") % {
        "count": write(values[-1]),
        "target": target,
    }
    if goal.starts_from:
        words = _("The %(number)s from before the campaign aren’t in it.")
        told += " " + words % {"number": write(goal.starts_from)}
    if goal.phase is Phase.ENDED and values[-1] != goal.counted:
        told += " " + _("It ends with the last day: later refunds and disputes aren’t in it.")
    if forecast is None:
        return told
    likely = _("At the end, between %(low)s and %(high)s are likely.")
    ends = {"low": write(forecast.low[-1]), "high": write(forecast.high[-1])}
    return f"{told} {likely % ends}"
