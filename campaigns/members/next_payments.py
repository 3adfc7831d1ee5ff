"""The next payment as Stripe previews it now: its balance may have changed since we settled."""

from collections.abc import Iterator

from campaigns import memberships, stripe_api
from campaigns.models import Member, Membership

# Pages show the noted figure if Stripe takes longer.
_SECONDS = 2.0
_NONE_COMES = "invoice_upcoming_none"


def refresh_next_payments(member: Member) -> set[int]:
    """Note the next payment of each renewing subscription, by one call to Stripe each.

    Returns the primary keys of the memberships whose figures are current. Without an answer from
    Stripe, the figures of the last settlement stay.
    """
    with stripe_api.answer_within(_SECONDS):
        return set(_refresh_each(member))


def _refresh_each(member: Member) -> Iterator[int]:
    renewing = member.memberships.filter(
        status=Membership.Status.ACTIVE,
        is_cancelling=False,
        subscription_id__isnull=False,
        checkout__isnull=False,
    )
    for membership in renewing.select_related("price", "checkout__price"):
        try:
            invoice = stripe_api.preview_next_invoice(str(membership.subscription_id))
        except stripe_api.StripeRefused as error:
            if error.code == _NONE_COMES:
                yield membership.pk
        except stripe_api.StripeError:
            return  # the page doesn't wait again
        else:
            memberships.note_next_payment(membership, invoice)
            yield membership.pk
