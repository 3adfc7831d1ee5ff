"""The models, one module a concept. Nothing here calls Stripe, sends mail or uses a queue."""

from campaigns.models.address_change import AddressChange
from campaigns.models.attempt_count import AttemptCount
from campaigns.models.banner import Banner
from campaigns.models.campaign import Campaign, CampaignCopy, Phase
from campaigns.models.checkout import Checkout
from campaigns.models.erasure import ErasedAddress, Erasure
from campaigns.models.gift import Gift, GiftChange, ReplacedCode
from campaigns.models.goal import Goal
from campaigns.models.job import JobFailure, JobRun
from campaigns.models.member import FormerAddress, Member
from campaigns.models.membership import Membership
from campaigns.models.opt_out import OptOut
from campaigns.models.outgoing_mail import OutgoingMail
from campaigns.models.payment import Dispute, Payment, Refund
from campaigns.models.payment_state import PaymentState, with_state
from campaigns.models.plan import Plan, PlanCopy, Price
from campaigns.models.problem import Problem
from campaigns.models.refund_order import RefundOrder
from campaigns.models.sign import Sign
from campaigns.models.sign_in import SignInLink
from campaigns.models.stripe_budget import StripeBudget
from campaigns.models.stripe_cursor import StripeCursor
from campaigns.models.stripe_event import StripeEvent
from campaigns.models.stripe_object import StripeObject
from campaigns.models.stripe_sale import StripeSale
from campaigns.models.tally import PublishedNumber, Tally

__all__ = [
    "AddressChange",
    "AttemptCount",
    "Banner",
    "Campaign",
    "CampaignCopy",
    "Checkout",
    "Dispute",
    "ErasedAddress",
    "Erasure",
    "FormerAddress",
    "Gift",
    "GiftChange",
    "Goal",
    "JobFailure",
    "JobRun",
    "Member",
    "Membership",
    "OptOut",
    "OutgoingMail",
    "Payment",
    "PaymentState",
    "Phase",
    "Plan",
    "PlanCopy",
    "Price",
    "Problem",
    "PublishedNumber",
    "Refund",
    "RefundOrder",
    "ReplacedCode",
    "Sign",
    "SignInLink",
    "StripeBudget",
    "StripeCursor",
    "StripeEvent",
    "StripeObject",
    "StripeSale",
    "Tally",
    "with_state",
]
