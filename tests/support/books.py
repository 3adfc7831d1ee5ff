"""Two sets of books: what the sandbox wrote down when money moved, and what our rows say.

An entry is named by campaign, day (UTC), currency and kind. A charge and a refund are of the day on
which they were made, for that is what our rows promise, even if a bank took days to answer; what a
dispute moved is of the day on which it moved.
"""

from collections import Counter, defaultdict
from datetime import UTC, date, datetime
from typing import Any

from campaigns import progress
from campaigns.models import (
    Checkout,
    Dispute,
    Gift,
    Goal,
    Member,
    Membership,
    Payment,
    Refund,
    StripeEvent,
    Tally,
)
from tests.support.count_rule import Money
from tests.support.rows import Dump, dump_rows
from tests.support.simulation import World

MOMENTS = 5  # at so many past ones the number is asked for
Json = dict[str, Any]
EntryName = tuple[str, date, str, str]  # campaign, day, currency, kind


class Book:
    """How often, how much and for what fee money moved; minor units."""

    def __init__(self) -> None:
        self.entries: defaultdict[EntryName, list[int]] = defaultdict(lambda: [0, 0, 0])

    def enter(
        self, slug: str, moment: datetime, *, kind: str, currency: str, minor: int, fee: int = 0
    ) -> None:
        entry = self.entries[slug, moment.astimezone(UTC).date(), currency, kind]
        entry[0] += 1
        entry[1] += minor
        entry[2] += fee


def read_stripe_book(world: World) -> Book:
    """By the sandbox's own ledger; the API only says whose money it was, and when it was made."""
    charges = {each["id"]: each for each in _list(world.v1.charges)}
    made = {**charges, **{each["id"]: each for each in _list(world.v1.refunds)}}
    disputes = {each["id"]: each for each in _list(world.v1.disputes)}
    book = Book()
    for row in world.sandbox.books(rows=True)["rows"]:
        source = made.get(row["source"]) or disputes[row["source"]]
        charge = charges[source.get("charge") or source["id"]]
        seconds = source["created"] if row["source"] in made else row["at"]
        book.enter(
            world.customers[charge["customer"]],
            datetime.fromtimestamp(seconds, UTC),
            kind=row["kind"],
            currency=row["currency"],
            minor=row["amount_minor"],
            fee=row["fee_minor"],
        )
    return book


def _list(service: Any) -> list[Json]:
    return [each.to_dict() for each in service.list({"limit": 100}).auto_paging_iter()]


def read_our_book() -> Book:
    book = Book()
    paid = Payment.objects.filter(status="succeeded").exclude(intent_id=None)
    for payment in paid.select_related("campaign"):
        assert payment.campaign is not None
        assert payment.settled_minor is not None
        assert payment.fee_minor is not None
        assert payment.net_minor == payment.settled_minor - payment.fee_minor
        book.enter(
            payment.campaign.slug,
            payment.paid_at,
            kind="charge",
            currency=payment.settled_currency,
            minor=payment.settled_minor,
            fee=payment.fee_minor,
        )
    for row in [*_moved(Refund), *_moved(Dispute)]:
        assert row.payment.campaign is not None
        slug, currency = row.payment.campaign.slug, row.settled_currency
        taken, returned = row.taken_minor or 0, row.returned_minor or 0
        if isinstance(row, Refund):
            kinds, taken_at, returned_at = ("refund", "refund_failure"), row.refunded_at, None
            assert bool(returned) == (row.status in {"failed", "canceled"})
        else:
            kinds, taken_at = ("dispute", "dispute_reversal"), row.withdrawn_at or row.opened_at
            returned_at = row.reinstated_at
            assert bool(returned) == (returned_at is not None) == (row.status == "won")
        fee = row.fee_minor or 0
        book.enter(slug, taken_at, kind=kinds[0], currency=currency, minor=taken, fee=fee)
        if returned:
            moment = returned_at or taken_at
            book.enter(slug, moment, kind=kinds[1], currency=currency, minor=returned)
    return book


def _moved(model: type[Refund] | type[Dispute]) -> list[Refund | Dispute]:
    """Those that moved money; an inquiry only asks."""
    return list(
        model._default_manager.filter(taken_minor__gt=0).select_related("payment__campaign")
    )


def compare_books(world: World) -> None:
    """To the minor unit, by campaign, day, currency and kind."""
    theirs, ours = read_stripe_book(world).entries, read_our_book().entries
    differing = {
        name: (ours.get(name), theirs.get(name))
        for name in {*ours, *theirs}
        if ours.get(name) != theirs.get(name)
    }
    assert not differing, f"ours, theirs: {differing}"


