from django.apps import AppConfig

from campaigns import checks


class CampaignsConfig(AppConfig):
    name = "campaigns"

    def ready(self) -> None:
        checks.register_checks()
