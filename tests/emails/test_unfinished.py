"""Unfinished payments: one e-mail to who didn't pay, with a link that opens a fresh session."""

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import LazySettings
from django.test import Client
from django.utils import timezone

from campaigns import emails, jobs, settlement, stripe_api
from campaigns.emails import links
from campaigns.models import Campaign, Checkout, Member, OutgoingMail, Price
from campaigns.reports import formats, gather_report
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import at, make_campaign, make_checkout
from tests.support.mails import assert_no_longer_wanted, find_link, send_mail, text_of
from tests.support.pages import UNREACHABLE, main_of, read_form
from tests.support.sales import CARD, GIFT_FOR_BEN, buy, place_order

pytestmark = [pytest.mark.django_db, pytest.mark.once]

NOW = at("2026-11-10 12:00")
ADA = "ada@example.org"

clock = _clock  # a fixture


@pytest.fixture
def birthday() -> Campaign:
    return make_campaign(reminds_unfinished=True)


def leave(campaign: Campaign | None, *, hours: float = 4, **changes: Any) -> Checkout:
    """Create a Checkout whose payment page was opened so many hours ago and left."""
    opened_at = NOW - timedelta(hours=hours)
    values = {"email": ADA, "opened_at": opened_at, "created_at": opened_at}
    return make_checkout(campaign, **values | changes)


def remind(moment: datetime = NOW) -> list[Any]:
    with time_machine.travel(moment, tick=False):
        jobs.run_due_jobs("unfinished")
    mails = OutgoingMail.objects.filter(kind="unfinished").order_by("pk")
    return list(mails.values_list("checkout", flat=True))


# Who gets one


@pytest.mark.parametrize(
    ("hours", "is_sent"), [(2.9, False), (3, True), (24, True), (47, True), (49, False)]
)
def test_it_is_sent_after_three_hours(birthday: Campaign, hours: float, is_sent: bool) -> None:
    checkout = leave(birthday, hours=hours)
    assert remind() == ([checkout.pk] if is_sent else [])


@pytest.mark.parametrize("status", ["open", "expired"])
def test_it_is_sent_once(birthday: Campaign, status: str) -> None:
    checkout = leave(birthday, status=status)
    assert remind() == remind() == remind(NOW + timedelta(hours=9)) == [checkout.pk]


def test_it_is_off_by_default() -> None:
    leave(make_campaign())
    assert remind() == []


@pytest.mark.parametrize("status", ["waiting", "paid"])
def test_who_paid_gets_none(birthday: Campaign, status: str) -> None:
    leave(birthday)
    leave(birthday, hours=1, status=status)
    leave(birthday, email="ben@example.org", status=status)
    assert remind() == []


def test_a_person_gets_one_about_the_newest_try(birthday: Campaign) -> None:
    leave(birthday, hours=9)
    newest = leave(birthday, hours=5)
    assert remind() == [newest.pk]


def test_who_tries_again_right_now_is_left_alone(birthday: Campaign) -> None:
    leave(birthday)
    leave(birthday, hours=0.5)
    assert remind() == []


def test_a_person_gets_one_in_thirty_days(birthday: Campaign) -> None:
    first = leave(birthday)
    remind()
    again = NOW + timedelta(days=29)
    leave(birthday, opened_at=again - timedelta(hours=4))
    assert remind(again) == [first.pk]
    later = NOW + timedelta(days=31)
    second = leave(birthday, opened_at=later - timedelta(hours=4))
    assert remind(later) == [first.pk, second.pk]


# Whether it is still sent


def test_it_is_dropped_once_they_paid(birthday: Campaign) -> None:
    checkout = leave(birthday)
    remind()
    leave(birthday, hours=1, status="paid")
    assert_no_longer_wanted(OutgoingMail.objects.get(checkout=checkout))


def test_it_is_dropped_once_the_campaign_stops_them(birthday: Campaign) -> None:
    leave(birthday)
    remind()
    Campaign.objects.update(reminds_unfinished=False)
    assert_no_longer_wanted(OutgoingMail.objects.get())


def test_who_opted_out_gets_none(birthday: Campaign) -> None:
    emails.stop_reminders(ADA)
    leave(birthday)
    remind()
    assert_no_longer_wanted(OutgoingMail.objects.get())


@pytest.mark.django_db(transaction=True)
def test_a_member_gets_none(campaign: Campaign, sandbox: SandboxControl) -> None:
    Campaign.objects.update(reminds_unfinished=True)
    buy(campaign, sandbox)
    Checkout.objects.update(opened_at=NOW - timedelta(days=9))
    leave(campaign)
    remind()
    mail = OutgoingMail.objects.get(kind="unfinished")
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=timezone.now())
    assert_no_longer_wanted(mail)


# Coming back


@pytest.fixture
def left(campaign: Campaign) -> Campaign:
    campaign.reminds_unfinished = True
    campaign.save()
    return campaign


