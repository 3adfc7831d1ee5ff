"""The queue's application: `celery -A newsroom worker` and `celery -A newsroom beat`."""

import os
from typing import Any

import django
from celery import Celery
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.transport import TRANSPORT_ALIASES

from newsroom.start import refuse_misconfiguration

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
TRANSPORT_ALIASES["filesystem"] = "newsroom.broker:Transport"
app = Celery("newsroom")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)
# By name: it needs the models, which are not loaded yet.
app.steps["worker"].add("newsroom.heartbeats:WorkerHeartbeat")


@worker_init.connect
@beat_init.connect
def start_only_when_safe(**_: Any) -> None:
    django.setup()
    try:
        refuse_misconfiguration()
    except ImproperlyConfigured as error:
        # Celery logs an exception here and starts all the same.
        raise SystemExit(str(error)) from error
