"""Template filters for amounts and dates."""

from datetime import UTC, datetime
from decimal import Decimal

from django import template

register = template.Library()

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
THREE_DECIMAL = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
SIGNS = {"eur": "€", "usd": "$", "gbp": "£"}


def decimal_places(currency: str) -> int:
    """Return the currency's decimal places. https://docs.stripe.com/currencies#zero-decimal"""
    return 0 if currency in ZERO_DECIMAL else 3 if currency in THREE_DECIMAL else 2


@register.filter
def amount(minor: int, currency: str) -> str:
    """Format integer minor units: 6000 eur is €60.00, 500 jpy is JPY 500."""
    sign = "-" if minor < 0 else ""
    minor = abs(minor)
    number = f"{Decimal(minor).scaleb(-decimal_places(currency)):,}"
    mark = SIGNS.get(currency)
    return f"{sign}{mark}{number}" if mark else f"{sign}{currency.upper()} {number}"


@register.filter
def day(moment: int | None) -> str:
    """Format epoch seconds as a date, such as 1 November 2026."""
    if moment is None:
        return ""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%B %Y}"
