"""The queue's application: `celery -A newsroom worker` and `celery -A newsroom beat`."""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import beat_init, worker_init
from django.conf import settings
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.transport import TRANSPORT_ALIASES

from newsroom.start import explained, refuse_misconfiguration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
with explained():
    _ = settings.DEBUG  # reads the settings now; Celery would read them outside this block
TRANSPORT_ALIASES["filesystem"] = "newsroom.broker:Transport"
app = Celery("newsroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
_EXPIRE = 120.0  # seconds
app.steps["worker"].add(DjangoStructLogInitStep)
# By name: it needs the models, which are not loaded yet.
app.steps["worker"].add("newsroom.heartbeats:WorkerHeartbeat")


@app.on_after_finalize.connect
def schedule_jobs(sender: Celery, **_: Any) -> None:
    """Ask for each job as often as its table says."""
    for task in sender.tasks.values():
        every, kind = getattr(task, "every", None), getattr(task, "kind", "")
        if every:
            seconds = every.total_seconds()
            # A worker that was stopped finds a few messages instead of hundreds. None is needed.
            sender.add_periodic_task(
                seconds, task.s(), name=task.name, queue=kind, expires=max(seconds, _EXPIRE)
            )


@worker_init.connect
@beat_init.connect
def start_only_when_safe(**_: Any) -> None:
    # Celery would only log an exception here, and start.
    with explained():
        django.setup()
        refuse_misconfiguration()
