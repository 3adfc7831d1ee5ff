"""The e-mail to readers who left Stripe's page without paying: who gets one, and the message."""

from datetime import datetime, timedelta

from django.utils import timezone

from campaigns import memberships
from campaigns.emails import links
from campaigns.emails.contexts import build_campaign_context
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.models import Checkout, Member, OutgoingMail

WAIT = timedelta(hours=3)  # after the payment page was opened
# An older one isn't written about, for example if no worker ran.
_TOO_LATE = timedelta(days=2)
AGAIN_AFTER = timedelta(days=30)  # for each person
_UNPAID = (Checkout.Status.OPEN, Checkout.Status.EXPIRED)
_PAID = (Checkout.Status.PAID, Checkout.Status.WAITING)
_AT_ONCE = 200


def list_unfinished(*, at: datetime) -> list[Checkout]:
    """Return the unfinished Checkouts to write about: the newest of each person.

    Only of campaigns that ask for it, of people who didn't pay since, and who got no such e-mail
    in the last 30 days.
    """
    left = Checkout.objects.filter(
        opened_at__gt=at - _TOO_LATE,
        opened_at__lte=at - WAIT,
        status__in=_UNPAID,
        campaign__reminds_unfinished=True,
        outgoingmail__isnull=True,
    ).order_by("-opened_at", "pk")
    by_email: dict[str, Checkout] = {}
    for checkout in left[:_AT_ONCE]:
        by_email.setdefault(checkout.email, checkout)
    theirs = Checkout.objects.filter(email__in=by_email)
    paid = theirs.filter(status__in=_PAID, opened_at__gt=at - _TOO_LATE)
    written = theirs.filter(
        opened_at__gt=at - AGAIN_AFTER - _TOO_LATE,
        outgoingmail__kind=OutgoingMail.Kind.UNFINISHED,
        outgoingmail__created_at__gt=at - AGAIN_AFTER,
    )
    # A person who is still on the payment page of another try gets the e-mail about that one.
    still_there = theirs.filter(opened_at__gt=at - WAIT)
    done = {
        email
        for rows in (paid, written, still_there)
        for email in rows.values_list("email", flat=True)
    }
    return [checkout for email, checkout in by_email.items() if email not in done]


def remind_of_checkout(checkout: Checkout) -> bool:
    """Schedule the e-mail about an unfinished Checkout; return whether it is new."""
    _mail, is_new = OutgoingMail.objects.get_or_create(
        key=f"unfinished:{checkout.pk}",
        defaults={
            "kind": OutgoingMail.Kind.UNFINISHED,
            "checkout": checkout,
            "language": checkout.language,
        },
    )
    return is_new


def send_unfinished(mail: OutgoingMail) -> str:
    """Offer to continue an unfinished Checkout, unless they paid since or are a member."""
    checkout = mail.checkout
    if checkout is None or checkout.status not in _UNPAID or _has_paid_since(checkout):
        raise NotNeeded
    if checkout.campaign is not None and not checkout.campaign.reminds_unfinished:
        raise NotNeeded
    if checkout.kind == Checkout.Kind.JOIN and _is_member(checkout.email):
        raise NotNeeded
    context = build_campaign_context(checkout) | {
        "checkout": checkout,
        "price": checkout.terms,
        "plan": checkout.price.plan.copy_for(mail.language),
        "continue_url": links.build_url("continue", token=links.make_continue_token(checkout)),
        "days": links.CONTINUE_LASTS // timedelta(days=1),
    }
    return send_message(
        "membership/unfinished", mail, to=checkout.email, context=context, may_opt_out=True
    )


def _has_paid_since(checkout: Checkout) -> bool:
    opened_at = checkout.opened_at or checkout.created_at
    others = Checkout.objects.filter(email=checkout.email, opened_at__gt=opened_at - _TOO_LATE)
    return others.filter(status__in=_PAID).exists()


def _is_member(address: str) -> bool:
    member = Member.objects.filter(email=address).first()
    return member is not None and memberships.has_access(member, timezone.now())
