"""Our rows of a person, stripped in one transaction, in the lock order that all code uses."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict
from datetime import datetime
from typing import Any

from auditlog.models import LogEntry as HistoryEntry
from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.db.models import Q, TextField
from django.db.models.functions import Cast

from campaigns import deliveries, gifts, newsletters
from campaigns.erasures.traces import Traces, checkouts_of, find_traces, is_any_of
from campaigns.erasures.walls import take_off_walls
from campaigns.models import (
    Checkout,
    ErasedAddress,
    Erasure,
    Gift,
    GiftChange,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    RefundOrder,
    StripeSale,
    is_about,
)
from campaigns.models.erasure import address_of_erased, hash_erased
from campaigns.origins import Origin
from campaigns.people import canonical_email

_TRIES = 5
# Typed fields that are still needed to create a gift once the bank has paid.
_RECIPIENT_FIELDS = ("recipient_name", "recipient_email", "deliver_at", "zone")
_PERSONAL_FIELDS = ("recipient_name", "recipient_email", "message")


class StillOpen(Exception):
    """A purchase of the member can still be paid or renews, and has to end first."""


class _RowsChanged(Exception):
    """A Checkout or a gift was added before the member was locked."""


def strip_rows(member_id: int, *, at: datetime) -> None:
    """Remove all personal data of a member from our rows. Safe to repeat. Raises StillOpen."""
    for _try in range(_TRIES):
        with suppress(_RowsChanged), transaction.atomic():
            _strip(member_id, at=at)
            return
    raise StillOpen


def _strip(member_id: int, *, at: datetime) -> None:
    known = Member.objects.get(pk=member_id)
    if known.erased_at is not None:
        return
    traces = find_traces(known)
    member, checkouts, related_gifts = _lock_all(known, traces)
    own = [each for each in checkouts if _is_own(each, member, traces)]
    if any(each.status == Checkout.Status.OPEN for each in own) or _has_running(member):
        raise StillOpen
    received = [gift for gift in related_gifts if _is_received(gift, member, traces)]
    for checkout in checkouts:
        _strip_typed(checkout, received, traces, is_own=checkout in own)
        if checkout in own:
            _strip_own(checkout, member, traces)
        checkout.version += 1
        checkout.save()
    Gift.objects.filter(pk__in=[gift.pk for gift in related_gifts], buyer=member).update(
        buyer_name="", message=""
    )
    for gift in received:
        gifts.forget_recipient(gift)
    _strip_texts(member, related_gifts, received)
    _strip_person(member, traces, at=at)
    orders = RefundOrder.objects.filter(payment__member=member)
    about = [*member.memberships.all(), *member.payments.all(), *orders]
    _strip_history([member, member.erasure, *own, *related_gifts, *about])


def _lock_all(known: Member, traces: Traces) -> tuple[Member, list[Checkout], list[Gift]]:
    """Lock Checkouts, gifts, the member, memberships. Raises _RowsChanged if rows were added."""
    checkouts: list[Checkout] = _lock(_find_checkouts(known, traces).order_by("pk"))
    related_gifts: list[Gift] = _lock(
        _find_gifts(known, traces).order_by("checkout_id", "position")
    )
    [member] = _lock(Member.objects.filter(pk=known.pk))
    _lock(member.memberships.order_by("pk"))  # an extended membership is older
    if (
        member.erased_at is not None
        or find_traces(member) != traces
        or _pks(_find_checkouts(member, traces)) != {each.pk for each in checkouts}
        or _pks(_find_gifts(member, traces)) != {each.pk for each in related_gifts}
    ):
        raise _RowsChanged
    return member, checkouts, related_gifts


def _lock(rows: "models.QuerySet[Any]") -> list[Any]:
    return list(rows.select_for_update(of=("self",), no_key=True))


def _pks(rows: "models.QuerySet[Any]") -> set[Any]:
    return set(rows.values_list("pk", flat=True))


def _has_running(member: Member) -> bool:
    subscriptions = member.memberships.exclude(subscription_id=None)
    return subscriptions.exclude(status=Membership.Status.ENDED).exists()


def _find_checkouts(member: Member, traces: Traces) -> "models.QuerySet[Checkout]":
    """Return their own Checkouts, and those of gifts to them, paid or not."""
    text = Cast("typed", TextField())
    named = is_any_of("gifts__recipient_email", traces.addresses) | Q(gifts__claimed_by=member)
    for address in traces.addresses:
        named |= Q(typed_text__icontains=address) | Q(typed_text__icontains=_escaped(address))
    of_buyers = Checkout.objects.alias(typed_text=text).filter(named).values("pk")
    own = checkouts_of(member, traces.addresses).values("pk")
    return Checkout.objects.filter(Q(pk__in=own) | Q(pk__in=of_buyers))


def _escaped(address: str) -> str:
    """Return the form in SQLite's JSON, where characters outside ASCII are escaped."""
    return address.encode("ascii", "backslashreplace").decode()


