"""A receiver on this machine, in a network that webhooks may call."""

from collections.abc import Iterator

import pytest
from django.conf import LazySettings

from tests.support.receiver import LOOPBACK, Receiver, run_receiver


@pytest.fixture
def receiver(settings: LazySettings) -> Iterator[Receiver]:
    settings.OUTGOING_NETWORKS = LOOPBACK
    with run_receiver() as receiver:
        yield receiver
