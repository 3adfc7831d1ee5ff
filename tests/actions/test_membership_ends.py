"""The end of a subscription by staff: at Stripe first, then in our row."""

import pytest

from campaigns import actions
from campaigns.models import Campaign, Membership, Tally
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import subscribe


@pytest.fixture
def subscribed(campaign: Campaign, sandbox: SandboxControl) -> Membership:
    return subscribe(campaign=campaign, sandbox=sandbox, email="ben@example.org")


def test_a_subscription_ends_now_and_the_count_stays(subscribed: Membership) -> None:
    assert actions.end_membership(subscribed, actions.End.NOW)
    subscribed.refresh_from_db()
    assert subscribed.status == Membership.Status.ENDED
    assert Tally.objects.filter(counted_until=None).count() == 1
    with pytest.raises(actions.EndRefused, match="has already ended"):
        actions.end_membership(subscribed, actions.End.NOW)


def test_a_cancelled_subscription_runs_to_the_end_of_the_paid_period(
    subscribed: Membership,
) -> None:
    assert actions.end_membership(subscribed, actions.End.AT_PERIOD_END)
    subscribed.refresh_from_db()
    assert (subscribed.status, subscribed.is_cancelling) == (Membership.Status.ACTIVE, True)
    with pytest.raises(actions.EndRefused, match="already cancelled"):
        actions.check_end(subscribed, actions.End.AT_PERIOD_END)
    actions.check_end(subscribed, actions.End.NOW)


def test_the_row_follows_later_if_stripe_does_not_answer_the_settlement(
    subscribed: Membership, sandbox: SandboxControl
) -> None:
    sandbox.add_fault("api", match="GET /v1/checkout/sessions", kind="error", times=-1)
    assert not actions.end_membership(subscribed, actions.End.NOW)
    sandbox.remove_faults()
    assert subscribed.checkout is not None
    assert subscribed.checkout.due_at is not None
