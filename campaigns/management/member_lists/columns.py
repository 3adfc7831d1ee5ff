"""The columns of a list of members, by the headings that other systems write."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from campaigns.management.member_lists.tables import Table

FIELDS = ("email", "name", "first name", "last name", "since", "until", "tier")
NEEDED = ("email", "since")

# Headings as Ghost, Memberful, WooCommerce, Mailchimp, Steady and people write them, normalised.
# The first one that a file has is used.
HEADINGS: dict[str, tuple[str, ...]] = {
    "email": (
        *("email", "e mail", "email address", "e mail address", "member email", "customer email"),
        *("user email", "billing email", "mail", "електронна пошта", "пошта", "електронна адреса"),
    ),
    "name": (
        *("name", "full name", "member name", "customer name", "display name"),
        *("імя та прізвище", "прізвище та імя", "піб"),
    ),
    "first name": (
        *("first name", "given name", "member first name", "customer first name"),
        *("billing first name", "vorname", "імя"),
    ),
    "last name": (
        *("last name", "surname", "family name", "member last name", "customer last name"),
        *("billing last name", "nachname", "прізвище"),
    ),
    "since": (
        *("since", "member since", "subscribed at", "subscription created at", "start date"),
        *("started at", "joined at", "joined", "join date", "date joined", "created at", "created"),
        *("signup date", "registration date", "optin time", "confirm time"),
        *("учасник з", "дата початку", "початок"),
    ),
    "until": (
        *("until", "expires at", "expires", "expiration date", "expiry date", "expiration"),
        *("membership expiration", "valid until", "end date", "ends at"),
        *("дата завершення", "діє до"),
    ),
    "tier": (
        *("tier", "tiers", "plan", "plan name", "membership plan", "subscription plan"),
        *("membership level", "level", "тариф", "stripe customer id"),
    ),
}
_APOSTROPHES = re.compile(r"[’'ʼ`]")
_SPACES = re.compile(r"[\s_.\-]+")
_SEVERAL = re.compile(r"[,;|]")
_FREE = {"", "free", "none"}


class UnknownColumns(Exception):
    """The columns aren't as they should be; the message says what to do."""


@dataclass(frozen=True)
class Columns:
    """The position of each field, and the conditions of `--only`: position and values."""

    headings: list[str]
    positions: dict[str, int]
    only: dict[int, frozenset[str]] = field(default_factory=dict)

    def pick(self, cells: Sequence[str], name: str) -> str:
        """Return the cell of a field; empty if the file has no such column."""
        position = self.positions.get(name)
        return "" if position is None or position >= len(cells) else cells[position]

    def heading_of(self, name: str) -> str:
        position = self.positions.get(name)
        return "" if position is None else self.headings[position]

    def are_wanted(self, cells: Sequence[str]) -> bool:
        """Return whether a line meets each condition: one of its values, or any value."""
        for position, values in self.only.items():
            found = _split_values(cells[position] if position < len(cells) else "")
            if not (found & values if values else found - _FREE):
                return False
        return True

    @property
    def unused(self) -> list[str]:
        used = {*self.positions.values(), *self.only}
        return [each for at, each in enumerate(self.headings) if each and at not in used]


def find_columns(table: Table, *, chosen: Iterable[str] = (), only: Iterable[str] = ()) -> Columns:
    """Return the columns of a table. Raises UnknownColumns.

    `chosen` has items like "since=created_at", `only` like "tiers=Gold" or "tiers".
    """
    headings = table.headings
    positions = _known(headings) | dict(_read_choice(headings, text) for text in chosen)
    if missing := [name for name in NEEDED if name not in positions]:
        raise UnknownColumns(
            f"There is no column {' and '.join(missing)}. The columns are: {_list(headings)}. "
            f"Choose one with --column {missing[0]}=HEADING."
        )
    conditions: dict[int, frozenset[str]] = {}
    for text in only:
        heading, _, value = text.partition("=")
        position = positions.get(heading.strip().casefold())
        if position is None:
            position = _find(headings, heading)
        conditions[position] = conditions.get(position, frozenset()) | _split_values(value) - _FREE
    return Columns(headings, positions, conditions)


def count_free(table: Table, columns: Columns) -> int:
    """Return the number of lines without a tier if others have one and `--only` isn't used."""
    position = columns.positions.get("tier")
    if position is None or columns.only:
        return 0
    free = sum(not _split_values(columns.pick(line.cells, "tier")) - _FREE for line in table.lines)
    return free if free < len(table.lines) else 0


def _known(headings: list[str]) -> dict[str, int]:
    normal = [_normalise(heading) for heading in headings]
    positions = {}
    for name, known in HEADINGS.items():
        for heading in known:
            if normal.count(heading) > 1:
                raise UnknownColumns(f"There are two columns {heading}. Rename or delete one.")
            if heading in normal:
                positions[name] = normal.index(heading)
                break
    return positions


def _read_choice(headings: list[str], text: str) -> tuple[str, int]:
    name, separator, heading = text.partition("=")
    name = _normalise(name)
    if name not in FIELDS or not separator:
        raise UnknownColumns(
            f"--column {text} is not valid. Write FIELD=HEADING; the fields are {_list(FIELDS)}."
        )
    return name, _find(headings, heading)


def _find(headings: list[str], heading: str) -> int:
    normal = [_normalise(each) for each in headings]
    if normal.count(_normalise(heading)) != 1:
        raise UnknownColumns(
            f"There is no column “{heading.strip()}”, or more than one. The columns are: "
            f"{_list(headings)}."
        )
    return normal.index(_normalise(heading))


def _normalise(heading: str) -> str:
    return _SPACES.sub(" ", _APOSTROPHES.sub("", heading)).strip().casefold()


def _split_values(cell: str) -> frozenset[str]:
    return frozenset(value.strip().casefold() for value in _SEVERAL.split(cell))


def _list(names: Iterable[str]) -> str:
    return ", ".join(name for name in names if name) or "none"
