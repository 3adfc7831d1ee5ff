"""The next payment, as Stripe previews it: with the credit in it."""

import pytest
from django.contrib.auth.models import User
from django.test import Client

from campaigns import stripe_api
from campaigns.models import Campaign, Member, Membership
from newsroom.sandbox.control import SandboxControl
from tests.support.extensions import Clock
from tests.support.extensions import clock as _clock
from tests.support.factories import at
from tests.support.pages import read_form
from tests.support.renewals import change_at_stripe
from tests.support.sales import settle, subscribe
from tests.support.sign_in import ACCOUNT, open_account_page, sign_in
from tests.support.staff import admin_url, read_page

clock = _clock  # a fixture


def read_next(membership: Membership) -> tuple[int | None, int | None]:
    membership.refresh_from_db()
    return membership.next_due_minor, membership.next_credit_minor


@pytest.fixture
def credited(
    campaign: Campaign, sandbox: SandboxControl, clock: Clock, client: Client
) -> Membership:
    """Ada has switched from a year to a month, with €24 of credit left."""
    membership = subscribe(campaign, sandbox, kind="year")
    clock.move_to(at("2027-05-12 00:00"))  # after 182.5 of 365 days
    sign_in(client)
    path = f"{ACCOUNT}{membership.pk}/switch/"
    client.post(path, read_form(client.get(path)).fields)
    return membership


def test_credit_left_after_a_switch_pays_for_the_next_payment(
    credited: Membership, client: Client
) -> None:
    assert read_next(credited) == (0, 600)
    page = " ".join(open_account_page(client).split())
    assert "€0, 12 June 2027" in page
    assert "Your credit pays €6 of it." in page


def test_the_next_payment_follows_the_credit_until_it_is_used_up(
    credited: Membership, clock: Clock
) -> None:
    for month, expected in (("06", (0, 600)), ("08", (0, 600)), ("09", (None, None))):
        clock.move_to(at(f"2027-{month}-12 00:05"))
        settle(credited)
        assert read_next(credited) == expected, month


def test_credit_for_a_part_of_the_next_payment_is_shown(
    credited: Membership, client: Client
) -> None:
    customer_id = credited.checkout.customer_id  # type: ignore[union-attr]
    assert stripe_api.fetch_subscription(str(credited.subscription_id)).customer.id == customer_id
    stripe_api.client().v1.customers.update(customer_id, {"balance": -250})
    settle(credited)
    assert read_next(credited) == (350, 250)
    assert "€3.50, 12 June 2027" in " ".join(open_account_page(client).split())


def test_a_balance_changed_at_stripe_shows_when_the_member_opens_the_page(
    credited: Membership, client: Client
) -> None:
    customer_id = credited.checkout.customer_id  # type: ignore[union-attr]
    stripe_api.client().v1.customers.update(customer_id, {"balance": -250})
    page = " ".join(open_account_page(client).split())
    assert "€3.50, 12 June 2027" in page
    assert "Amount as of" not in page
    assert read_next(credited) == (350, 250)
    stripe_api.client().v1.customers.update(customer_id, {"balance": 0})
    assert "€6, 12 June 2027" in " ".join(open_account_page(client).split())
    assert read_next(credited) == (None, None)


def test_without_an_answer_from_stripe_the_page_says_from_when_the_amount_is(
    credited: Membership, client: Client, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("api", match="POST /v1/invoices/create_preview", kind="error", times=-1)
    page = " ".join(open_account_page(client).split())
    assert "€0, 12 June 2027" in page
    assert "Amount as of " in page


def test_a_membership_that_ends_has_no_next_payment(credited: Membership) -> None:
    stripe_api.cancel_subscription_at_period_end(str(credited.subscription_id))
    settle(credited)
    assert read_next(credited) == (None, None)


def test_staff_see_the_credit_on_the_page_of_the_person(
    credited: Membership, client: Client
) -> None:
    staff = User.objects.create_superuser("editor", "editor@example.org", "long-and-unguessed")
    client.force_login(staff)
    page = read_page(client.get(admin_url(Member, "change", credited.member_id)))
    assert "€0, credit €6" in page


def test_a_discount_on_the_next_payment_is_shown(
    campaign: Campaign, sandbox: SandboxControl, client: Client, clock: Clock
) -> None:
    membership = subscribe(campaign, sandbox)
    coupon = stripe_api.client().v1.coupons.create({"percent_off": 50, "duration": "forever"})
    change_at_stripe(membership, discounts=[{"coupon": coupon.id}])
    settle(membership)
    assert (membership.next_due_minor, membership.next_discount_minor) == (300, 300)
    sign_in(client)
    page = " ".join(open_account_page(client).split())
    assert "€3, 10 December 2026" in page
    assert "Your discount: €3." in page
