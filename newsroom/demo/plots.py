"""Plots: the campaigns that `generator.py` makes, and how their days differ."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from campaigns.models import Campaign

CURRENCIES = ("eur",) * 17 + ("usd",) * 2 + ("uah",)


@dataclass(frozen=True)
class Plot:
    """A campaign to generate: its name in each language, and how its days differ."""

    slug: str
    names: dict[str, str]
    starts_at: datetime
    days: int
    target: int
    opening: float = 3.0  # times an ordinary day, on the first day
    closing: float = 1.6  # times an ordinary day more, on the last day
    notes: tuple[tuple[int, str], ...] = ()
    currencies: Sequence[str] = ("eur",)

    @property
    def ends_at(self) -> datetime:
        return self.starts_at + timedelta(days=self.days)


def plot_campaigns(number: int, *, now: datetime, zone: str) -> list[Plot]:
    """Return that many campaigns over two years, the last one running for 20 of its 30 days."""
    kinds = (
        ("birthday", "Birthday campaign", "Кампанія до дня народження", 30, 3.0, 1.6),
        ("appeal", "Reader appeal", "Звернення до читачів", 14, 4.0, 2.5),
        ("investigations", "Fund for investigations", "Фонд розслідувань", 21, 2.5, 1.2),
    )
    local = now.astimezone(ZoneInfo(zone)).date()
    plots = []
    for at in range(number):
        name, english, ukrainian, days, opening, closing = kinds[at % len(kinds)]
        back = 20 + round(at * 700 / max(number - 1, 1))
        day = local - timedelta(days=back)
        plots.append(
            Plot(
                slug=f"{name}-{day:%Y-%m}",
                names={"en": f"{english} {day:%Y}", "uk": f"{ukrainian} {day:%Y}"},
                starts_at=datetime.combine(day, time(), ZoneInfo(zone)),
                days=days if at else 30,
                target=0,
                opening=opening,
                closing=closing,
                currencies=CURRENCIES,
            )
        )
    return plots[::-1]


def plot_earlier(campaign: Campaign) -> list[tuple[Plot, int]]:
    """Return two campaigns before the demo's own, each with its number of payments."""
    begin = campaign.starts_at.astimezone(campaign.zone_info)
    second = Plot(
        slug="second-birthday",
        names={"en": "Our second birthday", "uk": "Наш другий день народження"},
        starts_at=begin - timedelta(days=364),
        days=30,
        target=400,
        notes=((0, "Newsletter sent"), (12, "Appeal on the front page"), (28, "Last call")),
    )
    fund = Plot(
        slug="investigations",
        names={"en": "Fund for investigations", "uk": "Фонд розслідувань"},
        starts_at=begin - timedelta(days=210),
        days=21,
        target=250,
        opening=4.0,
        closing=2.5,
        notes=((0, "Newsletter sent"), (14, "Radio interview")),
    )
    return [(second, 1500), (fund, 600)]
