"""The charts of the report page's last three questions, with the rows behind their numbers.

`link` is a function that returns the list of a figure; see `Links.figure`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.languages import list_weekdays
from campaigns.money import format_money
from campaigns.reports.amounts import Amounts
from campaigns.reports.charts import (
    Bar,
    Bars,
    Heat,
    Size,
    Steps,
    Table,
    draw_bars,
    draw_both,
    draw_funnel,
    draw_heat,
    write_number,
    write_table,
)
from campaigns.reports.gift_funnel import GiftFunnel
from campaigns.reports.hours import Hours
from campaigns.reports.newsletters import LetterGroup, NewsletterSignUps
from campaigns.reports.sources import PLACEMENT_LABELS


@dataclass(frozen=True)
class Chart:
    """A chart in any size, the sentence that says what it shows, and its numbers.

    `beside` is the same sentence about what the report is compared with. `urls` are what the
    numbers link to, row by row.
    """

    title: str
    sentence: str
    draw: Callable[[Size], SafeString]
    numbers: Table
    beside: str = ""
    urls: Sequence[Sequence[str]] = ()
    is_empty: bool = False  # there is nothing to draw

    @property
    def svg(self) -> SafeString:
        """The chart for desks and phones."""
        return draw_both(self.draw)

    @property
    def table(self) -> SafeString:
        """The numbers as HTML."""
        return write_table(self.numbers, self.urls)


def _find_busiest(hours: Hours, language: str) -> str:
    if hours.busiest is None:
        return _("Nobody joined in this period.")
    day, hour = hours.busiest
    words = _("The busiest hour is %(day)s from %(hour)s to %(next)s: %(count)s joined then.")
    return words % {
        "day": list_weekdays(language)[day],
        "hour": f"{hour}:00",
        "next": f"{hour + 1}:00",
        "count": write_number(hours.rows[day][hour]),
    }


def draw_hours_chart(
    link: Callable[..., str], hours: Hours, other: Hours | None, language: str
) -> Chart:
    """Draw when people and gifts joined, beside the hour in which most of the others did."""
    names = list_weekdays(language, width="abbreviated", is_alone=True)
    sentence = _find_busiest(hours, language)
    heat = Heat(
        title=_("By weekday and hour"),
        sentence=sentence,
        rows=[names[day] for day in range(7)],
        columns=[f"{hour:02}" for hour in range(24)],
        values=hours.rows,
    )
    beside = _find_busiest(other, language) if other and other.total else ""
    urls = [
        [link("hour", part=f"{day}.{hour}") if number else "" for hour, number in enumerate(row)]
        for day, row in enumerate(hours.rows)
    ]
    draw = partial(draw_heat, heat)
    is_empty = not hours.total
    return Chart(heat.title, sentence, draw, heat.tabulate(), beside, urls, is_empty)


def _count_claimed(gifts: GiftFunnel) -> str:
    if not gifts.paid:
        return _("No gifts yet.")
    return ngettext(
        "%(claimed)s of %(count)s gift is claimed.",
        "%(claimed)s of %(count)s gifts are claimed.",
        gifts.paid,
    ) % {"claimed": write_number(gifts.claimed), "count": write_number(gifts.paid)}


def draw_gifts_chart(
    link: Callable[..., str], gifts: GiftFunnel, other: GiftFunnel | None
) -> Chart:
    """Draw how far the gifts came."""
    sentence = _count_claimed(gifts)
    steps = Steps(
        title=_("From gift to member"),
        sentence=sentence,
        steps=[
            (_("Paid"), gifts.paid),
            (_("Delivered"), gifts.delivered),
            (_("Claimed"), gifts.claimed),
            (_("Recipients who became paying members"), gifts.paying_members),
        ],
        heading=_("Step"),
        measure=_("Gifts"),
        empty=_("No gifts yet."),
    )
    beside = _count_claimed(other) if other and other.paid else ""
    names = ("gifts-paid", "gifts-delivered", "gifts-claimed", "gifts-paying")
    urls = [[link(name)] * 2 for name in names]  # the number and its share
    draw, is_empty = partial(draw_funnel, steps), not gifts.paid
    return Chart(steps.title, sentence, draw, steps.tabulate(), beside, urls, is_empty)


def _count_joined_later(sign_ups: NewsletterSignUps) -> str:
    if not sign_ups.asked:
        return _("No newsletter sign-ups yet.")
    if not sign_ups.confirmed:
        return _("No address is confirmed yet.")
    return ngettext(
        "%(joined)s of %(count)s confirmed address became a member later.",
        "%(joined)s of %(count)s confirmed addresses became members later.",
        sign_ups.confirmed,
    ) % {"joined": write_number(sign_ups.joined), "count": write_number(sign_ups.confirmed)}


def draw_newsletters_chart(sign_ups: NewsletterSignUps, other: NewsletterSignUps | None) -> Chart:
    """Draw how far the newsletter sign-ups came."""
    sentence = _count_joined_later(sign_ups)
    steps = Steps(
        title=_("From newsletter to member"),
        sentence=sentence,
        steps=[
            (_("Asked for newsletters"), sign_ups.asked),
            (_("Confirmed"), sign_ups.confirmed),
            (_("Joined later"), sign_ups.joined),
        ],
        heading=_("Step"),
        measure=_("Addresses"),
        empty=_("No newsletter sign-ups yet."),
    )
    numbers = _tabulate_newsletters(sign_ups)
    beside = _count_joined_later(other) if other and other.asked else ""
    draw, is_empty = partial(draw_funnel, steps), not sign_ups.asked
    return Chart(steps.title, sentence, draw, numbers, beside, is_empty=is_empty)


def _tabulate_newsletters(sign_ups: NewsletterSignUps) -> Table:
    """Return the steps of all addresses, then of each newsletter and each placement."""
    direct = _("direct, without a banner")
    places = [
        replace(each, name=str(PLACEMENT_LABELS.get(each.name, each.name) or direct))
        for each in sign_ups.by_placement
    ]
    total = LetterGroup(_("In all"), sign_ups.asked, sign_ups.confirmed, sign_ups.joined)
    return Table(
        _("From newsletter to member"),
        [
            _("Newsletter or placement"),
            *(_("Asked for newsletters"), _("Confirmed"), _("Joined later")),
        ],
        [
            [each.name, *map(write_number, (each.asked, each.confirmed, each.joined))]
            for each in (total, *sign_ups.by_newsletter, *places)
        ],
    )


def draw_amounts_chart(link: Callable[..., str], amounts: Amounts, language: str) -> Chart:
    """Draw how many payments were made of each amount."""

    def write(minor: int) -> str:
        return format_money(minor, amounts.currency, language=language)

    sentence = _("At least half of the payments are %(median)s or less. The mean is %(mean)s.") % {
        "median": write(amounts.median_minor),
        "mean": write(amounts.mean_minor),
    }
    bars, urls = [], []
    for bar in amounts.bars:
        name = write(bar.from_minor)
        if bar.to_minor is None:
            name = _("%(amount)s and more") % {"amount": name}
        elif bar.to_minor - bar.from_minor > 1:
            name = _("%(low)s to %(high)s") % {"low": name, "high": write(bar.to_minor - 1)}
        bars.append(Bar(name, bar.payments))
        above = "" if bar.to_minor is None else bar.to_minor
        url = link("paid", part=f"{amounts.currency}..{bar.from_minor}.{above}")
        urls.append([url, url])  # the number and its share
    chart = Bars(
        title=_("Payments by amount"),
        sentence=sentence,
        bars=bars,
        heading=_("Amount"),
        measure=_("Payments"),
    )
    numbers = chart.tabulate()
    return Chart(chart.title, sentence, partial(draw_bars, chart), numbers, urls=urls)
