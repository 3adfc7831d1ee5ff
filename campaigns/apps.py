from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from campaigns import checks


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = _("Membership campaign")

    def ready(self) -> None:
        checks.register_checks()
