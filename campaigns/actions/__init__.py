"""Actions of readers and staff that change the count: one public function for each.

Each action locks, changes, recounts and asks for new banners, in this order. Views, admin,
commands and tasks call nothing below this package for such a change. The steps inside are private
to it: `gifts.claims`, `gifts.decisions`, `gifts.sales`, and the functions that count.
"""

from campaigns.actions.attention import mark_dealt_with
from campaigns.actions.campaigns import CampaignSold, delete_campaign, has_sales
from campaigns.actions.claims import claim_gift, confirm_claim
from campaigns.actions.erasures import request_erasure
from campaigns.actions.gifts import pardon_gift, reassign_gift, restore_gift, revoke_gift
from campaigns.actions.held_payments import accept_held_payment, decline_held_payment
from campaigns.actions.imports import ImportedMembership, import_memberships
from campaigns.actions.memberships import (
    AlreadyGranted,
    End,
    EndRefused,
    check_end,
    end_membership,
    grant_membership,
)
from campaigns.actions.merges import MergeRefused, Rehearsal, merge_members, rehearse_merge
from campaigns.actions.offline_payments import (
    AlreadyRecorded,
    counts_as_new_member,
    record_offline_payment,
)
from campaigns.actions.people import MemberGone
from campaigns.actions.refunds import (
    OrderedMeanwhile,
    RefundRefused,
    assign_refund_to_gifts,
    can_end_membership,
    check_refundable,
    disputed_minor,
    execute_refund_order,
    explain_refusal,
    list_unassigned_refunds,
    newest_order,
    refund_payment,
    refundable_minor,
    unrefunded_gifts,
)
from campaigns.actions.stripe_sales import (
    AdoptionRefused,
    adopt_due_sale,
    adopt_stripe_sale,
    adopt_stripe_sale_into,
    find_running_campaign,
    leave_out_stripe_sale,
)

__all__ = [
    "AdoptionRefused",
    "AlreadyGranted",
    "AlreadyRecorded",
    "CampaignSold",
    "End",
    "EndRefused",
    "ImportedMembership",
    "MemberGone",
    "MergeRefused",
    "OrderedMeanwhile",
    "RefundRefused",
    "Rehearsal",
    "accept_held_payment",
    "adopt_due_sale",
    "adopt_stripe_sale",
    "adopt_stripe_sale_into",
    "assign_refund_to_gifts",
    "can_end_membership",
    "check_end",
    "check_refundable",
    "claim_gift",
    "confirm_claim",
    "counts_as_new_member",
    "decline_held_payment",
    "delete_campaign",
    "disputed_minor",
    "end_membership",
    "execute_refund_order",
    "explain_refusal",
    "find_running_campaign",
    "grant_membership",
    "has_sales",
    "import_memberships",
    "leave_out_stripe_sale",
    "list_unassigned_refunds",
    "mark_dealt_with",
    "merge_members",
    "newest_order",
    "pardon_gift",
    "reassign_gift",
    "record_offline_payment",
    "refund_payment",
    "refundable_minor",
    "rehearse_merge",
    "request_erasure",
    "restore_gift",
    "revoke_gift",
    "unrefunded_gifts",
]
