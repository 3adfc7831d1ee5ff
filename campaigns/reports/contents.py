"""Everything that a report shows, gathered once for its page and for each of its files."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from hashlib import sha256

from django.utils.safestring import SafeString
from django.utils.translation import override

from campaigns.models import Campaign
from campaigns.reports.charts import Size, draw_curve, draw_stacks
from campaigns.reports.kept import measure_or_keep
from campaigns.reports.links import Links
from campaigns.reports.outlook import Past
from campaigns.reports.page import (
    Choice,
    Page,
    choose_compared,
    describe_page,
    find_chosen,
    list_earlier,
)
from campaigns.reports.report import Report, gather_report
from campaigns.reports.sections import Sections, describe_sections


@dataclass(frozen=True)
class NamedChart:
    """A chart of the report. Its name is part of addresses and file names."""

    name: str
    title: str
    sentence: str
    draw: Callable[[Size], SafeString]
    is_empty: bool = False  # it only says why there is nothing to draw


@dataclass(frozen=True)
class Contents:
    """The figures of a report, and what its page shows of them, in one language."""

    campaign: Campaign
    report: Report
    page: Page
    sections: Sections
    language: str

    @property
    def charts(self) -> Sequence[NamedChart]:
        """The charts in the order of the page."""
        charts = []
        if self.page.outlook is not None:
            curve = self.page.outlook.curve
            draw = partial(draw_curve, curve)
            charts.append(NamedChart("curve", curve.title, curve.sentence, draw, curve.is_empty))
        daily = self.page.daily
        draw = partial(draw_stacks, daily)
        charts.append(NamedChart("days", daily.title, daily.sentence, draw, daily.is_empty))
        others = [
            ("hours", self.sections.hours),
            ("gifts", self.sections.gifts),
            ("newsletters", self.sections.newsletters),
        ]
        others += [
            (f"amounts-{each.amounts.currency}", each.histogram)
            for each in self.sections.currencies
        ]
        charts += [
            NamedChart(name, each.title, each.sentence, each.draw, each.is_empty)
            for name, each in others
        ]
        return charts

    def find_chart(self, name: str) -> NamedChart | None:
        return next((chart for chart in self.charts if chart.name == name), None)


@dataclass(frozen=True)
class _Figures:
    """Everything of the contents that many rows have to be read for."""

    report: Report
    earlier: Sequence[Past]


def gather_contents(
    campaign: Campaign,
    choice: Choice,
    *,
    at: datetime,
    language: str,
    links: Links | None = None,
    may_be_kept: bool = False,
) -> Contents:
    """Return the report of the chosen days at a moment, in that language.

    `links` are those that the viewer may follow; files have none. With `may_be_kept`, figures that
    took long are those of up to a minute ago; the report's `as_of` says of when.
    """
    with override(language):
        figures = _gather_figures(campaign, choice, at, language, may_be_kept)
        report = figures.report
        return Contents(
            campaign=campaign,
            report=report,
            page=describe_page(
                *(campaign, report, choice),
                language=language,
                earlier=figures.earlier,
                links=links,
            ),
            sections=describe_sections(campaign, report, language=language, links=links),
            language=language,
        )


def _gather_figures(
    campaign: Campaign, choice: Choice, at: datetime, language: str, may_be_kept: bool
) -> _Figures:
    period = choice.choose_period(campaign, at=at)
    compare, earlier = choose_compared(campaign, choice, at=at)

    def gather() -> _Figures:
        report = gather_report(
            campaign, at=at, period=period, compare=compare, earlier=earlier, language=language
        )
        goal = report.standing.primary
        chosen = find_chosen(campaign, choice)
        past = list_earlier(campaign, goal, at=at, language=language, chosen=chosen)
        return _Figures(report, past)

    if not may_be_kept:
        return gather()
    # Everything that the figures depend on, apart from the rows that are counted.
    goals = campaign.goals.order_by("pk").values_list(
        "kind", "target", "starts_from", "stretch_target", "is_primary"
    )
    asked = (
        *(campaign.pk, campaign.phase(at=at), campaign.closed_at, campaign.starts_at),
        *(campaign.ends_at, period, compare, choice.compare, earlier and earlier.pk, language),
        *goals,
    )
    digest = sha256(repr(asked).encode()).hexdigest()
    return measure_or_keep(f"report:{digest}", gather)
