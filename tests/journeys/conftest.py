"""The running site and browser that all journeys share: starting them takes longer than a test."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.support.browser import run_chromium
from tests.support.processes import Site, run_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose campaign starts at 0 of 1,000. Tests compare with the count they start from."""
    with run_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """Chromium for all journeys. Where it runs, Django refuses to use this process's database."""
    with run_chromium() as browser:
        yield browser
