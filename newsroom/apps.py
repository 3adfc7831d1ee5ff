"""The project as a Django app.

Every process that sets up Django loads this file, and so Celery's app. Without it the tasks of
`campaigns.tasks` would be sent to Celery's default broker.
"""

from django.apps import AppConfig
from django.utils.module_loading import import_string

from newsroom import celery

__all__ = ["NewsroomConfig", "celery"]


class NewsroomConfig(AppConfig):
    name = "newsroom"

    def ready(self) -> None:
        # The checks use models, which can be imported only now.
        import_string("newsroom.checks.register_checks")()
