"""Stripe's smallest and largest amounts of a payment, by currency, in minor units.

https://docs.stripe.com/currencies#minimum-and-maximum-charge-amounts
"""

from newsroom.sandbox.errors import ApiError

# A currency that isn't listed has no minimum here; Stripe converts it to the payout's currency.
_SMALLEST = {
    "aed": 200,
    "aud": 50,
    "bgn": 100,
    "brl": 50,
    "cad": 50,
    "chf": 50,
    "czk": 1500,
    "dkk": 250,
    "eur": 50,
    "gbp": 30,
    "hkd": 400,
    "huf": 17500,
    "inr": 50,
    "jpy": 50,
    "mxn": 1000,
    "myr": 200,
    "nok": 300,
    "nzd": 50,
    "pln": 200,
    "ron": 200,
    "sek": 300,
    "sgd": 50,
    "thb": 1000,
    "usd": 50,
}
_DIGITS = {"cop": 10, "huf": 10, "idr": 12, "inr": 9}
_USUAL_DIGITS = 8
_DIGITS_OF_PRICE = 12


def is_too_small(amount_minor: int, currency: str) -> bool:
    """Return whether an amount is above zero, but smaller than a payment can be."""
    return 0 < amount_minor < _SMALLEST.get(currency, 1)


def check_session_total(amount_minor: int, currency: str) -> None:
    """Raise ApiError if a session's total can't be paid. Zero is allowed, as in a trial."""
    if is_too_small(amount_minor, currency):
        raise ApiError(
            "The Checkout Session's total amount due must add up to at least "
            f"{_SMALLEST[currency]} {currency} in the smallest unit.",
            code="amount_too_small",
        )
    largest = 10 ** _DIGITS.get(currency, _USUAL_DIGITS) - 1
    if amount_minor > largest:
        raise ApiError(
            "The Checkout Session's total amount due must be no more than "
            f"{largest} {currency} in the smallest unit.",
            code="amount_too_large",
        )


def check_unit_amount(amount_minor: int, *, param: str = "unit_amount") -> None:
    """Raise ApiError if a price can't have this amount. A price may be too small to be paid."""
    if amount_minor < 0:
        raise ApiError("This value must be greater than or equal to 0.", param=param)
    if amount_minor >= 10**_DIGITS_OF_PRICE:
        raise ApiError(
            f"This value must be less than or equal to {10**_DIGITS_OF_PRICE - 1}.",
            code="parameter_invalid_integer",
            param=param,
        )
