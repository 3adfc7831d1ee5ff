"""Memberships, gifts and e-mails as rows of a file. They name people: see admin/downloads.py."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from campaigns.models import Gift, Member, Membership, OutgoingMail
from campaigns.models.erasure import is_of_erased
from campaigns.money import to_major
from campaigns.spreadsheets import Cell

MEMBERSHIP_COLUMNS = (
    *("membership", "member", "email", "name", "plan", "source", "status", "price", "currency"),
    *("started_at", "ends_at", "ended_at", "is_cancelling", "campaign", "subscription"),
)
GIFT_COLUMNS = (
    *("gift", "paid_at", "campaign", "status", "months", "share", "currency", "payment"),
    *("buyer", "buyer_email", "buyer_name", "recipient_name", "recipient_email"),
    *("deliver_at", "delivered_at", "bounced_at", "claimed_at", "claimed_by", "expires_at"),
)
MAIL_COLUMNS = (
    *("mail", "created_at", "kind", "language", "member", "email"),
    *("sent_at", "bounced_at", "failed_at", "attempts", "error"),
)
_CHUNK = 500


def list_memberships(memberships: QuerySet[Membership]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each membership."""
    yield list(MEMBERSHIP_COLUMNS)
    related = memberships.select_related(
        "member", "plan", "price", "checkout__price", "checkout__campaign"
    ).order_by("started_at", "pk")
    for membership in related.iterator(chunk_size=_CHUNK):
        price, checkout = membership.price_now, membership.checkout
        campaign = checkout.campaign if checkout else None
        yield [
            membership.pk,
            *_describe_member(membership.member),
            membership.plan.slug if membership.plan else "",
            membership.source,
            membership.status,
            to_major(price.amount_minor, price.currency) if price else None,
            price.currency if price else "",
            _local(membership.started_at),
            _local(membership.ends_at),
            _local(membership.ended_at),
            "yes" if membership.is_cancelling else "no",
            campaign.slug if campaign else "",
            membership.subscription_id or "",
        ]


def list_gifts(gifts: QuerySet[Gift]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each gift. Claim codes stay secret."""
    yield list(GIFT_COLUMNS)
    related = gifts.select_related("buyer", "checkout__campaign").order_by("paid_at", "pk")
    for gift in related.iterator(chunk_size=_CHUNK):
        campaign, currency = gift.checkout.campaign, gift.checkout.currency
        yield [
            str(gift.pk),
            _local(gift.paid_at),
            campaign.slug if campaign else "",
            gift.status,
            gift.months,
            to_major(gift.share_minor, currency),
            currency,
            gift.payment_id,
            *_describe_member(gift.buyer),
            gift.recipient_name,
            _hide_erased(gift.recipient_email),
            _local(gift.deliver_at),
            _local(gift.delivered_at),
            _local(gift.bounced_at),
            _local(gift.claimed_at),
            gift.claimed_by_id,
            _local(gift.expires_at),
        ]


def list_mails(mails: QuerySet[OutgoingMail]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each e-mail, with its member."""
    yield list(MAIL_COLUMNS)
    related = mails.select_related(
        *("member", "gift__buyer", "payment__member", "membership__member", "checkout__member"),
        "dispute__payment__member",
    )
    for mail in related.order_by("created_at", "pk").iterator(chunk_size=_CHUNK):
        member = _find_member(mail)
        yield [
            mail.pk,
            _local(mail.created_at),
            mail.kind,
            mail.language,
            member.pk if member else None,
            _hide_erased(member.email) if member else "",
            _local(mail.sent_at),
            _local(mail.bounced_at),
            _local(mail.failed_at),
            mail.attempts,
            mail.error,
        ]


def _find_member(mail: OutgoingMail) -> Member | None:
    if mail.member is not None or mail.gift is not None:
        return mail.member or (mail.gift.buyer if mail.gift else None)
    payment = mail.payment or (mail.dispute.payment if mail.dispute else None)
    owner = payment or mail.membership or mail.checkout
    return owner.member if owner else None


def _describe_member(member: Member) -> list[Cell]:
    return [member.pk, _hide_erased(member.email), member.name]


def _hide_erased(email: str) -> str:
    return "" if is_of_erased(email) else email


def _local(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(ZoneInfo(settings.NEWSROOM_TIME_ZONE))
