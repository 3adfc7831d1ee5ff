"""A member with data in every table, and a search for personal data."""

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

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
    jobs,
    members,
    memberships,
    newsletters,
    payments,
    settlement,
    stripe_api,
    webhooks,
)
from campaigns.actions import refunds
from campaigns.models import (
    Campaign,
    Checkout,
    Erasure,
    Gift,
    GiftChange,
    Member,
    Membership,
    RefundOrder,
    StripeEvent,
    WallEntry,
)
from campaigns.newsletters import SignUp
from newsroom.sandbox.control import SandboxControl
from tests.support import sales
from tests.support.due import claim_due
from tests.support.extensions import Clock
from tests.support.factories import make_member, make_plan
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.webhooks import post

NAME = "Zoë O'Brien-Łuczak"
ZOE = "zoe.obrien+campaign@example.org"
FORMER = "zoe.maiden@old.example"
WANTED = "zoe.luczak@new.example"
MESSAGE = "Lies wohl, mein Spatz: jeden Morgen!"
TO_ZOE = "Für unsere Nachbarin mit dem roten Fahrrad"
ZOES_FORM = {"email": ZOE, "name": NAME}
# Texts that must not be found after the erasure, with each part of her name.
SECRETS = (NAME, "Zoë", "O'Brien", "Łuczak", ZOE, FORMER, WANTED, MESSAGE, TO_ZOE)


# Search


def dump_everything() -> str:
    """Return every column of every table as text, from the models and from the database."""
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
    """Return the forms in which a text may be stored: plain, JSON, URL, base64."""
    found = {text, json.dumps(text)[1:-1], quote(text), quote_plus(text), repr(text)[1:-1]}
    for written in (text, json.dumps(text)[1:-1]):
        for before in range(3):  # base64 depends on the position in the encoded text
            coded = base64.b64encode(b"\0" * before + written.encode()).decode()
            core = coded[4 if before else 0 : len(coded) - 4]
            if len(core) >= 8:
                found |= {core, core.translate(str.maketrans("+/", "-_"))}
    return {each.casefold() for each in found}


def find_secrets(dump: str, secrets: tuple[str, ...] = SECRETS) -> list[str]:
    """Return the lines of a dump that contain a secret in any form."""
    lines = dump.casefold().splitlines()
    return [
        f"{secret!r} in {line[:300]}"
        for secret in secrets
        for line in lines
        if any(form in line for form in forms_of(secret))
    ]


# The member


def order_as_zoe(campaign: Campaign, kind: str = "year", **form: Any) -> Checkout:
    """Order as Zoë, unless the form says otherwise."""
    return sales.place_order(campaign, kind, **ZOES_FORM | form)


def buy_as_zoe(
    campaign: Campaign, sandbox: SandboxControl, kind: str = "year", **form: Any
) -> Checkout:
    """Buy as Zoë, unless the form says otherwise."""
    return sales.buy(campaign, sandbox, kind, **ZOES_FORM | form)


def make_recipient(
    name: str, email: str = "", message: str = "", deliver_at: str = ""
) -> dict[str, Any]:
    wanted = {"recipient_name": name, "recipient_email": email, "message": message}
    return wanted | ({"deliver_at": deliver_at} if deliver_at else {})


def create_all_data(campaign: Campaign, sandbox: SandboxControl, folder: Path) -> Member:
    """Create Zoë with every kind of data, and Ben and Cleo."""
    staff = User.objects.create_superuser("olha", password="long-and-unguessed")
    import_zoe(folder)
    join = buy_as_zoe(campaign, sandbox)
    zoe = Member.objects.get(email=ZOE)
    subscription = Membership.objects.get(checkout=join)
    sandbox.advance(3600)
    sandbox.renew(str(subscription.subscription_id))
    settlement.settle_checkout(join.pk)
    stripe_api.cancel_subscription_at_period_end(
        str(subscription.subscription_id), feedback="other", comment=MESSAGE
    )
    stripe_api.undo_cancellation(str(subscription.subscription_id))
    exchange_gifts(campaign, sandbox)
    order_as_zoe(campaign)  # never paid
    order_as_zoe(
        campaign,
        "gift",
        email="ben@example.org",
        name="Ben",
        typed={"gifts": [make_recipient(NAME, ZOE)]},
    )
    pay_offline(campaign, zoe, staff)
    subscribe_to_newsletters(campaign)
    refund_and_dispute(zoe, sandbox, staff)
    change_addresses(zoe)
    write_staff_notes(zoe, staff)
    WallEntry.objects.create(
        campaign=campaign, member=zoe, first_name="Zoë", sentence=MESSAGE, status="shown"
    )
    post_all_events(sandbox)
    members.request_sign_in_link(ZOE, language="en", at=timezone.now())
    jobs.run_due_jobs("mails", "deliveries", "banners")
    return Member.objects.get(pk=zoe.pk)


