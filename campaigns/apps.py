from functools import partial
from typing import Any

from django.apps import AppConfig
from django.core.checks import CheckMessage, Tags, register
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

# The tag of the checks that every program runs when it starts.
CONFIGURATION = "configuration"


def run_check(name: str, **given: Any) -> list[CheckMessage]:
    """Run the check of this name.

    Checks are registered by their names and loaded when they run, because they need most of the
    application. A command that runs none of them stays small.
    """
    found: list[CheckMessage] = import_string(name)(**given)
    return found


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Membership campaign")

    def ready(self) -> None:
        register(partial(run_check, "campaigns.checks.check_configuration"), CONFIGURATION)
        register(partial(run_check, "campaigns.ghost.checks.check_ghost"), CONFIGURATION)
        register(partial(run_check, "campaigns.checks.check_scale"), CONFIGURATION, deploy=True)
        register(partial(run_check, "campaigns.checks.check_parts"), Tags.database, deploy=True)
        # By name: it imports models, which exist only now.
        import_string("campaigns.history.register_history")()
