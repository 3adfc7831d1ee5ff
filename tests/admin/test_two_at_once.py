"""Two members of staff open the same form and both send it: it happens once."""

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from auditlog.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from campaigns import settlement
from campaigns.actions import refunds
from campaigns.models import (
    ApiClient,
    Campaign,
    Checkout,
    Erasure,
    Gift,
    GiftChange,
    Member,
    MemberNote,
    Membership,
    OutgoingMail,
    Payment,
    Refund,
    StripeSale,
    WebhookEndpoint,
)
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import (
    at,
    make_campaign,
    make_checkout,
    make_gift,
    make_member,
    make_payment,
    make_plan,
)
from tests.support.refunds import WHY, pay_and_settle, refund_url
from tests.support.sales import place_order, sell_at_stripe, subscribe
from tests.support.staff import admin_url, fill_in, read_page, sign_in_staff
from tests.support.threads import TIMEOUT, race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

NOON = "2026-11-10 12:00"
OLD_SECRET = "whsec_known_to_the_receiver"


@pytest.fixture
def staff() -> list[Client]:
    """Return the browsers of two administrators."""
    browsers = [Client(), Client()]
    for browser, name in zip(browsers, ("ada", "ben"), strict=True):
        sign_in_staff(browser, User.objects.create_superuser(name))
    return browsers


class Form(NamedTuple):
    """A form that two people send.

    `late` is what the second of them reads. `times` returns how often it happened.
    """

    url: str
    typed: dict[str, str]
    late: str
    times: Callable[[], int]


def count_entries(note: str) -> int:
    return len(LogEntry.objects.filter(changes_text__contains=note))


def decide_about_payment() -> Form:
    birthday = make_campaign()
    payment = make_payment(
        make_member(), birthday, NOON, checkout=make_checkout(birthday), hold=Payment.Hold.WAITING
    )
    return Form(
        admin_url(Payment, "decide", payment.pk),
        {"hold": "accepted", "why": "a reader abroad"},
        "that was already decided",
        lambda: count_entries("Accepted: a reader abroad"),
    )


def change_gift(name: str, late: str) -> Form:
    gift = make_gift(
        make_member("buyer@example.org"),
        make_campaign(),
        NOON,
        status=Gift.Status.DELIVERED,
        delivered_at=timezone.now(),
        expires_at=at("2099-01-01 00:00"),
    )
    url = admin_url(Gift, name, gift.pk)
    return Form(url, {"why": "asked by phone"}, late, GiftChange.objects.count)


def resend_gift() -> Form:
    return change_gift("resend", "has just changed this gift")


def revoke_gift() -> Form:
    return change_gift("revoke", "This gift is already revoked.")


def grant_membership() -> Form:
    typed = {"starts_at": "2026-11-20T12:00", "months": "12", "note": "A prize"}
    return Form(
        admin_url(Member, "grant", make_member().pk),
        typed | {"plan": str(make_plan().pk)},
        "This membership was already granted.",
        Membership.objects.count,
    )


def record_payment() -> Form:
    typed = {"paid_at": "2026-11-20T12:00", "amount": "60", "currency": "eur", "months": "12"}
    return Form(
        admin_url(Member, "payment", make_member().pk),
        typed | {"plan": str(make_plan().pk), "note": "Paid in the shop"},
        "This payment was already recorded.",
        Payment.objects.count,
    )


def merge_duplicates() -> Form:
    kept, gone = make_member("ada@example.org"), make_member("adele@example.org")
    return Form(
        admin_url(Member, "merge", kept.pk, gone.pk),
        {"why": "same person"},
        "the other member is merged by now",
        lambda: Member.objects.filter(pk=kept.pk, former_addresses__email=gone.email).count(),
    )


def erase_member() -> Form:
    return Form(
        admin_url(Member, "erase", make_member().pk),
        {"why": "asked by letter"},
        "this member’s data is being erased",
        Erasure.objects.count,
    )


def reset_second_factor() -> Form:
    user = User.objects.create_user("cleo", is_staff=True)
    RecoveryCodes.activate(user)
    return Form(
        f"/admin/auth/user/{user.pk}/second-factor/",
        {"why": "phone lost"},
        "this user has no second factor",
        lambda: count_entries("Second factor reset."),
    )


def replace_secret() -> Form:
    endpoint = WebhookEndpoint.objects.create(
        name="CRM", url="https://crm.example.org/", events=["member.joined"], secret=OLD_SECRET
    )
    return Form(
        admin_url(WebhookEndpoint, "rotate", endpoint.pk),
        {},
        "The secret was replaced just now.",
        # Once more, and nothing is signed with the secret that the receiver knows.
        WebhookEndpoint.objects.filter(old_secret=OLD_SECRET).count,
    )


def revoke_token() -> Form:
    client = ApiClient.objects.create(name="Shop", token_hash="0" * 64)
    return Form(
        admin_url(ApiClient, "revoke", client.pk),
        {},
        "This token is already revoked.",
        lambda: count_entries("Token revoked."),
    )


FORMS = (
    *(decide_about_payment, resend_gift, revoke_gift, grant_membership, record_payment),
    *(merge_duplicates, erase_member, reset_second_factor, replace_secret, revoke_token),
)


def read_answer(response: Any) -> str:
    """Return the messages of the page that was led to, or the errors of the form.

    They are read from the page: the contexts of simultaneous requests are mixed up.
    """
    assert response.status_code in {200, 422}
    place = "messagelist" if response.status_code == 200 else "errornote"
    return read_page(response).split(f'class="{place}"', 1)[1].split("</ul>")[0]


