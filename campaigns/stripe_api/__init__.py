"""The only package that imports stripe; it answers with typed snapshots and events.

Every call may raise StripeUnavailable (the outcome is unknown: connection, time-out, overload),
StripeFailed (Stripe answered 5xx, and repeats that for the same idempotency key) or
StripeRefused (4xx: asking again doesn't help).
"""

from campaigns.stripe_api.budget import readers_first
from campaigns.stripe_api.catalogue import (
    create_portal_session,
    upsert_portal_configuration,
    upsert_price,
    upsert_product,
    upsert_webhook_endpoint,
)
from campaigns.stripe_api.changes import (
    cancel_subscription_at_period_end,
    delete_cancellation_comment,
    delete_customer,
    end_subscription,
    move_next_charge,
    preview_switch,
    refund_payment,
    switch_price,
    undo_cancellation,
    update_customer,
)
from campaigns.stripe_api.connection import (
    API_VERSION,
    StripeError,
    StripeFailed,
    StripeRefused,
    StripeUnavailable,
    client,
    is_live,
    moment,
    try_key,
)
from campaigns.stripe_api.customers import Customer
from campaigns.stripe_api.dashboard import find_dashboard_url
from campaigns.stripe_api.events import Event, Named, UnusableEvent, read_named
from campaigns.stripe_api.invoices import Invoice, InvoiceLine, InvoicePayment
from campaigns.stripe_api.objects import (
    create_session,
    expire_session,
    fetch_charge,
    fetch_dispute,
    fetch_intent,
    fetch_invoice,
    fetch_invoice_payment,
    fetch_refund,
    fetch_session,
    fetch_subscription,
    find_invoice_payment,
    list_disputes,
    list_intents,
    list_invoice_payments,
    list_invoices,
    list_refunds,
    preview_next_invoice,
)
from campaigns.stripe_api.patience import answer_within
from campaigns.stripe_api.reasons import explain_reason
from campaigns.stripe_api.side_by_side import call_together
from campaigns.stripe_api.snapshots import (
    BalanceTransaction,
    Charge,
    Dispute,
    Intent,
    Pause,
    Refund,
    Session,
    Subscription,
    SubscriptionItem,
    SubscriptionStatus,
)
from campaigns.stripe_api.walks import (
    find_newest_event,
    walk_balance_transactions,
    walk_events,
)
from campaigns.stripe_api.webhooks import (
    SIGNATURE_TOLERANCE,
    BadSignature,
    read_webhook,
)

__all__ = [
    "API_VERSION",
    "SIGNATURE_TOLERANCE",
    "BadSignature",
    "BalanceTransaction",
    "Charge",
    "Customer",
    "Dispute",
    "Event",
    "Intent",
    "Invoice",
    "InvoiceLine",
    "InvoicePayment",
    "Named",
    "Pause",
    "Refund",
    "Session",
    "StripeError",
    "StripeFailed",
    "StripeRefused",
    "StripeUnavailable",
    "Subscription",
    "SubscriptionItem",
    "SubscriptionStatus",
    "UnusableEvent",
    "answer_within",
    "call_together",
    "cancel_subscription_at_period_end",
    "client",
    "create_portal_session",
    "create_session",
    "delete_cancellation_comment",
    "delete_customer",
    "end_subscription",
    "expire_session",
    "explain_reason",
    "fetch_charge",
    "fetch_dispute",
    "fetch_intent",
    "fetch_invoice",
    "fetch_invoice_payment",
    "fetch_refund",
    "fetch_session",
    "fetch_subscription",
    "find_dashboard_url",
    "find_invoice_payment",
    "find_newest_event",
    "is_live",
    "list_disputes",
    "list_intents",
    "list_invoice_payments",
    "list_invoices",
    "list_refunds",
    "moment",
    "move_next_charge",
    "preview_next_invoice",
    "preview_switch",
    "read_named",
    "read_webhook",
    "readers_first",
    "refund_payment",
    "switch_price",
    "try_key",
    "undo_cancellation",
    "update_customer",
    "upsert_portal_configuration",
    "upsert_price",
    "upsert_product",
    "upsert_webhook_endpoint",
    "walk_balance_transactions",
    "walk_events",
]
