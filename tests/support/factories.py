"""Rows with readable values. Times are in UTC unless a test gives another zone."""

from datetime import UTC, datetime
from itertools import count
from typing import Any

from campaigns import memberships, progress
from campaigns.models import (
    Campaign,
    CampaignCopy,
    Checkout,
    Dispute,
    Gift,
    Goal,
    Member,
    Membership,
    Payment,
    Plan,
    PlanCopy,
    Price,
    Refund,
    correct_refund_states,
)

_number = count(1)


def at(text: str) -> datetime:
    """Return "2026-11-10 12:00" as an aware time."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def make_campaign(**changes: Any) -> Campaign:
    """Create a birthday campaign in November 2026 with a goal of 1,000 new members."""
    target = changes.pop("target", 1000)
    campaign = Campaign.objects.create(
        **{
            "slug": "birthday",
            "zone": "Europe/Kyiv",
            "starts_at": at("2026-11-01 00:00"),
            "ends_at": at("2026-12-01 00:00"),
            "currency": "eur",
            "supporters_before": 12000,
        }
        | changes
    )
    CampaignCopy.objects.create(
        campaign=campaign,
        language="en",
        name="Third birthday",
        headline="Three years, paid for by readers",
        summary="Help us find 1,000 new members.",
        story="Three years ago we began.\n\nReaders pay for it.",
        use_of_money="Reporters.\n\nLawyers.",
    )
    Goal.objects.create(
        campaign=campaign, kind=Goal.Kind.NEW_MEMBERS, target=target, is_primary=True
    )
    return campaign


def make_plan(slug: str = "member") -> Plan:
    plan, created = Plan.objects.get_or_create(slug=slug)
    if created:
        PlanCopy.objects.create(plan=plan, language="en", name="Member", benefits="A letter")
    return plan


def make_price(kind: str = "year", **changes: Any) -> Price:
    """Create a price: €60 a year, €6 a month, or €60 for a gift of twelve months."""
    values: dict[str, Any] = {
        "plan": changes.pop("plan", None) or make_plan(),
        "kind": kind,
        "currency": "eur",
        "amount_minor": 600 if kind == "month" else 6000,
        "months": 12 if kind in {"gift", "once"} else None,
    }
    at_stripe = changes.pop("stripe_price_id", f"price_{kind}_{next(_number)}")
    price, _ = Price.objects.get_or_create(
        **values | changes, defaults={"stripe_price_id": at_stripe}
    )
    return price


def make_member(email: str = "") -> Member:
    return Member.objects.get_or_create_by_email(email or f"reader{next(_number)}@example.org")


def make_payment(
    member: Member,
    campaign: Campaign | None,
    paid_at: str,
    *,
    role: Payment.Role = Payment.Role.FIRST,
    membership: Membership | None = None,
    **changes: Any,
) -> Payment:
    """Create a succeeded payment of €60. A first payment also creates its membership."""
    moment = at(paid_at)
    if role == Payment.Role.FIRST and membership is None:
        membership = Membership.objects.create(
            member=member,
            source=Membership.Source.SUBSCRIPTION,
            started_at=moment,
            subscription_id=f"sub_{next(_number)}",
        )
    number = next(_number)
    return Payment.objects.create(
        **{
            "member": member,
            "campaign": campaign,
            "membership": membership,
            "role": role,
            "status": Payment.Status.SUCCEEDED,
            "amount_minor": 6000,
            "currency": "eur",
            "paid_at": moment,
            "intent_id": f"pi_{number}",
            "charge_id": f"ch_{number}",
        }
        | changes
    )


def make_refund(payment: Payment, refunded_at: str, amount_minor: int = 6000) -> Refund:
    refund = Refund.objects.create(
        payment=payment,
        refund_id=f"re_{next(_number)}",
        amount_minor=amount_minor,
        status=Refund.Status.SUCCEEDED,
        refunded_at=at(refunded_at),
    )
    _correct_refund_state(payment)
    return refund


def make_dispute(payment: Payment, opened_at: str, *, status: str = "needs_response") -> Dispute:
    dispute = Dispute.objects.create(
        payment=payment,
        dispute_id=f"du_{next(_number)}",
        amount_minor=payment.amount_minor,
        status=status,
        opened_at=at(opened_at),
        withdrawn_at=at(opened_at),
    )
    _correct_refund_state(payment)
    return dispute


def _correct_refund_state(payment: Payment) -> None:
    correct_refund_states(Payment.objects.filter(pk=payment.pk))
    payment.refresh_from_db(fields=["refund_state"])


def make_checkout(campaign: Campaign | None, **changes: Any) -> Checkout:
    price = changes.pop("price", None) or make_price()
    number = next(_number)
    return Checkout.objects.create(
        **{
            "kind": Checkout.Kind.JOIN,
            "campaign": campaign,
            "price": price,
            "amount_minor": price.amount_minor,
            "currency": price.currency,
            "email": f"reader{number}@example.org",
            "name": "Ada Reader",
            "status": Checkout.Status.OPEN,
            "session_id": f"cs_test_{number}",
        }
        | changes
    )


def make_gift(buyer: Member, campaign: Campaign | None, paid_at: str, **changes: Any) -> Gift:
    """Create a paid, unclaimed gift of twelve months."""
    price = make_price("gift")
    checkout = make_checkout(campaign, kind=Checkout.Kind.GIFT, price=price, status="paid")
    payment = make_payment(buyer, campaign, paid_at, role=Payment.Role.GIFT, checkout=checkout)
    gift = Gift(
        **{
            "checkout": checkout,
            "payment": payment,
            "price": price,
            "months": 12,
            "buyer": buyer,
            "buyer_name": "Ada Reader",
            "recipient_name": "Ben",
            "recipient_email": "ben@example.org",
            "paid_at": payment.paid_at,
            "deliver_at": payment.paid_at,
            "expires_at": memberships.add_months(payment.paid_at, 12),
        }
        | changes
    )
    gift.set_code()
    gift.save()
    return gift


def record_claim(gift: Gift, claimed_by: Member, claimed_at: str) -> Gift:
    moment = at(claimed_at)
    gift.membership = memberships.grant_membership(
        claimed_by,
        plan=gift.price.plan,
        source=Membership.Source.GIFT,
        starts_at=moment,
        months=gift.months,
    )
    gift.claimed_by, gift.claimed_at, gift.status = claimed_by, moment, Gift.Status.CLAIMED
    gift.save()
    return gift


def recount_campaign(campaign: Campaign) -> None:
    """Recount the campaign now."""
    progress.request_recount(campaign.pk)
    progress.continue_recount(campaign.pk)
