"""How far the goals are, from the rows that count; the kept numbers once staff closed the campaign."""

from dataclasses import dataclass, replace
from datetime import datetime

from campaigns.models import Campaign, Goal, Payment, Phase
from campaigns.progress.money import money_raised


@dataclass(frozen=True)
class Progress:
    """How far a goal is at a moment, as known now. Money is in minor units of `currency`.

    Once staff closed the campaign `counted` is the number that was kept, as of then; what the rows say
    now, with its people and gifts, stands beside it.
    """

    kind: str
    counted: int
    target: int
    as_of: datetime
    phase: Phase
    people: int = 0
    gifts: int = 0
    pending: int = 0
    currency: str = ""
    is_final: bool = False
    known_now: int | None = None  # of a final number alone

    @property
    def percent(self) -> int:
        """Whole percent, rounded down so that 100 is never said too early; may pass 100."""
        return max(self.counted, 0) * 100 // self.target

    @property
    def bar_percent(self) -> int:
        """What a bar can show: the percent between 0 and 100."""
        return min(self.percent, 100)

    @property
    def is_reached(self) -> bool:
        return self.counted >= self.target

    @property
    def left(self) -> int:
        return max(self.target - self.counted, 0)

    @property
    def is_money(self) -> bool:
        return self.kind == Goal.Kind.MONEY

    @property
    def is_provisional(self) -> bool:
        """Whether readers are to be told that the number may yet change by what is decided."""
        return not self.is_final and (self.pending > 0 or self.phase is Phase.ENDED)

    @property
    def has_moved(self) -> bool:
        """Whether something was learnt since the campaign was closed: a refund, say."""
        return self.known_now is not None and self.known_now != self.counted

    def as_known_now(self) -> "Progress":
        """What the rows say, whatever was kept."""
        counted = self.counted if self.known_now is None else self.known_now
        return replace(self, counted=counted, is_final=False, known_now=None)

    @property
    def state(self) -> str:
        """before, running, reached or ended: what a banner talks about."""
        if self.phase is Phase.RUNNING and self.is_reached:
            return "reached"
        return self.phase.value


def measure_goal(goal: Goal, *, at: datetime) -> Progress:
    """The goal's progress at that moment. Pending are payments begun that may yet count."""
    campaign = goal.campaign
    tallies = campaign.tallies.counting_at(at)
    pending = Payment.objects.filter(
        campaign=campaign,
        status=Payment.Status.PENDING,
        hold__in=Payment.COUNTED_HOLDS,
        role__in=Payment.COUNTED_ROLES,
        paid_at__gte=campaign.starts_at,
        paid_at__lt=min(campaign.ends_at, at) if at > campaign.starts_at else campaign.starts_at,
    )
    people = gifts = 0
    if goal.kind == Goal.Kind.MONEY:
        counted = money_raised(campaign, at=at)
        pending = pending.filter(currency=campaign.currency)
    else:
        gifts = tallies.filter(gift__isnull=False).count()
        if goal.kind == Goal.Kind.NEW_MEMBERS:
            people = tallies.filter(member__isnull=False).count()
        else:
            pending = pending.filter(role=Payment.Role.GIFT)
        counted = people + gifts
    kept = _final_count(goal, at=at)
    return Progress(
        kind=goal.kind,
        counted=counted if kept is None else kept,
        target=goal.target,
        as_of=at if kept is None else campaign.closed_at or at,
        phase=campaign.phase(at=at),
        people=people,
        gifts=gifts,
        pending=pending.count(),
        currency=campaign.currency if goal.kind == Goal.Kind.MONEY else "",
        is_final=kept is not None,
        known_now=None if kept is None else counted,
    )


def _final_count(goal: Goal, *, at: datetime) -> int | None:
    """What the goal counted when the campaign was closed; none before, or of a goal added since."""
    campaign = goal.campaign
    if campaign.closed_at is None or at < campaign.closed_at:
        return None
    kept: int | None = (campaign.final_counts or {}).get(goal.kind)
    return kept


def measure_campaign(campaign: Campaign, *, at: datetime) -> list[Progress]:
    """Every goal's progress, the primary one first."""
    goals = campaign.goals.select_related("campaign").order_by("-is_primary", "pk")
    return [measure_goal(goal, at=at) for goal in goals]