def open_form(form: Form, staff: list[Client]) -> list[Callable[[], Any]]:
    """Let everyone open the form; return what sends it for each of them."""

    def sender(browser: Client) -> Callable[[], Any]:
        fields = fill_in(browser, form.url, **form.typed)
        return lambda: browser.post(form.url, fields, follow=True)

    return [sender(browser) for browser in staff]


def send_at_once(form: Form, staff: list[Client]) -> list[str]:
    answers = race(*open_form(form, staff))
    assert not [each for each in answers if isinstance(each, Exception)], answers
    return [read_answer(answer) for answer in answers]


@pytest.mark.parametrize("make_form", FORMS, ids=lambda make: make.__name__)
def test_the_second_to_send_a_form_is_told(
    make_form: Callable[[], Form], staff: list[Client]
) -> None:
    form = make_form()
    first, second = (read_answer(send()) for send in open_form(form, staff))
    assert form.late not in first
    assert form.late in second
    assert form.times() == 1


@pytest.mark.thorough
@pytest.mark.parametrize("make_form", FORMS, ids=lambda make: make.__name__)
def test_a_form_sent_by_two_at_once_happens_once(
    make_form: Callable[[], Form], staff: list[Client]
) -> None:
    form = make_form()
    answers = send_at_once(form, staff)
    assert form.times() == 1, answers
    assert len(set(answers)) == 2, answers


def test_the_same_note_is_added_once(staff: list[Client]) -> None:
    url = admin_url(Member, "note", make_member().pk)
    form = Form(url, {"text": "Called back."}, "", MemberNote.objects.count)
    for send in open_form(form, [staff[0], staff[0], staff[1]]):
        send()
    assert sorted(MemberNote.objects.values_list("written_by__username", flat=True)) == [
        *("ada", "ben")
    ]


# Forms that ask Stripe


def refund_part(campaign: Campaign, sandbox: SandboxControl) -> Form:
    payment = pay_and_settle(place_order(campaign, "once"), sandbox)
    typed = {"amount": "10", "reason": "requested_by_customer", "why": WHY}
    return Form(refund_url(payment), typed, "has just ordered a refund", Refund.objects.count)


def adopt_subscription(campaign: Campaign, sandbox: SandboxControl) -> Form:
    settlement.settle_object("subscription", sell_at_stripe(sandbox))
    url = admin_url(StripeSale, "adopt", StripeSale.objects.get().pk)
    return Form(url, {}, "This subscription is already adopted.", Checkout.objects.count)


def end_membership(campaign: Campaign, sandbox: SandboxControl) -> Form:
    url = admin_url(Membership, "end", subscribe(campaign, sandbox).pk)
    return Form(
        url,
        {"why": "asked by phone"},
        "This membership has already ended.",
        OutgoingMail.objects.filter(kind=OutgoingMail.Kind.ENDED).count,
    )


AT_STRIPE = (refund_part, adopt_subscription, end_membership)


@pytest.mark.parametrize("make_form", AT_STRIPE, ids=lambda make: make.__name__)
def test_the_second_to_ask_stripe_is_told(
    make_form: Callable[..., Form], campaign: Campaign, sandbox: SandboxControl, staff: list[Client]
) -> None:
    form = make_form(campaign, sandbox)
    first, second = (read_answer(send()) for send in open_form(form, staff))
    assert form.late not in first
    assert form.late in second
    assert form.times() == 1


@pytest.mark.parametrize(
    "make_form",
    [refund_part, pytest.param(adopt_subscription, marks=pytest.mark.thorough)],
    ids=lambda make: make.__name__,
)
def test_two_at_once_ask_stripe_once(
    make_form: Callable[..., Form], campaign: Campaign, sandbox: SandboxControl, staff: list[Client]
) -> None:
    form = make_form(campaign, sandbox)
    late, done = sorted(send_at_once(form, staff), key=lambda answer: form.late not in answer)
    assert form.late in late
    assert form.late not in done
    assert form.times() == 1


@pytest.mark.thorough
def test_a_membership_that_two_end_at_once_ends(
    campaign: Campaign, sandbox: SandboxControl, staff: list[Client]
) -> None:
    """Both did what they wanted; the member gets one e-mail."""
    form = end_membership(campaign, sandbox)
    answers = send_at_once(form, staff)
    assert all("ended" in answer for answer in answers), answers
    assert Membership.objects.get().status == Membership.Status.ENDED
    assert form.times() == 1


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has one writer at a time")
def test_without_the_lock_two_at_once_refund_twice(
    campaign: Campaign,
    sandbox: SandboxControl,
    staff: list[Client],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Control: the test above would see a second refund."""
    form = refund_part(campaign, sandbox)
    together = threading.Barrier(2)
    write_order = refunds.order_refund

    def order_after_both_have_looked(*args: Any, **kwargs: Any) -> Any:
        together.wait(TIMEOUT)
        return write_order(*args, **kwargs)

    monkeypatch.setattr(
        refunds, "_lock_payment", lambda payment: Payment.objects.get(pk=payment.pk)
    )
    monkeypatch.setattr(refunds, "order_refund", order_after_both_have_looked)
    answers = send_at_once(form, staff)
    assert [form.late in answer for answer in answers] == [False, False]
    assert form.times() == 2
