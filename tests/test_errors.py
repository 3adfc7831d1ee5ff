"""Errors that were noted by their class or by Stripe's code, in the language of staff."""

import pytest

from campaigns import actions, stripe_api
from campaigns.catalogue import explain_refusal
from campaigns.errors import describe_failure, explain_error
from campaigns.models import Price, RefundOrder
from campaigns.stripe_api.reasons import REASONS


@pytest.mark.parametrize(
    ("noted", "shown"),
    [
        ("StripeUnavailable", "Stripe doesn’t answer."),
        (
            "StripeRefused (email_invalid)",
            "Stripe refused the request. Stripe doesn’t accept the e-mail address.",
        ),
        (
            "ForbiddenMove: The status can’t change from “Paid” to “Open”.",
            "The present status of the row doesn’t allow this change.",
        ),
        ("OSError: [Errno 28] No space left on device: 'x'", "The disk is full."),
        ("401 api_key_expired", str(REASONS["api_key_expired"])),
        ("403", str(REASONS["secret_key_required"])),
        ("none received", "No event has arrived."),
        ("ZeroDivisionError: division by zero", "ZeroDivisionError: division by zero"),
        ("", ""),
    ],
)
def test_a_noted_error_is_explained_and_an_unknown_one_shown_as_it_is(
    noted: str, shown: str
) -> None:
    assert explain_error(noted) == shown


@pytest.mark.parametrize("code", REASONS)
def test_a_known_reason_of_stripe_is_shown_in_our_words(code: str) -> None:
    error = stripe_api.StripeRefused("No such thing: 'x_1'", code=code)
    assert describe_failure(error) == str(REASONS[code])
    assert stripe_api.explain_reason(code) == str(REASONS[code])


def test_an_unknown_reason_of_stripe_is_shown_in_stripes_own_words() -> None:
    error = stripe_api.StripeRefused("The moon is full: wait.", code="moon_full")
    assert describe_failure(error) == "The moon is full: wait."
    assert describe_failure(stripe_api.StripeRefused("Two: words.")) == "Two: words."
    named = stripe_api.StripeRefused("Request req_8Fa: The price is inactive.")
    assert describe_failure(named) == "The price is inactive."


def test_a_refused_amount_is_explained_with_stripes_limit() -> None:
    price = Price(amount_minor=11, currency="eur")
    noted = "amount_too_small: whatever Stripe says"
    assert explain_refusal(price, noted) == "Stripe’s smallest charge is €0.50."
    large = explain_refusal(price, "amount_too_large: whatever")
    assert large == "Stripe’s largest charge is €999,999.99."


def test_a_refused_refund_is_explained() -> None:
    order = RefundOrder(error="amount_too_large: Refund amount (€60) is greater than …")
    assert (
        actions.explain_refusal(order)
        == "This amount is more than what is left of the payment. Enter less."
    )
    assert actions.explain_refusal(RefundOrder(error="moon_full: It is.")) == "It is."
