"""Comparisons of our database with the sandbox's own ledger and with the expected figures.

A book sums money by campaign, day (UTC), currency and kind. Charges and refunds are entered on the
day on which they were created, even if the bank took days to answer. Disputes are entered on the
day on which the money moved.
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
    correct_refund_states,
)
from tests.support.count_rule import Money
from tests.support.rows import Dump, dump_rows
from tests.support.simulation import World

MOMENTS = 5  # how many past moments are compared
Json = dict[str, Any]
EntryName = tuple[str, date, str, str]  # campaign, day, currency, kind


class Book:
    """Number of movements, amounts and fees, in minor units."""

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
    """Return the sandbox's own ledger.

    Only the campaign and the creation time of charges and refunds come from the API.
    """
    charges = {charge["id"]: charge for charge in _list(world.v1.charges)}
    created = {**charges, **{refund["id"]: refund for refund in _list(world.v1.refunds)}}
    disputes = {dispute["id"]: dispute for dispute in _list(world.v1.disputes)}
    book = Book()
    for row in world.sandbox.books(rows=True)["rows"]:
        source = created.get(row["source"]) or disputes[row["source"]]
        charge = charges[source.get("charge") or source["id"]]
        seconds = source["created"] if row["source"] in created else row["at"]
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
    return [item.to_dict() for item in service.list({"limit": 100}).auto_paging_iter()]


def read_our_book() -> Book:
    """Return the book of our payments, refunds and disputes."""
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
    for row in [*_list_movements(Refund), *_list_movements(Dispute)]:
        assert row.payment.campaign is not None
        slug, currency = row.payment.campaign.slug, row.settled_currency
        taken, reinstated = row.taken_minor or 0, row.returned_minor or 0
        if isinstance(row, Refund):
            kinds, taken_at, reinstated_at = ("refund", "refund_failure"), row.refunded_at, None
            assert bool(reinstated) == (row.status in {"failed", "canceled"})
        else:
            kinds, taken_at = ("dispute", "dispute_reversal"), row.withdrawn_at or row.opened_at
            reinstated_at = row.reinstated_at
            assert bool(reinstated) == (reinstated_at is not None) == (row.status == "won")
        fee = row.fee_minor or 0
        book.enter(slug, taken_at, kind=kinds[0], currency=currency, minor=taken, fee=fee)
        if reinstated:
            moment = reinstated_at or taken_at
            book.enter(slug, moment, kind=kinds[1], currency=currency, minor=reinstated)
    return book


def _list_movements(model: type[Refund] | type[Dispute]) -> list[Refund | Dispute]:
    """Return the rows that moved money. Inquiries move none."""
    return list(
        model._default_manager.filter(taken_minor__gt=0).select_related("payment__campaign")
    )


def compare_books(world: World) -> None:
    """Check that our book equals Stripe's, to the minor unit."""
    theirs, ours = read_stripe_book(world).entries, read_our_book().entries
    differing = {
        name: (ours.get(name), theirs.get(name))
        for name in {*ours, *theirs}
        if ours.get(name) != theirs.get(name)
    }
    assert not differing, f"ours, theirs: {differing}"


def compare_counts(world: World) -> None:
    """Check each campaign's goals, people, gifts and money, now and at past moments."""
    expected, step = world.calculate_expected(), len(world.moments) // MOMENTS + 1
    moments = world.moments[::step]
    for slug, campaign in world.campaigns.items():
        campaign.refresh_from_db()
        for moment in [*moments, world.now]:
            people, gifts = expected.people(slug, moment), expected.gifts(slug, moment)
            money = expected.money(slug, moment)
            expected_goals = {
                Goal.Kind.NEW_MEMBERS: len(people) + gifts,
                Goal.Kind.GIFTS: gifts,
                Goal.Kind.MONEY: expected.raised(slug, moment),
            }
            measured = progress.measure_campaign(campaign, at=moment)
            counted_now = {goal.kind: goal.as_known_now().counted for goal in measured}
            where = f"{slug} at {moment}"
            counting = campaign.tallies.counting_at(moment).exclude(member=None)
            emails = counting.values_list("member__email", flat=True)
            counted = {email.partition("@")[0] for email in emails}
            assert counted == people, f"{where}: {counted - people} or {people - counted}"
            assert counted_now == expected_goals, f"{where}: {counted_now}, {expected_goals}"
            assert measured[0].people == len(people), where
            assert {
                total.currency: Money(
                    total.payments, total.gross_minor, total.refunded_minor, total.lost_minor
                )
                for total in progress.sum_payments(campaign, at=moment)
            } == money, where
            final = world.closed.get(slug)
            if final is not None and moment >= (campaign.closed_at or moment):
                assert {goal.kind: goal.counted for goal in measured} == final, where
            if moment == world.now:
                assert measured[0].pending == count_pending(world, slug), where


def count_pending(world: World, slug: str) -> int:
    """Return how many debits begun in the window are pending, including retries by Stripe."""
    return sum(
        charge["status"] == "pending"
        and world.intents.get(charge["payment_intent"]) == slug
        and world.windows[slug].contains(datetime.fromtimestamp(charge["created"], UTC))
        for charge in _list(world.v1.charges)
    )


def compare_memberships(world: World) -> None:
    """Check that each subscription has the status and end that Stripe shows."""
    theirs = {
        subscription_id: (record.status(at=world.now), record.ended_at)
        for subscription_id, record in world.read_subscriptions().items()
    }
    ours = {
        str(membership.subscription_id): (membership.status, membership.ended_at)
        for membership in Membership.objects.filter(source="subscription")
    }
    assert ours == theirs


def compare_states(world: World) -> None:
    """Check that we know every refund, dispute and inquiry, with Stripe's status."""
    for service, model, name in (
        (world.v1.refunds, Refund, "refund_id"),
        (world.v1.disputes, Dispute, "dispute_id"),
    ):
        theirs = {item["id"]: item["status"] for item in _list(service)}
        assert dict(model._default_manager.values_list(name, "status")) == theirs


def compare_everything(world: World) -> None:
    compare_books(world)
    compare_counts(world)
    compare_memberships(world)
    compare_states(world)
    assert not correct_refund_states(Payment.objects.all())
    left = StripeEvent.objects.exclude(status__in=["done", "ignored"])
    assert not left.exists(), list(left.values_list("type", "error"))


def copy_rows() -> list[Any]:
    """Return all rows of the tables that a reconciliation may change."""
    models = (Checkout, Member, Membership, Payment, Refund, Dispute, Gift, Tally, StripeEvent)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def dump_stripe_rows() -> Dump:
    """Return the rows that can be rebuilt from Stripe alone.

    E-mails and the progress of gifts are left out, because they depend on when we learned of a
    payment. Inquiries are left out too: they move no money, so Stripe's balance doesn't list them.
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
    """Return the rows that only one dump contains, or contains more often."""
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
