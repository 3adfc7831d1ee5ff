"""The figures of a whole report by the statements of `report.sql`, beside those of a report."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from campaigns.models import Campaign, Dispute, Membership, OutgoingMail, Payment, Plan, Price
from campaigns.reports import Report
from campaigns.reports.amounts import find_capped_mean, find_median
from campaigns.reports.sources import NONE, name_method

_SOURCE = Path(__file__).with_name("report.sql")
_OF_CHECKOUT = (
    *("placement", "referrer", "utm_source", "utm_medium", "utm_campaign", "utm_content"),
    *("language", "device", "country"),
)


def read_statements() -> dict[str, str]:
    """Return each statement of the file by its name."""
    parts = [part.partition("\n") for part in _SOURCE.read_text().split("--: ")[1:]]
    found = {name: body.strip() for name, _, body in parts}
    conditions = {name: found.pop(name) for name in ("counts", "paid")}
    return {name: body.format(**conditions) for name, body in found.items()}


def compute_figures(campaign: Campaign, *, at: datetime) -> dict[str, Any]:
    """Return the figures that `simplify_report` returns, read by hand."""
    zone, today = campaign.zone_info, at.astimezone(campaign.zone_info)
    week_ago = today.date() - timedelta(days=7)
    given: dict[str, Any] = {
        "campaign": campaign.pk,
        "currency": campaign.currency,
        "zone": campaign.zone,
        "starts_at": campaign.starts_at,
        "ends_at": campaign.ends_at,
        "at": at,
        "week_ago": datetime.combine(week_ago, time(), zone),
        "week_ago_now": datetime.combine(week_ago, today.time(), zone),
        "lost": Dispute.LOST,
        "not_begun": Membership.Status.PENDING,
        "unfinished": OutgoingMail.Kind.UNFINISHED,
    }

    statements = read_statements()

    def read(name: str) -> list[tuple[Any, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statements[name], given)
            return list(cursor.fetchall())

    money, refunds, lost = read("money"), read("refunds"), read("lost")
    raised = Counter[date](dict(read("raised")))
    for currency, day, amount in [*((row[0], *row[3:5]) for row in refunds), *lost]:
        raised[day] -= amount * (currency == campaign.currency)
    reversed_ones = [*((*row[:3], row[5]) for row in refunds), *read("lost_payments")]
    return {
        **_arrange_moves(
            read("started"), read("stopped"), read("by_now"), raised, today=today.date()
        ),
        **_arrange_money(money, refunds, lost, read("balance_refunds")),
        "pending": read("pending")[0][0],
        "held": read("held")[0][0],
        "amounts": _arrange_amounts(read("payments"), reversed_ones),
        "payers": (read("people")[0][0], read("returning")[0][0]),
        "sources": _arrange_sources(read("sold"), read("articles"), read("unsold")),
        "gifts": read("gifts")[0],
        "won": read("won")[0],
        "cancelled": {reason or "none": number for reason, number in read("cancelled")},
        "unfinished": read("unfinished")[0],
        "newsletters": read("newsletters")[0][0],
    }


def simplify_report(report: Report) -> dict[str, Any]:
    """Return the figures of a report that the statements of this module compute."""
    standing, goal = report.standing, report.standing.goals[0]
    retention = report.retention
    return {
        "days": {
            each.day: (each.people, each.gifts, each.stopped, each.raised_minor)
            for each in report.days
            if each.joined or each.stopped or each.raised_minor
        },
        "hours": [list(row) for row in report.hours.rows],
        "counted": (goal.people, goal.gifts),
        "moves": [
            (each.people, each.gifts, each.left, each.raised_minor)
            for each in (
                *(standing.today, standing.yesterday, standing.last_week),
                standing.last_week_by_now,
            )
        ],
        "money": {
            each.currency: (
                *(each.payments, each.gross_minor, each.refunded_minor, each.lost_minor),
            )
            for each in report.money.totals
        },
        "payouts": {
            each.currency: (each.payments, each.gross_minor, each.fees_minor, each.refunded_minor)
            for each in report.money.payouts
        },
        "pending": report.pending,
        "held": sum(each.payments for each in report.money.held),
        "amounts": {
            each.currency: (
                *(each.payments, each.median_minor, each.mean_minor),
                {kind.name: (kind.payments, kind.paid_minor) for kind in each.kinds},
            )
            for each in report.paid.amounts
        },
        "payers": (report.paid.people, report.paid.returning),
        "sources": {
            **{
                each.name: {group.name: group.counted for group in each.groups}
                for each in report.sources.all
            },
            "shared": (report.sharing.joined, report.sharing.links),
            "titles": {group.url: group.label for group in report.sources.article.groups},
        },
        "gifts": (
            *(report.gifts.paid, report.gifts.delivered, report.gifts.claimed),
            *(report.gifts.expired, report.gifts.claimants, report.gifts.paying_members),
        ),
        "won": (retention.won, retention.won - retention.stopped),
        "cancelled": {each.name: each.cancelled for each in retention.reasons},
        "unfinished": (report.unfinished.reminded, report.unfinished.returned),
        "newsletters": report.newsletters.asked,
    }


def _arrange_moves(
    started: list[tuple[Any, ...]],
    stopped: list[tuple[Any, ...]],
    by_now: list[tuple[Any, ...]],
    raised: Mapping[date, int],
    *,
    today: date,
) -> dict[str, Any]:
    hours = [[0] * 24 for _day in range(7)]
    joined: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0])
    counted = [0, 0]
    for day, weekday, hour, people, gifts, people_now, gifts_now in started:
        hours[int(weekday) - 1][int(hour)] += int(people + gifts)
        joined[day] = [joined[day][0] + int(people), joined[day][1] + int(gifts)]
        counted = [counted[0] + int(people_now), counted[1] + int(gifts_now)]
    left = {day: number for day, number, _by_now in stopped}
    days = {
        day: (*joined[day], left.get(day, 0), raised.get(day, 0))
        for day in sorted({*joined, *left, *raised})
    }
    none = (0, 0, 0, 0)
    moves = [days.get(today - timedelta(days=ago), none) for ago in (0, 1, 7)]
    left_by_now = sum(number for _day, _number, number in stopped)
    return {
        "days": days,
        "hours": hours,
        "counted": tuple(counted),
        "moves": [*moves, (*by_now[0], left_by_now, None)],
    }


def _arrange_money(
    moved: list[tuple[Any, ...]],
    refunds: list[tuple[Any, ...]],
    lost: list[tuple[Any, ...]],
    balance_refunds: list[tuple[Any, ...]],
) -> dict[str, Any]:
    money: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    payouts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for currency, settled_in, payments, amount, settled, gross, fees in moved:
        money[currency][0] += payments
        money[currency][1] += amount
        if settled:
            for place, value in enumerate((settled, gross, fees or 0)):
                payouts[settled_in][place] += value
    for currency, _price, _paid, _day, amount, _payments in refunds:
        money[currency][2] += amount
    for currency, _day, amount in lost:
        money[currency][3] += int(amount)
    for currency, taken, fees in balance_refunds:
        payouts[currency][2] += int(fees)
        payouts[currency][3] += int(taken)
    return {
        "money": {currency: tuple(found) for currency, found in money.items()},
        "payouts": {currency: tuple(found) for currency, found in payouts.items()},
    }


def _arrange_amounts(
    payments: list[tuple[Any, ...]], reversed_ones: list[tuple[Any, ...]]
) -> dict[str, Any]:
    kinds = dict(Price.objects.values_list("pk", "kind"))
    amounts: defaultdict[str, Counter[int]] = defaultdict(Counter)
    by_kind: defaultdict[str, defaultdict[str, Counter[int]]] = defaultdict(
        lambda: defaultdict(Counter)
    )
    signed = [*payments, *((*row[:3], -row[3]) for row in reversed_ones)]
    for currency, price, amount, number in signed:
        amounts[currency][amount] += number
        by_kind[currency][kinds.get(price, "offline")][amount] += number
    return {
        currency: (
            *(found.total(), find_median(found), find_capped_mean(found)),
            {
                kind: (of_kind.total(), sum(a * n for a, n in of_kind.items()))
                for kind, of_kind in by_kind[currency].items()
            },
        )
        for currency, found in amounts.items()
    }


def _arrange_sources(
    sold: list[tuple[Any, ...]], articles: list[tuple[Any, ...]], unsold: list[tuple[Any, ...]]
) -> dict[str, Any]:
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    shared = Counter[str]()
    sold_at = Price.objects.values_list("pk", "kind", "plan__slug")
    prices = {pk: (str(kind), slug) for pk, kind, slug in sold_at}
    plans = dict(Plan.objects.values_list("pk", "slug"))
    subscribed = {str(kind): "subscription" for kind in (Price.Kind.MONTH, Price.Kind.YEAR)}
    for price, method, wallet, friend, *values, number in sold:
        kind, plan = prices[price]
        kind = subscribed.get(kind, kind)
        counts["source"]["offline" if method == Payment.OFFLINE else kind] += number
        counts["plan"][plan] += number
        counts["method"][name_method(method, wallet) or NONE] += number
        for name, value in zip(_OF_CHECKOUT, values, strict=True):
            counts[name][value or NONE] += number
        if friend:
            shared[friend] += number
    for plan_id, source, method, wallet, number in unsold:
        for name in _OF_CHECKOUT:
            counts[name][NONE] += number
        counts["source"]["offline" if method == Payment.OFFLINE else source or NONE] += number
        counts["plan"][plans.get(plan_id, NONE)] += number
        counts["method"][name_method(method, wallet) or NONE] += number
    titles = {}
    for url, number, title in articles:
        counts["article"][url or NONE] += number
        titles[url or ""] = title or url or _("no article")
    return {
        **{name: dict(found) for name, found in counts.items()},
        "shared": (shared.total(), len(shared)),
        "titles": titles,
    }
