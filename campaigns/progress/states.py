"""The states of a campaign that its banners and pages tell apart."""

from dataclasses import dataclass

from campaigns.models import Banner, Phase


@dataclass(frozen=True)
class CampaignState:
    """Everything that belongs to one state, apart from its label (see `Banner.State`)."""

    phase: Phase
    goal_reached: bool | None = None  # None: the state doesn't depend on the goal
    shows_count: bool = True  # whether banners show the count and the bar

    def matches(self, phase: Phase, *, goal_reached: bool) -> bool:
        return self.phase is phase and self.goal_reached in {None, goal_reached}


STATES: dict[str, CampaignState] = {
    Banner.State.BEFORE: CampaignState(Phase.BEFORE, shows_count=False),
    Banner.State.RUNNING: CampaignState(Phase.RUNNING, goal_reached=False),
    Banner.State.REACHED: CampaignState(Phase.RUNNING, goal_reached=True),
    Banner.State.ENDED: CampaignState(Phase.ENDED),
}


def find_state(phase: Phase, *, goal_reached: bool) -> str:
    """Return the state's name; raises LookupError if the table has no state for this."""
    for name, state in STATES.items():
        if state.matches(phase, goal_reached=goal_reached):
            return str(name)
    raise LookupError(f"There is no state for the phase “{phase}”.")