def import_zoe(folder: Path) -> None:
    file = folder / "members.csv"
    file.write_text(f"email,name,since,until\n{ZOE},{NAME},2024-01-01,2025-01-01\n", "utf-8")
    call_command("import_members", str(file))


def exchange_gifts(campaign: Campaign, sandbox: SandboxControl) -> None:
    ben, later = ("Ben", "ben@example.org"), "2026-12-24T08:00:00+00:00"
    buy_as_zoe(
        campaign,
        sandbox,
        "gift",
        typed={"gifts": [make_recipient(*ben, MESSAGE), make_recipient(*ben, MESSAGE, later)]},
    )
    bens_form: dict[str, Any] = {"email": "ben@example.org", "name": "Ben"}
    wanted = [
        make_recipient(NAME, ZOE, TO_ZOE),
        make_recipient("Zoë", ZOE, TO_ZOE, later),
        make_recipient("Cleo", "cleo@example.org"),
    ]
    sent = buy_as_zoe(campaign, sandbox, "gift", typed={"gifts": wanted}, **bens_form)
    handed_over = buy_as_zoe(
        campaign, sandbox, "gift", typed={"gifts": [make_recipient("Zoë", "", TO_ZOE)]}, **bens_form
    )
    assert sent.gifts.count() == 3
    gift = handed_over.gifts.get()
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
    first = sent.gifts.get(position=0)
    GiftChange.objects.create(gift=first, what="resent", why=f"{NAME} had not got it")


def pay_offline(campaign: Campaign, zoe: Member, staff: User) -> None:
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


def subscribe_to_newsletters(campaign: Campaign) -> None:
    """Subscribe her to two newsletters, end one, and let the request for a third wait."""
    morning, war, art = (make_newsletter(slug) for slug in ("morning", "war", "art"))
    consent: dict[str, Any] = {
        "campaign": campaign,
        "consent_wording": f"{NAME} agrees",
        "page_title": f"To {NAME}",
    }
    make_subscription(morning, ZOE, **consent)
    make_subscription(war, ZOE, status="unsubscribed", **consent)
    sign_up = SignUp(email=ZOE, newsletters=[art], language="en", wordings={}, campaign=campaign)
    assert newsletters.request_newsletters(sign_up, at=timezone.now())


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


def change_addresses(zoe: Member) -> None:
    """Give her a former address and a pending change to a third."""
    zoe.former_addresses.create(email=FORMER)
    members.request_address_change(zoe, WANTED, language="en", at=timezone.now())


def write_staff_notes(zoe: Member, staff: User) -> None:
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


def post_all_events(sandbox: SandboxControl, *, work_on: int = 1000) -> None:
    """Post all of Stripe's events, every other one with escaped letters."""
    client = Client()
    for number, event in enumerate(sandbox.events()):
        event.pop("deliveries")
        body = json.dumps(event, ensure_ascii=bool(number % 2))
        assert post(client, body).status_code == 200
    for event_id in StripeEvent.objects.values_list("event_id", flat=True)[:work_on]:
        webhooks.work_on_event(event_id)
    StripeEvent.objects.filter(status="new").update(status="ignored", due_at=None)


# The erasure


def run_jobs_until_erased(member: Member, clock: Clock, *, sweeps: int = 6) -> Erasure:
    """Run the jobs every 15 seconds until the erasure is done."""
    for _ in range(sweeps):
        jobs.run_due_jobs()
        wait(clock, seconds=15)
    erasure = Erasure.objects.get(member=member)
    assert erasure.done_at is not None, erasure.error
    return erasure


def wait(clock: Clock, **time: float) -> None:
    clock.move_to(timezone.now() + timedelta(**time))


def run_erasure_once(erasure: Erasure) -> Erasure:
    """Run one attempt of the job now."""
    Erasure.objects.filter(pk=erasure.pk, done_at=None).update(due_at=timezone.now())
    for erasure_id in claim_due("erasures", at=timezone.now()):
        erasures.carry_out_erasure(erasure_id)
    erasure.refresh_from_db()
    return erasure


def erase(member: Member) -> Erasure:
    """Request an erasure, send the last e-mail and run the job until it is done."""
    erasure = erasures.request_erasure(member)
    jobs.run_due_jobs("mails", "deliveries", "banners")
    run_erasure_once(erasure)
    assert erasure.done_at is not None, erasure.error
    return erasure
