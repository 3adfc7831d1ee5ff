"""The admin as a browser uses it: lists, forms and actions on selected rows."""

import json
from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from campaigns import progress
from campaigns.gifts import sales
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    GiftChange,
    OutgoingMail,
    Payment,
    PublishedNumber,
    StripeEvent,
    Tally,
)
from tests.support.factories import at, make_gift, make_member, make_refund, record_claim

admin.autodiscover()  # otherwise a process loads it with its URLs

OUR_MODELS: list[Any] = [
    model for model in admin.site._registry if model._meta.app_label == "campaigns"
]
RECORDED_MODELS = [Payment, Tally, PublishedNumber, Checkout, StripeEvent, OutgoingMail]
MARKUP = '<script>alert("x")</script>'
NOON = at("2026-11-10 12:00")
ATTENTION_BUYER = "ada.waiting@example.org"


def store_event(event_id: str = "evt_1", **changes: Any) -> StripeEvent:
    return StripeEvent.objects.create(
        **{
            "event_id": event_id,
            "type": "customer.updated",
            "object_type": "customer",
            "object_id": "cus_1",
            "payload": json.dumps({"id": event_id, "name": MARKUP}),
            "created_at": at("2026-11-10 12:00"),
            "status": "ignored",
            "due_at": None,
        }
        | changes
    )


def claim_as_ben(gift: Gift) -> Gift:
    ben = make_member("ben@example.org")
    record_claim(gift, ben, (timezone.now() - timedelta(hours=1)).isoformat())
    return gift


def refund_after_claim(gift: Gift) -> Gift:
    """Claim a gift, then refund its payment in full."""
    claim_as_ben(gift)
    make_refund(gift.payment, timezone.now().isoformat())
    gift = Gift.objects.get(pk=gift.pk)
    sales.follow_payment_of_gift(gift)
    return gift


def make_attention_cases(campaign: Campaign) -> None:
    """Create three gifts that need attention.

    One is claimed and its payment was refunded. The others are from one purchase with an
    unassigned refund, and one of them bounced.
    """
    buyer, ben = make_member(ATTENTION_BUYER), make_member("ben.waiting@example.org")
    now = timezone.now()
    soon = {"deliver_at": now + timedelta(days=9), "expires_at": now + timedelta(days=374)}
    refunded = make_gift(buyer, campaign, "2026-11-10 12:00", message="For your birthday")
    record_claim(refunded, ben, "2026-11-11 12:00")
    make_refund(refunded.payment, "2026-11-12 12:00")
    sales.follow_payment_of_gift(Gift.objects.get(pk=refunded.pk))
    first = make_gift(buyer, campaign, "2026-11-10 12:00", bounced_at=now, **soon)
    Checkout.objects.filter(pk=first.checkout_id).update(
        amount_minor=12000, typed={"gifts": [{}, {}]}
    )
    Payment.objects.filter(pk=first.payment_id).update(amount_minor=12000)
    second = Gift(
        **{
            field.attname: getattr(first, field.attname)
            for field in Gift._meta.concrete_fields
            if field.attname not in {"id", "position", "bounced_at", "recipient_name"}
        },
        position=1,
        recipient_name="Cleo",
    )
    second.set_code()
    second.save()
    make_refund(first.payment, "2026-11-12 12:00")
    GiftChange.objects.create(gift=first, what=GiftChange.What.DATE, why="she is away until then")
    for kind in (OutgoingMail.Kind.GIFT_INVITATION, OutgoingMail.Kind.GIFT_BOUNCED):
        OutgoingMail.objects.create(key=f"{kind}:waiting", kind=kind, gift=first, bounced_at=now)
    OutgoingMail.objects.create(
        key="receipt:waiting", kind="receipt", payment=first.payment, failed_at=now
    )


def admin_url(model: Any, page: str, *args: object) -> str:
    return reverse(f"admin:campaigns_{model._meta.model_name}_{page}", args=args)


def run_action(client: Client, model: Any, action: str, *pks: object) -> Any:
    """Select rows of a list and an action, and confirm it, as a browser does."""
    return client.post(
        admin_url(model, "changelist"),
        {"action": action, "_selected_action": pks, "confirmed": "yes"},
        follow=True,
    )


def read_messages(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


def read_page(response: Any) -> str:
    return str(response.content.decode())


def measure_primary_goal(campaign: Campaign) -> int:
    goal = campaign.goals.get(is_primary=True)
    return progress.measure_goal(goal, at=at("2027-06-01 00:00")).counted


def grant_permissions(user: User, *names: str) -> None:
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))


def sign_in_staff(client: Client, user: User) -> None:
    """Sign in as somebody who has typed the password just now."""
    client.force_login(user)
    request = HttpRequest()
    request.session = client.session
    record_authentication(request, user, method="password")
    request.session.save()


class Fields(HTMLParser):
    """The data that the form of a page sends if nothing is changed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._select = self._textarea = ""
        self.feed(page[page.index('id="content-main"') :])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        name = given.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "option" and "selected" in given:
            self.sent[self._select] = given.get("value", "")
        elif tag == "textarea":
            self._textarea = name
            self.sent[name] = ""
        elif tag == "input" and given.get("type") == "checkbox":
            if "checked" in given:
                self.sent[name] = given.get("value", "on")
        elif tag == "input" and given.get("type") != "submit" and name:
            self.sent[name] = given.get("value", "")

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.sent[self._textarea] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = ""


def fill_in(client: Client, url: str, **typed: str) -> dict[str, str]:
    response = client.get(url)
    assert response.status_code == 200
    return Fields(read_page(response)).sent | typed
