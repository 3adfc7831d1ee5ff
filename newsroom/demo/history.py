"""Three believable weeks of the campaign, made through the same functions as every other sale.

The sandbox's clock is set to each moment in turn: a Checkout is started, paid (or not) and settled.
Gifts are claimed and payments refunded in the same way, so the rows are those that a real campaign
would have left. No webhook is sent, since nothing listens yet: the events of the past are imported
from the sandbox afterwards, as after an outage. All e-mails of the past are marked as sent.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from itertools import count
from uuid import UUID

from django.conf import settings
from django.db.models import F
from django.urls import reverse
from django.utils import timezone

from campaigns import actions, gifts, memberships, progress, settlement, stripe_api, webhooks
from campaigns import checkout as checkouts
from campaigns.emails import links
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Price,
    StripeEvent,
    Tally,
)
from campaigns.origins import Origin
from newsroom.demo.articles import ARTICLES
from newsroom.demo.people import Person, meet_people
from newsroom.demo.wall import fill_wall
from newsroom.sandbox.control import SandboxControl

COUNTED = 312
# Members who shared a link, and how many joined by one.
SHARERS, SHARED = 6, 14
SEED = 3
# Sales on each day: a strong start, quiet weekends, an appeal in the middle.
DAYS = (40, 27, 19, 15, 9, 8, 14, 13, 12, 10, 6, 7, 24, 19, 14, 12, 8, 7, 15, 17, 16)
HOURS = (1, 1, 0, 0, 0, 1, 3, 7, 9, 8, 6, 5, 7, 6, 5, 5, 6, 7, 9, 10, 9, 7, 4, 2)
CARDS = ("4242424242424242", "4242424242424242", "5555555555554444", "378282246310005")
DECLINED = "4000000000009995"
DEBIT = "DE89370400440532013000"
PLACEMENTS = ("top", "inline", "inline", "end", "")
SITES = ("", "", "google.com", "google.com", "facebook.com", "bsky.app", "news.example.com")
UTM_SOURCES = {"facebook.com": "facebook", "bsky.app": "bluesky"}
COUNTRIES = ("UA", "UA", "UA", "DE", "PL", "CZ", "US")
MESSAGES = (
    "Happy birthday! Read the one about the bridges first.",
    "So that we can argue about the same articles again.",
    "З днем народження!\nЩоб було що читати вранці.",
    "",
)


class Fate(Enum):
    """The end of a sale. KEPT, DEBIT and PARTLY count."""

    KEPT = "kept"
    DEBIT = "paid by a bank debit, which took three days"
    PARTLY = "refunded in part"
    REFUNDED = "refunded"
    LOST = "lost in a dispute"
    KNOWN = "bought by an existing member"
    PENDING = "waiting for the bank"
    ABANDONED = "never paid"


RARE = {
    Fate.DEBIT: 3,
    Fate.PARTLY: 3,
    Fate.REFUNDED: 5,
    Fate.LOST: 1,
    Fate.KNOWN: 3,
    Fate.PENDING: 2,
    Fate.ABANDONED: 14,
}


@dataclass(frozen=True)
class Sale:
    at: datetime
    fate: Fate
    buyer: Person
    recipient: Person


def plan_sales(campaign: Campaign, *, now: datetime) -> list[Sale]:
    """Return who buys when, and how it ends: the same in every demo, except for the dates."""
    chance = random.Random(SEED)  # noqa: S311 - believable, not secret
    people = meet_people(chance)
    fates = [fate for fate, times in RARE.items() for _ in range(times)]
    fates += [Fate.KEPT] * (COUNTED - RARE[Fate.DEBIT] - RARE[Fate.PARTLY])
    chance.shuffle(fates)
    moments = sorted(_moments(campaign, len(fates), chance, now=now))
    # A bank debit that has succeeded was started early; a pending one was started lately.
    others = [fate for fate in fates if fate not in {Fate.DEBIT, Fate.PENDING}]
    early, late = [Fate.DEBIT] * RARE[Fate.DEBIT], [Fate.PENDING] * RARE[Fate.PENDING]
    fates = [*others[:30], *early, *others[30:-5], *late, *others[-5:]]
    return [
        Sale(at, fate, next(people), next(people)) for at, fate in zip(moments, fates, strict=True)
    ]


def _moments(
    campaign: Campaign, wanted: int, chance: random.Random, *, now: datetime
) -> Iterator[datetime]:
    begin = campaign.starts_at.astimezone(campaign.zone_info)
    made = 0
    while made < wanted:
        day = chance.choices(range(len(DAYS)), DAYS)[0]
        hour = chance.choices(range(len(HOURS)), HOURS)[0]
        moment = begin + timedelta(days=day, hours=hour, seconds=chance.randrange(3600))
        if moment < now - timedelta(minutes=5):
            made += 1
            yield moment


class Past:
    """The events of the three weeks in order of time; some events add later ones."""

    def __init__(self, campaign: Campaign, sandbox: SandboxControl) -> None:
        self._campaign, self._sandbox = campaign, sandbox
        self._chance = random.Random(SEED + 1)  # noqa: S311
        self._now = timezone.now()
        self._order = count()
        self._events: list[tuple[datetime, int, Callable[[], None]]] = []

    def live_through(self, *, report: Callable[[int, int], None]) -> None:
        """Play the three weeks. `report` is called with the day and the number of days."""
        days = (self._now - self._campaign.starts_at).days + 1
        for sale in plan_sales(self._campaign, now=self._now):
            self._add(sale.at, partial(self._sell, sale))
        while self._events:
            at, _, event = heapq.heappop(self._events)
            self._sandbox.freeze(int(at.timestamp()))
            event()
            _date_back(at)
            report((at - self._campaign.starts_at).days + 1, days)
        self._finish()

    def _add(self, at: datetime, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (at, next(self._order), event))

    def _later(self, at: datetime, *, longest: timedelta) -> datetime:
        """Return a moment after `at`, at most `longest` later and before now."""
        return at + min(longest, self._now - at) * self._chance.uniform(0.1, 0.9)

    def _sell(self, sale: Sale) -> None:
        kind = Checkout.Kind.GIFT if self._chance.random() < 0.22 else Checkout.Kind.JOIN
        if sale.fate is Fate.KNOWN:
            kind = Checkout.Kind.JOIN
            _was_member(sale.buyer, before=self._campaign.starts_at)
        checkout = checkouts.start_checkout(
            UUID(int=self._chance.getrandbits(128), version=4),
            _order(self._campaign, sale, kind, self._chance),
        )
        if sale.fate is Fate.ABANDONED:
            return
        self._pay(sale, session_id=str(checkout.session_id))
        settlement.settle_checkout(checkout.pk)
        if sale.fate in {Fate.REFUNDED, Fate.PARTLY, Fate.LOST}:
            at = self._later(sale.at, longest=timedelta(days=6))
            self._add(at, partial(self._reverse, sale, checkout.pk))
        else:
            self._add_claims(checkout)

    def _pay(self, sale: Sale, *, session_id: str) -> None:
        if sale.fate in {Fate.DEBIT, Fate.PENDING}:
            self._sandbox.pay(session_id, iban=DEBIT)
            return
        if self._chance.random() < 0.05:
            self._sandbox.pay(session_id, card=DECLINED)
        self._sandbox.pay(session_id, card=self._chance.choice(CARDS))

    def _reverse(self, sale: Sale, checkout_id: UUID) -> None:
        payment = Payment.objects.get(checkout=checkout_id)
        intent = str(payment.intent_id)
        if sale.fate is Fate.LOST:
            dispute = self._sandbox.open_dispute(payment_intent=intent)
            self._sandbox.close_dispute(dispute["id"], status="lost")
        else:
            parts = 3 if sale.fate is Fate.PARTLY else 1
            stripe_api.refund_payment(
                intent,
                amount_minor=payment.amount_minor // parts,
                idempotency_key=f"{intent}-refund",
            )
        settlement.settle_checkout(checkout_id)

    def _add_claims(self, checkout: Checkout) -> None:
        """Let half of the gifts be claimed, some hours or days after they were bought."""
        for gift in checkout.gifts.all():
            if self._chance.random() < 0.5:
                at = self._later(gift.paid_at, longest=timedelta(days=5))
                self._add(at, partial(_claim, gift, at=at))

    def _finish(self) -> None:
        """Settle open Checkouts and pending debits, mark all e-mails as sent, check the count."""
        self._sandbox.freeze(int(self._now.timestamp()))
        for checkout in Checkout.objects.exclude(status=Checkout.Status.PAID):
            settlement.settle_checkout(checkout.pk)
        OutgoingMail.objects.filter(sent_at__isnull=True).update(
            sent_at=F("created_at"), due_at=None, attempts=1
        )
        gifts.record_deliveries()
        for mail in OutgoingMail.objects.filter(sent_at__isnull=True).select_related("gift"):
            assert mail.gift is not None, "only e-mails about gifts are scheduled by a delivery"
            sent_at = mail.gift.delivered_at
            OutgoingMail.objects.filter(pk=mail.pk).update(
                created_at=sent_at, sent_at=sent_at, due_at=None, attempts=1
            )
        _import_events()
        _share_links(random.Random("links"))  # noqa: S311
        fill_wall(self._campaign, now=self._now)
        self._sandbox.run_real_clock()
        goal = self._campaign.goals.get(is_primary=True)
        counted = progress.measure_goal(goal, at=timezone.now()).counted
        if counted != COUNTED:
            raise RuntimeError(f"The history counts {counted} new members instead of {COUNTED}.")


def _date_back(at: datetime) -> None:
    """Date the rows that were created just now back to `at`; older rows keep their dates."""
    for model in (Checkout, Gift, Member, OutgoingMail):
        model._default_manager.filter(created_at__gt=at).update(created_at=at)


def _import_events() -> None:
    """Store the events of the past, dated back. Their sales are settled: nothing is read again."""
    webhooks.catch_up()
    StripeEvent.objects.update(received_at=F("created_at"))


def _share_links(chance: random.Random) -> None:
    """Let some members have come by a link that an earlier member shared."""
    tallies = Tally.objects.filter(member__isnull=False).order_by("counted_from", "pk")
    counted = list(tallies.select_related("member", "payment__checkout"))
    sharers = [tally.member for tally in counted[:SHARERS] if tally.member is not None]
    friends = [tally.payment.checkout for tally in counted[SHARERS:]]
    for checkout in chance.sample(friends, SHARED):
        assert checkout is not None, "the demo's members joined by a form"
        checkout.placement = links.SHARED
        checkout.friend = Member.objects.give_share_code(chance.choice(sharers))
        checkout.save(update_fields=["placement", "friend"])


def _order(
    campaign: Campaign, sale: Sale, kind: Checkout.Kind, chance: random.Random
) -> checkouts.Order:
    on_sale = Price.objects.for_giving if kind == Checkout.Kind.GIFT else Price.objects.for_joining
    prices = list(on_sale(currency=campaign.currency))
    wanted = {
        "recipient_name": sale.recipient.name,
        "recipient_email": sale.recipient.email if chance.random() < 0.8 else "",
        "message": chance.choice(MESSAGES),
    }
    price = chance.choice(prices)
    return checkouts.Order(
        kind=kind,
        price=price,
        amount_minor=_choose_amount(sale.buyer, price),
        email=sale.buyer.email,
        name=sale.buyer.name,
        language=sale.buyer.language,
        campaign=campaign,
        origin=_invent_origin(sale.buyer, placement=chance.choice(PLACEMENTS)),
        typed={"gifts": [wanted]} if kind == Checkout.Kind.GIFT else {},
    )


def _choose_amount(reader: Person, price: Price) -> int:
    """Return the amount that a reader pays at an open price; 0 at a fixed one."""
    if not price.is_open:
        return 0
    chance = random.Random(f"{reader.email} amount")  # noqa: S311
    own = price.least_minor + 100 * chance.randrange(1, 10)
    return chance.choices([*price.amounts, own], [3, 8, 4, 1, 2])[0]


def _invent_origin(reader: Person, *, placement: str) -> Origin:
    """Return where a reader came from: always the same for the same reader."""
    chance = random.Random(reader.email)  # noqa: S311
    article = chance.choices(tuple(ARTICLES.values()), range(len(ARTICLES), 0, -1))[0]
    page = settings.SITE_URL + reverse("demo:related", kwargs={"slug": article.slug})
    site = chance.choice(SITES)
    return Origin(
        placement=placement,
        page_url=page if placement else "",
        page_title=article.headline if placement else "",
        referrer=site,
        utm_source=UTM_SOURCES.get(site, ""),
        utm_medium="social" if site in UTM_SOURCES else "",
        device="phone" if chance.random() < 0.7 else "desk",
        country=chance.choice(COUNTRIES),
    )


def _was_member(person: Person, *, before: datetime) -> None:
    Membership.objects.create(
        member=Member.objects.get_or_create_by_email(person.email, name=person.name),
        source=Membership.Source.IMPORTED,
        started_at=before - timedelta(days=500),
        import_key=f"{person.email} before",
    )


def _claim(gift: Gift, *, at: datetime) -> None:
    email = gift.recipient_email or f"handed.over.{gift.code_hint.lower()}@example.org"
    actions.claim_gift(gift.code, email=email, name=gift.recipient_name, language="en")
    # The claim was made just now: date it back.
    Gift.objects.filter(pk=gift.pk).update(claimed_at=at)
    Membership.objects.filter(gift=gift).update(
        started_at=at, ends_at=memberships.add_months(at, gift.months)
    )