def open_mail(clock: Clock, checkout: Checkout, *, purchase: str = "") -> str:
    """Send the e-mail four hours later, which names the purchase; return the path of its link."""
    clock.move_to(NOW + timedelta(hours=4))
    jobs.run_due_jobs("unfinished")
    mail = OutgoingMail.objects.get(kind="unfinished", checkout=checkout)
    OutgoingMail.objects.filter(pk=mail.pk).update(due_at=timezone.now())
    sent = send_mail(mail)
    assert sent.to == [checkout.email]
    assert "Nothing was charged." in text_of(sent)
    assert f"Purchase: {purchase}" in text_of(sent)
    assert "List-Unsubscribe" in sent.extra_headers
    return urlsplit(find_link(sent, "/membership/continue/")).path


@pytest.mark.django_db(transaction=True)
def test_the_link_opens_a_fresh_session_with_all_that_was_typed(
    left: Campaign, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    Price.objects.filter(kind="month").update(is_open=True)
    checkout = place_order(left, "month")
    Checkout.objects.update(amount_minor=550)
    path = open_mail(clock, checkout, purchase="Member, €5.50 a month")
    stripe_api.expire_session(str(checkout.session_id))
    page = client.get(path)
    assert "<strong>€5.50</strong> a month" in main_of(page)
    assert ADA in main_of(page)
    assert page["X-Robots-Tag"] == "noindex"
    checkout.refresh_from_db()
    assert checkout.attempt == 1  # opening the link changes nothing
    answer = client.post(path, read_form(page).fields)
    checkout.refresh_from_db()
    assert (answer.status_code, answer["Location"]) == (303, checkout.session_url)
    assert (checkout.attempt, checkout.amount_minor, checkout.name) == (2, 550, "Ada Reader")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    assert Member.objects.get().memberships.get().amount_minor == 550
    report = gather_report(left, at=timezone.now())
    assert (report.unfinished.reminded, report.unfinished.returned) == (1, 1)
    assert "paid after that" in formats.as_text(report)
    assert client.get(path)["Location"] == f"/membership/thanks/{checkout.pk}/"


@pytest.mark.django_db(transaction=True)
def test_an_open_session_is_continued(left: Campaign, clock: Clock, client: Client) -> None:
    checkout = place_order(left, "gift", typed={"gifts": [GIFT_FOR_BEN, GIFT_FOR_BEN]})
    path = open_mail(clock, checkout, purchase="Gift membership: Member, 12 months × 2")
    page = client.get(path)
    assert "2 ×" in main_of(page)
    answer = client.post(path, read_form(page).fields)
    assert answer["Location"] == checkout.session_url
    checkout.refresh_from_db()
    assert (checkout.attempt, len(checkout.typed["gifts"])) == (1, 2)


@pytest.mark.django_db(transaction=True)
def test_a_price_that_is_gone_leads_to_the_form(
    left: Campaign, clock: Clock, client: Client
) -> None:
    checkout = place_order(left)
    path = open_mail(clock, checkout)
    Price.objects.filter(kind="year").update(is_active=False)
    assert client.get(path)["Location"] == f"/campaign/birthday/join/?again={checkout.pk}"


@pytest.mark.django_db(transaction=True)
def test_who_joined_meanwhile_is_not_asked_to_pay_again(
    left: Campaign, sandbox: SandboxControl, clock: Clock, client: Client
) -> None:
    path = open_mail(clock, place_order(left))
    fields = read_form(client.get(path)).fields
    buy(left, sandbox, email=ADA)
    for answer in (client.get(path), client.post(path, fields)):
        assert "You’re already a member" in main_of(answer)
        assert "Continue to payment" not in main_of(answer)


@pytest.mark.django_db(transaction=True)
def test_a_refusal_by_stripe_is_explained_with_the_way_to_the_form(
    left: Campaign, clock: Clock, client: Client
) -> None:
    checkout = place_order(left)
    path = open_mail(clock, checkout)
    stripe_api.expire_session(str(checkout.session_id))
    fields = read_form(client.get(path)).fields
    Checkout.objects.update(email="ada@[127.0.0.1]")
    answer = client.post(path, fields)
    assert answer.status_code == 422
    assert "Our payment service doesn’t accept this order." in main_of(answer)
    assert f"/campaign/birthday/join/?again={checkout.pk}" in main_of(answer)
    assert "Continue to payment" not in main_of(answer)


@pytest.mark.django_db(transaction=True)
def test_without_stripe_the_link_can_be_tried_again(
    left: Campaign, clock: Clock, client: Client, settings: LazySettings
) -> None:
    path = open_mail(clock, place_order(left))
    fields = read_form(client.get(path)).fields
    settings.STRIPE_API_BASE = UNREACHABLE
    answer = client.post(path, fields)
    assert answer.status_code == 503
    assert path in main_of(answer)


def test_a_changed_old_or_erased_link_is_closed(birthday: Campaign, client: Client) -> None:
    checkout = leave(birthday)
    token = links.make_continue_token(checkout)
    for path in (f"/membership/continue/{token}x/", "/membership/continue/x/"):
        answer = client.get(path)
        assert answer.status_code == 410
        assert "This link to your payment has expired" in main_of(answer)
        assert "reminders" not in main_of(answer)
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        assert client.get(f"/membership/continue/{token}/").status_code == 410
    Checkout.objects.update(email="erased-1@erased.invalid")
    assert client.get(f"/membership/continue/{token}/").status_code == 410
