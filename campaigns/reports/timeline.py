"""A person's timeline for staff: payments, refunds, memberships, gifts, e-mails and decisions."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.contrib.admin.models import LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q
from django.utils.translation import gettext

from campaigns.models import Dispute, Gift, Member, OutgoingMail, Payment, Refund, is_about
from campaigns.money import format_money
from campaigns.reports.titles import isolate

MOST = 100


@dataclass(frozen=True)
class Moment:
    """Something that happened at a time, and the row that it happened to."""

    at: datetime
    words: str
    row: Model | None = None


def list_moments(member: Member, *, language: str) -> list[Moment]:
    """Return what happened to a person, the newest first; at most MOST."""
    found = [
        *_list_payments(member, language),
        *_list_memberships(member),
        *_list_gifts(member),
        *_list_mails(member),
        *_list_decisions(member),
        Moment(member.created_at, gettext("Member record created")),
    ]
    return sorted(found, key=lambda moment: moment.at, reverse=True)[:MOST]


def _list_payments(member: Member, language: str) -> Iterator[Moment]:
    for payment in member.payments.order_by("-paid_at")[:MOST]:
        amount = format_money(payment.amount_minor, payment.currency, language=language)
        words = {
            Payment.Status.SUCCEEDED: gettext("Paid %(amount)s: %(role)s"),
            Payment.Status.PENDING: gettext("Payment of %(amount)s pending: %(role)s"),
            Payment.Status.FAILED: gettext("Payment of %(amount)s failed: %(role)s"),
        }[Payment.Status(payment.status)]
        about = {"amount": amount, "role": payment.get_role_display()}
        yield Moment(payment.paid_at, words % about, payment)
    refunds = Refund.objects.filter(payment__member=member).select_related("payment")
    for refund in refunds.order_by("-refunded_at")[:MOST]:
        amount = format_money(refund.amount_minor, refund.payment.currency, language=language)
        words = (
            gettext("Refunded %(amount)s")
            if refund.status == Refund.Status.SUCCEEDED
            else gettext("Refund of %(amount)s not completed")
        )
        yield Moment(refund.refunded_at, words % {"amount": amount}, refund.payment)
    disputes = Dispute.objects.filter(payment__member=member).select_related("payment")
    for dispute in disputes.order_by("-opened_at")[:MOST]:
        amount = format_money(dispute.amount_minor, dispute.payment.currency, language=language)
        words = gettext("Dispute over %(amount)s opened") % {"amount": amount}
        yield Moment(dispute.opened_at, words, dispute.payment)


def _list_memberships(member: Member) -> Iterator[Moment]:
    for membership in member.memberships.order_by("-started_at")[:MOST]:
        about = {"source": membership.get_source_display()}
        yield Moment(
            membership.started_at, gettext("Membership started: %(source)s") % about, membership
        )
        if membership.ended_at is not None:
            words = gettext("Membership ended: %(source)s") % about
            yield Moment(membership.ended_at, words, membership)


def _list_gifts(member: Member) -> Iterator[Moment]:
    gifts = Gift.objects.select_related("claimed_by", "buyer")
    for gift in gifts.filter(buyer=member).order_by("-paid_at")[:MOST]:
        recipient = isolate(gift.recipient_name or gift.recipient_email)
        yield Moment(
            gift.paid_at, gettext("Bought a gift for %(name)s") % {"name": recipient}, gift
        )
        if gift.delivered_at is not None:
            words = gettext("Gift for %(name)s delivered") % {"name": recipient}
            yield Moment(gift.delivered_at, words, gift)
        if gift.claimed_at is not None and gift.claimed_by_id != member.pk:
            words = gettext("Gift claimed by %(name)s") % {"name": isolate(gift.claimed_by)}
            yield Moment(gift.claimed_at, words, gift)
    for gift in gifts.filter(claimed_by=member).order_by("-claimed_at")[:MOST]:
        if gift.claimed_at is not None:
            words = gettext("Claimed a gift from %(name)s") % {"name": isolate(gift.buyer)}
            yield Moment(gift.claimed_at, words, gift)


def _list_mails(member: Member) -> Iterator[Moment]:
    theirs = Q(member=member)
    for row in ("payment", "membership", "checkout", "gift"):
        theirs |= is_about(row, of=[member.pk])
    mails = OutgoingMail.objects.filter(theirs).order_by("-created_at")
    for mail in mails[:MOST]:
        about = {"kind": mail.get_kind_display()}
        if mail.sent_at is not None:
            yield Moment(mail.sent_at, gettext("E-mail sent: %(kind)s") % about, mail)
        if mail.bounced_at is not None:
            yield Moment(mail.bounced_at, gettext("E-mail bounced: %(kind)s") % about, mail)
        if mail.failed_at is not None:
            yield Moment(mail.failed_at, gettext("E-mail failed: %(kind)s") % about, mail)


def _list_decisions(member: Member) -> Iterator[Moment]:
    """Yield what staff did on the pages of this person and of what they bought."""
    pages: list[tuple[type[Model], list[str]]] = [
        (Member, [str(member.pk)]),
        *(
            (rows.model, [str(pk) for pk in rows.values_list("pk", flat=True)])
            for rows in (member.payments, member.memberships, Gift.objects.filter(buyer=member))
        ),
    ]
    wanted = Q()
    for model, keys in pages:
        content_type = ContentType.objects.get_for_model(model)
        wanted |= Q(content_type=content_type, object_id__in=keys)
    entries = LogEntry.objects.filter(wanted).select_related("user").order_by("-action_time")
    for entry in entries[:MOST]:
        deed = entry.get_change_message() or entry.get_action_flag_display()
        words = f"{isolate(entry.user)}: {isolate(deed)}"
        yield Moment(entry.action_time, words)
