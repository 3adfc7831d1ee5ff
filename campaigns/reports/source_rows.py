"""The rows of one group of a breakdown: the other side of how `sources.py` counts them."""

from collections.abc import Callable

from django.db.models import Q, QuerySet

from campaigns.models import Membership, Payment, Price, Tally
from campaigns.reports.sources import DEBITS, NONE, OF_CHECKOUT, WALLETS

_METHOD, _WALLET = "payment__method", "payment__wallet"
_OFFLINE = Q(**{_METHOD: Payment.OFFLINE})
_IS_SOLD = Q(payment__checkout__isnull=False)
_KIND = f"{OF_CHECKOUT}price__kind"
_OWN_COLUMNS = {
    **{
        name: f"{OF_CHECKOUT}{name}"
        for name in (
            *("placement", "referrer", "utm_source", "utm_medium", "utm_campaign"),
            *("utm_content", "language", "device", "country"),
        )
    },
    "article": f"{OF_CHECKOUT}page_url",
}


class UnknownGroup(LookupError):
    """There is no breakdown with this name."""


def select_group(tallies: QuerySet[Tally], breakdown: str, group: str) -> QuerySet[Tally]:
    """Return the rows that a breakdown counts in a group. Raises UnknownGroup."""
    if breakdown in _OWN_COLUMNS:
        column = _OWN_COLUMNS[breakdown]
        if group == NONE:
            return tallies.filter(Q(**{column: ""}) | Q(**{f"{column}__isnull": True}))
        return tallies.filter(**{column: group})
    if breakdown not in _FINDERS:
        raise UnknownGroup(breakdown)
    return tallies.filter(_FINDERS[breakdown](group))


def _find_plan(slug: str) -> Q:
    of_sale, of_membership = f"{OF_CHECKOUT}price__plan", "payment__membership__plan"
    if slug == NONE:
        return ~_IS_SOLD & Q(**{f"{of_membership}__isnull": True})
    sold = _IS_SOLD & Q(**{f"{of_sale}__slug": slug})
    return sold | (~_IS_SOLD & Q(**{f"{of_membership}__slug": slug}))


def _find_method(name: str) -> Q:
    wallet = ~Q(**{_WALLET: ""}) | Q(**{f"{_METHOD}__in": sorted(WALLETS)})
    debit = Q()
    for ending in DEBITS:
        debit |= Q(**{f"{_METHOD}__endswith": ending})
    known = {"card": "card", Payment.OFFLINE: Payment.OFFLINE, NONE: ""}
    if name == "wallet":
        return wallet
    if name == "debit":
        return ~wallet & debit
    if name in known:
        return ~wallet & Q(**{_METHOD: known[name]})
    return ~wallet & ~debit & ~Q(**{f"{_METHOD}__in": list(known.values())})


def _find_source(name: str) -> Q:
    if name == Payment.OFFLINE:
        return _OFFLINE
    kinds = {
        Membership.Source.SUBSCRIPTION: [Price.Kind.MONTH, Price.Kind.YEAR],
        Membership.Source.ONCE: [Price.Kind.ONCE],
        "gift": [Price.Kind.GIFT],
    }
    sold = Q(**{f"{_KIND}__in": kinds.get(name, [])})
    source = "payment__membership__source"
    without = Q(**{f"{source}__isnull": True}) if name == NONE else Q(**{source: name})
    return ~_OFFLINE & ((_IS_SOLD & sold) | (~_IS_SOLD & without))


_FINDERS: dict[str, Callable[[str], Q]] = {
    "plan": _find_plan,
    "method": _find_method,
    "source": _find_source,
}
