"""Errors in words for staff: our code notes them by their class, without anybody's address."""

import re

from django.utils.translation import gettext_lazy as _

from campaigns import stripe_api

_NO_CONNECTION = _("The other server can’t be reached or closed the connection.")
_DATABASE = _("The database refused the change or can’t be reached.")
_FILES = _("A file or folder can’t be written or read.")
_ADDRESS = _("The mail server refused the address.")

KINDS = {
    "AnymailRecipientsRefused": _ADDRESS,
    "ConnectionRefusedError": _NO_CONNECTION,
    "ConnectionResetError": _NO_CONNECTION,
    "DatabaseError": _DATABASE,
    "FileNotFoundError": _FILES,
    "ForbiddenMove": _("The present status of the row doesn’t allow this change."),
    "IntegrityError": _DATABASE,
    "LeaseLost": _("Another process took over this work."),
    "OperationalError": _DATABASE,
    "PermissionError": _FILES,
    "SMTPAuthenticationError": _("The mail server refused the login."),
    "SMTPConnectError": _NO_CONNECTION,
    "SMTPDataError": _("The mail server refused the e-mail."),
    "SMTPRecipientsRefused": _ADDRESS,
    "SMTPSenderRefused": _("The mail server refused the sender’s address."),
    "SMTPServerDisconnected": _NO_CONNECTION,
    "SettlementBusy": _("Another process is settling the same Checkout."),
    "SoftTimeLimitExceeded": _("It took too long and was stopped."),
    "StillOpen": _("This member still has an unfinished payment or subscription at Stripe."),
    "StorageRefused": _("The storage of published files refused a file."),
    "StripeFailed": _("Stripe answered with an error of its own."),
    "StripeRefused": _("Stripe refused the request."),
    "StripeUnavailable": _("Stripe doesn’t answer."),
    "TimeoutError": _("It took too long."),
    "UnusableEvent": _("Stripe doesn’t send events like this one."),
    "gaierror": _NO_CONNECTION,
    # Not classes, but words that our own code notes.
    "no longer wanted": _("No longer needed."),
    "none received": _("No event has arrived."),
    "refused: the signature is wrong": _("Events are refused because their signature is wrong."),
}
# The operating system's words, which say more than the class.
_SYSTEM = {
    "No space left on device": _("The disk is full."),
    "Permission denied": _("This server isn’t allowed to write or read a file."),
    "Read-only file system": _("The disk is read-only."),
}
# "StripeRefused", "StripeRefused (email_invalid)", "ForbiddenMove: its text".
_NOTED = re.compile(r"(?P<kind>\w+)(?: \((?P<code>\w+)\))?(?:: .*)?", re.DOTALL)
# "401", "401 api_key_expired": the status and code with which Stripe refused our key.
_REFUSED = re.compile(r"40[13](?: (?P<code>\w+))?")


def explain_error(noted: str) -> str:
    """Return the error in the active language, or as it was noted if we don't know its class."""
    if noted in KINDS:
        return str(KINDS[noted])
    for words, sentence in _SYSTEM.items():
        if words in noted:
            return str(sentence)
    if refused := _REFUSED.fullmatch(noted):
        return stripe_api.explain_reason(refused["code"] or "secret_key_required")
    found = _NOTED.fullmatch(noted)
    if found is None or found["kind"] not in KINDS:
        return noted
    reason = stripe_api.explain_reason(found["code"]) if found["code"] else ""
    return f"{KINDS[found['kind']]} {reason}".strip()


def describe_failure(error: Exception) -> str:
    """Return an error that was raised just now, in the active language."""
    if isinstance(error, stripe_api.StripeRefused):
        return stripe_api.explain_reason(error.reason)
    return explain_error(f"{type(error).__name__}: {error}")
