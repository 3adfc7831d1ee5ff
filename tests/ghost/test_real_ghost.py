"""The same life in a real Ghost, which shows that the stand-in is like it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.conf import LazySettings

from campaigns.models import Campaign
from newsroom.sandbox.control import SandboxControl
from tests.ghost.life import Stage
from tests.ghost.recording import ask_everything, compare_or_record
from tests.ghost.scenes import SCENES, Scene
from tests.support.ghost import Ghost, run_ghost
from tests.support.ghost_admin import GhostAdmin

pytestmark = [
    pytest.mark.once,
    pytest.mark.thorough,
    pytest.mark.long,
    pytest.mark.xdist_group("real_sites"),
]


@dataclass
class Site:
    """A real Ghost, and what it answered before and after it was connected to Stripe."""

    ghost: Ghost
    admin: GhostAdmin
    tiers: dict[str, str]
    answers: dict[str, list[Any]]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with run_ghost(tmp_path_factory.mktemp("ghost")) as ghost:
        admin = GhostAdmin(ghost.url, ghost.make_key())
        ghost.archive_tier(ghost.make_tier("Old"))
        ghost.make_tier("Supporter")
        found = {each["slug"]: each["id"] for each in ghost.call("GET", "/tiers/")["tiers"]}
        tiers = {"own": found["default-product"], "other": found["supporter"], "old": found["old"]}
        answers = {"without_stripe": ask_everything(admin, tiers, prefix="without_stripe")}
        ghost.connect_to_stripe()
        answers["with_stripe"] = ask_everything(admin, tiers, prefix="with_stripe")
        yield Site(ghost, admin, tiers, answers)


@pytest.fixture
def stage(site: Site, campaign: Campaign, sandbox: SandboxControl, settings: LazySettings) -> Stage:
    settings.GHOST_URL, settings.GHOST_ADMIN_KEY = site.ghost.url, site.ghost.key
    settings.GHOST_TIER = "default-product"
    tiers = site.tiers["own"], site.tiers["other"]
    return Stage(campaign, sandbox, site.ghost, site.admin, settings, *tiers)


def test_a_real_ghost_answers_as_it_was_recorded(site: Site) -> None:
    for name, answers in site.answers.items():
        compare_or_record(name, answers)


@pytest.mark.parametrize("play", SCENES, ids=lambda scene: scene.__name__)
def test_a_scene_with_a_real_ghost(play: Scene, stage: Stage) -> None:
    play(stage)
