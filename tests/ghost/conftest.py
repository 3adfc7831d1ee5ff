"""The stand-in for Ghost, and the settings that lead to it."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.support.ghost_admin import GhostAdmin
from tests.support.ghost_stand_in import GhostStandIn, run_stand_in


@pytest.fixture
def ghost(settings: LazySettings) -> Iterator[GhostStandIn]:
    with run_stand_in() as ghost:
        settings.GHOST_URL, settings.GHOST_ADMIN_KEY = ghost.url, ghost.key
        settings.GHOST_TIER = "default-product"
        yield ghost


@pytest.fixture
def admin(ghost: GhostStandIn) -> GhostAdmin:
    return GhostAdmin(ghost.url, ghost.key)
