"""Traces of a person: addresses and names in our rows, and ids at Stripe."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import or_
from typing import Any

from auditlog.models import LogEntry as HistoryEntry
from django.contrib.admin.models import LogEntry
from django.db.models import Q, QuerySet

from campaigns.models import (
    Checkout,
    Dispute,
    Erasure,
    FormerAddress,
    Gift,
    GiftChange,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    RefundOrder,
)
from campaigns.models.erasure import address_of_erased, is_of_erased
from campaigns.people import spellings_of

# Fields in which staff write free text.
FREE_TEXTS = (
    (Membership, "note"),
    (Payment, "note"),
    (RefundOrder, "why"),
    (GiftChange, "why"),
    (Erasure, "why"),
    (OutgoingMail, "message"),
)
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ‘`´", "'"))


@dataclass(frozen=True)
class Traces:
    """A person's addresses in all spellings we may have stored, and names as they were written."""

    addresses: frozenset[str]
    names: frozenset[str] = field(default_factory=frozenset)

    def remove_from(self, text: str) -> str:
        """Replace the person's addresses and full names in a text by "…".

        Names of one word are left: many people have them.
        """
        folded, places = _fold_in_place(text)
        for found in reversed(list(self._pattern.finditer(folded))):
            start, end = places[found.start()], places[found.end() - 1] + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            text = f"{text[:start]}…{text[end:]}"
        return text

    def remove_from_log(self, text: str) -> str:
        """Remove the traces from a log message of the admin, in each text of its JSON."""
        try:
            message = json.loads(text)
            stripped = _map_texts(message, self.remove_from)
        except (ValueError, RecursionError):
            return self.remove_from(text)
        return text if stripped == message else json.dumps(stripped)

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        whole = {name for name in map(_fold, self.names) if len(name.split()) > 1}
        sought = [_whole(name) for name in sorted(whole)]
        # "ann@example.org" is neither "mary-ann@example.org" nor "ann@example.org.ua".
        sought += [
            rf"(?<!\w[.+-]){_whole(address)}(?!-\w|\.\w)" for address in sorted(self.addresses)
        ]
        return re.compile("|".join(sought) or "(?!)")

    def without_namesakes(self) -> "Traces":
        """Return the traces without names that another member has too."""
        others = Member.objects.filter(erased_at=None).exclude(email__in=self.addresses)
        taken = {_fold(name) for name in others.exclude(name="").values_list("name", flat=True)}
        return replace(
            self, names=frozenset(name for name in self.names if _fold(name) not in taken)
        )


def _whole(text: str) -> str:
    return rf"(?<!\w){re.escape(_fold(text))}(?!\w)"


def _fold(text: str) -> str:
    """Fold a text, so that accents and kinds of apostrophes don't matter."""
    return _fold_in_place(text)[0].strip()


