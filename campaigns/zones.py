"""The world's time zones as choices by region and city, each with its offset: Kyiv (UTC+2)."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global
from django.utils.translation import gettext, override
from django.utils.translation import gettext_noop as _

from campaigns.dates import write_offset
from campaigns.languages import find_locale

REGIONS = {
    "Europe": _("Europe"),
    "America": _("America"),
    "Asia": _("Asia"),
    "Africa": _("Africa"),
    "Australia": _("Australia"),
    "Pacific": _("Pacific"),
    "Atlantic": _("Atlantic"),
    "Indian": _("Indian Ocean"),
    "Antarctica": _("Antarctica"),
    "Arctic": _("Arctic"),
}
Choices = list[tuple[str, list[tuple[str, str]]]]


def zone_choices(language: str, *, at: datetime) -> Choices:
    """Return each zone once, with its offset at that moment."""
    return _list_zones(language, at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0))


@lru_cache(maxsize=8)
def _list_zones(language: str, at: datetime) -> Choices:
    return [
        (region, [(zone, _with_offset(zone, city, at)) for zone, city in cities])
        for region, cities in _list_cities(language)
    ]


def with_zone(choices: Choices, zone: str) -> Choices:
    """Return the choices plus `zone` if it is missing: a campaign may use an old name."""
    if any(zone == known for _region, zones in choices for known, _city in zones):
        return choices
    return [*choices, (zone, [(zone, zone)])]


def name_zone(zone: str, language: str, *, at: datetime) -> str:
    """Return a zone's city and its offset at that moment: Istanbul (UTC+3)."""
    cities = dict(city for _region, cities in _list_cities(language) for city in cities)
    return _with_offset(zone, cities.get(zone, zone), at)


def _with_offset(zone: str, city: str, at: datetime) -> str:
    offset = write_offset(at.astimezone(ZoneInfo(zone)))
    return city if city == offset else f"{city} ({offset})"


@lru_cache(maxsize=8)
def _list_cities(language: str) -> Choices:
    """Return each zone once, under its current IANA name: Europe/Kyiv, not Europe/Kiev."""
    old_names: dict[str, list[str]] = {}
    for old, new in get_global("zone_aliases").items():
        old_names.setdefault(new, []).append(old)
    cities = find_locale(language).time_zones
    zones = available_timezones() - set(get_global("zone_aliases"))
    choices = []
    for region, name in REGIONS.items():
        known = [
            (zone, _name_city([zone, *old_names.get(zone, [])], cities))
            for zone in zones
            if zone.startswith(f"{region}/")
        ]
        with override(language):
            choices.append((gettext(name), sorted(known, key=lambda choice: choice[1])))
    return [*choices, ("UTC", [("UTC", "UTC")])]


def _name_city(names: list[str], cities: Mapping[str, Any]) -> str:
    """Return the city's name in the language; some locale data use the zone's old names."""
    translated = (cities[name]["city"] for name in names if "city" in cities.get(name, {}))
    return str(next(translated, names[0].rpartition("/")[2].replace("_", " ")))
