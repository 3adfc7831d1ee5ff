"""The states of a campaign that its banners and pages tell apart."""

from dataclasses import dataclass
from enum import Enum, auto

from campaigns.models import Banner, Phase


class Stage(Enum):
    """The distance of a running campaign from the target that it shows."""

    OPEN = auto()
    NEARLY = auto()
    LAST_DAY = auto()  # and the target isn't reached
    STRETCHING = auto()  # the first target is reached, the next one isn't
    REACHED = auto()


@dataclass(frozen=True)
class CampaignState:
    """Everything that belongs to one state, apart from its label (see `Banner.State`)."""

    phase: Phase
    stages: frozenset[Stage] = frozenset(Stage)
    shows_count: bool = True  # whether banners show the count and the bar
    # The state whose texts by staff are used if there are none for this one.
    falls_back_to: str = ""

    def matches(self, phase: Phase, stage: Stage) -> bool:
        return self.phase is phase and stage in self.stages


State = Banner.State
STATES: dict[str, CampaignState] = {
    State.BEFORE: CampaignState(Phase.BEFORE, shows_count=False),
    State.RUNNING: CampaignState(Phase.RUNNING, frozenset({Stage.OPEN})),
    State.NEARLY: CampaignState(
        Phase.RUNNING, frozenset({Stage.NEARLY}), falls_back_to=State.RUNNING
    ),
    State.LAST_DAY: CampaignState(
        Phase.RUNNING, frozenset({Stage.LAST_DAY}), falls_back_to=State.RUNNING
    ),
    State.REACHED: CampaignState(Phase.RUNNING, frozenset({Stage.STRETCHING, Stage.REACHED})),
    State.ENDED: CampaignState(Phase.ENDED),
}


def find_state(phase: Phase, stage: Stage) -> str:
    """Return the state's name; raises LookupError if the table has no state for this."""
    for name, state in STATES.items():
        if state.matches(phase, stage):
            return str(name)
    raise LookupError(f"There is no state for the phase “{phase}” and the stage “{stage.name}”.")
