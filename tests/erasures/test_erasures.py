"""Erasures: no personal data is left, and no number changes."""

from pathlib import Path
from typing import Any

import pytest
from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client
from django.utils import timezone

from campaigns import (
    actions,
    emails,
    erasures,
    jobs,
    members,
    progress,
    settlement,
    stripe_api,
    webhooks,
)
from campaigns.actions import refunds
from campaigns.models import (
    Campaign,
    Checkout,
    Dispute,
    Gift,
    Goal,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    PublishedNumber,
    Refund,
    RefundOrder,
    StripeEvent,
    Tally,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.erasures import (
    MESSAGE,
    NAME,
    ZOE,
    buy_as_zoe,
    create_all_data,
    dump_everything,
    erase,
    find_secrets,
    make_recipient,
    run_jobs_until_erased,
    wait,
)
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import at, recount_campaign
from tests.support.mails import read_both_parts, text_of
from tests.support.reconciliation import reconcile
from tests.support.webhooks import post

pytestmark = pytest.mark.both_databases

clock = _clock  # a fixture
LATER = "2026-12-24T08:00:00+00:00"
GIFTS = {
    "gifts": [
        make_recipient("Ben", "ben@example.org", MESSAGE, LATER),
        make_recipient(NAME, ZOE, MESSAGE),
    ]
}
TABLES_WITH_HER_DATA = (
    *("campaigns.member", "campaigns.formeraddress", "campaigns.addresschange"),
    *("campaigns.checkout", "campaigns.gift", "campaigns.giftchange", "campaigns.membership"),
    *("campaigns.payment", "campaigns.refundorder", "campaigns.stripeevent", "admin.logentry"),
    *("campaigns.subscription", "campaigns.wallentry"),
    *("campaigns_member", "campaigns_checkout", "campaigns_stripeevent", "django_admin_log"),
)


@pytest.fixture(autouse=True)
def goal_of_money(campaign: Campaign, clock: Clock) -> None:
    Goal.objects.create(campaign=campaign, kind=Goal.Kind.MONEY, target=100_000)


@pytest.fixture
def zoe(campaign: Campaign, sandbox: SandboxControl) -> Member:
    """A member with one subscription."""
    buy_as_zoe(campaign, sandbox)
    return Member.objects.get(email=ZOE)


def numbers() -> dict[str, Any]:
    """Return all counts and sums, from rows and published numbers."""
    moments = [at("2026-11-10 12:30"), at("2026-12-31 12:00")]
    payments = Payment.objects.order_by("pk").values(
        *("id", "role", "status", "amount_minor", "currency", "fee_minor", "net_minor", "paid_at"),
        *("settled_minor", "settled_currency", "intent_id", "charge_id", "invoice_id", "method"),
        *("receipt_number", "member", "membership", "checkout", "campaign"),
    )
    gifts = Gift.objects.order_by("pk").values(
        *("pk", "status", "payment", "paid_at", "deliver_at", "expires_at", "code_hash", "buyer")
    )
    tallies = Tally.objects.values_list(
        "campaign", "member", "gift", "payment", "counted_from", "counted_until"
    )
    goals, campaigns = Goal.objects.order_by("pk"), Campaign.objects.order_by("pk")
    return {
        "tallies": sorted(tallies, key=str),
        "published": list(PublishedNumber.objects.order_by("pk").values()),
        "payments": list(payments),
        "refunds": list(Refund.objects.order_by("pk").values()),
        "disputes": list(Dispute.objects.order_by("pk").values()),
        "gifts": list(gifts),
        "goals": [progress.measure_goal(goal, at=moment) for goal in goals for moment in moments],
        "money": [
            progress.sum_payments(each, at=moment) for each in campaigns for moment in moments
        ],
    }


def sums_of(report: tuple[int, str]) -> str:
    """Return the money part of a reconciliation report."""
    assert report[0] == 0, report
    return report[1][report[1].index("eur,") :]


@pytest.mark.long
def test_no_personal_data_is_left_in_a_full_dump(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, tmp_path: Path
) -> None:
    zoe = create_all_data(campaign, sandbox, tmp_path)
    wait(clock, minutes=180)
    jobs.run_due_jobs()  # finish work that is due without the erasure
    before, books = numbers(), sums_of(reconcile())
    assert len(before["tallies"]) >= 4
    where = find_secrets(dump_everything())  # control: the search finds her data
    for label in TABLES_WITH_HER_DATA:
        assert any(f" in {label} " in line for line in where), label
    erasures.request_erasure(zoe)
    run_jobs_until_erased(zoe, clock)
    assert find_secrets(dump_everything()) == []
    assert numbers() == before
    recount_campaign(campaign)
    assert numbers() == before
    assert sums_of(reconcile()) == books
    # All of Stripe's events are imported again.
    StripeEvent.objects.all().delete()
    assert webhooks.catch_up(since=at("2026-11-10 00:00")).missed > 20
    assert StripeEvent.objects.filter(stripped_at=None).exists()  # those of Ben
    assert find_secrets(dump_everything()) == []


def test_the_origin_of_a_sale_stays_without_the_name(zoe: Member) -> None:
    """A title or a parameter names somebody if a link was made for one person."""
    article = "https://www.example.org/letters"
    Checkout.objects.filter(member=zoe).update(
        placement="end", page_url=article, page_title=f"A letter to {NAME}", utm_content=ZOE
    )
    erase(zoe)
    origin = Checkout.objects.get(member=zoe).origin
    assert (origin.placement, origin.page_url) == ("end", article)
    assert (origin.page_title, origin.utm_content) == ("A letter to …", "…")


def test_the_subscription_ends_and_the_customer_is_deleted_at_stripe(
    zoe: Member, sandbox: SandboxControl
) -> None:
    membership = zoe.memberships.get()
    stripe_api.cancel_subscription_at_period_end(
        str(membership.subscription_id), feedback="other", comment=MESSAGE
    )
    assert membership.checkout is not None
    customer_id = membership.checkout.customer_id
    assert stripe_api.client().v1.customers.retrieve(customer_id).to_dict()["email"] == ZOE
    erase(zoe)
    v1, subscription_id = stripe_api.client().v1, str(membership.subscription_id)
    subscription = v1.subscriptions.retrieve(subscription_id).to_dict()
    assert (subscription["status"], subscription["ended_at"]) == ("canceled", sandbox.now())
    assert subscription["cancellation_details"]["comment"] is None
    assert v1.customers.retrieve(customer_id).to_dict() == {
        "id": customer_id,
        "object": "customer",
        "deleted": True,
    }
    membership.refresh_from_db()
    assert membership.status == Membership.Status.ENDED
    assert Refund.objects.count() == 0  # nothing is refunded
    assert str(Member.objects.get(pk=zoe.pk)) == f"erased member {zoe.pk}"


@pytest.mark.thorough
def test_only_one_last_email_is_sent(zoe: Member, clock: Clock) -> None:
    jobs.run_due_jobs("mails", "deliveries", "banners")
    before = len(mailbox.outbox)
    erasures.request_erasure(zoe)
    erasures.request_erasure(zoe)  # a second click
    run_jobs_until_erased(zoe, clock)
    [last] = mailbox.outbox[before:]
    assert isinstance(last, EmailMultiAlternatives)
    assert last.to == [ZOE]
    assert last.subject == "The Meridian Post is erasing your data"
    for part in read_both_parts(last):
        assert f"Hello {NAME}" in part
        assert "As you asked on your account page" in part
        assert "because we have to keep accounts" in part
    for mail in OutgoingMail.objects.all():
        emails.reschedule_mail([mail.pk])
        assert not emails.deliver_mail(mail.pk)
    assert len(mailbox.outbox) == before + 1


# Data that stays


@pytest.mark.thorough
def test_a_later_refund_finds_the_payment_and_restores_no_data(
    zoe: Member, sandbox: SandboxControl, clock: Clock, client: Client, django_user_model: Any
) -> None:
    payment = zoe.payments.get()
    erase(zoe)
    wait(clock, days=3)
    ordered = refunds.order_refund(
        payment,
        amount_minor=1000,
        reason=RefundOrder.Reason.REQUESTED,
        why="asked for by mail",
        by=django_user_model.objects.create_user("olha"),
    )
    actions.execute_refund_order(ordered.pk)
    refund = Refund.objects.get()
    assert (refund.payment, refund.amount_minor, refund.status) == (payment, 1000, "succeeded")
    dispute = sandbox.open_dispute(payment_intent=str(payment.intent_id))
    sandbox.close_dispute(dispute["id"], status="lost")
    assert_events_leave_ids(sandbox, client, "charge.refunded", "charge.dispute.closed")
    lost = Dispute.objects.get()
    assert (lost.payment, lost.status) == (payment, "lost")
    assert Tally.objects.get().counted_until == lost.withdrawn_at
    payment.refresh_from_db()
    assert payment.receipt_url == ""
    assert find_secrets(dump_everything()) == []


def assert_events_leave_ids(sandbox: SandboxControl, client: Client, *kinds: str) -> None:
    for kind in kinds:
        event = sandbox.events(kind)[-1]
        body, header = sandbox.sign_event(event["id"])
        assert post(client, body, header).status_code == 200
        webhooks.work_on_event(event["id"])
        kept = StripeEvent.objects.get(event_id=event["id"])
        assert (kept.status, kept.object_id) == ("done", event["data"]["object"]["id"])
        assert kept.stripped_at is not None


@pytest.mark.thorough
def test_a_bank_debit_that_succeeds_later_names_nobody(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    checkout = buy_as_zoe(campaign, sandbox, "gift", iban="DE89370400440532013000", typed=GIFTS)
    assert checkout.status == "waiting"
    zoe = Member.objects.get(email=ZOE)
    erase(zoe)
    assert find_secrets(dump_everything()) == []
    wait(clock, days=8)
    settlement.settle_checkout(checkout.pk)
    payment = Payment.objects.get()
    assert (payment.status, payment.member) == ("succeeded", zoe)
    later, own = Gift.objects.order_by("position")
    assert (later.recipient_email, later.deliver_at) == ("ben@example.org", at(LATER))
    assert (own.recipient_email, own.recipient_name) == ("", "")
    assert Tally.objects.count() == 2
    before = len(mailbox.outbox)
    jobs.run_due_jobs()
    assert len(mailbox.outbox) == before
    assert find_secrets(dump_everything()) == []


@pytest.mark.thorough
def test_a_gift_they_bought_is_delivered_without_name_and_message(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    buy_as_zoe(campaign, sandbox, "gift", typed=GIFTS)
    erase(Member.objects.get(email=ZOE))
    gift = Gift.objects.get(position=0)
    assert (gift.recipient_name, gift.message, gift.buyer_name) == ("Ben", "", "")
    clock.move_to(at("2026-12-24 09:00"))
    mailbox.outbox.clear()
    jobs.run_due_jobs()
    [invitation] = mailbox.outbox
    assert invitation.to == ["ben@example.org"]
    assert gift.code in text_of(invitation)
    assert find_secrets(text_of(invitation)) == []
    claimed = actions.claim_gift(gift.code, email="ben@example.org", name="Ben", language="en")
    assert claimed.status == Gift.Status.CLAIMED


@pytest.mark.thorough
def test_an_undelivered_gift_to_them_goes_to_its_buyer(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    wanted = {
        "gifts": [
            make_recipient("Cleo", "cleo@example.org"),
            make_recipient(NAME, ZOE, f"Dear {NAME}", LATER),
        ]
    }
    checkout = buy_as_zoe(
        campaign, sandbox, "gift", email="ben@example.org", name="Ben", typed=wanted
    )
    buy_as_zoe(campaign, sandbox, "month")
    erase(Member.objects.get(email=ZOE))
    checkout.refresh_from_db()
    assert [each["recipient_name"] for each in checkout.typed["gifts"]] == ["Cleo", ""]
    jobs.run_due_jobs("mails", "deliveries", "banners")
    clock.move_to(at("2026-12-24 09:00"))
    mailbox.outbox.clear()
    jobs.run_due_jobs()
    [mail] = [each for each in mailbox.outbox if Gift.objects.get(position=1).code in text_of(each)]
    assert (mail.to, mail.subject) == (["ben@example.org"], "Your gift is ready to give")
    assert find_secrets(text_of(mail)) == []


# Returning


@pytest.mark.thorough
def test_a_person_who_returns_is_a_new_member(
    zoe: Member, campaign: Campaign, sandbox: SandboxControl, clock: Clock
) -> None:
    erase(zoe)
    wait(clock, days=1)
    buy_as_zoe(campaign, sandbox, name="Zoë O.")
    again = Member.objects.get(email=ZOE)
    assert again != zoe
    assert (again.name, again.payments.count(), again.memberships.count()) == ("Zoë O.", 1, 1)
    assert Tally.objects.filter(counted_until=None).count() == 2  # by the rule, as any new person
    wait(clock, days=1)
    erase(again)
    assert find_secrets(dump_everything()) == []
    assert Member.objects.exclude(erased_at=None).count() == 2


def test_no_link_and_no_merge_leads_to_an_erased_member(zoe: Member, clock: Clock) -> None:
    erase(zoe)
    zoe.refresh_from_db()
    for address in (ZOE, zoe.email):
        assert not members.request_sign_in_link(address, language="en", at=timezone.now())
    with pytest.raises(members.ChangeClosed):
        members.request_address_change(zoe, "x@example.org", language="en", at=timezone.now())
    other = Member.objects.get_or_create_by_email("ben@example.org")
    with pytest.raises(members.MergeRefused):
        members.merge_members(kept=other, gone=zoe)
    assert Member.objects.find(ZOE) is None
