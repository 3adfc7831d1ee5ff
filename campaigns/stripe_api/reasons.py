"""Stripe's reasons for a refusal in words, by its codes: https://docs.stripe.com/error-codes."""

import re
from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _
from django_stubs_ext import StrOrPromise

_CODE = re.compile("[a-z][a-z0-9_]*")
# The library writes the request's id before Stripe's words. Staff don't need it.
_REQUEST = re.compile(r"Request req_\w+: ")
_MISSING = _("Stripe doesn’t have this object, or our key belongs to another account or mode.")
_KEY = _("Stripe doesn’t accept our key, or the key lacks a permission.")
_PARAMETER = _("Stripe doesn’t accept one of the values that we sent.")

REASONS: Mapping[str, StrOrPromise] = {
    "account_closed": _("The bank account was closed."),
    "account_invalid": _KEY,
    "amount_too_large": _("The amount is larger than Stripe allows."),
    "amount_too_small": _("The amount is smaller than Stripe allows."),
    "api_key_expired": _KEY,
    "authentication_required": _("The bank asks the payer to confirm the payment."),
    "balance_insufficient": _("Your balance at Stripe is too low for this."),
    "card_declined": _("The bank declined the card."),
    "charge_already_refunded": _("The payment has already been refunded in full."),
    "charge_disputed": _("The bank has reversed the payment in a dispute."),
    "charge_not_refundable": _("This payment can’t be refunded at Stripe."),
    "checkout_session_not_open": _("The payment page at Stripe is already closed."),
    "customer_max_subscriptions": _("The customer has as many subscriptions as Stripe allows."),
    "email_invalid": _("Stripe doesn’t accept the e-mail address."),
    "expired_card": _("The card has expired."),
    "idempotency_key_in_use": _("The same request is still being processed. Try again."),
    "incorrect_cvc": _("The card’s security code is wrong."),
    "insufficient_funds": _("The card has too little money."),
    "invoice_already_paid": _("The invoice is already paid."),
    "invoice_not_editable": _("The invoice can’t be changed any more."),
    "lock_timeout": _("Stripe is changing this object right now. Try again."),
    "parameter_invalid_empty": _PARAMETER,
    "parameter_invalid_integer": _PARAMETER,
    "parameter_invalid_string_blank": _PARAMETER,
    "parameter_missing": _PARAMETER,
    "parameter_unknown": _PARAMETER,
    "payment_intent_unexpected_state": _("The state of the payment at Stripe doesn’t allow this."),
    "platform_api_key_expired": _KEY,
    "processing_error": _("The card couldn’t be charged because of a fault. Try again."),
    "rate_limit": _("Stripe is getting too many requests right now. Try again."),
    "refund_disputed_payment": _("The bank has reversed the payment in a dispute."),
    "resource_already_exists": _("Stripe already has an object with this ID."),
    "resource_missing": _MISSING,
    "secret_key_required": _KEY,
    "subscription_canceled": _("The subscription has already ended at Stripe."),
    "testmode_charges_only": _("The Stripe account isn’t activated for real payments yet."),
    "url_invalid": _("Stripe doesn’t accept the address of a page."),
}


def explain_reason(noted: str) -> str:
    """Return the reason that was noted as `code` or as `code: Stripe's words`.

    A known code is explained in the active language. Otherwise these are Stripe's own words.
    """
    code, _colon, words = noted.partition(": ")
    if code in REASONS:
        return str(REASONS[code])
    reason = words if words and _CODE.fullmatch(code) else noted
    return _REQUEST.sub("", reason, count=1)
