"""The test cards and bank accounts, and how each behaves."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Decline:
    """The reason for a declined payment: the API's codes, and a message for the payer."""

    code: str
    decline_code: str | None
    message: str


@dataclass(frozen=True)
class Card:
    number: str
    brand: str
    title: str
    country: str = "US"
    funding: str = "credit"
    decline: Decline | None = None
    renewal_decline: Decline | None = None
    three_d_secure: bool = False
    disputed: bool = False
    refund_fails: bool = False

    @property
    def last4(self) -> str:
        return self.number[-4:]


@dataclass(frozen=True)
class BankAccount:
    iban: str
    title: str
    succeeds: bool

    @property
    def last4(self) -> str:
        return self.iban[-4:]


DECLINED = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.")
WRONG_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.")
NEEDS_CHECK = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
NOT_A_TEST_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Only test cards work here.",
)

CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242", "visa", "Visa: succeeds"),
        Card("5555555555554444", "mastercard", "Mastercard: succeeds"),
        Card("378282246310005", "amex", "American Express: succeeds"),
        Card("4000000000000002", "visa", "Declined", decline=DECLINED),
        Card("4000000000009995", "visa", "Declined: insufficient funds", decline=INSUFFICIENT),
        Card("4000000000000069", "visa", "Declined: expired card", decline=EXPIRED),
        Card("4000000000000127", "visa", "Declined: wrong security code", decline=WRONG_CVC),
        Card(
            "4000002500003155",
            "visa",
            "Asks for 3-D Secure now, but not at renewals",
            country="IE",
            three_d_secure=True,
        ),
        Card(
            "4000002760003184",
            "visa",
            "Asks for 3-D Secure every time: renewals fail",
            country="DE",
            three_d_secure=True,
            renewal_decline=NEEDS_CHECK,
        ),
        Card(
            "4000000000000341",
            "visa",
            "Succeeds now, declined at renewals",
            renewal_decline=DECLINED,
        ),
        Card("4000000000000259", "visa", "Succeeds, then the bank opens a dispute", disputed=True),
        Card(
            "4000000000005126", "visa", "Succeeds, but refunds fail after a day", refund_fails=True
        ),
    )
}
BANK_ACCOUNTS = {
    account.iban: account
    for account in (
        BankAccount("DE89370400440532013000", "Bank debit: succeeds after 3 days", succeeds=True),
        BankAccount("DE62370400440532013001", "Bank debit: fails after 3 days", succeeds=False),
    )
}


def find_card(number: str) -> Card:
    """Return the test card, or a card that is declined, as in Stripe's test mode."""
    known = CARDS.get(number)
    if known is not None:
        return known
    return Card(number, guess_brand(number), "Not a test card", decline=NOT_A_TEST_CARD)


def guess_brand(number: str) -> str:
    if number.startswith("4"):
        return "visa"
    if number[:2] in ("34", "37"):
        return "amex"
    if number[:2] in ("51", "52", "53", "54", "55"):
        return "mastercard"
    return "unknown"


def has_valid_checksum(number: str) -> bool:
    """Check a card number without spaces by Luhn's formula."""
    if not number.isascii() or not number.isdigit() or not 12 <= len(number) <= 19:
        return False
    total = 0
    for i, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if i % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
