"""The rows behind a figure of the report, selected by the functions that count them.

A link names the figure, the campaign, the days, the moment and sometimes a part of the figure (a
currency, a reason). So its list has as many rows as the figure counts, or those that it adds up.

These numbers have no rows: forecasts, paces, targets and the number of shared links. An address can
have several newsletter subscriptions, so their list is linked as a whole. A net amount leads to the
payments that were made, refunded or lost; the median and the mean lead to all payments.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.db.models.functions import ExtractHour, ExtractIsoWeekDay
from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

from campaigns.models import Campaign, Dispute, Gift, Member, OutgoingMail, Payment, Refund, Tally
from campaigns.progress import (
    select_counted_payments,
    select_losses,
    select_payout_rows,
    select_refunds,
)
from campaigns.reports.amounts import select_made, select_valid, was_here
from campaigns.reports.gift_funnel import (
    select_claimed,
    select_counting,
    select_delivered,
    select_paying,
)
from campaigns.reports.periods import Period, choose_period
from campaigns.reports.retention import (
    MONTHS,
    select_cancelled,
    select_kept,
    select_stopped,
    select_won,
)
from campaigns.reports.sharing import select_shared
from campaigns.reports.unfinished import HAS_PAID, select_reminded

_INSTANT = timedelta(microseconds=1)


class UnknownFigure(LookupError):
    """There is no such figure, campaign, day or part."""


@dataclass(frozen=True)
class Figure:
    """A figure of a campaign's report. `part` is a part of it, empty for the whole."""

    name: str
    campaign: Campaign
    period: Period
    at: datetime
    part: str = ""

    def write(self) -> str:
        """Return the figure as text, which `read_figure` reads."""
        period = self.period
        days = ("", "") if period.is_whole else (str(period.first), str(period.end))
        return ",".join((self.name, self.campaign.slug, *days, self.at.isoformat(), self.part))

    @property
    def model(self) -> type[Model]:
        return _FIGURES[self.name].model

    @property
    def label(self) -> StrOrPromise:
        return _FIGURES[self.name].label

    def select(self) -> QuerySet[Any]:
        """Return the keys of its rows. Raises UnknownFigure for an unknown part."""
        try:
            return _FIGURES[self.name].select(self)
        except (KeyError, ValueError, OverflowError) as error:
            raise UnknownFigure(self.part) from error

    @property
    def span(self) -> Mapping[str, Any]:
        return {"at": self.at, "since": self.period.since, "until": self.period.until}

    def contains(self, column: str) -> Q:
        return self.period.contains(column) & Q(**{f"{column}__lte": self.at})


def read_figure(text: str) -> Figure:
    """Return the figure that a link names. Raises UnknownFigure."""
    try:
        name, slug, first, end, at, part = text.split(",", 5)
        moment = datetime.fromisoformat(at)
        first_day, end_day = (date.fromisoformat(day) if day else None for day in (first, end))
    except ValueError as error:
        raise UnknownFigure(text) from error
    campaign = Campaign.objects.filter(slug=slug).first()
    is_near = moment.tzinfo is not None and 1900 < moment.year < 9000
    if campaign is None or name not in _FIGURES or not is_near:
        raise UnknownFigure(text)
    period = choose_period(campaign, at=moment, first=first_day, end=end_day)
    return Figure(name, campaign, period, moment, part)


def _won(figure: Figure) -> QuerySet[Tally]:
    return select_won(figure.campaign, figure.period, at=figure.at)


def _find_cancelled(figure: Figure) -> QuerySet[Any]:
    cancelled = select_cancelled(_won(figure))
    if figure.part:
        reason = "" if figure.part == "none" else figure.part
        cancelled = cancelled.filter(payment__membership__cancel_reason=reason)
    return cancelled.values("pk")


def _find_kept(figure: Figure) -> QuerySet[Any]:
    months = int(figure.part)
    if months not in MONTHS:
        raise UnknownFigure(figure.part)
    return select_kept(_won(figure), months, at=figure.at).values("member")


