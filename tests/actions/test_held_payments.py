"""Payments in an unexpected currency: held, and not counted until staff accept them."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from campaigns import actions, jobs, progress, settlement, stripe_api
from campaigns.models import (
    Campaign,
    Checkout,
    Gift,
    Goal,
    Membership,
    OutgoingMail,
    Payment,
    Price,
    Tally,
)
from campaigns.models.moves import ForbiddenMove
from campaigns.progress import HeldTotal
from campaigns.reports import formats, gather_report
from newsroom.sandbox.control import SandboxControl
from tests.admin.conftest import editor, trainee  # noqa: F401 - fixtures
from tests.support.extensions import Clock, clock  # noqa: F401 - a fixture
from tests.support.factories import at, recount_campaign
from tests.support.sales import buy, place_order
from tests.support.staff import admin_url, grant_permissions, read_messages, read_page
from tests.support.threads import race

pytestmark = pytest.mark.usefixtures("clock")
CARD = "4242424242424242"
IBAN = "DE89370400440532013000"
LATER = at("2099-01-01 00:00")
Hold = Payment.Hold


@pytest.fixture
def abroad(campaign: Campaign) -> Campaign:
    """A campaign to whose prices someone added dollars in the Stripe Dashboard."""
    for price in Price.objects.filter(kind__in=["gift", "once"]):
        stripe_api.client().v1.prices.update(
            price.stripe_price_id, {"currency_options": {"usd": {"unit_amount": 6600}}}
        )
    return campaign


def buy_abroad(
    campaign: Campaign, sandbox: SandboxControl, kind: str, currency: str = "usd"
) -> Payment:
    checkout = buy(campaign, sandbox, kind, currency=currency)
    return Payment.objects.get(checkout=checkout)


def decide(payment: Payment, hold: Payment.Hold) -> None:
    if hold == Hold.ACCEPTED:
        actions.accept_held_payment(payment)
    else:
        actions.decline_held_payment(payment)
    payment.refresh_from_db()


@pytest.mark.parametrize("kind", ["once", "gift"])
def test_a_payment_in_an_unexpected_currency_is_delivered_and_held(
    abroad: Campaign, sandbox: SandboxControl, kind: str
) -> None:
    payment = buy_abroad(abroad, sandbox, kind)
    assert (payment.amount_minor, payment.currency, payment.status) == (6600, "usd", "succeeded")
    assert payment.hold == Hold.WAITING
    bought: type[Gift] | type[Membership] = Gift if kind == "gift" else Membership
    assert bought.objects.count() == 1
    assert OutgoingMail.objects.filter(kind="receipt").exists()
    assert not Tally.objects.exists()
    assert progress.sum_payments(abroad, at=LATER) == []
    assert progress.sum_campaign_payouts(abroad, at=LATER) == []
    assert progress.sum_held_payments(abroad, at=LATER) == [HeldTotal("usd", 1, 6600)]


@pytest.mark.parametrize("kind", ["once", "gift"])
def test_an_accepted_payment_counts_but_in_no_money_goal_of_another_currency(
    abroad: Campaign, sandbox: SandboxControl, kind: str
) -> None:
    Goal.objects.create(campaign=abroad, kind=Goal.Kind.MONEY, target=100_000)
    payment = buy_abroad(abroad, sandbox, kind)
    buy_abroad(abroad, sandbox, "gift", "eur")
    decide(payment, Hold.ACCEPTED)
    people, money = progress.measure_campaign(abroad, at=LATER)
    assert (people.counted, money.counted) == (2, 6000)
    assert [
        (each.currency, each.gross_minor) for each in progress.sum_payments(abroad, at=LATER)
    ] == [("eur", 6000), ("usd", 6600)]
    assert progress.sum_held_payments(abroad, at=LATER) == []
    # A later settlement keeps the decision of staff.
    assert payment.checkout_id is not None
    settlement.settle_checkout(payment.checkout_id)
    payment.refresh_from_db()
    assert payment.hold == Hold.ACCEPTED
    assert Tally.objects.count() == 2


def test_a_declined_payment_counts_nowhere_until_it_is_accepted(
    abroad: Campaign, sandbox: SandboxControl
) -> None:
    payment = buy_abroad(abroad, sandbox, "gift")
    for hold, counted in ((Hold.REFUSED, 0), (Hold.ACCEPTED, 1), (Hold.REFUSED, 0)):
        decide(payment, hold)
        assert Tally.objects.count() == counted
        assert progress.sum_held_payments(abroad, at=LATER) == []
    with pytest.raises(ForbiddenMove):
        decide(payment, Hold.REFUSED)
    assert Gift.objects.get().status == Gift.Status.PAID  # the gift stays valid
    assert payment.checkout_id is not None
    settlement.settle_checkout(payment.checkout_id)
    assert not Tally.objects.exists()
    recount_campaign(abroad)
    assert not Tally.objects.exists()


def test_a_payment_in_the_expected_currency_cannot_be_decided(
    abroad: Campaign, sandbox: SandboxControl
) -> None:
    payment = buy_abroad(abroad, sandbox, "gift", "eur")
    assert payment.hold == Hold.NONE
    with pytest.raises(ForbiddenMove):
        decide(payment, Hold.REFUSED)
    assert Tally.objects.count() == 1


@pytest.mark.parametrize("known", [Hold.WAITING, Hold.ACCEPTED, Hold.REFUSED])
def test_a_payment_is_no_longer_held_once_its_currency_is_expected(
    campaign: Campaign, sandbox: SandboxControl, known: Payment.Hold
) -> None:
    """The currency of the Checkout was wrong and is corrected."""
    checkout = place_order(campaign, "year")
    Checkout.objects.update(currency="usd")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    payment = Payment.objects.get()
    assert payment.hold == Hold.WAITING
    assert Membership.objects.get().status == "active"
    if known != Hold.WAITING:
        decide(payment, known)
    Checkout.objects.update(currency="eur")
    settlement.settle_checkout(checkout.pk)
    assert Payment.objects.get().hold == Hold.NONE
    assert Tally.objects.count() == 1


def test_a_renewal_is_never_held(
    campaign: Campaign,
    sandbox: SandboxControl,
    clock: Clock,  # noqa: F811
) -> None:
    """Otherwise staff would have to decide every month about every reader abroad."""
    checkout = place_order(campaign, "month")
    Checkout.objects.update(currency="usd")
    sandbox.pay(str(checkout.session_id), card=CARD)
    settlement.settle_checkout(checkout.pk)
    clock.move_to(at("2026-12-10 12:05"))
    settlement.settle_checkout(checkout.pk)
    rows = Payment.objects.order_by("paid_at").values_list("role", "hold")
    assert list(rows) == [("first", Hold.WAITING), ("renewal", Hold.NONE)]


def test_a_refund_ends_the_count_of_an_accepted_payment(
    abroad: Campaign, sandbox: SandboxControl
) -> None:
    payment = buy_abroad(abroad, sandbox, "once")
    decide(payment, Hold.ACCEPTED)
    stripe_api.refund_payment(str(payment.intent_id), amount_minor=6600, idempotency_key="back")
    assert payment.checkout_id is not None
    sandbox.advance(60)
    settlement.settle_checkout(payment.checkout_id)
    assert not Tally.objects.counting_at(LATER).exists()
    [money] = progress.sum_payments(abroad, at=LATER)
    assert (money.currency, money.net_minor) == ("usd", 0)


def test_a_fully_refunded_payment_needs_no_decision(
    abroad: Campaign, sandbox: SandboxControl
) -> None:
    payment = buy_abroad(abroad, sandbox, "once")
    for refunded, needs_decision in ((6599, True), (1, False)):
        stripe_api.refund_payment(
            str(payment.intent_id), amount_minor=refunded, idempotency_key=f"refund-{refunded}"
        )
        sandbox.advance(60)
        assert payment.checkout_id is not None
        settlement.settle_checkout(payment.checkout_id)
        assert bool(progress.sum_held_payments(abroad, at=LATER)) == needs_decision
        assert progress.select_held_payments(Payment.objects.all()).exists() == needs_decision
    payment.refresh_from_db()
    assert payment.hold == Hold.WAITING  # staff may still decide


def test_a_pending_payment_in_another_currency_makes_no_number_provisional(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "gift")
    Checkout.objects.update(currency="usd")
    sandbox.pay(str(checkout.session_id), iban=IBAN)
    settlement.settle_checkout(checkout.pk)
    assert Payment.objects.get().status == Payment.Status.PENDING
    [goal] = progress.measure_campaign(campaign, at=timezone.now() + timedelta(hours=1))
    assert goal.pending == 0


@pytest.mark.both_databases
def test_a_decision_and_a_settlement_at_once_leave_the_decision(
    abroad: Campaign, sandbox: SandboxControl
) -> None:
    payment = buy_abroad(abroad, sandbox, "gift")
    checkout_id = payment.checkout_id
    assert checkout_id is not None
    outcomes = race(
        *[lambda: settlement.settle_checkout(checkout_id)] * 3,
        lambda: actions.accept_held_payment(payment),
    )
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    payment.refresh_from_db()
    assert payment.hold == Hold.ACCEPTED
    assert Tally.objects.count() == 1


def test_a_stale_row_would_undo_the_decision(abroad: Campaign, sandbox: SandboxControl) -> None:
    """Control: this is what a settlement without the lock would write."""
    payment = buy_abroad(abroad, sandbox, "gift")
    read_before = Payment.objects.get(pk=payment.pk)
    decide(payment, Hold.ACCEPTED)
    read_before.save()
    payment.refresh_from_db()
    assert payment.hold == Hold.WAITING


# Pages for staff


def test_staff_accept_a_held_payment_with_a_reason_and_the_count_changes(
    abroad: Campaign,
    sandbox: SandboxControl,
    client: Client,
    editor: User,  # noqa: F811
) -> None:
    payment = buy_abroad(abroad, sandbox, "gift")
    jobs.run_due_jobs("mails", "deliveries", "banners")
    front = read_page(client.get("/admin/"))
    assert "needs=held" in front
    listed = read_page(client.get(admin_url(Payment, "changelist"), {"needs": "held"}))
    assert "1 row" in listed
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert "The price was €60, but $66 was paid" in page
    assert "Accept or decline payment" in page
    url = f"/admin/campaigns/payment/{payment.pk}/held/"
    assert client.post(url, {"hold": "accepted", "why": ""}).status_code == 422
    assert client.post(url, {"hold": "", "why": "a reader abroad"}).status_code == 422
    assert not Tally.objects.exists()
    response = client.post(url, {"hold": "accepted", "why": "a reader abroad"}, follow=True)
    assert "Payment accepted." in read_messages(response)
    assert Tally.objects.count() == 1
    assert LogEntry.objects.latest("pk").get_change_message() == "Accepted: a reader abroad"
    abroad.refresh_from_db()
    again = client.post(url, {"hold": "accepted", "why": "once more"})
    assert "that was already decided" in read_page(again)
    client.post(url, {"hold": "refused", "why": "not ours"})
    assert not Tally.objects.exists()
    assert LogEntry.objects.latest("pk").get_change_message() == "Declined: not ours"
    assert "needs=held" not in read_page(client.get("/admin/"))


def test_staff_without_the_refund_permission_cannot_decide(
    abroad: Campaign,
    sandbox: SandboxControl,
    client: Client,
    trainee: User,  # noqa: F811
) -> None:
    payment = buy_abroad(abroad, sandbox, "gift")
    grant_permissions(trainee, "view_payment")
    page = read_page(client.get(admin_url(Payment, "change", payment.pk)))
    assert "Accept or decline payment" not in page
    url = f"/admin/campaigns/payment/{payment.pk}/held/"
    assert client.post(url, {"hold": "accepted", "why": "I like it"}).status_code == 403
    grant_permissions(trainee, "refund_payment")
    assert client.get(url).status_code == 200


def test_the_progress_page_and_the_report_show_held_payments(
    abroad: Campaign,
    sandbox: SandboxControl,
    client: Client,
    editor: User,  # noqa: F811
) -> None:
    for kind in ("gift", "once"):
        buy_abroad(abroad, sandbox, kind)
    page = read_page(client.get(f"/admin/campaigns/campaign/{abroad.pk}/progress/"))
    assert "2 payments ($132) were made in an unexpected currency." in page
    figures = gather_report(abroad, at=LATER)
    assert "held: 2 payments, $132" in formats.as_text(figures)
    assert '"amount_minor": 13200' in formats.as_json(figures)


def test_a_payment_as_asked_for_has_no_page_to_decide(
    abroad: Campaign,
    sandbox: SandboxControl,
    client: Client,
    editor: User,  # noqa: F811
) -> None:
    payment = buy_abroad(abroad, sandbox, "gift", "eur")
    response = client.get(f"/admin/campaigns/payment/{payment.pk}/held/", follow=True)
    assert "this payment is not held" in read_messages(response)
    assert "Left after refunds and disputes" in read_page(response)
