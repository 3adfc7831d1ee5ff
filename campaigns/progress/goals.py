"""The progress of a campaign's goals: from the rows that count, or from the final counts."""

from dataclasses import dataclass, replace
from datetime import datetime

from campaigns.models import Campaign, Goal, Payment, Phase
from campaigns.money import decimal_places
from campaigns.progress.goal_kinds import GoalKind, find_goal_kind
from campaigns.progress.states import STATES, Stage, find_state


@dataclass(frozen=True)
class Progress:
    """The progress of one goal at a moment, as known now. Money is in minor units of `currency`.

    `counted` is what the campaign itself brought. Readers see `shown` and `shown_target`: with the
    starting number, and with the next target once the first is reached. `own_target` is the count
    that reaches it, by which curves, paces and forecasts are measured.

    For a closed campaign `counted` is the final count and `as_of` the time of closing. `people`
    and `gifts` always come from the rows, and so does `known_now`, which differs from `counted`
    if something was refunded after the closing, for example.
    """

    kind: str
    counted: int
    target: int
    as_of: datetime
    phase: Phase
    starts_from: int = 0
    stretch_target: int | None = None
    nearly_percent: int = 90
    is_last_day: bool = False
    people: int = 0
    gifts: int = 0
    pending: int = 0
    currency: str = ""
    is_final: bool = False
    known_now: int | None = None  # only for a final count

    @property
    def shown(self) -> int:
        """The number that readers see: the starting number and the count."""
        return self.starts_from + self.counted

    @property
    def shown_target(self) -> int:
        """The target that readers see: the next one, if there is one, once the first is reached."""
        if self.stretch_target is not None and self.shown >= self.target:
            return self.stretch_target
        return self.target

    @property
    def own_target(self) -> int:
        """The count that reaches the target that readers see."""
        return self.shown_target - self.starts_from

    @property
    def first_own_target(self) -> int:
        """The count that reaches the first target, even if there is a next one."""
        return self.target - self.starts_from

    @property
    def percent(self) -> int:
        """Whole percent of what readers see, rounded down so that 99.9 doesn't show as 100.

        Can exceed 100.
        """
        return max(self.shown, 0) * 100 // self.shown_target

    @property
    def bar_percent(self) -> int:
        """The percent that a bar can show, from 0 to 100."""
        return min(self.percent, 100)

    @property
    def is_reached(self) -> bool:
        """True if the target that readers see is reached."""
        return self.shown >= self.shown_target

    @property
    def is_stretching(self) -> bool:
        """True if the first target is reached and the next one isn't."""
        return self.shown >= self.target and not self.is_reached

    @property
    def left(self) -> int:
        return max(self.shown_target - self.shown, 0)

    @property
    def is_money(self) -> bool:
        return find_goal_kind(self.kind).is_money

    @property
    def unit(self) -> dict[str, object]:
        """The currency and its decimal places, for JSON; both None for members and gifts."""
        if not self.is_money:
            return {"currency": None, "currency_exponent": None}
        return {"currency": self.currency, "currency_exponent": decimal_places(self.currency)}

    @property
    def is_provisional(self) -> bool:
        """True if the count can still change: payments are pending or it isn't closed yet."""
        return not self.is_final and (self.pending > 0 or self.phase is Phase.ENDED)

    @property
    def has_moved(self) -> bool:
        """True if the count changed after the closing, for example by a refund."""
        return self.known_now is not None and self.known_now != self.counted

    def as_known_now(self) -> "Progress":
        """Return the progress that the rows give now, without the final count."""
        counted = self.counted if self.known_now is None else self.known_now
        return replace(self, counted=counted, is_final=False, known_now=None)

    @property
    def stage(self) -> Stage:
        if self.is_reached:
            return Stage.REACHED
        if self.is_last_day:
            return Stage.LAST_DAY
        if self.is_stretching:
            return Stage.STRETCHING
        return Stage.NEARLY if self.percent >= self.nearly_percent else Stage.OPEN

    @property
    def state(self) -> str:
        """The campaign's state, one of `Banner.State`."""
        return find_state(self.phase, self.stage)

    @property
    def moment(self) -> datetime | None:
        """The moment for which texts are written; None is now."""
        return None

    @property
    def shows_count(self) -> bool:
        """True if banners show the count and the bar in this state."""
        return STATES[self.state].shows_count


def measure_goal(goal: Goal, *, at: datetime) -> Progress:
    """Return the goal's progress at that moment; raises UnknownGoalKind."""
    campaign, kind = goal.campaign, find_goal_kind(goal.kind)
    counted = kind.count(campaign, at)
    final_count = _find_final_count(goal, at=at)
    return Progress(
        kind=goal.kind,
        counted=counted.total if final_count is None else final_count,
        target=goal.target,
        as_of=at if final_count is None else campaign.closed_at or at,
        phase=campaign.phase(at=at),
        starts_from=goal.starts_from,
        stretch_target=goal.stretch_target,
        nearly_percent=campaign.nearly_percent,
        is_last_day=campaign.is_last_day(at=at),
        people=counted.people,
        gifts=counted.gifts,
        pending=_count_pending(campaign, kind, at=at),
        currency=campaign.currency if kind.is_money else "",
        is_final=final_count is not None,
        known_now=None if final_count is None else counted.total,
    )


def _count_pending(campaign: Campaign, kind: GoalKind, *, at: datetime) -> int:
    """Return how many payments of the window, made by `at`, may still count for this kind."""
    pending = Payment.objects.filter(
        campaign=campaign,
        status=Payment.Status.PENDING,
        hold__in=Payment.COUNTED_HOLDS,
        role__in=kind.roles,
        paid_at__gte=campaign.starts_at,
        paid_at__lt=min(campaign.ends_at, at) if at > campaign.starts_at else campaign.starts_at,
    )
    if kind.is_money:
        pending = pending.filter(currency=campaign.currency)
    return pending.count()


def _find_final_count(goal: Goal, *, at: datetime) -> int | None:
    """Return the goal's final count; None before the closing, and for a goal added after it."""
    campaign = goal.campaign
    if campaign.closed_at is None or at < campaign.closed_at:
        return None
    final_count: int | None = (campaign.final_counts or {}).get(goal.kind)
    return final_count


def measure_campaign(campaign: Campaign, *, at: datetime) -> list[Progress]:
    """Return the progress of every goal, the primary goal first."""
    goals = campaign.goals.select_related("campaign").order_by("-is_primary", "pk")
    return [measure_goal(goal, at=at) for goal in goals]
