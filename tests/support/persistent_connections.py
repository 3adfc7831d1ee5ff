"""The settings with persistent connections: each thread keeps its own for a minute.

A control for the test of waves of readers.
"""

from newsroom.settings import *  # noqa: F403
from newsroom.settings import DATABASES

DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
