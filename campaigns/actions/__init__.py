"""Actions of readers and staff that change the count: one public function for each.

Each action locks, changes, recounts and asks for new banners, in this order. Views, admin,
commands and tasks call nothing below this package for such a change. The steps inside are private
to it: `gifts.claims`, `gifts.decisions`, `gifts.sales`, and the functions that count.
"""

from campaigns.actions.attention import mark_dealt_with
from campaigns.actions.campaigns import CampaignSold, delete_campaign, has_sales
from campaigns.actions.claims import claim_gift, confirm_claim
from campaigns.actions.erasures import IsMember, erase_subscriber, request_erasure
from campaigns.actions.gifts import pardon_gift, reassign_gift, restore_gift, revoke_gift
from campaigns.actions.held_payments import accept_held_payment, decline_held_payment
from campaigns.actions.imports import ImportedMembership, import_memberships
from campaigns.actions.member_notes import AlreadyNoted, add_member_note, delete_member_note
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
    compute_disputed,
    compute_refundable,
    execute_refund_order,
    explain_refusal,
    find_newest_order,
    list_unassigned_refunds,
    list_unrefunded_gifts,
    refund_payment,
)
from campaigns.actions.rewards import give_due_rewards
from campaigns.actions.staff import (
    PasswordChangedMeanwhile,
    change_password,
    mark_password,
    reset_second_factor,
    restore_administrator,
)
from campaigns.actions.stripe_sales import (
    AdoptionRefused,
    adopt_due_sale,
    adopt_stripe_sale,
    adopt_stripe_sale_into,
    find_running_campaign,
    leave_out_stripe_sale,
)
from campaigns.actions.wall import (
    NotOnWall,
    hide_wall_entry,
    remove_wall_entry,
    show_wall_entry,
    write_wall_entry,
)

__all__ = [
    "AdoptionRefused",
    "AlreadyGranted",
    "AlreadyNoted",
    "AlreadyRecorded",
    "CampaignSold",
    "End",
    "EndRefused",
    "ImportedMembership",
    "IsMember",
    "MemberGone",
    "MergeRefused",
    "NotOnWall",
    "OrderedMeanwhile",
    "PasswordChangedMeanwhile",
    "RefundRefused",
    "Rehearsal",
    "accept_held_payment",
    "add_member_note",
    "adopt_due_sale",
    "adopt_stripe_sale",
    "adopt_stripe_sale_into",
    "assign_refund_to_gifts",
    "can_end_membership",
    "change_password",
    "check_end",
    "check_refundable",
    "claim_gift",
    "compute_disputed",
    "compute_refundable",
    "confirm_claim",
    "counts_as_new_member",
    "decline_held_payment",
    "delete_campaign",
    "delete_member_note",
    "end_membership",
    "erase_subscriber",
    "execute_refund_order",
    "explain_refusal",
    "find_newest_order",
    "find_running_campaign",
    "give_due_rewards",
    "grant_membership",
    "has_sales",
    "hide_wall_entry",
    "import_memberships",
    "leave_out_stripe_sale",
    "list_unassigned_refunds",
    "list_unrefunded_gifts",
    "mark_dealt_with",
    "mark_password",
    "merge_members",
    "pardon_gift",
    "reassign_gift",
    "record_offline_payment",
    "refund_payment",
    "rehearse_merge",
    "remove_wall_entry",
    "request_erasure",
    "reset_second_factor",
    "restore_administrator",
    "restore_gift",
    "revoke_gift",
    "show_wall_entry",
    "write_wall_entry",
]
