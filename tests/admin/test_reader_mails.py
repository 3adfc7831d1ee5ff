"""E-mails that tell readers of what staff did for them, with a message or not at all."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import mail as mailbox
from django.core.mail import EmailMultiAlternatives
from django.test import Client

from campaigns import emails
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Payment, RefundOrder
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import make_member, make_plan
from tests.support.mails import read_both_parts
from tests.support.refunds import pay_and_settle, refund_payment, refund_url
from tests.support.sales import place_order, settle_payment
from tests.support.staff import admin_url, fill_in, read_messages, read_page

WORDS = "Sorry for the trouble. <b>Yours</b>, Mia"
CHANGES = ["refunded", "granted", "offline", "cancelled", "ended"]

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("editor")]


def list_change_mails() -> list[OutgoingMail]:
    return list(OutgoingMail.objects.filter(kind__in=CHANGES))


def read_only_mail(kind: str) -> str:
    """Send the only e-mail about a change; return its text part, and check the HTML part."""
    [mail] = list_change_mails()
    assert mail.kind == kind
    emails.deliver_mail(mail.pk)
    mail.refresh_from_db()
    assert mail.sent_at is not None, mail.error
    sent = mailbox.outbox[-1]
    assert isinstance(sent, EmailMultiAlternatives)
    text, html = read_both_parts(sent)
    for part in (text, html):
        assert "Sorry for the trouble." in part
    return text


def test_a_reader_gets_an_email_about_a_refund_with_the_words_of_staff(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    refund_payment(client, payment, amount="10", message=WORDS)
    text = read_only_mail("refunded")
    assert "We’ve refunded €10 of your payment of" in text
    assert "Your membership continues and renews as before." in text
    assert WORDS in text


def test_staff_can_leave_the_mail_out(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    refund_payment(client, payment, amount="10", no_mail="on")
    assert list_change_mails() == []


def test_a_refund_that_stripe_refuses_sends_no_mail(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    fields = fill_in(client, refund_url(payment), why="late", reason="duplicate", message=WORDS)
    sandbox.open_dispute(payment_intent=str(payment.intent_id))
    client.post(refund_url(payment), fields)
    assert RefundOrder.objects.get().error.startswith("charge_disputed")
    assert list_change_mails() == []


def test_a_refund_can_end_the_membership_too(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    assert "the member isn’t charged again" in read_page(client.get(refund_url(payment)))
    response = refund_payment(client, payment, ends_membership="on", message=WORDS)
    assert "Payment refunded: €60. Membership ended." in read_messages(response)
    assert Membership.objects.get().status == Membership.Status.ENDED
    assert RefundOrder.objects.get().due_at is None
    text = read_only_mail("refunded")
    assert "Your membership has ended, and you won’t be charged again." in text
    assert "needs=still-running" not in read_page(client.get("/admin/"))


def test_a_one_off_membership_offers_no_second_end(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign, "once"), sandbox)
    assert "ends_membership" not in read_page(client.get(refund_url(payment)))


@pytest.mark.parametrize(
    ("page", "kind", "words"),
    [
        ("cancel", "cancelled", "you won’t be charged again. Until then you can resume it"),
        ("end", "ended", "We’ve ended your membership. You won’t be charged again."),
    ],
)
def test_a_member_gets_an_email_when_staff_end_their_membership(
    campaign: Campaign,
    sandbox: SandboxControl,
    client: Client,
    *,
    page: str,
    kind: str,
    words: str,
) -> None:
    pay_and_settle(place_order(campaign), sandbox)
    url = admin_url(Membership, page, Membership.objects.get().pk)
    client.post(url, fill_in(client, url, why="asked by phone", message=WORDS))
    assert words in read_only_mail(kind)


@pytest.mark.parametrize(
    ("page", "kind", "typed", "words"),
    [
        ("grant", "granted", {"note": "a guest author"}, "has given you a membership."),
        (
            "payment",
            "offline",
            {"note": "in cash", "amount": "60", "paid_at": "2026-11-10T10:00"},
            "Thank you. We’ve received your payment of €60.",
        ),
    ],
)
def test_a_member_gets_an_email_about_a_membership_that_staff_entered(
    client: Client,
    birthday: Campaign,
    *,
    page: str,
    kind: str,
    typed: dict[str, Any],
    words: str,
) -> None:
    ada = make_member("ada@example.org")
    url = admin_url(Member, page, ada.pk)
    fields = fill_in(client, url, plan=str(make_plan().pk), message=WORDS, **typed)
    response = client.post(url, fields, follow=True)
    assert response.status_code == 200, read_page(response)
    assert words in read_only_mail(kind)


def test_a_refunded_subscription_that_still_renews_needs_attention_until_dealt_with(
    campaign: Campaign, sandbox: SandboxControl, client: Client, editor: User
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    refund_payment(client, payment, amount="20")
    assert "needs=still-running" not in read_page(client.get("/admin/"))
    refund_payment(client, payment, amount="40")
    assert "needs=still-running" in read_page(client.get("/admin/"))
    assert clear(client, Payment, "still-running") == "1 row marked as dealt with."
    payment.refresh_from_db()
    assert payment.dealt_with_by == editor
    assert payment.dealt_with_at is not None
    assert "needs=still-running" not in read_page(client.get("/admin/"))


def test_a_subscription_whose_payment_was_lost_needs_attention(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    dispute = sandbox.open_dispute(payment_intent=str(payment.intent_id))
    sandbox.close_dispute(dispute["id"], status="lost")
    settle_payment(payment)
    assert "needs=still-running" in read_page(client.get("/admin/"))
    url = admin_url(Membership, "end", Membership.objects.get().pk)
    client.post(url, fill_in(client, url, why="lost", no_mail="on"))
    assert "needs=still-running" not in read_page(client.get("/admin/"))
    assert list_change_mails() == []


def test_a_refused_refund_that_is_pointless_now_can_be_cleared(
    campaign: Campaign, sandbox: SandboxControl, client: Client, editor: User
) -> None:
    payment = pay_and_settle(place_order(campaign), sandbox)
    order = RefundOrder.objects.create(
        payment=payment, amount_minor=100, reason="duplicate", error="no", due_at=None
    )
    assert "needs=refused" in read_page(client.get("/admin/"))
    assert clear(client, RefundOrder, "refused") == "1 row marked as dealt with."
    order.refresh_from_db()
    assert order.dealt_with_by == editor
    assert "needs=refused" not in read_page(client.get("/admin/"))
    page = read_page(client.get(admin_url(RefundOrder, "change", order.pk)))
    assert "Dealt with by" in page
    assert "Nothing was changed" in clear(client, RefundOrder, "")


def clear(client: Client, model: Any, concern: str) -> str:
    """Mark all listed rows as dealt with, and return the message."""
    listed = admin_url(model, "changelist") + (f"?needs={concern}" if concern else "")
    rows = [str(pk) for pk in model.objects.values_list("pk", flat=True)]
    response = client.post(
        listed, {"action": "mark_dealt_with", "_selected_action": rows}, follow=True
    )
    return read_messages(response)
