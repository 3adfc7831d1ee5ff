"""Codes of our rows as staff read them: placements, payment methods, cards, countries."""

from django.contrib import admin
from django.db.models import Model
from django.utils.html import format_html
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from campaigns import stripe_api
from campaigns.models import Payment
from campaigns.models.origin import HasOrigin
from campaigns.reports.sources import METHOD_LABELS, PLACEMENT_LABELS, name_countries, name_method

# Stripe's codes of brands, which are written alike in every language.
_BRANDS = {
    "amex": "American Express",
    "diners": "Diners Club",
    "jcb": "JCB",
    "paypal": "PayPal",
    "unionpay": "UnionPay",
}


@admin.display(description=_("placement"), ordering="placement")
def placement(row: Model) -> str:
    """Show from which banner or page a row came."""
    name: str = row.placement  # type: ignore[attr-defined]
    return str(PLACEMENT_LABELS.get(name, name))


class OriginWords:
    """The placement and the country of a row with an origin, for its own page."""

    @admin.display(description=_("placement"))
    def from_placement(self, row: HasOrigin) -> str:
        return placement(row)

    @admin.display(description=_("reader’s country"))
    def from_country(self, row: HasOrigin) -> str:
        return _name_country(row.country)


class MethodWords:
    """The method, the card and the Stripe page of a payment."""

    @admin.display(description=_("payment method"), ordering="method")
    def paid_by(self, payment: Payment) -> str:
        """Show how a payment was made; a card in a wallet by the wallet's name."""
        kind = name_method(payment.method, payment.wallet)
        if kind == "wallet":
            return _spell(payment.wallet or payment.method)
        return _spell(payment.method) if kind == "other" else str(METHOD_LABELS.get(kind, ""))

    @admin.display(description=_("card or account"))
    def card_brand(self, payment: Payment) -> str:
        """Return the brand and the last four digits, as readers know them from their bank."""
        digits = f"•••• {payment.last4}" if payment.last4 else ""
        return " ".join(filter(None, [_spell(payment.brand), digits]))

    @admin.display(description=_("country"))
    def card_country(self, payment: Payment) -> str:
        return _name_country(payment.country)

    @admin.display(description=_("at Stripe"))
    def at_stripe(self, payment: Payment) -> str:
        """Link to the payment's page in the Stripe Dashboard."""
        if payment.intent_id is None:
            return "-"
        url = stripe_api.find_dashboard_url(payment.intent_id)
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, gettext("Open at Stripe"))

    @admin.display(description=_("Stripe’s receipt"))
    def receipt(self, payment: Payment) -> str:
        """Link to the receipt, if the address is one of Stripe's."""
        url = payment.receipt_url
        if not stripe_api.is_stripe_page(url):
            return url
        words = gettext("View receipt at Stripe")
        return format_html('<a href="{}" rel="noreferrer">{}</a>', url, words)


def _name_country(code: str) -> str:
    return str(name_countries(get_language() or "en").get(code, code))


def _spell(code: str) -> str:
    return _BRANDS.get(code, code.replace("_", " ").title())