def compare_counts(world: World) -> None:
    """The number now and at past moments, its people and gifts, and the money, by campaign."""
    reckoning, some = world.reckon(), len(world.moments) // MOMENTS + 1
    moments = world.moments[::some]
    for slug, campaign in world.campaigns.items():
        campaign.refresh_from_db()
        for moment in [*moments, world.now]:
            people, gifts = reckoning.people(slug, moment), reckoning.gifts(slug, moment)
            money = reckoning.money(slug, moment)
            reckoned = {
                Goal.Kind.NEW_MEMBERS: len(people) + gifts,
                Goal.Kind.GIFTS: gifts,
                Goal.Kind.MONEY: reckoning.raised(slug, moment),
            }
            measured = progress.measure_campaign(campaign, at=moment)
            known = {goal.kind: goal.as_known_now().counted for goal in measured}
            where = f"{slug} at {moment}"
            counting = campaign.tallies.counting_at(moment).exclude(member=None)
            emails = counting.values_list("member__email", flat=True)
            counted = {email.partition("@")[0] for email in emails}
            assert counted == people, f"{where}: {counted - people} or {people - counted}"
            assert known == reckoned, f"{where}: {known}, {reckoned}"
            assert measured[0].people == len(people), where
            assert {
                each.currency: Money(
                    each.payments, each.gross_minor, each.refunded_minor, each.lost_minor
                )
                for each in progress.sum_payments(campaign, at=moment)
            } == money, where
            kept = world.closed.get(slug)
            if kept is not None and moment >= (campaign.closed_at or moment):
                assert {goal.kind: goal.counted for goal in measured} == kept, where
            if moment == world.now:
                assert measured[0].pending == count_pending(world, slug), where


def count_pending(world: World, slug: str) -> int:
    """Debits begun in the window, a subscription's second try as well, and not answered."""
    return sum(
        charge["status"] == "pending"
        and world.intents.get(charge["payment_intent"]) == slug
        and world.windows[slug].holds(datetime.fromtimestamp(charge["created"], UTC))
        for charge in _list(world.v1.charges)
    )


def compare_memberships(world: World) -> None:
    """Each subscription stands here as it stands at Stripe."""
    theirs = {
        subscription_id: (each.word(at=world.now), each.ended_at)
        for subscription_id, each in world.read_subscriptions().items()
    }
    ours = {
        str(each.subscription_id): (each.status, each.ended_at)
        for each in Membership.objects.filter(source="subscription")
    }
    assert ours == theirs


def compare_states(world: World) -> None:
    """Each refund and each dispute, an inquiry as well, is known and in Stripe's own state."""
    for service, model, name in (
        (world.v1.refunds, Refund, "refund_id"),
        (world.v1.disputes, Dispute, "dispute_id"),
    ):
        theirs = {each["id"]: each["status"] for each in _list(service)}
        assert dict(model._default_manager.values_list(name, "status")) == theirs


def compare_everything(world: World) -> None:
    compare_books(world)
    compare_counts(world)
    compare_memberships(world)
    compare_states(world)
    left = StripeEvent.objects.exclude(status__in=["done", "ignored"])
    assert not left.exists(), list(left.values_list("type", "error"))


def copy_rows() -> list[Any]:
    """Everything that a reconciliation may write, as it stands."""
    models = (Checkout, Member, Membership, Payment, Refund, Dispute, Gift, Tally, StripeEvent)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def dump_stripe_rows() -> Dump:
    """Rows without what only hearing in time could tell: mails, and how far a gift has come.

    Nor an inquiry of long ago: it moved no money, so no balance tells of it.
    """
    rows = dump_rows()
    del rows["OutgoingMail"]
    inquiries = set(Dispute.objects.filter(withdrawn_at=None).values_list("dispute_id", flat=True))
    rows["Dispute"] = [row for row in rows["Dispute"] if row[0] not in inquiries]
    gifts = Gift.objects.order_by("checkout", "position")
    rows["Gift"] = list(
        gifts.values_list(
            *("checkout_id", "position", "payment__intent_id", "buyer__email", "months"),
            *("paid_at", "deliver_at", "revoked_at", "revoked_for"),
        )
    )
    return rows


def list_differences(ours: Dump, known: Dump) -> list[str]:
    """The rows that only one of the two has, or has more often."""
    one, other = (
        {table: Counter(map(repr, dump[table])) for table in known} for dump in (ours, known)
    )
    return sorted(
        f"{table} {row}"
        for table in known
        for row in ((one[table] - other[table]) + (other[table] - one[table])).elements()
    )


def describe_figures(world: World) -> str:
    kinds = Counter(row["kind"] for row in world.sandbox.books(rows=True)["rows"])
    return f"{len(world.sales)} sales, {len(world.post.sent)} events, {dict(kinds)}"
