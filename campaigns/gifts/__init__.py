"""6 Buy, deliver, redeem, remind, expire and revoke gifts. A gift tells its code itself."""

from campaigns.gifts.cards import render_card, render_card_picture
from campaigns.gifts.changes import (
    change_delivery,
    change_recipient,
    forget_recipient,
    keep_gift,
    reassign_gift,
    resend_gift,
    revive_gift,
    revoke_gift,
)
from campaigns.gifts.claims import (
    ConfirmationOwed,
    GiftNotClaimable,
    confirm_claim,
    find_gift,
    is_replaced,
    read_confirmation,
    redeem_gift,
    refuse_latecomer,
    refuse_unless_claimable,
)
from campaigns.gifts.deliveries import note_bounces, note_deliveries
from campaigns.gifts.sales import follow_money, keep_gifts, name_gifts, standing_interval_of
from campaigns.gifts.timeline import due_gift_ids, take_steps

__all__ = [
    "ConfirmationOwed",
    "GiftNotClaimable",
    "change_delivery",
    "change_recipient",
    "confirm_claim",
    "due_gift_ids",
    "find_gift",
    "follow_money",
    "forget_recipient",
    "is_replaced",
    "keep_gift",
    "keep_gifts",
    "name_gifts",
    "note_bounces",
    "note_deliveries",
    "read_confirmation",
    "reassign_gift",
    "redeem_gift",
    "refuse_latecomer",
    "refuse_unless_claimable",
    "render_card",
    "render_card_picture",
    "resend_gift",
    "revive_gift",
    "revoke_gift",
    "standing_interval_of",
    "take_steps",
]
