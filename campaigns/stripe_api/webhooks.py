"""Signed webhooks."""

import json

import stripe
from django.conf import settings

from campaigns.stripe_api.events import Event, UnusableEvent, read_event

SIGNATURE_TOLERANCE = 300  # seconds


class BadSignature(Exception):
    """The webhook is unsigned, changed on its way, or older than the tolerance."""


def read_webhook(body: bytes, *, signature: str) -> Event:
    """Return the event in a signed webhook; raises BadSignature or UnusableEvent.

    Any of the configured secrets may have signed it, so that a secret can be replaced without a
    gap.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSignature("not UTF-8") from error
    if not signature.isascii():  # hmac.compare_digest takes no other text
        raise BadSignature("the signature is not ASCII")
    for secret in settings.STRIPE_WEBHOOK_SECRET:
        try:
            stripe.WebhookSignature.verify_header(text, signature, secret, SIGNATURE_TOLERANCE)
            break
        except stripe.SignatureVerificationError:
            continue
    else:
        raise BadSignature("no configured secret signed this within the last 300 seconds")
    try:
        event = json.loads(text)
    except RecursionError as error:
        raise UnusableEvent("nested too deeply") from error
    except ValueError as error:
        raise UnusableEvent("signed, but not a JSON object") from error
    return read_event(event, payload=text)
