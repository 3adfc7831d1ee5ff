"""Amounts and times as the pretend pages print them."""

from datetime import UTC, datetime

from django import template

register = template.Library()

ZERO_DECIMAL = frozenset(
    "bif clp djf gnf jpy kmf krw mga pyg rwf ugx vnd vuv xaf xof xpf".split()  # noqa: SIM905
)
SIGNS = {"eur": "€", "usd": "$", "gbp": "£"}


@register.filter
def amount(minor: int, currency: str) -> str:
    """Integer minor units as a person reads them: 6000 eur is €60.00, 500 jpy is JPY 500."""
    sign = "-" if minor < 0 else ""
    minor = abs(minor)
    whole = currency in ZERO_DECIMAL
    number = f"{minor:,}" if whole else f"{minor // 100:,}.{minor % 100:02d}"
    mark = SIGNS.get(currency)
    return f"{sign}{mark}{number}" if mark else f"{sign}{currency.upper()} {number}"


@register.filter
def day(moment: int | None) -> str:
    if moment is None:
        return ""
    at = datetime.fromtimestamp(moment, UTC)
    return f"{at.day} {at:%B %Y}"