def _find_first_time(figure: Figure) -> QuerySet[Any]:
    had_membership, had_paid = was_here(figure.campaign.starts_at)
    return _find_people(figure).filter(~had_membership, ~had_paid)


def _find_returning(figure: Figure) -> QuerySet[Any]:
    had_membership, had_paid = was_here(figure.campaign.starts_at)
    return _find_people(figure).filter(had_membership | had_paid)


def _find_people(figure: Figure) -> QuerySet[Any]:
    made = select_made(figure.campaign, figure.period, at=figure.at)
    return made.order_by().values("member")


def _find_paid(figure: Figure) -> QuerySet[Any]:
    """Select by currency, kind of price, least amount and the amount above: "eur.month.0.500"."""
    currency, kind, least, above = (figure.part.split(".") + [""] * 3)[:4]
    valid = select_valid(
        *(figure.campaign, figure.period), at=figure.at, currency=currency, kind=kind
    )
    if least:
        valid = valid.filter(amount_minor__gte=int(least))
    if above:
        valid = valid.filter(amount_minor__lt=int(above))
    return valid.values("pk")


def _find_made(figure: Figure) -> QuerySet[Any]:
    made = select_made(figure.campaign, figure.period, at=figure.at)
    return made.filter(currency=figure.part).values("pk")


def _select_refunds(figure: Figure) -> QuerySet[Refund]:
    refunds = select_refunds(figure.campaign, at=figure.at).filter(payment__currency=figure.part)
    return refunds.filter(figure.contains("refunded_at")).order_by()


def _select_lost(figure: Figure) -> QuerySet[Dispute]:
    lost = select_losses(figure.campaign, at=figure.at).filter(payment__currency=figure.part)
    return lost.filter(figure.contains("lost_at")).order_by()


def _find_moved(figure: Figure) -> QuerySet[Any]:
    moved = (
        Q(pk__in=_find_made(figure))
        | Q(pk__in=_select_refunds(figure).values("payment"))
        | Q(pk__in=_select_lost(figure).values("payment"))
    )
    return Payment.objects.filter(moved).values("pk")


@dataclass(frozen=True)
class _Payout:
    """The rows of a payout in the currency that is the figure's part."""

    figure: Figure

    def _select(self, name: str) -> QuerySet[Any]:
        counted = select_counted_payments(self.figure.campaign)
        rows: QuerySet[Any] = getattr(select_payout_rows(counted, **self.figure.span), name)
        return rows.filter(settled_currency=self.figure.part).order_by()

    def find_payments(self) -> QuerySet[Any]:
        return self._select("payments").values("pk")

    def find_refunds(self) -> QuerySet[Any]:
        return self._select("refunds").values("pk")

    def find_withdrawn(self) -> QuerySet[Any]:
        return self._select("withdrawn").values("pk")

    def find_disputes(self) -> QuerySet[Any]:
        reinstated = Q(pk__in=self._select("reinstated").values("pk"))
        moved = Dispute.objects.filter(Q(pk__in=self.find_withdrawn()) | reinstated)
        return moved.values("pk")

    def find_charged(self) -> QuerySet[Any]:
        """Return the payments with a fee of their own or of a refund."""
        refunded = Q(pk__in=self._select("refunds").values("payment"))
        return Payment.objects.filter(Q(pk__in=self.find_payments()) | refunded).values("pk")

    def find_moved(self) -> QuerySet[Any]:
        disputed = Dispute.objects.filter(pk__in=self.find_disputes()).values("payment")
        moved = Q(pk__in=self.find_charged()) | Q(pk__in=disputed)
        return Payment.objects.filter(moved).values("pk")


def _find_hour(figure: Figure) -> QuerySet[Any]:
    """Select what joined in an hour of the week: "0.13" is Monday from 13 to 14 o'clock."""
    weekday, hour = (int(number) for number in figure.part.split("."))
    zone = figure.campaign.zone_info
    joined = figure.campaign.tallies.filter(figure.contains("counted_from"))
    local = joined.alias(
        weekday=ExtractIsoWeekDay("counted_from", tzinfo=zone),
        hour=ExtractHour("counted_from", tzinfo=zone),
    )
    return local.filter(weekday=weekday + 1, hour=hour).values("pk")


