"""The server that the recipes ask."""

from pathlib import Path

import pytest
from django.conf import settings


@pytest.fixture(autouse=True, scope="session")
def static_folder() -> None:
    """Make the folder that WhiteNoise wants when the live server starts."""
    Path(settings.STATIC_ROOT).mkdir(exist_ok=True, parents=True)
