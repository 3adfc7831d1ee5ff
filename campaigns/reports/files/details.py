"""The last three questions of a report file: what works, what people pay, and whether they stay."""

from collections.abc import Iterator

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.languages import list_weekdays
from campaigns.reports.amounts import Amounts
from campaigns.reports.charts import write_number
from campaigns.reports.contents import Contents
from campaigns.reports.files.document import (
    Fact,
    Grid,
    Money,
    Part,
    Share,
    Value,
    select_charts,
)
from campaigns.reports.sections import Ranking


def describe_sources(contents: Contents) -> Part:
    """Return where members and gifts came from, when, and what became of gifts and sign-ups."""
    report, sections = contents.report, contents.sections
    figures = ["sources", "hours", "gifts", "newsletters"]
    figures += ["sharing"] if report.sharing.joined else []
    figures += ["unfinished"] if report.unfinished.reminded else []
    names = list_weekdays(contents.language, is_alone=True)
    hours: list[list[Value]] = [[names[day], *report.hours.rows[day]] for day in range(7)]
    steps = [
        (_("Paid"), report.gifts.paid),
        (_("Delivered"), report.gifts.delivered),
        (_("Claimed"), report.gifts.claimed),
        (_("Recipients who became paying members"), report.gifts.paying_members),
    ]
    gifts: list[list[Value]] = [
        [name, number, Share(100 * number / report.gifts.paid) if report.gifts.paid else None]
        for name, number in steps
    ]
    return Part(
        name=_("Sources"),
        title=_("What works?"),
        answer=sections.works,
        definitions=[report.definitions[name] for name in figures],
        facts=list(_list_more_sources(contents)),
        charts=select_charts(contents, "hours", "gifts", "newsletters"),
        grids=[
            *(_list_ranking(each, compared=sections.compared) for each in sections.rankings),
            Grid(
                sections.hours.title,
                ["", *(f"{hour:02}" for hour in range(24))],
                hours,
                is_detail=True,
            ),
            Grid(
                sections.gifts.title,
                [_("Step"), _("Gifts"), _("Share of the first step")],
                gifts,
                plot="bars",
                plotted=(1,),
                is_detail=True,
            ),
            *([_list_newsletters(contents)] if report.newsletters.asked else []),
        ],
    )


def _list_more_sources(contents: Contents) -> Iterator[Fact]:
    """Yield what came through shared links and after reminders, if anything did."""
    sharing, unfinished = contents.report.sharing, contents.report.unfinished
    if sharing.joined:
        yield Fact(_("Joined through links that members shared"), sharing.joined)
    if unfinished.reminded:
        yield Fact(_("Reminded of an unfinished payment"), unfinished.reminded)
        yield Fact(_("Paid after a reminder"), unfinished.returned)


def _list_newsletters(contents: Contents) -> Grid:
    """Return the steps from newsletters to memberships, as on the page."""
    numbers, sign_ups = contents.sections.newsletters.numbers, contents.report.newsletters
    counts = [(sign_ups.asked, sign_ups.confirmed, sign_ups.joined)]
    counts += [
        (each.asked, each.confirmed, each.joined)
        for each in (*sign_ups.by_newsletter, *sign_ups.by_placement)
    ]
    rows: list[list[Value]] = [
        [row[0], *each] for row, each in zip(numbers.rows, counts, strict=True)
    ]
    return Grid(numbers.caption, numbers.head, rows, is_detail=True)


def describe_amounts(contents: Contents) -> list[Part]:
    """Return what people paid, a part for each currency, and the money that moved."""
    report = contents.report
    parts = [
        _describe_currency(contents, each, is_first=number == 0)
        for number, each in enumerate(report.paid.amounts)
    ]
    totals: list[list[Value]] = [
        [
            *(each.currency.upper(), each.payments, Money(each.gross_minor, each.currency)),
            Money(each.refunded_minor, each.currency),
            *(Money(each.lost_minor, each.currency), Money(each.net_minor, each.currency)),
        ]
        for each in report.money.totals
    ]
    payouts: list[list[Value]] = [
        [
            each.currency.upper(),
            each.payments,
            *(
                Money(minor, each.currency)
                for minor in (
                    *(each.gross_minor, each.fees_minor, each.refunded_minor),
                    *(each.disputed_minor, each.dispute_fees_minor, each.net_minor),
                )
            ),
        ]
        for each in report.money.payouts
    ]
    held: list[list[Value]] = [
        [each.currency.upper(), each.payments, Money(each.amount_minor, each.currency)]
        for each in report.money.held
    ]
    head = [_("Currency"), _("Payments"), _("Gross")]
    none = _("No payments yet.")
    grids = [
        Grid(
            _("Money"),
            [*head, _("Refunds"), _("Lost disputes"), _("Net")],
            totals,
            empty=none,
        ),
        Grid(
            _("Payouts"),
            [*head, _("Fees"), _("Refunds"), _("Disputes"), _("Dispute fees"), _("Net")],
            payouts,
            empty=none,
        ),
    ]
    if held:
        title = _("Held payments, which need a decision")
        grids.append(Grid(title, [_("Currency"), _("Payments"), _("Paid")], held))
    money = Part(
        name=_("Money"),
        title=_("What do people pay?"),
        answer=contents.sections.paid,
        definitions=[report.definitions["money"]],
        facts=[
            Fact(_("Paid for the first time"), report.paid.first_time),
            Fact(_("Had paid before"), report.paid.returning),
        ]
        if report.paid.people
        else [],
        grids=grids,
    )
    return [money, *parts]


