"""Record a payment that did not come through Stripe."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from campaigns import memberships, payments
from campaigns.actions.counts import publish, recount
from campaigns.actions.people import lock_member
from campaigns.actions.reader_mails import schedule_reader_mail
from campaigns.models import Campaign, Member, Membership, OutgoingMail, Payment, Plan


class AlreadyRecorded(Exception):
    """The same payment was recorded before: a second click, or a colleague."""


def record_offline_payment(
    member: Member,
    *,
    plan: Plan,
    months: int,
    amount_minor: int,
    currency: str,
    paid_at: datetime,
    campaign: Campaign | None,
    by: User,
    note: str,
    message: str | None = None,
) -> Payment:
    """Record a membership that was paid for offline, and its first payment.

    It counts in `campaign` by the rule for every first payment, with the date entered. The
    member gets an e-mail with the `message`, or none if it is None. Raises MemberGone and
    AlreadyRecorded.
    """
    with transaction.atomic():
        if campaign is not None:
            # The window must not move now: the recount that follows would miss this payment.
            Campaign.objects.select_for_update(no_key=True).get(pk=campaign.pk)
        lock_member(member)
        offline = member.payments.filter(intent_id__isnull=True)
        if offline.filter(amount_minor=amount_minor, currency=currency, paid_at=paid_at).exists():
            raise AlreadyRecorded
        membership = memberships.grant_membership(
            member,
            plan=plan,
            source=Membership.Source.ONCE,
            starts_at=paid_at,
            months=months,
            granted_by=by,
            note=note,
        )
        payment = payments.record_offline_payment(
            campaign=campaign,
            membership=membership,
            amount_minor=amount_minor,
            currency=currency,
            paid_at=paid_at,
            entered_by=by,
            note=note,
        )
        schedule_reader_mail(
            OutgoingMail.Kind.OFFLINE, member, message, about=str(payment.pk), payment=payment
        )
        campaigns = recount([member])
    publish(campaigns | ({campaign.pk} if campaign else set()))
    return payment


def counts_as_new_member(payment: Payment) -> bool:
    """Return whether the payer counts as a new member of the payment's campaign."""
    return payment.member.tallies.filter(campaign=payment.campaign_id).exists()
