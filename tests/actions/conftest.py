"""Two records of one person, and a campaign in which they can count."""

import pytest

from campaigns.models import Campaign, Member
from tests.support.factories import make_campaign, make_member


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def ada() -> Member:
    return make_member("ada@example.org")


@pytest.fixture
def adele() -> Member:
    """Ada's duplicate, with her address at work."""
    return make_member("adele@example.net")
