"""The report page's last three questions: what works, what people pay, and whether they stay."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.models import Campaign
from campaigns.progress import MoneyTotal, PayoutTotal
from campaigns.reports.amounts import Amounts, KindTotal
from campaigns.reports.answers import answer_paid, answer_stay, answer_works
from campaigns.reports.charts import (
    Table,
    write_number,
    write_table,
)
from campaigns.reports.links import Links
from campaigns.reports.page import name_compared
from campaigns.reports.periods import whole_campaign
from campaigns.reports.report import Report
from campaigns.reports.retention import Retention
from campaigns.reports.section_charts import (
    Chart,
    draw_amounts_chart,
    draw_gifts_chart,
    draw_hours_chart,
    draw_newsletters_chart,
)
from campaigns.reports.sources import NONE, TOP, Breakdown, Group

# The figures whose rows the numbers of a currency are made of.
_OF_TOTAL = {"gross": "gross", "refunded": "refunds", "lost": "lost", "net": "net"}
_OF_PAYOUT = {
    "gross": "payout-gross",
    "fees": "payout-fees",
    "refunded": "payout-refunds",
    "disputed": "payout-disputes",
    "dispute_fees": "payout-dispute-fees",
    "net": "payout-net",
}


@dataclass(frozen=True)
class Row:
    """A group of a breakdown with its share of the largest one, and the list of its rows.

    `beside` is its count in what the report is compared with; None without that.
    """

    group: Group
    percent_of_largest: int
    url: str
    beside: int | None = None


@dataclass(frozen=True)
class Ranking:
    """A breakdown as rows: the largest ones, and the others on demand."""

    label: str
    rows: Sequence[Row]
    rest: Sequence[Row]
    others: int


@dataclass(frozen=True)
class Kind:
    """The payments of one kind of price, in this report and in the compared one."""

    total: KindTotal
    url: str
    beside: KindTotal | None = None


@dataclass(frozen=True)
class Currency:
    """The amounts paid in one currency, in this report and in the compared one."""

    amounts: Amounts
    histogram: Chart
    url: str
    kinds: Sequence[Kind]
    beside: Amounts | None = None


@dataclass(frozen=True)
class ReasonRow:
    """The number of people who cancelled for a reason, in this report and in the compared one."""

    label: str
    cancelled: int
    url: str
    beside: int | None = None


@dataclass(frozen=True)
class People:
    """The lists of the people behind some numbers; empty where the viewer may not see them."""

    first_time: str
    returning: str
    won: str
    stopped: str
    cancelled: str  # a list of what was counted
    recipients: str


@dataclass(frozen=True)
class MoneyRow:
    """The money of one currency with the list of rows of each of its numbers, by its name.

    `beside` is the same money in the compared report.
    """

    money: MoneyTotal | PayoutTotal
    urls: Mapping[str, str]
    beside: MoneyTotal | PayoutTotal | None = None


@dataclass(frozen=True)
class Sections:
    """Everything that the page shows below the first two questions.

    `compared` names what the report is compared with, and links to it; empty without that.
    """

    works: str  # the answers to the three questions
    paid: str
    stay: str
    compared: str
    compared_url: str
    rankings: Sequence[Ranking]
    hours: Chart
    gifts: Chart
    gifts_url: str
    newsletters: Chart
    newsletters_url: str
    counted_url: str
    currencies: Sequence[Currency]
    shared_url: str
    reminded_url: str
    returned_url: str
    totals: Sequence[MoneyRow]
    payouts: Sequence[MoneyRow]
    people: People
    kept: SafeString
    kept_note: str  # why some shares are missing; empty if none is
    reasons: Sequence[ReasonRow]


def describe_sections(
    campaign: Campaign, report: Report, *, language: str, links: Links | None = None
) -> Sections:
    """Return the page's last three questions in that language, which has to be the active one."""
    links, other = links or Links(campaign), report.compared
    link = partial(links.figure, period=report.period, at=report.as_of)
    known = [each for each in report.sources.all if each.is_known]
    beside = {each.name: each for each in other.sources.all} if other else {}
    return Sections(
        works=answer_works(report),
        paid=answer_paid(report, language),
        stay=answer_stay(report),
        compared=name_compared(report, other) if other else "",
        compared_url=links.report(other.campaign_id, other.period) if other else "",
        rankings=[_rank(links, report, each, beside.get(each.name)) for each in known],
        hours=draw_hours_chart(link, report.hours, other.hours if other else None, language),
        gifts=draw_gifts_chart(link, report.gifts, other.gifts if other else None),
        gifts_url=links.gifts(report.period),
        newsletters=draw_newsletters_chart(
            report.newsletters, other.newsletters if other else None
        ),
        newsletters_url=links.newsletters(report.period),
        counted_url=links.counted(report.period),
        currencies=[
            _describe_currency(link, report, amounts, language) for amounts in report.paid.amounts
        ],
        shared_url=link("shared"),
        reminded_url=link("reminded"),
        returned_url=link("returned"),
        totals=_list_money(
            link, _OF_TOTAL, report.money.totals, other.money.totals if other else ()
        ),
        payouts=_list_money(
            link, _OF_PAYOUT, report.money.payouts, other.money.payouts if other else ()
        ),
        people=People(
            first_time=link("first-time"),
            returning=link("returning"),
            won=link("won"),
            stopped=link("stopped"),
            cancelled=link("cancelled"),
            recipients=link("gifts-paying"),
        ),
        kept=write_table(
            _tabulate_kept(report.retention), list(_link_kept(links, campaign, report))
        ),
        kept_note=explain_missing(report.retention),
        reasons=_list_reasons(link, report.retention, other.retention if other else None),
    )


