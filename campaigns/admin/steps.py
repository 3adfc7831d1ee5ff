"""Links on a person's page to the actions for their memberships and payments."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.timezone import localtime
from django.utils.translation import gettext

from campaigns.admin.membership_ends import ENDINGS
from campaigns.admin.pages import Link
from campaigns.admin.refunds import REFUND
from campaigns.admin.site import staff_money
from campaigns.dates import write_short_day
from campaigns.models import Member, Membership, Payment

NEWEST = 3  # open memberships, and payments that are offered for a refund


def list_steps(request: HttpRequest, member: Member) -> list[Link]:
    """Return the pages that refund, cancel and end, if this user may open them now."""
    return [*_list_refunds(request, member), *_list_endings(request, member)]


def _list_refunds(request: HttpRequest, member: Member) -> list[Link]:
    pages: Any = admin.site.get_model_admin(Payment)
    paid = member.payments.filter(status=Payment.Status.SUCCEEDED, intent_id__isnull=False)
    words = gettext("Refund %(amount)s of %(day)s")
    return [
        Link(
            words
            % {
                "amount": staff_money(payment.amount_minor, payment.currency),
                "day": write_short_day(localtime(payment.paid_at)),
            },
            pages.url_of(payment, REFUND.name),
        )
        for payment in paid.order_by("-paid_at", "-pk")[:NEWEST]
        if pages.is_offered(request, payment, REFUND.name)
    ]


def _list_endings(request: HttpRequest, member: Member) -> list[Link]:
    pages: Any = admin.site.get_model_admin(Membership)
    running = member.memberships.exclude(status=Membership.Status.ENDED)
    newest = list(running.order_by("-started_at", "-pk")[:NEWEST])
    links = []
    for membership in newest:
        since = write_short_day(localtime(membership.started_at))
        suffix = f" ({since})" if len(newest) > 1 else ""
        links += [
            Link(f"{ending.label}{suffix}", pages.url_of(membership, ending.name), ending.is_grave)
            for ending in ENDINGS
            if pages.is_offered(request, membership, ending.name)
        ]
    return links
