"""The life of a membership in Ghost, with the stand-in, which answers as Ghost does."""

import pytest
from django.conf import LazySettings

from campaigns.models import Campaign
from newsroom.sandbox.control import SandboxControl
from tests.ghost.life import Stage
from tests.ghost.recording import ask_everything, read_recording
from tests.ghost.scenes import SCENES, Scene
from tests.support.ghost_admin import GhostAdmin
from tests.support.ghost_stand_in import GhostStandIn


@pytest.fixture
def stage(
    campaign: Campaign, sandbox: SandboxControl, ghost: GhostStandIn, settings: LazySettings
) -> Stage:
    tier = next(each["id"] for each in ghost.tiers.values() if each["slug"] == "default-product")
    other = ghost.make_tier("Supporter")
    ghost.archive_tier(ghost.make_tier("Old"))
    admin = GhostAdmin(ghost.url, ghost.key)
    return Stage(campaign, sandbox, ghost, admin, settings, tier, other)


@pytest.mark.parametrize("play", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_with_the_stand_in(play: Scene, stage: Stage) -> None:
    play(stage)


@pytest.mark.parametrize("name", ["without_stripe", "with_stripe"])
def test_the_stand_in_answers_as_a_real_ghost_did(ghost: GhostStandIn, name: str) -> None:
    own = next(each["id"] for each in ghost.tiers.values() if each["slug"] == "default-product")
    tiers = {"own": own, "other": ghost.make_tier("Supporter"), "old": ghost.make_tier("Old")}
    ghost.archive_tier(tiers["old"])
    ghost.is_connected = name == "with_stripe"
    answers = ask_everything(GhostAdmin(ghost.url, ghost.key), tiers, prefix=name)
    assert answers == read_recording(name)
