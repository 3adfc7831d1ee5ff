"""Imagined progress, for previews: a campaign in another state or with another number."""

from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from campaigns.models import Banner, Campaign, Goal
from campaigns.progress.goals import Progress, measure_goal

State = Banner.State


@dataclass(frozen=True)
class ImaginedProgress(Progress):
    """A progress in a chosen state; its texts are written for the time `as_of`."""

    chosen_state: str = ""

    @property
    def state(self) -> str:
        return self.chosen_state or super().state

    @property
    def moment(self) -> datetime:
        return self.as_of


def imagine_progress(
    goal: Goal, *, at: datetime, state: str = "", shown: int | None = None
) -> ImaginedProgress:
    """Return the goal's progress at `at` as it would be in that state, with that shown number.

    An empty state is the present one. Without a number it is the present one, or one that fits
    the state.
    """
    campaign = goal.campaign
    real = measure_goal(goal, at=at)
    moment = _imagine_moment(campaign, state, at=at)
    known = {field.name: getattr(real, field.name) for field in fields(Progress)}
    known |= {
        "as_of": moment,
        "phase": campaign.phase(at=moment),
        "is_last_day": campaign.is_last_day(at=moment),
        "counted": _imagine_count(goal, real, state) if shown is None else shown - goal.starts_from,
    }
    if state:
        known |= {"is_final": state == State.ENDED, "pending": 0, "known_now": None}
    return ImaginedProgress(**known, chosen_state=state)


def _imagine_moment(campaign: Campaign, state: str, *, at: datetime) -> datetime:
    if state == State.BEFORE:
        return min(at, campaign.starts_at - timedelta(hours=1))
    if state == State.ENDED:
        return max(at, campaign.ends_at + timedelta(hours=1))
    if state == State.LAST_DAY:
        return max(campaign.last_day_begins_at, campaign.ends_at - timedelta(hours=5, minutes=30))
    if not state or (campaign.holds(at) and not campaign.is_last_day(at=at)):
        return at
    return campaign.starts_at + (campaign.ends_at - campaign.starts_at) / 2


def _imagine_count(goal: Goal, real: Progress, state: str) -> int:
    """Return the present count, or one that fits the state."""
    nearly = -(-goal.target * goal.campaign.nearly_percent // 100)
    least, most = {
        State.RUNNING: (0, nearly - 1),
        State.NEARLY: (nearly, goal.target - 1),
        State.LAST_DAY: (0, goal.target - 1),
        State.REACHED: (goal.target, None),
    }.get(State(state) if state else State.ENDED, (real.shown, None))
    shown = max(real.shown, least)
    return (shown if most is None else min(shown, max(most, least))) - goal.starts_from
