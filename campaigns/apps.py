from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Membership campaign")

    def ready(self) -> None:
        # Loaded by name: the checks import models, which exist only now.
        import_string("campaigns.checks.register_checks")()
