"""How far the tests search: short random walks by default, long ones with `bin/test --thorough`."""

import os

IS_THOROUGH = "TEST_THOROUGH" in os.environ


def effort(*, quick: int, thorough: int) -> int:
    """Return how many examples a random walk draws in this run."""
    return thorough if IS_THOROUGH else quick
