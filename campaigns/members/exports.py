"""The data that we keep about a member, for that member only, without other people's data."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from campaigns.members.overview import gifts_claimed_by, payments_of
from campaigns.members.sharing import count_joined_by
from campaigns.models import (
    GhostMember,
    Gift,
    Member,
    Membership,
    OutgoingMail,
    Payment,
    Subscription,
    is_about,
)

_Kind = OutgoingMail.Kind
TO_BUYERS = (
    _Kind.GIFT_TO_PASS_ON,
    _Kind.GIFT_DELIVERED,
    _Kind.GIFT_BOUNCED,
    _Kind.GIFT_UNCLAIMED,
    _Kind.GIFT_EXPIRING,
    _Kind.GIFT_CLAIMED,
)

ABOUT_PAYMENTS = (_Kind.RECEIPT, _Kind.REFUNDED, _Kind.OFFLINE)


def gather_data(member: Member) -> dict[str, Any]:
    """Return everything that we keep about `member`, ready for JSON."""
    return {
        "person": {
            "email": member.email,
            "name": member.name,
            "language": member.language,
            "known_since": member.created_at,
        },
        "own_link": {
            "code": member.share_code,
            "joined_by_it": count_joined_by(member),
            "months_given": [
                {"months": each.months, "granted_at": each.granted_at}
                for each in member.share_rewards.order_by("pk")
            ],
        },
        "former_addresses": [
            {"email": former.email, "left_at": former.left_at}
            for former in member.former_addresses.order_by("left_at", "pk")
        ],
        "changes_of_address": [
            {
                "new_email": change.email,
                "asked_at": change.asked_at,
                "confirmed_at_old_one_at": change.old_confirmed_at,
                "confirmed_at_new_one_at": change.new_confirmed_at,
                "made_at": change.made_at,
            }
            for change in member.address_changes.order_by("asked_at", "pk")
        ],
        "notes_by_staff": [
            {"text": note.text, "written_at": note.created_at}
            for note in member.notes.order_by("created_at", "pk")
        ],
        "on_walls": [
            {
                "campaign": entry.campaign.slug,
                "first_name": entry.first_name,
                "town": entry.town,
                "sentence": entry.sentence,
                "status": entry.status,
                "written_at": entry.written_at,
                "decided_at": entry.decided_at,
            }
            for entry in member.wall_entries.select_related("campaign").order_by("pk")
        ],
        "memberships": [
            _membership_data(each)
            for each in member.memberships.select_related(
                "plan", "price", "checkout__price"
            ).order_by("started_at", "pk")
        ],
        "newsletters": [_subscription_data(each) for each in _subscriptions_of(member)],
        "in_ghost": [
            {"id": row.ghost_id, "access_until": row.until, "labels": row.labels}
            | {"newsletters": row.newsletters, "written_at": row.synced_at}
            for row in GhostMember.objects.filter(member=member)
        ],
        "sign_ups": [
            {"kind": each.kind, "at": each.created_at, "status": each.status}
            | {"came_from": {name: value for name, value in asdict(each.origin).items() if value}}
            for each in member.checkouts.order_by("created_at", "pk")
        ],
        "payments": [_payment_data(each) for each in payments_of(member)],
        "gifts_bought": [
            _gift_data(gift)
            for gift in member.gifts_bought.select_related("price__plan").order_by("paid_at", "pk")
        ],
        "gifts_claimed": [
            {"plan": gift.price.plan.slug, "months": gift.months, "claimed_at": gift.claimed_at}
            for gift in gifts_claimed_by(member)
        ],
        "mails": [
            {"kind": kind, "written_at": created_at, "sent_at": sent_at}
            for kind, created_at, sent_at in _mails_to(member)
        ],
        "sent_to_our_other_systems": [
            {"what": type_, "to": endpoint, "at": delivered_at}
            for type_, endpoint, delivered_at in member.webhook_deliveries.filter(
                delivered_at__isnull=False
            )
            .order_by("pk")
            .values_list("event__type", "endpoint__name", "delivered_at")
        ],
    }


def _subscriptions_of(member: Member) -> QuerySet[Subscription]:
    addresses = [member.email, *member.former_addresses.values_list("email", flat=True)]
    rows = Subscription.objects.filter(email__in=addresses).select_related("newsletter")
    return rows.order_by("requested_at", "pk")


def _subscription_data(subscription: Subscription) -> dict[str, Any]:
    return {
        "newsletter": subscription.newsletter.slug,
        "email": subscription.email,
        "status": subscription.status,
        "agreed_to": subscription.consent_wording,
        "form": subscription.form_url,
        "asked_at": subscription.requested_at,
        "confirmed_at": subscription.confirmed_at,
        "confirmed_by": subscription.proof,
        "unsubscribed_at": subscription.ended_at,
        "came_from": {name: value for name, value in asdict(subscription.origin).items() if value},
    }


def _membership_data(membership: Membership) -> dict[str, Any]:
    price = membership.terms_now
    return {
        "plan": membership.plan.slug if membership.plan else None,
        "source": membership.source,
        "status": membership.status,
        "started_at": membership.started_at,
        "ends_at": membership.ends_at,
        "ended_at": membership.ended_at,
        "access_until": membership.access_until,
        "resumes_at": membership.resumes_at,
        "price": price
        and {"for": price.kind, "amount_minor": price.amount_minor, "currency": price.currency},
        "is_being_cancelled": membership.is_cancelling,
        "reason_for_cancelling": membership.cancel_reason,
        "subscription_at_stripe": membership.subscription_id,
    }


def _payment_data(payment: Payment) -> dict[str, Any]:
    return {
        "for": payment.role,
        "status": payment.status,
        "amount_minor": payment.amount_minor,
        "currency": payment.currency,
        "paid_at": payment.paid_at,
        "method": payment.method,
        "wallet": payment.wallet,
        "card_brand": payment.brand,
        "last_four_digits": payment.last4,
        "card_country": payment.country,
        "receipt_number": payment.receipt_number,
        "payment_at_stripe": payment.intent_id,
        "refunds": [
            {
                "amount_minor": refund.amount_minor,
                "status": refund.status,
                "refunded_at": refund.refunded_at,
            }
            for refund in payment.refunds.all()
        ],
        "disputes": [
            {
                "amount_minor": dispute.amount_minor,
                "status": dispute.status,
                "opened_at": dispute.opened_at,
            }
            for dispute in payment.disputes.all()
        ],
    }


def _gift_data(gift: Gift) -> dict[str, Any]:
    return {
        "plan": gift.price.plan.slug,
        "months": gift.months,
        "status": gift.status,
        "paid_at": gift.paid_at,
        "delivered_at": gift.delivered_at,
        "expires_at": gift.expires_at,
    }


def _mails_to(member: Member) -> list[tuple[str, datetime, datetime | None]]:
    """Return the e-mails sent or scheduled to that member, without those to staff."""
    own = [member.pk]
    theirs = (
        Q(member=member)
        | is_about("payment", of=own) & Q(kind__in=ABOUT_PAYMENTS)
        | is_about("membership", of=own)
        | is_about("checkout", of=own) & Q(kind__in=(_Kind.GIFT_BOUGHT, _Kind.UNFINISHED))
        | is_about("gift", of=own) & Q(kind__in=TO_BUYERS)
        | Q(gift__in=list(member.gifts_claimed.all()), kind=_Kind.GIFT_ENDING)
    )
    mails = OutgoingMail.objects.filter(theirs).order_by("created_at", "pk")
    return list(mails.values_list("kind", "created_at", "sent_at"))