def _find_gifts(member: Member, traces: Traces) -> "models.QuerySet[Gift]":
    received = is_any_of("recipient_email", traces.addresses) | Q(claimed_by=member)
    return Gift.objects.filter(received | Q(buyer=member))


def _is_own(checkout: Checkout, member: Member, traces: Traces) -> bool:
    if checkout.member_id is not None:
        return checkout.member_id == member.pk
    return canonical_email(checkout.email) in traces.addresses


def _is_received(gift: Gift, member: Member, traces: Traces) -> bool:
    """Return whether the gift was for them or claimed by them, so that its recipient goes."""
    return (
        gift.claimed_by_id == member.pk or canonical_email(gift.recipient_email) in traces.addresses
    )


def _strip_own(checkout: Checkout, member: Member, traces: Traces) -> None:
    checkout.email = address_of_erased(member.pk)
    checkout.name = checkout.session_url = ""
    # It says where a sale came from, and names nobody unless a link was made for one person.
    texts = asdict(checkout.origin)
    checkout.origin = Origin(**{name: traces.remove_from(text) for name, text in texts.items()})
    if checkout.session_id is None:
        checkout.attempt += 1  # a request to Stripe under way opens no session for it


def _strip_typed(checkout: Checkout, received: list[Gift], traces: Traces, *, is_own: bool) -> None:
    """Strip the typed gifts but keep their number, which decides their rows and shares."""
    received_at = {gift.position for gift in received if gift.checkout_id == checkout.pk}
    created_at = set(checkout.gifts.values_list("position", flat=True))
    left = []
    for position, wanted in enumerate(checkout.typed.get("gifts", [])):
        is_received = canonical_email(str(wanted.get("recipient_email", ""))) in traces.addresses
        named = (
            dict.fromkeys(_PERSONAL_FIELDS, "") if is_received or position in received_at else {}
        )
        if not is_own:
            left.append(wanted | named)
        elif checkout.is_complete and position not in created_at:  # the bank may still pay for it
            needed = {name: wanted[name] for name in _RECIPIENT_FIELDS if name in wanted}
            left.append(needed | named)
        else:
            left.append({})
    checkout.typed = {} if is_own else checkout.typed
    if left:
        checkout.typed |= {"gifts": left}


def _strip_texts(member: Member, related_gifts: Iterable[Gift], received: list[Gift]) -> None:
    """Delete all notes of staff about them, since any of it may name them."""
    Payment.objects.filter(member=member).update(note="", receipt_url="", last4="")
    member.memberships.update(note="", import_key=None)
    of_theirs = Q(payment__member=member) | Q(payment__gifts__in=[gift.pk for gift in received])
    RefundOrder.objects.filter(pk__in=RefundOrder.objects.filter(of_theirs).values("pk")).update(
        why=""
    )
    about = is_about("payment", of=[member.pk]) | is_about("membership", of=[member.pk])
    OutgoingMail.objects.filter(Q(member=member) | about).exclude(message="").update(message="")
    GiftChange.objects.filter(gift__in=[gift.pk for gift in related_gifts]).update(why="")
    Erasure.objects.filter(member=member).update(why="")


def _strip_history(rows: Iterable[models.Model]) -> None:
    """Keep who changed these rows and when, and delete the texts."""
    for row in rows:
        HistoryEntry.objects.get_for_object(row).update(
            object_repr=str(row), changes={}, changes_text="", additional_data=None
        )
        LogEntry.objects.filter(
            content_type=ContentType.objects.get_for_model(row), object_id=str(row.pk)
        ).update(object_repr=str(row)[:200], change_message="")


def _strip_person(member: Member, traces: Traces, *, at: datetime) -> None:
    for address in {canonical_email(each) for each in traces.addresses}:
        ErasedAddress.objects.update_or_create(
            address_hash=hash_erased(address), defaults={"erased_at": at}
        )
    StripeSale.objects.filter(is_any_of("email", traces.addresses)).update(email="")
    member.former_addresses.all().delete()
    member.sign_in_links.all().delete()
    member.address_changes.all().delete()
    member.notes.all().delete()
    take_off_walls(member)
    member.email, member.name, member.erased_at = address_of_erased(member.pk), "", at
    member.due_at, member.tell_stripe_error, member.share_code = None, "", None
    changed = ["email", "name", "erased_at", "due_at", "tell_stripe_error", "share_code"]
    member.save(update_fields=changed)
    deliveries.forget_person(member)
    # Those that the person asked for after the request are nobody's now.
    newsletters.erase_subscriptions(traces.addresses, at=at)