def describe_retention(contents: Contents) -> Part:
    """Return how many of the people won have stayed, beside earlier campaigns."""
    retention = contents.report.retention
    months = [months for months, _rate in retention.kept.rates]
    head = [
        _("Campaign"),
        *(ngettext("After %(n)d month", "After %(n)d months", n) % {"n": n} for n in months),
    ]
    kept: list[list[Value]] = [
        [
            each.name,
            *(None if rate.percent is None else Share(rate.percent) for _n, rate in each.rates),
        ]
        for each in (retention.kept, *retention.earlier)
    ]
    grids = [Grid(_("Still members"), head, kept)]
    if retention.reasons:
        reasons: list[list[Value]] = [[each.label, each.cancelled] for each in retention.reasons]
        head = [_("Reason"), _("Cancelled")]
        grids.append(Grid(_("Why they cancelled"), head, reasons, plot="bars"))
    gifts = contents.report.gifts
    claimants = write_number(gifts.claimants)
    return Part(
        name=_("Retention"),
        title=_("Do they stay?"),
        answer=contents.sections.stay,
        notes=[contents.sections.kept_note] if contents.sections.kept_note else [],
        definitions=[contents.report.definitions["retention"]],
        facts=[
            Fact(_("People who joined"), retention.won),
            Fact(_("Stopped: refunded or lost"), retention.stopped),
            Fact(_("Cancelled"), retention.cancelled),
            Fact(
                _("Gift recipients who became paying members"),
                gifts.paying_members,
                _("of %(claimants)s who claimed a gift") % {"claimants": claimants},
            ),
        ],
        grids=grids,
    )


def _list_ranking(ranking: Ranking, *, compared: str) -> Grid:
    """Return a ranking with the counts of what the report is compared with, if that is known."""
    rows = [*ranking.rows, *ranking.rest]
    total = sum(row.group.counted for row in rows)
    values: list[list[Value]] = [
        [
            *(row.group.label, row.group.counted, Share(100 * row.group.counted / total)),
            *([row.beside] if compared else []),
        ]
        for row in rows
    ]
    head = [ranking.label, _("Counted"), _("Share"), *([_("Compared")] if compared else [])]
    return Grid(ranking.label, head, values, plot="bars", plotted=(1,), is_ranking=True)


def _describe_currency(contents: Contents, amounts: Amounts, *, is_first: bool) -> Part:
    """Return the amounts of a currency; the first one defines them for all."""
    currency = amounts.currency

    def money(minor: int) -> Money:
        return Money(minor, currency)

    bars: list[list[Value]] = [
        [money(bar.from_minor), None if bar.to_minor is None else money(bar.to_minor), bar.payments]
        for bar in amounts.bars
    ]
    kinds: list[list[Value]] = [
        [kind.label, kind.payments, money(kind.paid_minor), money(kind.year_minor)]
        for kind in amounts.kinds
    ]
    head = [_("Kind of price"), _("Payments"), _("Paid"), _("Worth a year")]
    return Part(
        name=_("Amounts in %(currency)s") % {"currency": currency.upper()},
        title=_("Amounts in %(currency)s") % {"currency": currency.upper()},
        definitions=[contents.report.definitions["paid"]] if is_first else [],
        facts=[
            Fact(_("Median"), money(amounts.median_minor)),
            Fact(_("Mean, capped at the top 5%"), money(amounts.mean_minor)),
            Fact(_("Valid payments"), money(amounts.paid_minor)),
            Fact(_("Worth a year"), money(amounts.year_minor)),
        ],
        charts=select_charts(contents, f"amounts-{currency}"),
        grids=[
            Grid(_("By kind of price"), head, kinds),
            Grid(
                _("Payments by amount"),
                [_("From"), _("Below"), _("Payments")],
                bars,
                plot="columns",
                plotted=(2,),
                is_detail=True,
            ),
        ],
    )
