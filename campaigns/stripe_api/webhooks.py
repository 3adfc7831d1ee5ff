"""Signed webhooks."""

import json

import stripe
from django.conf import settings

from campaigns.stripe_api.connection import Json

SIGNATURE_TOLERANCE = 300  # seconds


class BadSignature(Exception):
    """The webhook is unsigned, tampered with or older than the tolerance."""


def read_webhook(body: bytes, *, signature: str) -> Json:
    """The event in a signed webhook; raises BadSignature, or ValueError if it is no JSON object.

    Any of the configured secrets will do, so that a secret can be changed without a gap.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSignature("not UTF-8") from error
    if not signature.isascii():  # what compares signatures in constant time takes no other
        raise BadSignature("the signature holds letters that none has")
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
        raise ValueError("nested too deeply") from error
    if not isinstance(event, dict):
        raise ValueError("not a JSON object")
    return event
