"""Gaps in the tables that banners are made of: goal kinds, states and placements.

A check reports them at start, so that a missing entry never stops a banner.
"""

from collections.abc import Iterator
from itertools import product

from django.template import TemplateDoesNotExist, TemplateSyntaxError
from django.template.loader import get_template

from campaigns.banners.placements import PLACEMENTS
from campaigns.models import Banner, Goal
from campaigns.models.campaign import Phase
from campaigns.progress import GOAL_KINDS, STATES, Stage


def find_table_gaps() -> Iterator[str]:
    """Yield what is missing in the tables, as sentences."""
    yield from _find_goal_kind_gaps()
    yield from _find_state_gaps()
    yield from _find_placement_gaps()


def _find_goal_kind_gaps() -> Iterator[str]:
    """Yield what is missing in the table of goal kinds, as sentences."""
    for kind in Goal.Kind.values:
        entry = GOAL_KINDS.get(kind)
        if entry is None:
            yield f"The goal kind “{kind}” has no entry in GOAL_KINDS."
            continue
        if not callable(entry.count):
            yield f"The goal kind “{kind}” has no function that counts."
        for get_pattern in (entry.get_count_pattern, entry.get_total_pattern):
            pattern = get_pattern(1000) if callable(get_pattern) else ""
            if "{counted}" not in pattern or "{target}" not in pattern:
                yield (
                    f"The goal kind “{kind}” has no count pattern with {{counted}} and {{target}}."
                )
        if not entry.roles:
            yield f"The goal kind “{kind}” names no payments that can count."


def _find_state_gaps() -> Iterator[str]:
    """Yield what is missing in the table of states, as sentences."""
    for state in Banner.State.values:
        if state not in STATES:
            yield f"The state “{state}” has no entry in STATES."
    for phase, stage in product(Phase, Stage):
        matches = [entry.matches(phase, stage) for entry in STATES.values()]
        if sum(matches) != 1:
            yield (
                f"{sum(matches)} states match the phase “{phase.value}” "
                f"with the stage “{stage.name}”."
            )
    for name, entry in STATES.items():
        if entry.falls_back_to and entry.falls_back_to not in STATES:
            yield f"The state “{name}” falls back to “{entry.falls_back_to}”, which doesn’t exist."


def _find_placement_gaps() -> Iterator[str]:
    """Yield what is missing in the table of placements, as sentences."""
    for placement in Banner.Placement.values:
        entry = PLACEMENTS.get(placement)
        if entry is None:
            yield f"The placement “{placement}” has no entry in PLACEMENTS."
            continue
        try:
            get_template(entry.template)
        except (TemplateDoesNotExist, TemplateSyntaxError) as error:
            yield f"The placement “{placement}” has no usable template: {error}."
        if not (str(entry.join_label) and str(entry.gift_label)):
            yield f"The placement “{placement}” has no words for a button."
        for kind in Goal.Kind.values:
            texts = entry.texts.get(kind, {})
            for state in Banner.State.values:
                default = texts.get(state)
                if default is None or not str(default.headline) or not str(default.text):
                    yield (
                        f"The placement “{placement}” has no default text for the goal kind "
                        f"“{kind}” in the state “{state}”."
                    )
