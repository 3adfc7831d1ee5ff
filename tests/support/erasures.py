"""A person of whom every table tells something, and the search for what still names them."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus
from uuid import uuid4

from django.apps import apps
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import (
    actions,
    erasures,
    members,
    memberships,
    payments,
    settlement,
    stripe_api,
    tasks,
)
from campaigns import checkout as checkouts
from campaigns.actions import refunds
from campaigns.models import (
    Campaign,
    Checkout,
    Erasure,
    Gift,
    GiftChange,
    Member,
    Membership,
    Price,
    RefundOrder,
    StripeEvent,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import Clock
from tests.support.factories import make_member, make_plan
from tests.support.webhooks import post

CARD = "4242424242424242"
NAME = "Zoë O'Brien-Łuczak"
TYPED = " Zoe.OBrien+Campaign@Example.ORG "
ZOE = "zoe.obrien+campaign@example.org"
FORMER = "zoe.maiden@old.example"
WANTED = "zoe.luczak@new.example"
MESSAGE = "Lies wohl, mein Spatz: jeden Morgen!"
TO_ZOE = "Für unsere Nachbarin mit dem roten Fahrrad"
# All that may be found nowhere in the end. Of her name each part, too.
SECRETS = (NAME, "Zoë", "O'Brien", "Łuczak", ZOE, FORMER, WANTED, MESSAGE, TO_ZOE)


# The search


def dump_everything() -> str:
    """Every column of every table as text, as the models have it and as the database does."""
    return "\n".join([*_rows_of_models(), *_rows_of_tables()])


def _rows_of_models() -> Iterator[str]:
    for model in apps.get_models(include_auto_created=True):
        for row in model._default_manager.values():
            yield f"{model._meta.label} {row}"


def _rows_of_tables() -> Iterator[str]:
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608 - the database's own names
            for row in cursor.fetchall():
                yield f"{table} {' | '.join(map(str, row))}"


def forms_of(text: str) -> set[str]:
    """A text as it may stand somewhere: plain, in JSON, in an address, in base64."""
    found = {text, json.dumps(text)[1:-1], quote(text), quote_plus(text), repr(text)[1:-1]}
    for written in (text, json.dumps(text)[1:-1]):
        for before in range(3):  # wherever it begins in the text that was encoded
            coded = base64.b64encode(b"\0" * before + written.encode()).decode()
            core = coded[4 if before else 0 : len(coded) - 4]
            if len(core) >= 8:
                found |= {core, core.translate(str.maketrans("+/", "-_"))}
    return {each.casefold() for each in found}


def find_secrets(dump: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """Where any of them is named, in any form."""
    lines = dump.casefold().splitlines()
    return [
        f"{secret!r} in {line[:300]}"
        for secret in secrets
        for line in lines
        if any(form in line for form in forms_of(secret))
    ]


# The person


def order(
    campaign: Campaign,
    kind: str = "year",
    *,
    email: str = ZOE,
    name: str = NAME,
    typed: dict[str, Any] | None = None,
) -> Checkout:
    return checkouts.start_checkout(
        uuid4(),
        checkouts.Order(
            kind=Checkout.Kind.GIFT if kind == "gift" else Checkout.Kind.JOIN,
            price=Price.objects.get(kind=kind),
            email=email,
            name=name,
            language="en",
            campaign=campaign,
            typed=typed or {},
        ),
    )


def buy(
    campaign: Campaign,
    sandbox: SandboxControl,
    kind: str = "year",
    *,
    iban: str | None = None,
    **more: Any,
) -> Checkout:
    checkout = order(campaign, kind, **more)
    card = None if iban else CARD
    sandbox.pay(str(checkout.session_id), card=card, iban=iban, name=checkout.name)
    return settlement.settle_checkout(checkout.pk)


def to(name: str, email: str = "", message: str = "", deliver_at: str = "") -> dict[str, Any]:
    wanted = {"recipient_name": name, "recipient_email": email, "message": message}
    return wanted | ({"deliver_at": deliver_at} if deliver_at else {})


def live_a_whole_life(campaign: Campaign, sandbox: SandboxControl, folder: Path) -> Member:
    """Zoë, with everything that can be known of somebody; and Ben and Cleo beside her."""
    staff = User.objects.create_superuser("olha", password="long-and-unguessed")
    import_her(folder)
    join = buy(campaign, sandbox)
    zoe = Member.objects.get(email=ZOE)
    subscription = Membership.objects.get(checkout=join)
    sandbox.advance(3600)
    sandbox.renew(str(subscription.subscription_id))
    settlement.settle_checkout(join.pk)
    stripe_api.cancel_subscription_at_period_end(
        str(subscription.subscription_id), feedback="other", comment=MESSAGE
    )
    stripe_api.keep_subscription(str(subscription.subscription_id))
    give_and_get(campaign, sandbox)
    order(campaign)  # begun and left
    order(campaign, "gift", email="ben@example.org", name="Ben", typed={"gifts": [to(NAME, ZOE)]})
    pay_by_hand(campaign, zoe, staff)
    refund_and_dispute(zoe, sandbox, staff)
    move_house(zoe)
    staff_write(zoe, staff)
    bring_events(sandbox)
    members.request_sign_in_link(ZOE, language="en", at=timezone.now())
    tasks.do_what_followed()
    return Member.objects.get(pk=zoe.pk)


def import_her(folder: Path) -> None:
    file = folder / "members.csv"
    file.write_text(f"email,name,since,until\n{ZOE},{NAME},2024-01-01,2025-01-01\n", "utf-8")
    call_command("import_members", str(file))


def give_and_get(campaign: Campaign, sandbox: SandboxControl) -> None:
    ben, later = ("Ben", "ben@example.org"), "2026-12-24T08:00:00+00:00"
    buy(campaign, sandbox, "gift", typed={"gifts": [to(*ben, MESSAGE), to(*ben, MESSAGE, later)]})
    of_ben: dict[str, Any] = {"email": "ben@example.org", "name": "Ben"}
    wanted = [to(NAME, ZOE, TO_ZOE), to("Zoë", ZOE, TO_ZOE, later), to("Cleo", "cleo@example.org")]
    got = buy(campaign, sandbox, "gift", typed={"gifts": wanted}, **of_ben)
    handed = buy(campaign, sandbox, "gift", typed={"gifts": [to("Zoë", "", TO_ZOE)]}, **of_ben)
    assert got.gifts.count() == 3
    gift = handed.gifts.get()
    zoe = Member.objects.get(email=ZOE)
    gift.membership = memberships.add_gift(
        zoe,
        plan=gift.price.plan,
        months=gift.months,
        zone=campaign.zone_info,
        current=[],
        at=timezone.now(),
    )
    gift.claimed_by, gift.claimed_at, gift.status = zoe, timezone.now(), Gift.Status.CLAIMED
    gift.save()
    first = got.gifts.get(position=0)
    GiftChange.objects.create(gift=first, what="resent", why=f"{NAME} had not got it")


def pay_by_hand(campaign: Campaign, zoe: Member, staff: User) -> None:
    note = f"cash from {NAME}, who wrote from {FORMER}"
    membership = memberships.grant_membership(
        zoe,
        plan=make_plan(),
        source=Membership.Source.ONCE,
        starts_at=timezone.now(),
        months=12,
        granted_by=staff,
        note=note,
    )
    payments.record_offline_payment(
        campaign=campaign,
        membership=membership,
        amount_minor=4500,
        currency="eur",
        paid_at=timezone.now(),
        entered_by=staff,
        note=note,
    )


def refund_and_dispute(zoe: Member, sandbox: SandboxControl, staff: User) -> None:
    payment = zoe.payments.get(role="renewal")
    ordered = refunds.order_refund(
        payment,
        amount_minor=1000,
        reason=RefundOrder.Reason.REQUESTED,
        why=f"Zoë asked by mail ({ZOE})",
        by=staff,
    )
    actions.execute_refund_order(ordered.pk)
    gifts = zoe.payments.get(role="gift")
    dispute = sandbox.open_dispute(payment_intent=str(gifts.intent_id))
    sandbox.close_dispute(dispute["id"], status="won")
    assert gifts.checkout_id is not None
    settlement.settle_checkout(gifts.checkout_id)


def move_house(zoe: Member) -> None:
    """She was known by another address, and asks for a third."""
    zoe.former_addresses.create(email=FORMER)
    members.request_address_change(zoe, WANTED, language="en", at=timezone.now())


def staff_write(zoe: Member, staff: User) -> None:
    ben = make_member("ben@example.org")
    for row, words in ((zoe, "Zoë rang us"), (ben, f"A friend of {NAME.upper()}")):
        LogEntry.objects.create(
            user=staff,
            content_type=ContentType.objects.get_for_model(Member),
            object_id=str(row.pk),
            object_repr=str(row),
            action_flag=CHANGE,
            change_message=words,
        )
    changed = [{"changed": {"name": "member", "object": NAME, "fields": ["Name"]}}]
    LogEntry.objects.create(
        user=staff,
        content_type=ContentType.objects.get_for_model(Campaign),
        object_id="1",
        object_repr="campaign",
        action_flag=CHANGE,
        change_message=json.dumps(changed),
    )
    Membership.objects.filter(member=ben).update(note=f"together with {ZOE}")


def bring_events(sandbox: SandboxControl, *, work_on: int = 1000) -> None:
    """All that Stripe told, by the door: every other one with its letters escaped."""
    client = Client()
    for number, event in enumerate(sandbox.events()):
        event.pop("deliveries")
        body = json.dumps(event, ensure_ascii=bool(number % 2))
        assert post(client, body).status_code == 200
    tasks.work_on_event(*StripeEvent.objects.values_list("event_id", flat=True)[:work_on])
    StripeEvent.objects.filter(status="new").update(status="ignored", next_attempt_at=None)


# The erasure


def carry_through(member: Member, clock: Clock, *, sweeps: int = 6) -> Erasure:
    """Sweeps, 15 seconds apart, until it is done."""
    for _ in range(sweeps):
        tasks.sweep()
        pass_by(clock, seconds=15)
    erasure = Erasure.objects.get(member=member)
    assert erasure.done_at is not None, erasure.error
    return erasure


def pass_by(clock: Clock, **time: float) -> None:
    clock.move_to(timezone.now() + timedelta(**time))


def go_on(erasure: Erasure) -> Erasure:
    """A worker's turn, as if its time had come."""
    Erasure.objects.filter(pk=erasure.pk, done_at=None).update(next_attempt_at=timezone.now())
    for erasure_id in erasures.claim_erasures(at=timezone.now()):
        erasures.carry_out(erasure_id)
    erasure.refresh_from_db()
    return erasure


def erase(member: Member) -> Erasure:
    """The wish, the last mail, and a turn or two."""
    erasure = members.ask_erasure(member)
    tasks.do_what_followed()
    go_on(erasure)
    assert erasure.done_at is not None, erasure.error
    return erasure
