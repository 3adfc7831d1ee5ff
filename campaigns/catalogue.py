"""Prices at Stripe: send them, and stop offering a price that Stripe refuses to sell."""

from collections.abc import Collection
from datetime import timedelta
from operator import itemgetter
from typing import Any

import structlog
from django.conf import settings
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import get_language, gettext

from campaigns import stripe_api
from campaigns.models import Gift, Membership, Plan, Price, Terms
from campaigns.money import format_money, largest_charge, smallest_charge

log = structlog.get_logger(__name__)

AVERAGE_FROM = 30  # members: fewer are no average
CHOSEN_FROM = 30  # members or gifts: fewer say nothing about a price
_FIGURES_LAST = timedelta(minutes=10)


def send_plan(plan: Plan) -> None:
    """Create or update the plan's product at Stripe. Raises the errors of stripe_api."""
    name = plan.copy_for(settings.LANGUAGE_CODE).name
    plan.stripe_product_id = stripe_api.upsert_product(f"plan_{plan.slug}", name=name)
    Plan.objects.filter(pk=plan.pk).update(stripe_product_id=plan.stripe_product_id)


def send_price(price: Price) -> None:
    """Create the price at Stripe, or unarchive it, and offer it again.

    Raises the errors of stripe_api. A price that Stripe refuses stays withdrawn.
    """
    try:
        _check_amount(price)
        names = {"lookup_key": price.lookup_key, "nickname": f"{price.get_kind_display()}"}
        price.stripe_price_id = stripe_api.upsert_price(
            describe_price(price, price.amount_minor) | names, known_id=price.stripe_price_id
        )
    except stripe_api.StripeRefused as error:
        withdraw_price(price, error)
        raise
    Price.objects.filter(pk=price.pk).update(stripe_price_id=price.stripe_price_id)
    offer_again(price)


def _check_amount(price: Price) -> None:
    """Raise StripeRefused if Stripe stores this amount but never charges it."""
    smallest, largest = smallest_charge(price.currency), largest_charge(price.currency)
    if price.amount_minor < smallest:
        least = format_money(smallest, price.currency)
        raise stripe_api.StripeRefused(
            f"Stripe’s smallest charge is {least}.", code="amount_too_small"
        )
    if price.amount_minor > largest:
        most = format_money(largest, price.currency)
        raise stripe_api.StripeRefused(
            f"Stripe’s largest charge is {most}.", code="amount_too_large"
        )


def describe_price(price: Price, amount_minor: int) -> dict[str, Any]:
    """Return the parameters of a price at Stripe for its own amount or one that a reader chose."""
    params: dict[str, Any] = {
        "product": price.plan.stripe_product_id,
        "currency": price.currency,
        "unit_amount": amount_minor,
    }
    if price.is_subscription:
        params["recurring"] = {"interval": price.kind}
    return params


def find_averages(prices: Collection[Price]) -> dict[int, int]:
    """Return what active members pay on average at each of these prices that shows it.

    In minor units, by the price's primary key. A price has none until enough members pay it.
    """
    found = {price.pk: _read_average(price) for price in prices if price.shows_average}
    return {pk: average for pk, average in found.items() if average is not None}


def _read_average(price: Price) -> int | None:
    """Return the average, which is computed again once it is a few minutes old."""
    return cache.get_or_set(
        f"average:{price.pk}", lambda: _compute_average(price), int(_FIGURES_LAST.total_seconds())
    )


def _compute_average(price: Price) -> int | None:
    paying = _find_active(price).filter(amount_minor__isnull=False)
    figures = paying.aggregate(Sum("amount_minor"), Count("pk"))
    number, total = figures["pk__count"], figures["amount_minor__sum"]
    return (2 * total + number) // (2 * number) if number >= AVERAGE_FROM else None


def _find_active(price: Price) -> QuerySet[Membership]:
    bought = {"price": None, "checkout__price": price}
    theirs = Q(price=price) if price.is_subscription else Q(**bought)
    return Membership.objects.filter(theirs, status=Membership.Status.ACTIVE)


def find_most_chosen(prices: Collection[Price]) -> Price | Terms | None:
    """Return which of these prices most active members have, or most gifts were bought at.

    Of an open price, it is one of the amounts to choose from. None if there is nothing to choose
    from, if too few chose it, if two were chosen equally often, or if most typed another amount.
    """
    choices = [
        (number, price, minor) for price in prices for minor, number in _read_choices(price).items()
    ]
    if len(choices) < 2:
        return None
    (most, price, minor), (second, *_) = sorted(choices, key=itemgetter(0), reverse=True)[:2]
    if most < CHOSEN_FROM or most == second or minor is None:
        return None
    return price.at_amount(minor)


def _read_choices(price: Price) -> dict[int | None, int]:
    """Return how often each amount of this price was chosen; None are other amounts."""
    lasts = int(_FIGURES_LAST.total_seconds())
    counted: dict[int | None, int] = (
        cache.get_or_set(f"chosen:{price.pk}", lambda: _count_choices(price), lasts) or {}
    )
    if not price.is_open:
        return {price.amount_minor: sum(counted.values())}
    choices: dict[int | None, int] = {minor: counted.get(minor, 0) for minor in price.amounts}
    return choices | {None: sum(counted.values()) - sum(choices.values())}


def _count_choices(price: Price) -> dict[int | None, int]:
    if price.kind == Price.Kind.GIFT:
        sold = Gift.objects.filter(price=price).exclude(status=Gift.Status.REVOKED)
        return {None: sold.count()}
    by_amount = _find_active(price).values_list("amount_minor")
    return dict(by_amount.annotate(Count("pk")).order_by())


def withdraw_price(price: Price, error: stripe_api.StripeRefused) -> None:
    """Record that Stripe refuses the price, so that it's no longer offered and staff see it.

    `send_price` offers it again, and so does the next order if only our key was refused. A refusal
    of an older price at Stripe changes nothing.
    """
    log.error(
        "price_refused",
        price=price.lookup_key,
        status=error.status,
        code=error.code,
        param=error.param,
        message=str(error),
    )
    Price.objects.filter(pk=price.pk, stripe_price_id=price.stripe_price_id).update(
        refused_at=timezone.now(), refused_status=error.status, refusal=error.reason[:500]
    )


def offer_again(price: Price) -> None:
    """Forget an earlier refusal."""
    Price.objects.filter(pk=price.pk, refused_at__isnull=False).update(
        refused_at=None, refused_status=0, refusal=""
    )


def is_about_price(error: stripe_api.StripeRefused) -> bool:
    """Return whether Stripe names a price as the reason of its refusal."""
    return "[price]" in error.param


def explain_refusal(price: Price, noted: str) -> str:
    """Return the noted reason for which Stripe refuses a price, in the active language."""
    code = noted.partition(":")[0]
    language = get_language() or settings.LANGUAGE_CODE
    if code == "amount_too_small":
        least = format_money(smallest_charge(price.currency), price.currency, language=language)
        return gettext("Stripe’s smallest charge is %(amount)s.") % {"amount": least}
    if code == "amount_too_large":
        most = format_money(largest_charge(price.currency), price.currency, language=language)
        return gettext("Stripe’s largest charge is %(amount)s.") % {"amount": most}
    return stripe_api.explain_reason(noted)
