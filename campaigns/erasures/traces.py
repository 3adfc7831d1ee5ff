"""What a person is known by: addresses and names in our rows, and ids at Stripe."""

import json
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from operator import or_
from typing import Any

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
    Payment,
    Refund,
    RefundOrder,
)
from campaigns.models.erasure import address_of_erased, is_of_erased
from campaigns.models.member import canonical_email

# Where staff write what they like.
FREE_TEXTS = (
    (Membership, "note"),
    (Payment, "note"),
    (RefundOrder, "why"),
    (GiftChange, "why"),
    (Erasure, "why"),
)
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ‘`´", "'"))


@dataclass(frozen=True)
class Traces:
    """All addresses in their canonical form, all names as they were written."""

    addresses: frozenset[str]
    names: frozenset[str] = field(default_factory=frozenset)

    def taken_out_of(self, text: str) -> str:
        """The text with "…" where it names the person by an address or by the full name.

        A name of one word is many people's: it says nothing.
        """
        folded, places = _fold_in_place(text)
        for found in reversed(list(self._pattern.finditer(folded))):
            start, end = places[found.start()], places[found.end() - 1] + 1
            while end < len(text) and unicodedata.combining(text[end]):
                end += 1
            text = f"{text[:start]}…{text[end:]}"
        return text

    def taken_out_of_log(self, text: str) -> str:
        """The same of what the admin writes of a change: JSON, of which each text is read alone."""
        try:
            told = json.loads(text)
            left = _map_texts(told, self.taken_out_of)
        except (ValueError, RecursionError):
            return self.taken_out_of(text)
        return text if left == told else json.dumps(left)

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
        """A name that somebody else has, too, tells of neither."""
        others = Member.objects.filter(erased_at=None).exclude(email__in=self.addresses)
        taken = {_fold(name) for name in others.exclude(name="").values_list("name", flat=True)}
        return replace(
            self, names=frozenset(name for name in self.names if _fold(name) not in taken)
        )


def _whole(text: str) -> str:
    return rf"(?<!\w){re.escape(_fold(text))}(?!\w)"


def _fold(text: str) -> str:
    """So that a name is found with or without its accents, with either apostrophe."""
    return _fold_in_place(text)[0].strip()


def _fold_in_place(text: str) -> tuple[str, list[int]]:
    """The folded text, and of each of its letters where it stood."""
    letters: list[str] = []
    places: list[int] = []
    for place, letter in enumerate(text.translate(_APOSTROPHES)):
        for each in unicodedata.normalize("NFKD", letter).casefold():
            bare = " " if each.isspace() else each
            if not unicodedata.combining(bare) and (bare != " " or letters[-1:] != [" "]):
                letters.append(bare)
                places.append(place)
    return "".join(letters), places


def _map_texts(told: Any, change: Callable[[str], str]) -> Any:
    match told:
        case str():
            return change(told)
        case list():
            return [_map_texts(each, change) for each in told]
        case dict():
            return {change(key): _map_texts(each, change) for key, each in told.items()}
    return told


def find_traces(member: Member) -> Traces:
    """What a person is, and was, known by. Of an erased one nothing is left to find."""
    written = {member.email, *member.former_addresses.values_list("email", flat=True)}
    confirmed = Q(new_confirmed_at__isnull=False) | Q(made_at__isnull=False)
    # One that they never confirmed may be a slip, and somebody else's.
    written |= set(member.address_changes.filter(confirmed).values_list("email", flat=True))
    written |= set(member.checkouts.values_list("email", flat=True))
    addresses = {
        canonical_email(address) for address in written if address and not is_of_erased(address)
    }
    # One that they left, or that was confirmed to them by a slip, may be somebody else's now.
    for owned in (
        Member.objects.exclude(pk=member.pk),
        FormerAddress.objects.exclude(member=member),
    ):
        addresses -= set(owned.filter(email__in=addresses).values_list("email", flat=True))
    names = {member.name}
    names |= set(checkouts_of(member, addresses).values_list("name", flat=True))
    names |= set(member.gifts_bought.values_list("buyer_name", flat=True))
    got = Gift.objects.filter(is_any_of("recipient_email", addresses))
    names |= set(got.values_list("recipient_name", flat=True))
    return Traces(frozenset(addresses), frozenset(name.strip() for name in names if name.strip()))


def checkouts_of(member: Member, addresses: "set[str] | frozenset[str]") -> QuerySet[Checkout]:
    """What they paid, and what was begun under one of their addresses and never paid."""
    unpaid = Q(member=None) & is_any_of("email", addresses)
    return Checkout.objects.filter(Q(member=member) | unpaid)


def is_any_of(name: str, addresses: "set[str] | frozenset[str]") -> Q:
    """A column that holds one of these addresses, however it is written."""
    none_of_them = Q(pk__in=[])
    return reduce(or_, (Q(**{f"{name}__iexact": each}) for each in sorted(addresses)), none_of_them)


def stripe_ids_of(member: Member) -> set[str]:
    """By what Stripe and its events name what a person bought, before and after the erasure."""
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
    """Take the person out of what staff wrote on anybody's rows; safe to repeat.

    Only the words that name them, for a name may be made of words that all notes have. Each row
    by itself, since these are other people's, whose locks are taken in an order of their own.
    """
    traces = traces.without_namesakes()
    for model, name in FREE_TEXTS:
        rows = model._default_manager.exclude(**{name: ""}).values_list("pk", name)
        for pk, text in rows.iterator():
            if (left := traces.taken_out_of(text)) != text:
                model._default_manager.filter(pk=pk, **{name: text}).update(**{name: left})
    for entry in LogEntry.objects.only("object_repr", "change_message").iterator():
        left_of = {
            "object_repr": traces.taken_out_of(entry.object_repr),
            "change_message": traces.taken_out_of_log(entry.change_message),
        }
        if left_of != {name: getattr(entry, name) for name in left_of}:
            LogEntry.objects.filter(pk=entry.pk).update(**left_of)
