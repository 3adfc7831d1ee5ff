"""Origins of the generated sales: banners in articles, newsletters, other sites.

A few articles and sites bring most, as in a real newsroom, and letters bring more on a computer.
"""

import random
from dataclasses import dataclass

from campaigns.origins import Origin

NEWSPAPER = "https://www.meridianpost.example"
STORIES = (
    ("bridge-repairs", "Who pays for the repair of eleven bridges"),
    ("night-trains", "The night trains are back, and full"),
    ("water-bill", "Why your water bill rose by a third"),
    ("school-roofs", "Forty schools, one roofer"),
    ("court-files", "A court opens its files after nine years"),
    ("harbour-loan", "The loan that the harbour never asked for"),
    ("village-doctor", "The last doctor of the valley retires"),
    ("heat-map", "The hottest streets of the city, mapped"),
    ("council-minutes", "What the council decided behind closed doors"),
    ("bread-prices", "Flour is cheaper, bread is not"),
    ("bus-drivers", "A day with the drivers of line 12"),
    ("election-posters", "Who prints the posters, and who pays"),
)
# The banner, and how often it was the one: the block inside the article brings most.
_PLACEMENTS = {"inline": 42, "end": 24, "top": 16, "": 18}
_SITES = {"": 50, "google.com": 22, "facebook.com": 12, "bsky.app": 8, "news.example.com": 5}
_SOCIAL = {"facebook.com": "facebook", "bsky.app": "bluesky"}
_LETTERS = ("morning", "weekend", "appeal")
_COUNTRIES = {"UA": 48, "DE": 17, "PL": 12, "US": 8, "CZ": 6, "FR": 5, "": 4}


@dataclass(frozen=True)
class _Draw:
    names: tuple[str, ...]
    weights: tuple[int, ...]

    def one(self, chance: random.Random) -> str:
        return chance.choices(self.names, self.weights)[0]


def _weigh(weights: dict[str, int]) -> _Draw:
    return _Draw(tuple(weights), tuple(weights.values()))


_PLACEMENT, _SITE, _COUNTRY = _weigh(_PLACEMENTS), _weigh(_SITES), _weigh(_COUNTRIES)
_STORY = _Draw(
    tuple(slug for slug, _title in STORIES),
    tuple(round(100 / rank**0.8) for rank in range(1, len(STORIES) + 1)),
)
_TITLES = dict(STORIES)


def invent_origin(chance: random.Random) -> Origin:
    """Return where one sale came from."""
    placement, country = _PLACEMENT.one(chance), _COUNTRY.one(chance)
    if not placement and chance.random() < 0.6:
        letter = chance.choice(_LETTERS)
        return Origin(
            utm_source="newsletter",
            utm_medium="email",
            utm_campaign=f"{letter}-letter",
            device="phone" if chance.random() < 0.4 else "desk",
            country=country,
        )
    site = _SITE.one(chance)
    slug = _STORY.one(chance) if placement else ""
    return Origin(
        placement=placement,
        page_url=f"{NEWSPAPER}/{slug}/" if slug else "",
        page_title=_TITLES.get(slug, ""),
        referrer=site,
        utm_source=_SOCIAL.get(site, ""),
        utm_medium="social" if site in _SOCIAL else "",
        device="phone" if chance.random() < 0.7 else "desk",
        country=country,
    )
