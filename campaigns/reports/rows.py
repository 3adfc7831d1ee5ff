"""The rows behind a report, one list a kind, for spreadsheets: read and written row by row.

Amounts are in major units. Times are in the campaign's time zone, without their offset, so that
spreadsheets read them as times. Sums of the rows equal the totals of the report of the same days.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from django.db.models import OuterRef, QuerySet, Subquery, Sum

from campaigns.models import Campaign, Gift, Payment, Refund, Tally
from campaigns.models.erasure import is_of_erased
from campaigns.money import decimal_places, to_major
from campaigns.progress import list_losses, select_counted_payments, select_refunds
from campaigns.reports.days import list_days
from campaigns.reports.periods import Period
from campaigns.spreadsheets import Cell, choose_money_format

_CHUNK = 2000
_ORIGIN = (
    *("placement", "page_url", "page_title", "referrer", "utm_source", "utm_medium"),
    *("utm_campaign", "utm_content", "device", "country"),
)


@dataclass(frozen=True)
class Span:
    """The part of a campaign that rows are listed of."""

    campaign: Campaign
    period: Period
    at: datetime

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.period.zone)

    def shift(self, moment: datetime | None) -> datetime | None:
        """Return the time of the campaign's zone without its offset."""
        return moment.astimezone(self.zone).replace(tzinfo=None) if moment else None


@dataclass(frozen=True)
class RowKind:
    """One kind of rows: its columns, and functions of what they are listed of."""

    columns: tuple[str, ...]
    count_rows: Callable[[Span], int]
    list_rows: Callable[[Span], Iterator[list[Cell]]]
    currencies: Callable[[Span], Iterable[str]]
    has_names: bool = False  # of readers

    def write(self, span: Span) -> Iterator[list[Cell]]:
        """Yield the headings and the rows."""
        yield list(self.columns)
        yield from self.list_rows(span)

    def choose_money_format(self, span: Span) -> str:
        return choose_money_format(map(decimal_places, self.currencies(span)))


def _select_tallies(span: Span) -> QuerySet[Tally]:
    return span.campaign.tallies.filter(
        span.period.contains("counted_from"), counted_from__lte=span.at
    )


def _list_members(span: Span) -> Iterator[list[Cell]]:
    of_payment = (
        *("pk", "amount_minor", "currency", "checkout__price__plan__slug"),
        *("membership__plan__slug", "member_id", "member__email", "member__name"),
        *("member__language", *(f"checkout__{name}" for name in _ORIGIN)),
    )
    tallies = _select_tallies(span).order_by("counted_from", "pk")
    for row in tallies.values_list(
        *("pk", "gift_id", "counted_from", "counted_until"),
        *(f"payment__{name}" for name in of_payment),
    ).iterator(chunk_size=_CHUNK):
        pk, gift, since, until, payment, minor, currency, ordered, granted, *more = row
        member, email, name, language, *origin = more
        yield [
            pk,
            "gift" if gift else "person",
            span.shift(since),
            span.shift(until if until and until <= span.at else None),
            member,
            "" if is_of_erased(email) else email,
            name,
            language,
            ordered or granted or "",
            payment,
            to_major(minor, currency),
            currency,
            *(value or "" for value in origin),
        ]


def _select_gifts(span: Span) -> QuerySet[Gift]:
    return Gift.objects.filter(
        span.period.contains("paid_at"), checkout__campaign=span.campaign, paid_at__lte=span.at
    )


def _list_gifts(span: Span) -> Iterator[list[Cell]]:
    gifts = _select_gifts(span).select_related("buyer", "price__plan")
    for gift in gifts.order_by("paid_at", "pk").iterator(chunk_size=_CHUNK):
        yield [
            str(gift.pk),
            span.shift(gift.paid_at),
            gift.status,
            gift.price.plan.slug,
            gift.months,
            to_major(gift.price.amount_minor, gift.price.currency),
            gift.price.currency,
            gift.payment_id,
            gift.buyer_id,
            "" if is_of_erased(gift.buyer.email) else gift.buyer.email,
            gift.buyer_name or gift.buyer.name,
            gift.recipient_email,
            gift.recipient_name,
            span.shift(gift.deliver_at),
            span.shift(gift.delivered_at),
            span.shift(gift.claimed_at),
            gift.claimed_by_id,
            span.shift(gift.expires_at),
        ]


def _select_payments(span: Span) -> QuerySet[Payment]:
    return select_counted_payments(span.campaign).filter(
        span.period.contains("paid_at"), paid_at__lte=span.at
    )


