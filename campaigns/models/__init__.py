"""The models, one module a concept. Nothing here calls Stripe, sends mail or uses a queue."""

from campaigns.models.address_change import AddressChange
from campaigns.models.api_client import ApiClient
from campaigns.models.attempt_count import AttemptCount
from campaigns.models.banner import Banner
from campaigns.models.campaign import Campaign, CampaignCopy, Phase, find_zone
from campaigns.models.checkout import Checkout
from campaigns.models.erasure import ErasedAddress, Erasure
from campaigns.models.ghost import GhostMember, GhostSite
from campaigns.models.gift import Gift, GiftChange, ReplacedCode
from campaigns.models.goal import Goal
from campaigns.models.job import JobFailure, JobRun
from campaigns.models.kept_figure import KeptFigure
from campaigns.models.look import Look, read_look, read_newsroom_name, remember_look
from campaigns.models.member import FormerAddress, Member
from campaigns.models.member_access import MemberAccess
from campaigns.models.member_note import MemberNote
from campaigns.models.membership import Membership
from campaigns.models.milestone import Milestone
from campaigns.models.newsletter import Newsletter
from campaigns.models.note import Note
from campaigns.models.opt_out import OptOut
from campaigns.models.outgoing_mail import OutgoingMail, is_about
from campaigns.models.payment import Dispute, Payment, Refund
from campaigns.models.payment_state import (
    PaymentState,
    correct_refund_states,
    select_in_state,
    with_state,
)
from campaigns.models.plan import Plan, PlanCopy, Price, Priced, Terms
from campaigns.models.problem import Problem
from campaigns.models.refund_order import RefundOrder
from campaigns.models.report_message import ChatPost, ReportMessage
from campaigns.models.report_receiver import ChatWebhook, ReportMail
from campaigns.models.report_token import ReportToken
from campaigns.models.share_reward import ShareReward
from campaigns.models.sign import Sign
from campaigns.models.sign_in import SignInLink
from campaigns.models.stripe_budget import StripeBudget
from campaigns.models.stripe_cursor import StripeCursor
from campaigns.models.stripe_event import StripeEvent
from campaigns.models.stripe_object import StripeObject
from campaigns.models.stripe_sale import StripeSale
from campaigns.models.subscription import Subscription
from campaigns.models.tally import PublishedNumber, Tally
from campaigns.models.wall_entry import WallEntry
from campaigns.models.webhook import (
    OutgoingEvent,
    WebhookDelivery,
    WebhookEndpoint,
)

__all__ = [
    "AddressChange",
    "ApiClient",
    "AttemptCount",
    "Banner",
    "Campaign",
    "CampaignCopy",
    "ChatPost",
    "ChatWebhook",
    "Checkout",
    "Dispute",
    "ErasedAddress",
    "Erasure",
    "FormerAddress",
    "GhostMember",
    "GhostSite",
    "Gift",
    "GiftChange",
    "Goal",
    "JobFailure",
    "JobRun",
    "KeptFigure",
    "Look",
    "Member",
    "MemberAccess",
    "MemberNote",
    "Membership",
    "Milestone",
    "Newsletter",
    "Note",
    "OptOut",
    "OutgoingEvent",
    "OutgoingMail",
    "Payment",
    "PaymentState",
    "Phase",
    "Plan",
    "PlanCopy",
    "Price",
    "Priced",
    "Problem",
    "PublishedNumber",
    "Refund",
    "RefundOrder",
    "ReplacedCode",
    "ReportMail",
    "ReportMessage",
    "ReportToken",
    "ShareReward",
    "Sign",
    "SignInLink",
    "StripeBudget",
    "StripeCursor",
    "StripeEvent",
    "StripeObject",
    "StripeSale",
    "Subscription",
    "Tally",
    "Terms",
    "WallEntry",
    "WebhookDelivery",
    "WebhookEndpoint",
    "correct_refund_states",
    "find_zone",
    "is_about",
    "read_look",
    "read_newsroom_name",
    "remember_look",
    "select_in_state",
    "with_state",
]
