"""6 Buy, deliver, redeem, remind, expire and revoke gifts. A gift tells its code itself."""

from campaigns.gifts.cards import render_card, render_card_picture
from campaigns.gifts.changes import (
    change_delivery,
    change_recipient,
    forget_recipient,
    pardon_gift,
    reassign_gift,
    resend_gift,
    restore_gift,
    revoke_gift,
)
from campaigns.gifts.claims import (
    ConfirmationRequired,
    GiftNotClaimable,
    apply_claim,
    confirm_claim,
    find_gift,
    is_replaced,
    read_confirmation,
    refuse_if_claimed_by_other,
    refuse_unless_claimable,
)
from campaigns.gifts.deliveries import record_bounces, record_deliveries
from campaigns.gifts.sales import (
    assign_refund,
    follow_payment_of_gift,
    upsert_gifts,
    valid_interval_of,
)
from campaigns.gifts.timeline import claim_due_gifts, take_steps

__all__ = [
    "ConfirmationRequired",
    "GiftNotClaimable",
    "apply_claim",
    "assign_refund",
    "change_delivery",
    "change_recipient",
    "claim_due_gifts",
    "confirm_claim",
    "find_gift",
    "follow_payment_of_gift",
    "forget_recipient",
    "is_replaced",
    "pardon_gift",
    "read_confirmation",
    "reassign_gift",
    "record_bounces",
    "record_deliveries",
    "refuse_if_claimed_by_other",
    "refuse_unless_claimable",
    "render_card",
    "render_card_picture",
    "resend_gift",
    "restore_gift",
    "revoke_gift",
    "take_steps",
    "upsert_gifts",
    "valid_interval_of",
]
