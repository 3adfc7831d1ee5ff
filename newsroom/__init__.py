"""The project: settings, start-up, the demo newspaper and the sandbox."""

from newsroom.celery import app as celery_app

__all__ = ["celery_app"]
