"""The project as a Django app.

Every process that sets up Django loads this file, and so Celery's app. Without it the tasks of
`campaigns.tasks` would be sent to Celery's default broker.
"""

from functools import partial
from typing import Any

from django.apps import AppConfig
from django.contrib import admin
from django.contrib.admin.apps import SimpleAdminConfig
from django.contrib.admin.checks import check_admin_app, check_dependencies
from django.core.checks import CheckMessage, Tags, register

from campaigns.apps import CONFIGURATION, run_check
from newsroom import celery

__all__ = ["AdminConfig", "NewsroomConfig", "celery"]


class AdminConfig(SimpleAdminConfig):
    """Django's admin, loaded where its pages are needed: by newsroom.urls and by its check.

    Django would load it in every process, with all that its pages import.
    """

    def ready(self) -> None:
        register(check_admin, Tags.admin)


class NewsroomConfig(AppConfig):
    name = "newsroom"

    def ready(self) -> None:
        for name in ("list_wrong_values", "check_rehearsal"):
            register(partial(run_check, f"newsroom.checks.{name}"), CONFIGURATION)
        register(
            partial(run_check, "newsroom.checks.check_translations"), CONFIGURATION, deploy=True
        )
        register(partial(run_check, "newsroom.checks.try_services"), "services", deploy=True)


def check_admin(**given: Any) -> list[CheckMessage]:
    """Check every page of the admin.

    Django runs checks in any order, so this one loads the pages before it looks at them.
    """
    admin.autodiscover()
    return [*check_dependencies(**given), *check_admin_app(**given)]
