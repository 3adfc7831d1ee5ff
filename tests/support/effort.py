"""Length of the random walks: short by default, long with `bin/test --thorough`."""

import os

IS_THOROUGH = "TEST_THOROUGH" in os.environ


def effort(*, quick: int, thorough: int) -> int:
    """Return how many examples a random walk draws in this run."""
    return thorough if IS_THOROUGH else quick
