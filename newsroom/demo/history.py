"""Three believable weeks of the drive, bought through the same doors as any other sale.

The sandbox's clock is set to each moment in turn: a Checkout is begun, paid (or not) and settled
there. What then stands in the rows is what the drive would have left. No webhook and no mail goes
out; the sandbox has nobody to send to yet, and what the past owes in mails counts as sent.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from campaigns import checkout as checkouts
from campaigns import gifts, memberships, progress, settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Price,
)
from newsroom.demo.people import Person, meet_people
from newsroom.sandbox.control import SandboxControl

COUNTED = 312
SEED = 3
# How busy each day was: a strong start, weekends that are quiet, an appeal in the middle.
DAYS = (40, 27, 19, 15, 9, 8, 14, 13, 12, 10, 6, 7, 24, 19, 14, 12, 8, 7, 15, 17, 16)
HOURS = (1, 1, 0, 0, 0, 1, 3, 7, 9, 8, 6, 5, 7, 6, 5, 5, 6, 7, 9, 10, 9, 7, 4, 2)
CARDS = ("4242424242424242", "4242424242424242", "5555555555554444", "378282246310005")
DECLINED = "4000000000009995"
DEBIT = "DE89370400440532013000"
PLACEMENTS = ("top", "inline", "inline", "end", "")
MESSAGES = (
    "Happy birthday! Read the one about the bridges first.",
    "So that we can argue about the same articles again.",
    "З днем народження!\nЩоб було що читати вранці.",
    "",
)


class Fate(Enum):
    """What became of a sale. Only those that are KEPT or PARTLY refunded count."""

    KEPT = "kept"
    PARTLY = "refunded in part"
    REFUNDED = "refunded"
    LOST = "lost in a dispute"
    KNOWN = "bought by somebody who was a member before"
    PENDING = "waiting for the bank"
    ABANDONED = "never paid"


RARE = {
    Fate.PARTLY: 3,
    Fate.REFUNDED: 4,
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
    """Who buys when, and what becomes of it: the same for every demo but for the dates."""
    chance = random.Random(SEED)  # noqa: S311 - believable, not secret
    people = meet_people(chance)
    fates = [fate for fate, times in RARE.items() for _ in range(times)]
    fates += [Fate.KEPT] * (COUNTED - RARE[Fate.PARTLY])
    chance.shuffle(fates)
    moments = sorted(_moments(campaign, len(fates), chance, now=now))
    # A bank debit that is still on its way was begun lately.
    late = [fate for fate in fates if fate is Fate.PENDING]
    fates = [fate for fate in fates if fate is not Fate.PENDING]
    fates[-5:-5] = late
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


def live_through(
    campaign: Campaign, sandbox: SandboxControl, *, tell: Callable[[int, int], None]
) -> None:
    """Let the three weeks happen; `tell` hears how many of how many sales are done."""
    now = timezone.now()
    chance = random.Random(SEED + 1)  # noqa: S311
    sales = plan_sales(campaign, now=now)
    for done, sale in enumerate(sales, start=1):
        sandbox.freeze(int(sale.at.timestamp()))
        _make_sale(campaign, sale, sandbox, chance)
        tell(done, len(sales))
    sandbox.freeze(int(now.timestamp()))
    _let_time_pass(sandbox)
    _claim_gifts(campaign, chance, now=now)
    OutgoingMail.objects.filter(sent_at__isnull=True).update(
        sent_at=F("created_at"), next_attempt_at=None, attempts=1
    )
    gifts.note_deliveries()
    sandbox.run_real_clock()
    counted = progress.measure_goal(campaign.goals.get(is_primary=True), at=timezone.now()).counted
    if counted != COUNTED:
        raise RuntimeError(f"The history counts {counted} new members instead of {COUNTED}.")


def _make_sale(
    campaign: Campaign, sale: Sale, sandbox: SandboxControl, chance: random.Random
) -> None:
    kind = Checkout.Kind.GIFT if chance.random() < 0.22 else Checkout.Kind.JOIN
    if sale.fate is Fate.KNOWN:
        kind = Checkout.Kind.JOIN
        _was_member(sale.buyer, before=campaign.starts_at)
    checkout = checkouts.start_checkout(
        UUID(int=chance.getrandbits(128), version=4), _order(campaign, sale, kind, chance)
    )
    Checkout.objects.filter(pk=checkout.pk).update(created_at=sale.at)
    assert checkout.session_id is not None
    if sale.fate is Fate.ABANDONED:
        return
    if sale.fate is Fate.PENDING:
        sandbox.pay(checkout.session_id, iban=DEBIT)
    else:
        if chance.random() < 0.05:
            sandbox.pay(checkout.session_id, card=DECLINED)
        sandbox.pay(checkout.session_id, card=chance.choice(CARDS))
    settlement.settle_checkout(checkout.pk)
    _meet_fate(checkout, sale, sandbox)
    OutgoingMail.objects.filter(created_at__gt=sale.at, sent_at__isnull=True).update(
        created_at=sale.at
    )


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
    return checkouts.Order(
        kind=kind,
        price=chance.choice(prices),
        email=sale.buyer.email,
        name=sale.buyer.name,
        language=sale.buyer.language,
        campaign=campaign,
        placement=chance.choice(PLACEMENTS),
        typed={"gifts": [wanted]} if kind == Checkout.Kind.GIFT else {},
    )


def _meet_fate(checkout: Checkout, sale: Sale, sandbox: SandboxControl) -> None:
    payment = Payment.objects.get(checkout=checkout)
    intent = str(payment.intent_id)
    if sale.fate is Fate.REFUNDED:
        _give_back(intent, payment.amount_minor)
    elif sale.fate is Fate.PARTLY:
        _give_back(intent, payment.amount_minor // 3)
    elif sale.fate is Fate.LOST:
        dispute = sandbox.open_dispute(payment_intent=intent)
        sandbox.close_dispute(dispute["id"], status="lost")
    else:
        return
    settlement.settle_checkout(checkout.pk)


def _give_back(intent: str, amount_minor: int) -> None:
    stripe_api.refund_payment(intent, amount_minor=amount_minor, idempotency_key=f"{intent}-back")


def _was_member(person: Person, *, before: datetime) -> None:
    Membership.objects.create(
        member=Member.objects.known_by(person.email, name=person.name),
        source=Membership.Source.IMPORTED,
        started_at=before - timedelta(days=500),
        import_key=f"{person.email} before",
    )


def _let_time_pass(sandbox: SandboxControl) -> None:
    """What was left open has expired by now, and what is on its way is still on its way."""
    for checkout_id in Checkout.objects.exclude(status=Checkout.Status.PAID).values_list(
        "pk", flat=True
    ):
        settlement.settle_checkout(checkout_id)


def _claim_gifts(campaign: Campaign, chance: random.Random, *, now: datetime) -> None:
    """Half of the gifts are claimed, some hours or days after they were bought."""
    for gift in Gift.objects.filter(checkout__campaign=campaign, status=Gift.Status.PAID):
        claimed_at = gift.paid_at + timedelta(hours=chance.uniform(1, 120))
        if chance.random() < 0.5 or claimed_at >= now:
            continue
        email = gift.recipient_email or f"handed.over.{gift.code_hint.lower()}@example.org"
        gifts.redeem_gift(gift.code, email=email, name=gift.recipient_name, language="en")
        # It was claimed then, not now.
        Gift.objects.filter(pk=gift.pk).update(claimed_at=claimed_at)
        Membership.objects.filter(gift=gift).update(
            started_at=claimed_at, ends_at=memberships.add_months(claimed_at, gift.months)
        )
