"""The running site that all journeys share, because starting one takes longer than most tests."""

from collections.abc import Iterator

import pytest

from tests.support.processes import Site, run_site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site whose campaign starts at 0 of 1,000. Tests compare with the count they start from."""
    with run_site(tmp_path_factory.mktemp("site")) as site:
        yield site
