"""Heartbeats: the worker and beat write when they were last seen, each from its own process."""

import time
from threading import Thread
from typing import Any

import structlog
from celery import beat, bootsteps
from django.db import connection

from campaigns import health
from campaigns.models import Sign

log = structlog.get_logger(__name__)

SECONDS = 15
WATCH_SECONDS = 60


class WorkerHeartbeat(bootsteps.StartStopStep):
    """Writes the worker's heartbeat from its main loop."""

    requires = ("celery.worker.components:Timer",)

    def __init__(self, parent: Any, **options: Any) -> None:
        super().__init__(parent, **options)
        self.entry: Any = None

    def start(self, parent: Any) -> None:
        _record(Sign.Of.WORKER)
        self.entry = parent.timer.call_repeatedly(SECONDS, _record, (Sign.Of.WORKER,))

    def stop(self, parent: Any) -> None:
        if self.entry is not None:
            self.entry.cancel()
            self.entry = None


class Scheduler(beat.Scheduler):
    """Celery's scheduler, with a thread that writes beat's heartbeat and checks the worker.

    A thread, because beat itself waits for a broker that doesn't answer.
    """

    def setup_schedule(self) -> None:
        super().setup_schedule()
        Thread(target=_watch, name="heartbeat", daemon=True).start()


def _watch() -> None:
    watched_at = time.monotonic()  # the worker starts at the same time, so it gets a minute
    while True:
        _record(Sign.Of.BEAT)
        if time.monotonic() >= watched_at + WATCH_SECONDS:
            watched_at = time.monotonic()
            try:
                health.watch_processes()
            except Exception:  # the next one may find the database again
                log.exception("processes_unwatched")
            finally:
                connection.close()
        time.sleep(SECONDS)


def _record(of: Sign.Of) -> None:
    try:
        health.record_sign(of)
    except Exception as error:  # without a database there is nothing to record in
        log.warning("heartbeat_unrecorded", of=str(of), error=type(error).__name__)
    finally:
        connection.close()  # a worker's main process forks
