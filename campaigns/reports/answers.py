"""The last three questions answered in a sentence or two; the outlook answers the second.

An answer is empty if there is nothing to say yet. Texts are in the active language.
"""

from collections.abc import Sequence

from django.utils.text import Truncator
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from campaigns.money import format_money
from campaigns.reports.charts import write_number
from campaigns.reports.rates import Rate
from campaigns.reports.report import Report
from campaigns.reports.retention import Kept
from campaigns.reports.sources import NONE, Breakdown, Group

LONGEST_TITLE = 90  # of an article


def answer_works(report: Report) -> str:
    """Name the largest source and the article that brought the most."""
    placement, article = report.sources.placement, report.sources.article
    source = _find_largest(placement.groups)
    if source is None:
        return ""
    words = _("The largest source: %(source)s, %(count)s of %(total)s.") % {
        "source": source.label,
        "count": write_number(source.counted),
        "total": write_number(placement.counted),
    }
    return " ".join(filter(None, [words, _name_article(article)]))


def answer_paid(report: Report, language: str) -> str:
    """Tell the median payment and the money raised, in the campaign's currency."""
    code = report.currency
    amounts = next((each for each in report.paid.amounts if each.currency == code), None)
    total = next((each for each in report.money.totals if each.currency == code), None)
    if amounts is None or total is None:
        return ""
    return _(
        "The median payment is %(median)s. After refunds and lost disputes, %(net)s is left, "
        "before fees."
    ) % {
        "median": format_money(amounts.median_minor, code, language=language),
        "net": format_money(total.net_minor, code, language=language),
    }


def answer_stay(report: Report) -> str:
    """Tell how many stayed for the longest time that is known, here or in the last campaign."""
    retention = report.retention
    if not retention.won:
        return ""
    if longest := _find_longest(retention.kept):
        return _write_kept(*longest)
    words = _("It’s too early to tell.")
    for kept in retention.earlier:
        if longest := _find_longest(kept):
            return f"{words} {kept.name}: {_write_kept(*longest, is_part=True)}"
    return words


def _find_largest(groups: Sequence[Group]) -> Group | None:
    return max(groups, key=lambda group: group.counted, default=None)


def _name_article(article: Breakdown) -> str:
    largest = _find_largest([group for group in article.groups if group.name != NONE])
    if largest is None:
        return ""
    title = Truncator(largest.label).chars(LONGEST_TITLE)
    words = _("The leading article: “%(title)s”, %(count)s.")
    return words % {"title": title, "count": write_number(largest.counted)}


def _find_longest(kept: Kept) -> tuple[int, Rate] | None:
    """Return the most months after which a share is known."""
    return max(
        ((months, rate) for months, rate in kept.rates if rate.percent is not None),
        key=lambda each: each[0],
        default=None,
    )


def _write_kept(months: int, rate: Rate, *, is_part: bool = False) -> str:
    about = {
        "months": months,
        "percent": round(rate.percent or 0),
        "part": write_number(rate.part),
        "whole": write_number(rate.whole),
    }
    if is_part:
        words = ngettext(
            "after %(months)d month, %(percent)d%% were still members (%(part)s of %(whole)s).",
            "after %(months)d months, %(percent)d%% were still members (%(part)s of %(whole)s).",
            months,
        )
    else:
        words = ngettext(
            "After %(months)d month, %(percent)d%% were still members (%(part)s of %(whole)s).",
            "After %(months)d months, %(percent)d%% were still members (%(part)s of %(whole)s).",
            months,
        )
    return words % about