def _fold_in_place(text: str) -> tuple[str, list[int]]:
    """Return the folded text, and the original position of each of its letters."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text.translate(_APOSTROPHES)):
        for each in unicodedata.normalize("NFKD", letter).casefold():
            bare = " " if each.isspace() else each
            if not unicodedata.combining(bare) and (bare != " " or letters[-1:] != [" "]):
                letters.append(bare)
                places.append(place)
    return "".join(letters), places


def _map_texts(value: Any, change: Callable[[str], str]) -> Any:
    match value:
        case str():
            return change(value)
        case list():
            return [_map_texts(each, change) for each in value]
        case dict():
            return {change(key): _map_texts(each, change) for key, each in value.items()}
    return value


def find_traces(member: Member) -> Traces:
    """Return the current and former addresses and names of a member; none once erased."""
    written = {member.email, *member.former_addresses.values_list("email", flat=True)}
    confirmed = Q(new_confirmed_at__isnull=False) | Q(made_at__isnull=False)
    # An address that was never confirmed may be a typo that belongs to someone else.
    written |= set(member.address_changes.filter(confirmed).values_list("email", flat=True))
    written |= set(member.checkouts.values_list("email", flat=True))
    addresses = {
        spelling
        for address in written
        if address and not is_of_erased(address)
        for spelling in spellings_of(address)
    }
    # An address that they left, or a typo that was confirmed, may belong to someone else now.
    for owned in (
        Member.objects.exclude(pk=member.pk),
        FormerAddress.objects.exclude(member=member),
    ):
        addresses -= set(owned.filter(email__in=addresses).values_list("email", flat=True))
    names = {member.name}
    names |= set(checkouts_of(member, addresses).values_list("name", flat=True))
    names |= set(member.gifts_bought.values_list("buyer_name", flat=True))
    received = Gift.objects.filter(is_any_of("recipient_email", addresses))
    names |= set(received.values_list("recipient_name", flat=True))
    return Traces(frozenset(addresses), frozenset(name.strip() for name in names if name.strip()))


def checkouts_of(member: Member, addresses: "set[str] | frozenset[str]") -> QuerySet[Checkout]:
    """Return the Checkouts they paid, and unpaid ones with one of their addresses."""
    unpaid = Q(member=None) & is_any_of("email", addresses)
    return Checkout.objects.filter(Q(member=member) | unpaid)


def is_any_of(name: str, addresses: "set[str] | frozenset[str]") -> Q:
    """Return a filter for a column that holds one of these addresses, in any case."""
    nothing = Q(pk__in=[])
    return reduce(or_, (Q(**{f"{name}__iexact": each}) for each in sorted(addresses)), nothing)


def stripe_ids_of(member: Member) -> set[str]:
    """Return the Stripe ids of everything a person bought, before or after the erasure."""
    own = Q(member=member) | Q(email=address_of_erased(member.pk))
    found: set[object] = set()
    for checkout_id, *ids in Checkout.objects.filter(own).values_list(
        "pk", "session_id", "customer_id"
    ):
        found |= {str(checkout_id), *ids}
    payments = Payment.objects.filter(member=member)
    for ids_of_payment in payments.values_list("intent_id", "charge_id", "invoice_id"):
        found |= set(ids_of_payment)
    of_payments = {"payment__member": member}
    found |= set(member.memberships.values_list("subscription_id", flat=True))
    found |= set(Refund.objects.filter(**of_payments).values_list("refund_id", flat=True))
    found |= set(RefundOrder.objects.filter(**of_payments).values_list("refund_id", flat=True))
    found |= set(Dispute.objects.filter(**of_payments).values_list("dispute_id", flat=True))
    return {str(each) for each in found if each}


def forget_mentions(traces: Traces) -> None:
    """Remove the person's addresses and names from staff's notes on all rows. Safe to repeat.

    The rest of each note stays. Rows are changed one by one, because they belong to other people
    and are locked elsewhere in another order.
    """
    traces = traces.without_namesakes()
    for model, name in FREE_TEXTS:
        rows = model._default_manager.exclude(**{name: ""}).values_list("pk", name)
        for pk, text in rows.iterator():
            if (stripped := traces.remove_from(text)) != text:
                model._default_manager.filter(pk=pk, **{name: text}).update(**{name: stripped})
    _forget_in_history(traces)
    for entry in LogEntry.objects.only("object_repr", "change_message").iterator():
        stripped_entry = {
            "object_repr": traces.remove_from(entry.object_repr),
            "change_message": traces.remove_from_log(entry.change_message),
        }
        if stripped_entry != {name: getattr(entry, name) for name in stripped_entry}:
            LogEntry.objects.filter(pk=entry.pk).update(**stripped_entry)


def _forget_in_history(traces: Traces) -> None:
    for entry in HistoryEntry.objects.order_by().iterator():
        stripped = {
            "object_repr": traces.remove_from(entry.object_repr),
            "changes_text": traces.remove_from(entry.changes_text),
            "changes": _map_texts(entry.changes, traces.remove_from),
            "additional_data": _map_texts(entry.additional_data, traces.remove_from),
            "actor_email": traces.remove_from(entry.actor_email or "") or None,
        }
        if stripped != {name: getattr(entry, name) for name in stripped}:
            HistoryEntry.objects.filter(pk=entry.pk).update(**stripped)
