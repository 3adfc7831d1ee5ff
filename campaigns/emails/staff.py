"""Messages to the newsroom's staff, sent to STAFF_EMAIL."""

from django.conf import settings
from django.urls import reverse

from campaigns import stripe_api
from campaigns.emails.delivery import NotNeeded, send_message
from campaigns.emails.gifts import build_gift_context, find_claimable_gift
from campaigns.models import OutgoingMail


def send_dispute(mail: OutgoingMail) -> str:
    """Report the state of a dispute, unless the state has changed since the mail was scheduled."""
    dispute = mail.dispute
    if dispute is None or not mail.key.endswith(f":{dispute.status}") or not settings.STAFF_EMAIL:
        raise NotNeeded
    payment = dispute.payment
    page = reverse("admin:campaigns_payment_change", args=[payment.pk])
    context = {
        "dispute": dispute,
        "payment": payment,
        "reason": dispute.reason.replace("_", " "),
        "is_open": dispute.status.endswith("needs_response"),
        "admin_url": settings.SITE_URL + page,
        "stripe_url": stripe_api.find_dashboard_url(payment.intent_id),
    }
    return send_message("staff/dispute", mail, to=settings.STAFF_EMAIL, context=context)


def send_gift_bounced_staff(mail: OutgoingMail) -> str:
    """Report that a gift's e-mail bounced."""
    gift = find_claimable_gift(mail)
    if gift.bounced_at is None or not settings.STAFF_EMAIL:
        raise NotNeeded
    page = reverse("admin:campaigns_gift_change", args=[gift.pk])
    context = build_gift_context(gift, mail.language) | {"admin_url": settings.SITE_URL + page}
    return send_message("staff/gift_bounced", mail, to=settings.STAFF_EMAIL, context=context)


def send_problem(mail: OutgoingMail) -> str:
    """Report that a part is broken, unless it works again, or that it works again."""
    problem = mail.problem
    is_over = mail.key.endswith(":ended")
    if problem is None or not settings.STAFF_EMAIL or (problem.ended_at and not is_over):
        raise NotNeeded
    context = {
        "problem": problem,
        "is_over": is_over,
        "admin_url": settings.SITE_URL + reverse("admin:index"),
    }
    return send_message("staff/problem", mail, to=settings.STAFF_EMAIL, context=context)
