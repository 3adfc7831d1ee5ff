""" "I paid and got nothing": five versions, each with what happened and the step that mends it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from campaigns.memberships import has_access
from campaigns.models import Campaign, Checkout, Gift, Member, Membership, Payment
from campaigns.models.stripe_event import StripeEvent
from tests.support.factories import make_checkout, make_gift, make_member, make_payment, make_refund
from tests.support.sales import make_subscription
from tests.support.staff import (
    admin_url,
    fill_in,
    read_messages,
    read_page,
    sign_in_staff,
    store_event,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    """Somebody at the supporter desk, signed in."""
    user = User.objects.create_user("desk", is_staff=True)
    user.groups.add(Group.objects.get(name="supporter desk"))
    sign_in_staff(client, user)
    return client


def search(client: Client, typed: str) -> str:
    return read_page(client.get("/admin/search/", {"q": typed}, follow=True))


def test_another_address(desk: Client, birthday: Campaign) -> None:
    """Paid as ada@work, asks as ada@home: the amount and the day find it, a merge mends it."""
    work, home = make_member("ada@work.example"), make_member("ada@home.example")
    make_payment(work, birthday, timezone.now().isoformat(), amount_minor=6000)
    page = search(desk, f"60 {timezone.localdate().isoformat()}")
    assert "Paid by ada@work.example. Active member." in page
    assert f'href="{admin_url(Member, "change", work.pk)}"' in page
    url = admin_url(Member, "find_duplicate", work.pk)
    assert f'href="{url}"' in page
    compare = desk.post(url, {"other": "ada@home.example"})
    desk.post(compare["Location"], fill_in(desk, compare["Location"], why="same person"))
    kept = Member.objects.get()
    assert kept == work
    assert Member.objects.find(home.email) == kept
    assert has_access(kept, timezone.now())


def test_a_pending_debit(desk: Client, birthday: Campaign) -> None:
    """The bank hasn't decided: nothing is wrong, and Stripe can be asked again."""
    ada = make_member("ada@example.org")
    checkout = make_checkout(birthday, member=ada, email=ada.email, status=Checkout.Status.WAITING)
    make_payment(
        *(ada, birthday, timezone.now().isoformat()),
        role=Payment.Role.GIFT,
        status=Payment.Status.PENDING,
        checkout=checkout,
    )
    page = search(desk, "ada@example.org")
    assert page.count("the bank hasn’t decided yet") == 2
    assert "Ask Stripe again" in page
    fields = {"action": "settle", "_selected_action": str(checkout.pk)}
    answer = desk.post(admin_url(Checkout, "changelist"), fields, follow=True)
    assert read_messages(answer)  # what Stripe said, or that it doesn't answer


def test_a_refund(desk: Client, birthday: Campaign) -> None:
    """Refunded, so the membership is over: staff can grant one."""
    ada = make_member("ada@example.org")
    payment = make_payment(ada, birthday, "2026-11-10 12:00")
    make_refund(payment, "2026-11-11 12:00")
    ada.memberships.update(status="ended", ended_at=timezone.now() - timedelta(days=1))
    page = search(desk, "ada@example.org")
    assert "Refunded in full." in page
    url = admin_url(Member, "grant", ada.pk)
    assert f'href="{url}"' in page
    plan = payment.membership.plan if payment.membership else None
    assert plan is None
    fields = fill_in(desk, url, note="refunded by mistake", months="12")
    fields["plan"] = str(make_checkout(birthday).price.plan_id)
    assert desk.post(url, fields).status_code == 302
    assert has_access(ada, timezone.now())


def test_a_gift_that_was_not_claimed(desk: Client, birthday: Campaign) -> None:
    """The recipient's e-mail got lost: the gift is sent again."""
    now = timezone.now()
    gift = make_gift(
        make_member("ada@example.org"),
        birthday,
        "2026-11-10 12:00",
        status=Gift.Status.DELIVERED,
        delivered_at=now - timedelta(days=3),
        expires_at=now + timedelta(days=300),
    )
    page = search(desk, "Ben")
    assert "It can be claimed until" in page
    url = admin_url(Gift, "resend", gift.pk)
    assert f'href="{url}"' in page
    answer = desk.post(url, fill_in(desk, url, why="asked by phone"), follow=True)
    assert read_messages(answer)
    assert gift.changes.get().what == "resent"


def test_a_payment_of_another_site(desk: Client) -> None:
    """Stripe reported it, but it isn't ours: who can help is said, though events stay secret."""
    store_event(
        object_id="pi_3Another0Site", reason=StripeEvent.Reason.NO_CHECKOUT, type="charge.succeeded"
    )
    page = search(desk, "pi_3Another0Site")
    assert "made to another shop or site" in page
    assert "/admin/campaigns/stripeevent/" not in page
    assert "Nothing found" in search(desk, "pi_3Never0Heard0Of")


def test_a_pending_debit_of_someone_who_has_access(desk: Client, birthday: Campaign) -> None:
    """Stripe begins a subscription before the bank has decided: no sentence denies it."""
    ada = make_member("ada@example.org")
    make_payment(ada, birthday, timezone.now().isoformat(), status=Payment.Status.PENDING)
    page = search(desk, "ada@example.org")
    assert "The member has access in the meantime." in page
    assert "begins when it accepts" not in page


def test_a_refund_of_a_subscription_that_goes_on(desk: Client, birthday: Campaign) -> None:
    """Nobody needs a grant: the subscription would charge the member again, unless it ends."""
    ada = make_member("ada@example.org")
    membership = make_subscription(member=ada)
    payment = make_payment(ada, birthday, "2026-11-10 12:00", membership=membership)
    make_refund(payment, "2026-11-11 12:00")
    page = search(desk, "ada@example.org")
    assert "Refunded in full. Banks need up to ten days. Active member." in page
    assert admin_url(Membership, "end", membership.pk) in page
    assert admin_url(Member, "grant", ada.pk) not in page
