"""One search across people, purchases, payments, gifts and Stripe's ids, for staff.

It answers "I paid and got nothing": the person who asks knows a name, an address, an amount and a
day, a claim code, or an id from a bank or from Stripe. Each kind of text is looked for where it can
be.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any

from django.db.models import Model, Q, QuerySet
from django.utils import timezone

from campaigns.models import (
    Checkout,
    Dispute,
    FormerAddress,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    RefundOrder,
    ReplacedCode,
    StripeEvent,
    StripeSale,
    Tally,
    is_about,
    with_state,
)
from campaigns.models.codes import CODE_LENGTH, HINT_LENGTH, normalise_code, possible_hashes
from campaigns.people import canonical_email, clean_name

LONGEST = 200  # characters of a search
MOST = 20  # rows of each kind
MOST_RELATED = 500  # rows of another table that a row may belong to

_STRIPE_ID = re.compile(r"[a-z]{2,7}_(?:test_|live_)?\w{6,}", re.ASCII)
_ISO_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DOTTED_DAY = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})")
_LAST_FOUR = re.compile(r"[0-9]{4}")
_AMOUNT = re.compile(r"\d{1,9}(?:[.,]\d{1,3})?")
# Currencies have no, two or three decimal places.
_PLACES = (0, 2, 3)


@dataclass(frozen=True)
class Found:
    """The rows that match, the newest first; at most MOST of each kind."""

    query: str
    people: list[Member] = field(default_factory=list)
    payments: list[Any] = field(default_factory=list)  # Payment with `state`
    purchases: list[Checkout] = field(default_factory=list)
    gifts: list[Gift] = field(default_factory=list)
    events: list[StripeEvent] = field(default_factory=list)

    @property
    def rows(self) -> list[Model]:
        return [*self.people, *self.payments, *self.purchases, *self.gifts, *self.events]


# The models whose lists are searched by the same rules.
SEARCHED = frozenset(
    {
        *(Member, Membership, Payment, Checkout, Gift, Tally, Refund, RefundOrder, Dispute),
        *(OutgoingMail, StripeEvent, StripeSale),
    }
)

# What finds the rows of each model; a function if looking that up takes queries of its own. A model
# without an entry has none.
Wanted = dict[type[Model], Q | Callable[[], Q]]


def search_everything(typed: str) -> Found:
    """Return what matches the text as staff typed it; nothing for an empty text."""
    query = clean_search(typed)
    wanted = read_search(query)
    return Found(
        query,
        people=_newest(Member.objects.prefetch_related("memberships"), wanted, "-created_at"),
        payments=_newest(
            with_state(
                Payment.objects.select_related("member", "membership").prefetch_related(
                    "gifts", "member__memberships"
                )
            ),
            wanted,
            "-paid_at",
        ),
        purchases=_newest(
            Checkout.objects.select_related("member", "price__plan", "campaign"),
            wanted,
            "-created_at",
        ),
        gifts=_newest(Gift.objects.select_related("buyer", "claimed_by"), wanted, "-paid_at"),
        events=_newest(StripeEvent.objects.defer("payload"), wanted, "-received_at"),
    )


def clean_search(typed: str) -> str:
    """Return the text without what can't be printed, and not longer than LONGEST."""
    return clean_name("".join(letter for letter in typed[:LONGEST] if letter.isprintable()))


def find_wanted(query: str, model: type[Model]) -> Q | None:
    """Return what a cleaned text of a search means for a model; None if it finds no row of it."""
    return _find(read_search(query), model)


def _find(wanted: Wanted, model: type[Model]) -> Q | None:
    found = wanted.get(model)
    return found() if callable(found) else found


def read_search(query: str) -> Wanted:
    """Return what a cleaned text of a search means for each model.

    Related rows are looked up first, at most MOST_RELATED: the database then finds each model's
    rows by indexes of its own table.
    """
    if not query:
        return {}
    if "@" in query:
        return _read_address(query)
    if _STRIPE_ID.fullmatch(query):
        return _read_stripe_id(query)
    code = normalise_code(query)
    if len(code) == CODE_LENGTH and any(letter.isdigit() for letter in code):
        hashes = possible_hashes(query)
        replaced = ReplacedCode.objects.filter(code_hash__in=hashes).values("gift")
        gifts = [
            *_keys(Gift.objects.filter(code_hash__in=hashes)),
            *_keys(Gift.objects.filter(pk__in=replaced)),
        ]
        if gifts:
            return {Gift: Q(pk__in=gifts), OutgoingMail: Q(gift__in=gifts)}
    if sale := _read_sale(query):
        return {Payment: sale}
    return _read_name(query)


def _read_address(query: str) -> Wanted:
    """Find the person who has or had the address, and what was bought with it or for it."""
    address = canonical_email(query)
    member = Member.objects.find(address)
    bought = _keys(Checkout.objects.filter(email=address))
    if member is None:
        people = _keys(Member.objects.filter(email__startswith=address))
        return _of_people(people) | {
            Payment: Q(checkout__in=bought) | Q(member__in=people),
            Checkout: Q(email=address),
            Gift: Q(recipient_email=address) | Q(buyer__in=people),
            OutgoingMail: lambda: Q(checkout__in=bought) | _mails_of(people),
            StripeSale: Q(email=address),
        }
    return _of_people([member.pk]) | {
        Payment: Q(member=member) | Q(checkout__in=bought),
        Checkout: Q(email=address) | Q(member=member),
        Gift: Q(recipient_email=address) | Q(buyer=member) | Q(claimed_by=member),
        OutgoingMail: lambda: _mails_of([member.pk]) | Q(checkout__in=bought),
        StripeSale: Q(email=address),
    }


