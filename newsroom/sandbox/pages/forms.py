"""The payer's form: checks each field and keeps all values but the security code."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

from django.http import QueryDict

from newsroom.sandbox import clock
from newsroom.sandbox.instruments import (
    BANK_ACCOUNTS,
    NOT_A_TEST_CARD,
    find_card,
    guess_brand,
    has_valid_checksum,
)
from newsroom.sandbox.payment_methods import Instrument

FIELDS = ("email", "method", "number", "expiry", "name", "iban", "holder")
# The field that shows the bank's decline.
FIELD_OF_CODE = {
    "expired_card": "expiry",
    "incorrect_cvc": "cvc",
    "email_missing": "email",
}


@dataclass
class PaymentForm:
    values: dict[str, str]
    errors: dict[str, str] = field(default_factory=dict)
    instrument: Instrument | None = None


def read_form(data: QueryDict, *, email_fixed: bool, methods: list[str]) -> PaymentForm:
    """Return the submitted values with an error message for each wrong field."""
    values = {name: data.get(name, "").strip() for name in FIELDS}
    values["method"] = values["method"] if values["method"] in methods else methods[0]
    form = PaymentForm(values)
    if not email_fixed and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", values["email"]):
        form.errors["email"] = "Enter an e-mail address, such as name@example.org."
    if values["method"] == "card":
        _read_card(form, cvc=data.get("cvc", "").strip())
    else:
        _read_account(form)
    return form


def _read_card(form: PaymentForm, *, cvc: str) -> None:
    values, errors = form.values, form.errors
    number = re.sub(r"[\s-]", "", values["number"])
    if not number:
        errors["number"] = "Enter the card number."
    elif not has_valid_checksum(number):
        errors["number"] = "Check the card number. It has a wrong or missing digit."
    expiry = _read_expiry(form)
    digits = 4 if guess_brand(number) == "amex" else 3
    if not re.fullmatch(rf"\d{{{digits}}}", cvc):
        errors["cvc"] = f"Enter the {digits} digits of the security code."
    if not values["name"]:
        errors["name"] = "Enter the name on the card."
    if not errors.keys() & {"number", "expiry", "cvc", "name"} and expiry:
        month, year = expiry
        form.instrument = Instrument(
            card=find_card(number), name=values["name"], exp_month=month, exp_year=year
        )


def _read_expiry(form: PaymentForm) -> tuple[int, int] | None:
    found = re.fullmatch(r"(\d{1,2})\s*[/.\-\s]?\s*(\d{2}|\d{4})", form.values["expiry"])
    if found is None or not 1 <= int(found[1]) <= 12:
        form.errors["expiry"] = "Enter month and year as on the card, such as 04 / 31."
        return None
    month, year = int(found[1]), int(found[2])
    year += 2000 if year < 100 else 0
    today = datetime.fromtimestamp(clock.now(), UTC)
    if (year, month) < (today.year, today.month):
        form.errors["expiry"] = "This card has expired. Check the date or use another card."
        return None
    return month, year


def _read_account(form: PaymentForm) -> None:
    values, errors = form.values, form.errors
    iban = re.sub(r"\s", "", values["iban"]).upper()
    account = BANK_ACCOUNTS.get(iban)
    if not iban:
        errors["iban"] = "Enter the IBAN."
    elif account is None:
        errors["iban"] = "Enter one of the two test accounts below. No other IBAN works here."
    if not values["holder"]:
        errors["holder"] = "Enter the name of the account holder."
    if account is not None and "holder" not in errors:
        form.instrument = Instrument(bank_account=account, name=values["holder"])


def add_decline(form: PaymentForm, *, code: str, message: str) -> None:
    """Add the bank's message to the field that it concerns."""
    if code == NOT_A_TEST_CARD.code and message == NOT_A_TEST_CARD.message:
        message = "Use one of the test cards below. Never enter a real card here."
    fallback = "number" if form.values["method"] == "card" else "iban"
    form.errors[FIELD_OF_CODE.get(code, fallback)] = message