def _find_counting(figure: Figure) -> QuerySet[Any]:
    """Select what counted at the end of the period; its part "gifts" leaves out people."""
    end = min(figure.at, figure.period.ends_at - _INSTANT)
    counting = figure.campaign.tallies.counting_at(end)
    return (counting.filter(gift__isnull=False) if figure.part else counting).values("pk")


def _gifts(figure: Figure) -> QuerySet[Tally]:
    return select_counting(figure.campaign, figure.period, at=figure.at)


def _find_shared(figure: Figure) -> QuerySet[Any]:
    return select_shared(figure.campaign, figure.period, at=figure.at).values("pk")


def _find_reminded(figure: Figure) -> QuerySet[Any]:
    return select_reminded(figure.campaign, figure.period, at=figure.at).values("pk")


@dataclass(frozen=True)
class _Rows:
    model: type[Model]
    label: StrOrPromise
    select: Callable[[Figure], QuerySet[Any]]


_FIGURES: dict[str, _Rows] = {
    "won": _Rows(Member, _("People who joined"), lambda figure: _won(figure).values("member")),
    "stopped": _Rows(
        Member,
        _("Stopped: refunded or lost"),
        lambda figure: select_stopped(_won(figure), at=figure.at).values("member"),
    ),
    "cancelled": _Rows(Tally, _("Cancelled"), _find_cancelled),
    "kept": _Rows(Member, _("Still members"), _find_kept),
    "first-time": _Rows(Member, _("Paid for the first time"), _find_first_time),
    "returning": _Rows(Member, _("Had paid before"), _find_returning),
    "paid": _Rows(Payment, _("Paid"), _find_paid),
    "gross": _Rows(Payment, _("Gross"), _find_made),
    "refunds": _Rows(Refund, _("Refunds"), lambda figure: _select_refunds(figure).values("pk")),
    "lost": _Rows(Dispute, _("Lost disputes"), lambda figure: _select_lost(figure).values("pk")),
    "net": _Rows(Payment, _("Net"), _find_moved),
    "payout-gross": _Rows(Payment, _("Payouts"), lambda figure: _Payout(figure).find_payments()),
    "payout-fees": _Rows(Payment, _("Fees"), lambda figure: _Payout(figure).find_charged()),
    "payout-refunds": _Rows(Refund, _("Refunds"), lambda figure: _Payout(figure).find_refunds()),
    "payout-disputes": _Rows(
        Dispute, _("Disputes"), lambda figure: _Payout(figure).find_disputes()
    ),
    "payout-dispute-fees": _Rows(
        Dispute, _("Dispute fees"), lambda figure: _Payout(figure).find_withdrawn()
    ),
    "payout-net": _Rows(Payment, _("Net"), lambda figure: _Payout(figure).find_moved()),
    "hour": _Rows(Tally, _("By weekday and hour"), _find_hour),
    "total": _Rows(Tally, _("Total"), _find_counting),
    "shared": _Rows(Tally, _("Links that members shared"), _find_shared),
    "reminded": _Rows(OutgoingMail, _("Unfinished payments"), _find_reminded),
    "returned": _Rows(
        OutgoingMail,
        _("Unfinished payments"),
        lambda figure: _find_reminded(figure).filter(HAS_PAID),
    ),
    "gifts-paid": _Rows(Gift, _("Paid"), lambda figure: _gifts(figure).values("gift")),
    "gifts-delivered": _Rows(
        Gift,
        _("Delivered"),
        lambda figure: select_delivered(_gifts(figure), at=figure.at).values("gift"),
    ),
    "gifts-claimed": _Rows(
        Gift,
        _("Claimed"),
        lambda figure: select_claimed(_gifts(figure), at=figure.at).values("gift"),
    ),
    "gifts-paying": _Rows(
        Member,
        _("Recipients who became paying members"),
        lambda figure: select_paying(_gifts(figure), at=figure.at).values("gift__claimed_by"),
    ),
}
