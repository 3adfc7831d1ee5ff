"""Every text column is stripped by an erasure, or has no personal data."""

import pytest
from django.apps import apps
from django.db import models

pytestmark = pytest.mark.once


# Text columns without personal data.
SAY_NOTHING = {
    "ApiClient": "name token_hash token_hint",
    "AttemptCount": "key",
    "Checkout": "currency country session_id subscription_id customer_id friend",
    "ChatPost": "error",
    "Dispute": "dispute_id status reason settled_currency",
    "ErasedAddress": "address_hash",
    "Erasure": "error",
    # An ID that leads to nobody once the person is deleted in Ghost, and the row is, too.
    "GhostMember": "ghost_id tier_id labels newsletters error",
    "GhostSite": "detail tier_id newsletters looked_up_for differences",
    "Gift": "zone code_hash code_hint",
    "GiftChange": "staff_name",
    "JobFailure": "job row error",
    "JobRun": "name",
    "KeptFigure": "key value",
    "Member": "tell_stripe_error",
    "MemberAccess": "source",
    "Membership": "push_error subscription_id gaps",
    "OptOut": "address_hash",
    "OutgoingEvent": "message_id key type",
    "OutgoingMail": "key error provider_id",
    "Payment": "currency settled_currency method wallet brand country receipt_number intent_id "
    "charge_id invoice_id refund_state",
    "Problem": "detail",
    "PublishedNumber": "kind currency",
    "Refund": "refund_id reason settled_currency",
    "RefundOrder": "refund_id error",
    "ReportMessage": "key content",
    "ReportToken": "name secret_hash",
    "ReplacedCode": "code_hash",
    "SignInLink": "secret_hash",
    "StripeEvent": "event_id type object_type object_id",
    "StripeObject": "object_id",
    "StripeSale": "subscription_id customer_id status error",
    "WebhookDelivery": "error",
    "WebhookEndpoint": "name url events secret old_secret",
}
ARE_STRIPPED = {
    "AddressChange": "email",
    "Checkout": "email name typed session_url placement page_url page_title "
    "referrer utm_source utm_medium utm_campaign utm_content",
    "Erasure": "why",
    "FormerAddress": "email",
    "GhostMember": "email",
    "Gift": "buyer_name recipient_name recipient_email message",
    "GiftChange": "why",
    "Member": "email name share_code",
    "MemberNote": "text",
    "Membership": "note import_key",
    "Payment": "receipt_url last4 note",
    "OutgoingEvent": "data subscriber",
    "OutgoingMail": "message",
    "RefundOrder": "why",
    "StripeEvent": "payload error",
    "StripeSale": "email",
    # Deleted as a whole.
    "Subscription": "email consent_wording form_url placement page_url page_title referrer "
    "utm_source utm_medium utm_campaign utm_content country friend",
    "WallEntry": "first_name town sentence",
    "WebhookDelivery": "answer subscriber",
}
OF_THE_CAMPAIGN = {
    *(
        "Banner",
        "Campaign",
        "CampaignCopy",
        "ChatWebhook",
        "Look",
        "Newsletter",
        "Note",
        "Plan",
        "PlanCopy",
        "Price",
    )
}


def test_every_text_column_is_classified() -> None:
    """A new column is stripped by `campaigns.erasures`, or has no personal data."""
    unknown = {
        f"{model.__name__}.{column.name}"
        for model in apps.get_app_config("campaigns").get_models()
        if model.__name__ not in OF_THE_CAMPAIGN
        for column in model._meta.concrete_fields
        if isinstance(column, models.CharField | models.TextField | models.JSONField)
        and not column.choices
        and not any(
            column.name in known.get(model.__name__, "").split()
            for known in (SAY_NOTHING, ARE_STRIPPED)
        )
    }
    assert unknown == set()