def _read_stripe_id(query: str) -> Wanted:
    memberships = Membership.objects.filter(subscription_id=query)
    own = _keys(memberships)
    purchases = _keys(
        Checkout.objects.filter(
            Q(session_id=query) | Q(subscription_id=query) | Q(customer_id=query)
        )
    )
    buyers = Checkout.objects.filter(pk__in=purchases, customer_id=query).values("member")
    payments = [
        *_keys(
            Payment.objects.filter(Q(intent_id=query) | Q(charge_id=query) | Q(membership__in=own))
        ),
        *_keys(Payment.objects.exclude(invoice_id="").filter(invoice_id=query)),
        *Refund.objects.filter(refund_id=query).values_list("payment", flat=True),
        *Dispute.objects.filter(dispute_id=query).values_list("payment", flat=True),
    ]
    return {
        Member: Q(pk__in=buyers) | Q(pk__in=memberships.values("member")),
        Membership: Q(pk__in=own),
        Payment: Q(pk__in=payments),
        Checkout: Q(pk__in=purchases),
        Refund: Q(payment__in=payments),
        Dispute: Q(payment__in=payments),
        RefundOrder: Q(refund_id=query) | Q(payment__in=payments),
        Tally: Q(payment__in=payments),
        StripeEvent: Q(event_id=query) | Q(object_id=query),
        StripeSale: Q(subscription_id=query) | Q(customer_id=query),
        OutgoingMail: Q(payment__in=payments) | Q(provider_id=query),
    }


def _read_name(query: str) -> Wanted:
    code = Q(code_hint=normalise_code(query)) if len(query) == HINT_LENGTH else Q()
    gifts = Q(recipient_name__icontains=query) | Q(buyer_name__icontains=query)
    people = _people_like(query)
    return _of_people(people) | {
        Member: _is_like(query),
        Checkout: Q(name__icontains=query, member=None) | Q(member__in=people),
        Gift: gifts | Q(claimed_by__in=people) | (code if code else Q(pk__in=[])),
        RefundOrder: Q(payment__member__in=people) | Q(why__icontains=query),
        StripeSale: Q(email__icontains=query),
    }


def _of_people(people: list[int]) -> Wanted:
    """Return what belongs to these members."""
    return {
        Member: Q(pk__in=people),
        Membership: Q(member__in=people),
        Payment: Q(member__in=people),
        Refund: Q(payment__member__in=people),
        Dispute: Q(payment__member__in=people),
        RefundOrder: Q(payment__member__in=people),
        Tally: Q(member__in=people),
        OutgoingMail: lambda: _mails_of(people),
    }


def _mails_of(people: list[int]) -> Q:
    """Return the e-mails about these members, their payments, memberships and purchases."""
    found = Q(member__in=people)
    for row in ("payment", "membership", "checkout", "gift"):
        found |= is_about(row, of=people, most=MOST_RELATED)
    return found


def _is_like(query: str) -> Q:
    former = FormerAddress.objects.filter(email__startswith=query.lower()).values("member")
    return Q(name__icontains=query) | Q(email__icontains=query) | Q(pk__in=list(former[:MOST]))


def _people_like(query: str) -> list[int]:
    return _keys(Member.objects.filter(_is_like(query)))


def _keys(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.order_by().values_list("pk", flat=True)[:MOST_RELATED])


def _read_sale(query: str) -> Q | None:
    """Return what finds payments of an amount, a day or a card's last digits; None if it is none.

    Four digits alone may be an amount as well.
    """
    digits = Q()
    amounts: list[int] = []
    days: list[date] = []
    for word in re.split(r"[\s,;]+(?!\d)|\s+", query):
        bare = word.strip("€$£₴ ")
        day = _read_day(bare)
        if day is not None:
            days.append(day)
        elif _AMOUNT.fullmatch(bare):
            if _LAST_FOUR.fullmatch(bare):
                digits &= Q(last4=bare) | Q(amount_minor__in=_list_minor(bare))
            else:
                amounts += _list_minor(bare)
        else:
            return None
    found = digits
    if amounts:
        found &= Q(amount_minor__in=amounts)
    if days:
        found &= _on_day(days[0])
    return found or None


def _read_day(text: str) -> date | None:
    iso, dotted = _ISO_DAY.fullmatch(text), _DOTTED_DAY.fullmatch(text)
    try:
        if iso:
            return date(*map(int, iso.groups()))
        if dotted:
            day, month, year = map(int, dotted.groups())
            return date(year, month, day)
    except ValueError:
        return None
    return None


def _list_minor(text: str) -> list[int]:
    """Return the amount in minor units of each kind of currency."""
    whole, _, decimals = text.replace(",", ".").partition(".")
    return [
        int(whole + decimals.ljust(places, "0")) for places in _PLACES if len(decimals) <= places
    ]


def _on_day(day: date) -> Q:
    """Return payments made on that day of the newsroom."""
    start = timezone.make_aware(datetime.combine(day, time.min), timezone.get_default_timezone())
    end = datetime.combine(day + timedelta(days=1), time.min)
    return Q(
        paid_at__gte=start, paid_at__lt=timezone.make_aware(end, timezone.get_default_timezone())
    )


def _newest(rows: QuerySet[Any], wanted: Wanted, order: str) -> list[Any]:
    """Return the newest rows that match; at most MOST.

    They are chosen before anything else about them is read: joined with it, the database would
    first prepare for all that match.
    """
    found = _find(wanted, rows.model)
    if found is None:
        return []
    chosen = rows.model._default_manager.filter(found).order_by(order, "-pk")
    newest = list(chosen.values_list("pk", flat=True)[:MOST])
    return list(rows.filter(pk__in=newest).order_by(order, "-pk")) if newest else []
