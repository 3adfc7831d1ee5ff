"""The project as a Django app.

Every process that sets up Django loads this file, and so Celery's app. Without it the tasks of
`campaigns.tasks` would be sent to Celery's default broker.
"""

from django.apps import AppConfig

from newsroom import celery, checks

__all__ = ["NewsroomConfig", "celery"]


class NewsroomConfig(AppConfig):
    name = "newsroom"

    def ready(self) -> None:
        checks.register_checks()
