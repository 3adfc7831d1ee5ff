"""The outcome of a payment or a gift that the search found, and the steps that staff can take."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext

from campaigns import memberships
from campaigns.admin import gift_texts
from campaigns.admin.pages import Link
from campaigns.admin.standing import describe_standing
from campaigns.models import Gift, Payment, PaymentState, StripeEvent


@dataclass(frozen=True)
class Outcome:
    """A row that was found, what became of it, and what staff may do about it."""

    row: Any
    words: str
    links: list[Link]


def explain_payment(
    request: HttpRequest, payment: Any, *, at: datetime, has_steps: bool = True
) -> Outcome:
    """Explain a payment that is annotated with its state."""
    steps: list[tuple[Any, str]] = []
    has_access = memberships.has_access(payment.member, at)
    match PaymentState(payment.state):
        case PaymentState.PENDING if has_access:
            words = gettext(
                "Pending: the bank hasn’t decided yet. The member has access in the meantime."
            )
        case PaymentState.PENDING:
            words = gettext(
                "Pending: the bank hasn’t decided yet. The membership begins when it accepts."
            )
        case PaymentState.FAILED:
            words = gettext("The bank declined the payment. Nothing was charged.")
        case PaymentState.REFUNDED if has_access:
            words = gettext("Refunded in full. Banks need up to ten days. %(standing)s") % {
                "standing": describe_standing(payment.member, at=at)
            }
            if payment.membership is not None:
                steps = [(payment.membership, "cancel"), (payment.membership, "end")]
        case PaymentState.REFUNDED:
            words = gettext(
                "Refunded in full. Banks need up to ten days. The reader can buy again, or you "
                "grant a membership."
            )
            steps = [(payment.member, "grant")]
        case PaymentState.LOST:
            words = gettext("Lost in a dispute: the bank refunded the reader.")
        case _ if payment.role == Payment.Role.GIFT:
            words = gettext("Paid, for a gift. The person who claims it becomes the member.")
            steps = [(gift, "resend") for gift in payment.gifts.all() if gift.is_claimable]
        case _:
            words = gettext("Paid by %(address)s. %(standing)s") % {
                "address": payment.member.email,
                "standing": describe_standing(payment.member, at=at),
            }
            # The reader looked under another address.
            steps = [(payment.member, "find_duplicate"), (payment.member, "resend")]
    return Outcome(payment, words, _offer(request, steps) if has_steps else [])


def explain_gift(request: HttpRequest, gift: Gift, *, has_steps: bool = True) -> Outcome:
    names = ("resend", "recipient", "restore") if has_steps else ()
    notice = gift_texts.describe_bounce(gift)
    words = f"{gift_texts.describe_state(gift)} {notice}".strip()
    return Outcome(gift, words, _offer(request, [(gift, name) for name in names]))


def explain_strange_ids(events: list[StripeEvent]) -> str:
    """Return a sentence about Stripe events that are not ours; empty if one may be."""
    if not events or any(event.status != StripeEvent.Status.IGNORED for event in events):
        return ""
    return gettext(
        "Stripe sent us an event about this ID: %(reason)s. The payment was made to "
        "another shop or site, and only that site can refund it. Its name is on the "
        "reader’s bank statement."
    ) % {"reason": events[0].get_reason_display() or gettext("not ours")}


def _offer(request: HttpRequest, steps: list[tuple[Any, str]]) -> list[Link]:
    """Return links to pages of rows, those that this user may open now."""
    links = []
    for row, name in steps:
        pages: Any = admin.site.get_model_admin(type(row))
        if pages.is_offered(request, row, name):
            label = next(page.label for page in pages.pages if page.name == name)
            links.append(Link(str(label), pages.url_of(row, name)))
    return links
