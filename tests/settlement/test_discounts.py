"""First payments that a promotion code lowers, or makes free."""

from typing import Any

import pytest
from django.conf import LazySettings
from django.test import Client

from campaigns import settlement, stripe_api
from campaigns.models import Campaign, Checkout, Goal, Membership, OutgoingMail, Payment, Tally
from campaigns.progress import measure_campaign
from newsroom.sandbox.control import SandboxControl
from tests.support.factories import at
from tests.support.pages import main_of
from tests.support.sales import place_order, settle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def codes(settings: LazySettings) -> None:
    settings.PROMOTION_CODES = True


def join_with_code(campaign: Campaign, sandbox: SandboxControl, percent_off: int) -> Checkout:
    """Pay the first year with a promotion code for that discount."""
    v1 = stripe_api.client().v1
    coupon = v1.coupons.create({"percent_off": percent_off, "duration": "once"})
    promotion: Any = {"type": "coupon", "coupon": coupon.id}
    v1.promotion_codes.create({"promotion": promotion, "code": "SPRING"})
    checkout = place_order(campaign, "year")
    sandbox.pay(str(checkout.session_id), promotion_code="SPRING")
    return settlement.settle_checkout(checkout.pk)


def read_kinds() -> set[str]:
    return set(OutgoingMail.objects.values_list("kind", flat=True))


def read_thanks(client: Client, checkout: Checkout) -> str:
    return " ".join(main_of(client.get(f"/membership/thanks/{checkout.pk}/")).split())


def test_a_discounted_first_payment_counts_as_one_member_and_as_what_was_paid(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    Goal.objects.create(campaign=campaign, kind="money", target=100_000)
    checkout = join_with_code(campaign, sandbox, 50)
    assert Payment.objects.get().amount_minor == 3000
    assert [goal.counted for goal in measure_campaign(campaign, at=at("2026-12-01"))] == [1, 3000]
    assert "You paid €30. Your membership renews every year" in read_thanks(client, checkout)
    assert {"receipt", "welcome"} <= read_kinds()


def test_a_free_first_year_begins_the_membership_and_counts_nothing(
    campaign: Campaign, sandbox: SandboxControl, client: Client
) -> None:
    checkout = join_with_code(campaign, sandbox, 100)
    assert checkout.status == Checkout.Status.PAID
    membership = Membership.objects.get()
    assert (membership.status, membership.next_due_minor) == (Membership.Status.ACTIVE, None)
    assert not Payment.objects.exists()
    assert not Tally.objects.exists()
    assert read_kinds() == {"welcome"}
    page = read_thanks(client, checkout)
    assert "You paid nothing today." in page
    assert "receipt to" not in page


def test_the_year_after_a_free_one_is_a_renewal_and_counts_nothing(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    join_with_code(campaign, sandbox, 100)
    membership = Membership.objects.get()
    sandbox.renew(str(membership.subscription_id))
    assert settle(membership) == Membership.Status.ACTIVE
    payment = Payment.objects.get()
    assert (payment.role, payment.amount_minor) == (Payment.Role.RENEWAL, 6000)
    assert not Tally.objects.exists()


def test_gifts_and_one_off_memberships_take_no_codes(
    campaign: Campaign, sandbox: SandboxControl
) -> None:
    for kind, takes in (("year", True), ("once", None), ("gift", None)):
        session_id = str(place_order(campaign, kind).session_id)
        session = stripe_api.client().v1.checkout.sessions.retrieve(session_id)
        assert session.allow_promotion_codes is takes, kind
