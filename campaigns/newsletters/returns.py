"""Addresses that the mailing tool reports: unsubscribed, bounced or marked an issue as spam."""

import csv
import io
from dataclasses import dataclass, field
from datetime import datetime

from django.utils.translation import gettext

from campaigns.forms.lists import UnreadableList, decode_list
from campaigns.models import Newsletter, Subscription
from campaigns.newsletters.changes import end_subscription
from campaigns.people import canonical_email

LARGEST = 3_000_000  # bytes of an upload, as much as web servers let through
_DELIMITERS = (",", ";", "\t")
_ADDRESS = {"email", "email address", "address", "subscriber", "recipient"}
_NEWSLETTER = {"newsletter", "list"}
_REASON = {"reason", "status", "event", "type", "cause"}
_CAUSES = {
    Subscription.Cause.BOUNCE: ("bounce", "undeliver", "cleaned", "invalid"),
    Subscription.Cause.COMPLAINT: ("complain", "spam", "abuse"),
}
_AT_ONCE = 500


class UnreadableReturns(Exception):
    """The file can't be read; the message says why and what to do."""


@dataclass
class Outcome:
    """The result: how many subscriptions ended, and the rows that named no subscriber of ours."""

    ended: int = 0
    unchanged: int = 0
    unknown: list[int] = field(default_factory=list)  # line numbers


@dataclass(frozen=True)
class _Row:
    number: int
    address: str
    newsletter: str
    cause: Subscription.Cause


def end_returned(content: bytes, *, at: datetime, is_rehearsal: bool = False) -> Outcome:
    """End the subscriptions that a CSV file names. Safe to repeat. Raises UnreadableReturns.

    The first line has the headings. `email` is needed. Without `newsletter`, all of the address's
    subscriptions end. `reason` may say bounce or spam; otherwise the reader unsubscribed.
    """
    rows, outcome = _read_rows(content), Outcome()
    slugs = set(Newsletter.objects.values_list("slug", flat=True))
    for row in rows:
        if row.newsletter and row.newsletter not in slugs:
            sentence = gettext(
                "Line %(number)d: there is no newsletter “%(name)s”. Write its short name, or "
                "leave the column out to end all subscriptions of an address."
            )
            raise UnreadableReturns(sentence % {"number": row.number, "name": row.newsletter[:50]})
    for first in range(0, len(rows), _AT_ONCE):
        _end_batch(rows[first : first + _AT_ONCE], outcome, at=at, is_rehearsal=is_rehearsal)
    return outcome


def end_reported(address: str, *, newsletter: str = "", reason: str = "", at: datetime) -> Outcome:
    """End the subscriptions of one address. Safe to repeat. Raises Newsletter.DoesNotExist."""
    if newsletter and newsletter not in set(Newsletter.objects.values_list("slug", flat=True)):
        raise Newsletter.DoesNotExist
    outcome = Outcome()
    row = _Row(1, canonical_email(address), newsletter, _read_cause(reason))
    _end_batch([row], outcome, at=at, is_rehearsal=False)
    return outcome


def _end_batch(rows: list[_Row], outcome: Outcome, *, at: datetime, is_rehearsal: bool) -> None:
    found: dict[str, list[Subscription]] = {}
    named = Subscription.objects.filter(email__in={row.address for row in rows})
    for each in named.select_related("newsletter"):
        found.setdefault(each.email, []).append(each)
    for row in rows:
        own = [
            each
            for each in found.get(row.address, ())
            if not row.newsletter or each.newsletter.slug == row.newsletter
        ]
        if not own:
            outcome.unknown.append(row.number)
        for each in own:
            is_open = each.status != Subscription.Status.UNSUBSCRIBED
            if is_open and (is_rehearsal or end_subscription(each, cause=row.cause, at=at)):
                outcome.ended += 1
            else:
                outcome.unchanged += 1


def _read_rows(content: bytes) -> list[_Row]:
    try:
        text = decode_list(content)
    except UnreadableList as error:
        raise UnreadableReturns(str(error.text)) from error
    if "\0" in text:
        raise UnreadableReturns(
            gettext(
                "We can’t read the characters in this file. Save it as “CSV UTF-8” and try again."
            )
        )
    first_line = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(_DELIMITERS, key=first_line.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[_Row] = []
    places: dict[str, int] = {}
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not places:
                places = _find_columns(cells)
            elif (row := _read_row(reader.line_num, cells, places)) is not None:
                rows.append(row)
    except csv.Error as error:
        sentence = gettext("Line %(number)d can’t be read. Save the file as “CSV UTF-8”.")
        raise UnreadableReturns(sentence % {"number": reader.line_num}) from error
    if not places:
        raise UnreadableReturns(gettext("This file is empty."))
    return rows


def _find_columns(headings: list[str]) -> dict[str, int]:
    plain = [" ".join(each.lower().replace("_", " ").replace("-", "").split()) for each in headings]
    places = {
        name: position
        for name, known in (("email", _ADDRESS), ("newsletter", _NEWSLETTER), ("reason", _REASON))
        for position, heading in reversed(list(enumerate(plain)))
        if heading in known
    }
    if "email" not in places:
        raise UnreadableReturns(
            gettext("The first line has to name the columns. One of them has to be “email”.")
        )
    return places


def _read_row(number: int, cells: list[str], places: dict[str, int]) -> _Row | None:
    def pick(name: str) -> str:
        place = places.get(name, -1)
        return cells[place].strip() if 0 <= place < len(cells) else ""

    address = canonical_email(pick("email").removeprefix("'"))
    cause = _read_cause(pick("reason"))
    return _Row(number, address, pick("newsletter"), cause) if address.strip("@") else None


def _read_cause(reason: str) -> Subscription.Cause:
    found = (cause for cause, words in _CAUSES.items() if any(w in reason.lower() for w in words))
    return next(found, Subscription.Cause.TOOL)
