from typing import Any

from django.conf import settings
from django.core.checks import ERROR, run_checks
from django.core.management.base import BaseCommand, CommandError
from django.urls import reverse

from campaigns import stripe_api, webhooks
from campaigns.models import Plan, Price

# All that can change a row of ours; each is a hint at an object that is then asked for.
EVENTS = webhooks.EVENTS


# STRIPE_WEBHOOK_SECRET is not set: this command prints it.
NO_WEBHOOK_SECRET = "campaigns.E005"  # noqa: S105


def refuse_misconfiguration() -> None:
    """Raise CommandError if a setting is wrong, but for the secret that is still to come."""
    errors = [
        f"{error.id}: {error.msg}\n    {error.hint}"
        for error in run_checks(tags=["configuration"])
        if error.level >= ERROR and error.id != NO_WEBHOOK_SECRET and not error.is_silenced()
    ]
    if errors:
        raise CommandError("\n".join(errors))


class Command(BaseCommand):
    help = "Make the products, prices, webhook endpoint and portal configuration; safe to repeat."
    # Made below: all but the one that only this command can help with.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument(
            "--no-webhook",
            action="store_true",
            help="leave the webhook endpoint alone (a local sandbox is told where to send)",
        )
        parser.add_argument(
            "--only-webhook",
            action="store_true",
            help="make the webhook endpoint alone; it needs no database yet",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        refuse_misconfiguration()
        try:
            if not options["only_webhook"]:
                self._keep_catalogue()
                self._keep_portal()
            if not options["no_webhook"]:
                self._keep_webhook()
        except stripe_api.StripeError as error:
            raise CommandError(f"Stripe did not do it: {error}. Run it again; it repeats safely.")  # noqa: B904

    def _keep_catalogue(self) -> None:
        for plan in Plan.objects.filter(is_active=True):
            name = plan.copy_for(settings.LANGUAGE_CODE).name
            plan.stripe_product_id = stripe_api.upsert_product(f"plan_{plan.slug}", name=name)
            plan.save(update_fields=["stripe_product_id"])
            for price in plan.prices.filter(is_active=True):
                price.stripe_price_id = stripe_api.upsert_price(_price_params(plan, price))
                price.save(update_fields=["stripe_price_id"])
                self.stdout.write(f"price  {price.lookup_key}  {price.stripe_price_id}")

    def _keep_portal(self) -> None:
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

    def _keep_webhook(self) -> None:
        url = settings.SITE_URL + reverse("campaigns:webhook")
        endpoint, secret = stripe_api.upsert_webhook_endpoint(url, events=EVENTS)
        self.stdout.write(f"webhook  {endpoint}  {url}")
        if secret:
            self.stdout.write(f"Set STRIPE_WEBHOOK_SECRET={secret} (Stripe shows it only now).")


def _price_params(plan: Plan, price: Price) -> dict[str, Any]:
    params: dict[str, Any] = {
        "product": plan.stripe_product_id,
        "currency": price.currency,
        "unit_amount": price.amount_minor,
        "lookup_key": price.lookup_key,
        "nickname": f"{price.get_kind_display()}",
    }
    if price.is_subscription:
        params["recurring"] = {"interval": price.kind}
    return params