def _list_money(
    link: Callable[..., str],
    figures: Mapping[str, str],
    totals: Sequence[MoneyTotal | PayoutTotal],
    others: Sequence[MoneyTotal | PayoutTotal],
) -> list[MoneyRow]:
    beside = {each.currency: each for each in others}
    return [
        MoneyRow(
            money,
            {name: link(figure, part=money.currency) for name, figure in figures.items()},
            beside.get(money.currency),
        )
        for money in totals
    ]


def _link_kept(links: Links, campaign: Campaign, report: Report) -> Iterator[list[str]]:
    """Yield the lists of those who were still members, campaign by campaign."""
    at, retention = report.as_of, report.retention
    slugs = [kept.slug for kept in retention.earlier]
    earlier = {each.slug: each for each in Campaign.objects.filter(slug__in=slugs)}
    periods = [(campaign, report.period)]
    periods += [(earlier[slug], whole_campaign(earlier[slug], at=at)) for slug in slugs]
    for (other, period), kept in zip(periods, (retention.kept, *retention.earlier), strict=True):
        link = partial(links.figure, "kept", period, at=at, campaign=other)
        yield [link(part=months) if rate.whole else "" for months, rate in kept.rates]


def _describe_currency(
    link: Callable[..., str], report: Report, amounts: Amounts, language: str
) -> Currency:
    other, beside = report.compared, None
    if other is not None:
        beside = next(
            (each for each in other.paid.amounts if each.currency == amounts.currency), None
        )
    kinds = {kind.name: kind for kind in beside.kinds} if beside else {}
    code = amounts.currency
    return Currency(
        amounts=amounts,
        histogram=draw_amounts_chart(link, amounts, language),
        url=link("paid", part=code),
        kinds=[
            Kind(kind, link("paid", part=f"{code}.{kind.name}"), kinds.get(kind.name))
            for kind in amounts.kinds
        ],
        beside=beside,
    )


def _list_reasons(
    link: Callable[..., str], retention: Retention, other: Retention | None
) -> list[ReasonRow]:
    beside = {each.name: each.cancelled for each in other.reasons} if other else {}
    return [
        ReasonRow(
            each.label,
            each.cancelled,
            link("cancelled", part=each.name),
            beside.get(each.name, 0) if other else None,
        )
        for each in retention.reasons
    ]


def _rank(links: Links, report: Report, breakdown: Breakdown, other: Breakdown | None) -> Ranking:
    beside = {group.name: group.counted for group in other.groups} if other else {}
    largest = max((group.counted for group in breakdown.groups), default=0)
    link = links.groups(report.period, breakdown)
    rows = [
        Row(
            group,
            round(100 * group.counted / largest),
            link(group),
            beside.get(group.name, 0) if other else None,
        )
        for group in sorted(breakdown.groups, key=lambda group: group.name == NONE)
    ]
    return Ranking(breakdown.label, rows[:TOP], rows[TOP:], breakdown.others)


def explain_missing(retention: Retention) -> str:
    """Return why some shares of members who stayed are missing; empty if none is."""
    rates = [rate for kept in (retention.kept, *retention.earlier) for _n, rate in kept.rates]
    reason = next((rate.reason for rate in rates if rate.percent is None), "")
    return f"—: {reason}" if reason else ""


def _tabulate_kept(retention: Retention) -> Table:
    """Return how many were still members after some months, beside earlier campaigns."""
    months = [months for months, _rate in retention.kept.rates]
    head = [
        _("Campaign"),
        *(ngettext("After %(n)d month", "After %(n)d months", n) % {"n": n} for n in months),
    ]
    rows = []
    for kept in (retention.kept, *retention.earlier):
        shares = [
            "—"
            if rate.percent is None
            else _("%(percent)s%% (%(part)s of %(whole)s)")
            % {
                "percent": round(rate.percent),
                "part": write_number(rate.part),
                "whole": write_number(rate.whole),
            }
            for _months, rate in kept.rates
        ]
        rows.append([kept.name, *shares])
    return Table(_("Still members"), head, rows)
