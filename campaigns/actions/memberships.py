"""Grant a membership, and end one that was granted or a subscription."""

from datetime import datetime
from enum import Enum

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns import members, memberships, settlement, stripe_api
from campaigns.actions.counts import publish, recount
from campaigns.actions.people import MemberGone, lock_member
from campaigns.actions.reader_mails import schedule_reader_mail
from campaigns.models import Member, Membership, OutgoingMail, Plan


class AlreadyGranted(Exception):
    """The same membership was granted before: a second click, or a colleague."""


class EndRefused(Exception):
    """The membership can't be ended like this; the message says why, in a full sentence."""


class End(Enum):
    """The moment at which staff end a membership."""

    AT_PERIOD_END = "at the end of the paid period"
    NOW = "now"


def grant_membership(
    member: Member,
    *,
    plan: Plan,
    starts_at: datetime,
    months: int,
    by: User,
    note: str,
    message: str | None = None,
) -> Membership:
    """Grant a membership to someone who doesn't pay. It is never counted as a new member.

    If it was active when a campaign began, the person doesn't count in that campaign. They get an
    e-mail with the `message`, or none if it is None. Raises MemberGone and AlreadyGranted.
    """
    with transaction.atomic():
        lock_member(member)
        granted = member.memberships.filter(source=Membership.Source.GRANTED)
        if granted.filter(plan=plan, started_at=starts_at).exists():
            raise AlreadyGranted
        membership = memberships.grant_membership(
            member,
            plan=plan,
            source=Membership.Source.GRANTED,
            starts_at=starts_at,
            months=months,
            granted_by=by,
            note=note,
        )
        schedule_reader_mail(
            OutgoingMail.Kind.GRANTED,
            member,
            message,
            about=str(membership.pk),
            membership=membership,
        )
        campaigns = recount([member])
    publish(campaigns)
    return membership


def check_end(membership: Membership, end: End) -> None:
    """Raise EndRefused if the membership can't be ended like this."""
    is_granted = membership.source == Membership.Source.GRANTED
    if is_granted and end is End.AT_PERIOD_END:
        raise EndRefused(_("You can cancel only a subscription that was bought on this site."))
    if not is_granted and (not membership.subscription_id or membership.checkout_id is None):
        raise EndRefused(
            _(
                "You can end only a subscription that was bought on this site, or a granted "
                "membership."
            )
        )
    if membership.status == Membership.Status.ENDED:
        raise EndRefused(_("This membership has already ended."))
    if membership.is_cancelling and end is End.AT_PERIOD_END:
        raise EndRefused(_("This membership is already cancelled and ends with the paid period."))


def end_membership(membership: Membership, end: End, *, message: str | None = None) -> bool:
    """End a granted membership, or a subscription; return whether our row is up to date.

    A subscription ends at Stripe first. If our row doesn't follow, a job settles it within minutes.
    The count doesn't change, and nothing is refunded. The member gets an e-mail with the `message`,
    or none if it is None. Raises EndRefused and the errors of stripe_api.
    """
    membership.refresh_from_db()
    check_end(membership, end)
    if membership.source == Membership.Source.GRANTED:
        _end_granted(membership, message=message)
        return True
    if end is End.NOW:
        members.end_subscription_now(membership)
        kind, about = OutgoingMail.Kind.ENDED, str(membership.pk)
    else:
        members.cancel_subscription(membership)
        # It can be resumed, and cancelled again.
        kind, about = OutgoingMail.Kind.CANCELLED, f"{membership.pk}:{timezone.now():%Y%m%d%H%M}"
    schedule_reader_mail(kind, membership.member, message, about=about, membership=membership)
    assert membership.checkout_id is not None
    try:
        settlement.settle_checkout(membership.checkout_id)
    except (stripe_api.StripeError, settlement.SettlementBusy):
        return False
    return True


def _end_granted(membership: Membership, *, message: str | None) -> None:
    with transaction.atomic():
        try:
            member = lock_member(membership.member)
        except MemberGone as error:
            words = _("This member has just been merged with another, or is being erased.")
            raise EndRefused(words) from error
        memberships.revoke_access(membership, at=timezone.now())
        kind, about = OutgoingMail.Kind.ENDED, str(membership.pk)
        schedule_reader_mail(kind, member, message, about=about, membership=membership)
        campaigns = recount([member])
    publish(campaigns)
