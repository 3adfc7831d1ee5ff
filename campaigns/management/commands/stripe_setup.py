from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from campaigns import catalogue, stripe_api, webhooks
from campaigns.models import Plan

# Every event that can change our rows. Each is a hint: its object is fetched from Stripe.
EVENTS = webhooks.EVENTS


# The check for STRIPE_WEBHOOK_SECRET, which this command prints.
NO_WEBHOOK_SECRET = "campaigns.E005"  # noqa: S105


def refuse_misconfiguration() -> None:
    """Raise CommandError if a setting is wrong, except the webhook's secret, which comes later."""
    errors = [
        f"{error.id}: {error.msg}\n    {error.hint}"
        for error in run_checks(tags=["configuration"])
        if error.level >= ERROR and error.id != NO_WEBHOOK_SECRET and not error.is_silenced()
    ]
    if errors:
        raise CommandError("\n".join(errors))


class Command(BaseCommand):
    help = (
        "Create or update the products, prices, webhook endpoint and customer portal at Stripe. "
        "Safe to repeat."
    )
    # `refuse_misconfiguration` runs them, without the one that this command helps with.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--no-webhook",
            action="store_true",
            help="don't create the webhook endpoint (a pretend Stripe has its own setting)",
        )
        parser.add_argument(
            "--only-webhook",
            action="store_true",
            help="create only the webhook endpoint; needs no database",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_misconfiguration()
        refused = []
        try:
            if not options["only_webhook"]:
                refused += self._send_catalogue()
                refused += self._unless_refused("customer portal", self._upsert_portal)
            if not options["no_webhook"]:
                refused += self._unless_refused("webhook endpoint", self._upsert_webhook)
        except stripe_api.StripeError as error:
            raise CommandError(f"Stripe failed ({error}). Run the command again; that is safe.")  # noqa: B904
        if refused:
            lines = "\n".join(f"  {line}" for line in refused)
            raise CommandError(
                f"Stripe refused this; everything else is set up:\n{lines}\n"
                "Correct the cause first: take such a price off sale and add another one, or check "
                "the permissions of STRIPE_SECRET_KEY."
            )

    def _unless_refused(self, name: str, send: Callable[[], None]) -> list[str]:
        """Send something to Stripe, and return the refusal if there is one."""
        try:
            send()
        except stripe_api.StripeRefused as error:
            return [f"{name}: {error.reason}"]
        return []

    def _send_catalogue(self) -> list[str]:
        """Send all plans and prices, and return what Stripe refused."""
        refused = []
        for plan in Plan.objects.filter(is_active=True):
            try:
                catalogue.send_plan(plan)
            except stripe_api.StripeRefused as error:
                refused.append(f"plan {plan.slug}: {error.reason}")
                continue
            for price in plan.prices.filter(is_active=True):
                try:
                    catalogue.send_price(price)
                except stripe_api.StripeRefused as error:
                    refused.append(f"price {price.lookup_key}: {error.reason}")
                else:
                    self.stdout.write(f"price  {price.lookup_key}  {price.stripe_price_id}")
        return refused

    def _upsert_portal(self) -> None:
        configuration = stripe_api.upsert_portal_configuration(
            {
                "business_profile": {"headline": settings.NEWSROOM_NAME},
                "features": {
                    "customer_update": {"enabled": True, "allowed_updates": ["name", "address"]},
                    "invoice_history": {"enabled": True},
                    "payment_method_update": {"enabled": True},
                    "subscription_cancel": {"enabled": True, "mode": "at_period_end"},
                },
            }
        )
        self.stdout.write(f"portal  {configuration}")

    def _upsert_webhook(self) -> None:
        url = settings.SITE_URL + reverse("campaigns:webhook")
        endpoint, secret = stripe_api.upsert_webhook_endpoint(url, events=EVENTS)
        self.stdout.write(f"webhook  {endpoint}  {url}")
        if secret:
            self.stdout.write(f"Set STRIPE_WEBHOOK_SECRET={secret} (Stripe shows it only once).")
