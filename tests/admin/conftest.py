"""Staff users, and rows for them to work on."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns.models import (
    ApiClient,
    Campaign,
    ErasedAddress,
    Erasure,
    GhostMember,
    Gift,
    GiftChange,
    JobFailure,
    JobRun,
    Look,
    Member,
    OptOut,
    OutgoingEvent,
    OutgoingMail,
    PublishedNumber,
    RefundOrder,
    ReportToken,
    StripeCursor,
    StripeSale,
    WallEntry,
    WebhookDelivery,
    WebhookEndpoint,
)
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_dispute,
    make_gift,
    make_member,
    make_payment,
    make_price,
    make_refund,
    record_claim,
    recount_campaign,
)
from tests.support.newsletters import make_newsletter, make_subscription
from tests.support.reports import make_chat_webhook, make_reader, make_report_mail
from tests.support.staff import MARKUP, sign_in_staff, store_event


@pytest.fixture
def editor(client: Client) -> User:
    """A superuser, signed in."""
    user = User.objects.create_superuser("editor", "editor@example.org", "long-and-unguessed")
    sign_in_staff(client, user)
    return user


@pytest.fixture
def admin_client(admin_client: Client, admin_user: User) -> Client:
    sign_in_staff(admin_client, admin_user)
    return admin_client


@pytest.fixture
def trainee(client: Client) -> User:
    """A staff user without permissions, signed in."""
    user = User.objects.create_user("trainee", password="long-and-unguessed", is_staff=True)
    sign_in_staff(client, user)
    return user


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(timezone.now(), tick=False) as clock:
        yield clock


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign()


@pytest.fixture
def rows(birthday: Campaign) -> Campaign:
    """One row of every model; the names contain markup."""
    price = make_price()
    ada, ben = make_member("ada@example.org"), make_member("ben@example.org")
    Member.objects.filter(pk=ada.pk).update(name=MARKUP)
    payment = make_payment(ada, birthday, "2026-11-10 12:00", checkout=make_checkout(birthday))
    make_refund(payment, "2026-11-11 12:00", 1000)
    make_dispute(payment, "2026-11-12 12:00")
    gift = make_gift(ada, birthday, "2026-11-10 12:00", message=MARKUP, buyer_name=MARKUP)
    record_claim(gift, ben, "2026-11-11 12:00")
    GiftChange.objects.create(gift=gift, what=GiftChange.What.RESENT, why=MARKUP)
    RefundOrder.objects.create(payment=payment, amount_minor=500, reason="duplicate", why=MARKUP)
    OptOut.objects.create(address_hash="0" * 64)
    Erasure.objects.create(member=make_member("gone@example.org"), why=MARKUP)
    ErasedAddress.objects.create(address_hash="0" * 64)
    store_event()
    StripeSale.objects.create(
        subscription_id="sub_1",
        customer_id="cus_1",
        email="ada@example.org",
        price=price,
        status="active",
        started_at=at("2026-11-10 12:00"),
    )
    StripeCursor.objects.create(of="events", read_until=at("2026-11-10 12:00"))
    OutgoingMail.objects.create(key="receipt:pi_1", kind="receipt", payment=payment)
    PublishedNumber.objects.create(
        campaign=birthday, published_at=at("2026-11-10 12:00"), counted=1, target=1000
    )
    Look.objects.create(name=MARKUP)
    make_subscription(make_newsletter(), campaign=birthday, page_title=MARKUP)
    JobRun.objects.create(name="mails")
    keeper = User.objects.create_user("keeper")
    ReportToken.objects.create(user=keeper, name=MARKUP, secret_hash="0" * 64)
    JobFailure.objects.create(job="mails", row="1", error="OSError")
    staff = User.objects.filter(username="editor").first() or make_reader()
    make_report_mail(staff, daily=True)
    make_chat_webhook(name=MARKUP)
    make_delivery(ada)
    WallEntry.objects.create(campaign=birthday, member=ada, first_name=MARKUP, sentence=MARKUP)
    GhostMember.objects.create(member=ada, ghost_id="a" * 24, state="refused", error=MARKUP)
    ApiClient.objects.create(name=MARKUP, token_hash="0" * 64)
    recount_campaign(birthday)
    return birthday


def make_delivery(member: Member) -> WebhookDelivery:
    endpoint = WebhookEndpoint.objects.create(
        name=MARKUP, url="https://crm.example.org/hook", events=["member.joined"]
    )
    event = OutgoingEvent.objects.create(
        type="member.joined", member=member, data={"member": {"name": MARKUP}}
    )
    return WebhookDelivery.objects.create(
        endpoint=endpoint, event=event, member=member, attempts=1, status=500, answer=MARKUP
    )


@pytest.fixture
def gift(birthday: Campaign) -> Gift:
    """A delivered gift that can be claimed."""
    now = timezone.now()
    return make_gift(
        make_member("ada@example.org"),
        birthday,
        "2026-11-10 12:00",
        status="delivered",
        delivered_at=now - timedelta(days=1),
        expires_at=now + timedelta(days=300),
    )


@pytest.fixture
def undelivered(birthday: Campaign) -> Gift:
    now = timezone.now()
    return make_gift(
        make_member("ada@example.org"),
        birthday,
        "2026-11-10 12:00",
        deliver_at=now + timedelta(days=30),
        expires_at=now + timedelta(days=395),
    )