def _list_payments(span: Span) -> Iterator[list[Cell]]:
    refunded = (
        Refund.objects.filter(
            payment=OuterRef("pk"), status=Refund.Status.SUCCEEDED, refunded_at__lte=span.at
        )
        .order_by()
        .values("payment")
        .annotate(total=Sum("amount_minor"))
        .values("total")
    )
    payments = _select_payments(span).order_by("paid_at", "pk")
    for row in payments.values_list(
        *("pk", "paid_at", "role", "checkout__price__plan__slug", "membership__plan__slug"),
        *("amount_minor", "currency", Subquery(refunded)),
        *("settled_minor", "fee_minor", "net_minor", "settled_currency"),
        *("method", "wallet", "brand", "country", "member_id"),
        *("intent_id", "charge_id", "invoice_id", "receipt_number"),
    ).iterator(chunk_size=_CHUNK):
        pk, paid_at, role, ordered, granted, minor, currency, returned, *more = row
        *settled, payout_currency, method, wallet, brand, country, member, intent = more[:10]
        yield [
            *(pk, span.shift(paid_at), role, ordered or granted or ""),
            *(to_major(minor, currency), currency, to_major(returned or 0, currency)),
            *(_settled(each, payout_currency) for each in settled),
            *(payout_currency, method, wallet, brand, country, member, intent or ""),
            *more[10:],
        ]


def _settled(minor: int | None, currency: str) -> Decimal | None:
    return None if minor is None or not currency else to_major(minor, currency)


def _select_refunds(span: Span) -> QuerySet[Refund]:
    refunds = select_refunds(span.campaign, at=span.at)
    return refunds.filter(span.period.contains("refunded_at"))


def _list_lost(span: Span) -> Iterator[tuple[datetime, list[Cell]]]:
    since, until = span.period.since, span.period.until
    for loss in list_losses(span.campaign, at=span.at):
        if (since is None or loss.lost_at >= since) and (until is None or loss.lost_at < until):
            amount = to_major(loss.amount_minor, loss.currency)
            row: list[Cell] = [loss.dispute_id, "lost dispute", span.shift(loss.lost_at)]
            yield loss.lost_at, [*row, loss.payment_id, amount, loss.currency, ""]


def _list_refunds(span: Span) -> Iterator[list[Cell]]:
    """Yield the refunds, and then the lost disputes, each by its time."""
    refunds = _select_refunds(span).select_related("payment").order_by("refunded_at", "pk")
    for refund in refunds.iterator(chunk_size=_CHUNK):
        currency = refund.payment.currency
        amount = to_major(refund.amount_minor, currency)
        row: list[Cell] = [refund.refund_id, "refund", span.shift(refund.refunded_at)]
        yield [*row, refund.payment_id, amount, currency, refund.reason]
    for _lost_at, row in sorted(_list_lost(span), key=lambda each: each[0]):
        yield row


def _count_refunds(span: Span) -> int:
    return _select_refunds(span).count() + sum(1 for _loss in _list_lost(span))


def _list_days(span: Span) -> Iterator[list[Cell]]:
    currency = span.campaign.currency
    for day in list_days(span.campaign, span.period, at=span.at):
        raised = (to_major(minor, currency) for minor in (day.raised_minor, day.raised_total_minor))
        counts = (day.people, day.gifts, day.stopped, day.total)
        yield [span.campaign.slug, day.day, *counts, currency, *raised]


def _list_currencies(select: Callable[[Span], QuerySet[Any]], *columns: str) -> Any:
    """Return a function that lists the currencies in these columns."""

    def find(span: Span) -> set[str]:
        rows = select(span).order_by()
        found = {code for name in columns for code in rows.values_list(name, flat=True).distinct()}
        return found - {""}

    return find


ROW_KINDS = {
    "members": RowKind(
        columns=(
            *("sign_up", "counts_as", "counted_from", "counted_until", "member", "email", "name"),
            *("language", "plan", "payment", "amount", "currency", *_ORIGIN),
        ),
        count_rows=lambda span: _select_tallies(span).count(),
        list_rows=_list_members,
        currencies=_list_currencies(_select_tallies, "payment__currency"),
        has_names=True,
    ),
    "gifts": RowKind(
        columns=(
            *("gift", "paid_at", "status", "plan", "months", "amount", "currency", "payment"),
            *("buyer", "buyer_email", "buyer_name", "recipient_email", "recipient_name"),
            *("deliver_at", "delivered_at", "claimed_at", "claimed_by", "expires_at"),
        ),
        count_rows=lambda span: _select_gifts(span).count(),
        list_rows=_list_gifts,
        currencies=_list_currencies(_select_gifts, "price__currency"),
        has_names=True,
    ),
    "payments": RowKind(
        columns=(
            *("payment", "paid_at", "role", "plan", "amount", "currency", "refunded"),
            *("payout_amount", "payout_fee", "payout_net", "payout_currency"),
            *("method", "wallet", "brand", "card_country", "member"),
            *("intent_id", "charge_id", "invoice_id", "receipt_number"),
        ),
        count_rows=lambda span: _select_payments(span).count(),
        list_rows=_list_payments,
        currencies=_list_currencies(_select_payments, "currency", "settled_currency"),
    ),
    "refunds": RowKind(
        columns=("refund", "kind", "refunded_at", "payment", "amount", "currency", "reason"),
        count_rows=_count_refunds,
        list_rows=_list_refunds,
        currencies=_list_currencies(_select_payments, "currency"),
    ),
    "days": RowKind(
        columns=(
            *("campaign", "day", "people", "gifts", "stopped", "total"),
            *("currency", "raised", "raised_total"),
        ),
        count_rows=lambda span: 1,
        list_rows=_list_days,
        currencies=lambda span: [span.campaign.currency],
    ),
}
