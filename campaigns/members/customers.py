"""Stripe's customers follow a person's name and address: due until Stripe was told."""

from datetime import datetime, timedelta

from django.utils import timezone

from campaigns import stripe_api
from campaigns.models import Checkout, Member

LEASE = timedelta(minutes=2)
_AGAIN = timedelta(minutes=10)
_AGAIN_IF_REFUSED = timedelta(days=1)  # it will say the same until somebody changes something


def claim_customer_updates(*, at: datetime, limit: int = 200) -> list[int]:
    due = Member.objects.filter(tell_stripe_at__lte=at, erased_at=None)
    return list(due.order_by("tell_stripe_at").values_list("pk", flat=True)[:limit])


def sync_customer(member_id: int, *, at: datetime) -> bool:
    """Give every customer of that person their name and address of now; whether all have them.

    A lost answer is repeated and does no harm. Changed again meanwhile, it stays due.
    """
    due = Member.objects.filter(pk=member_id, tell_stripe_at__lte=at, erased_at=None)
    claimed_until = timezone.now() + LEASE
    if not due.update(tell_stripe_at=claimed_until):
        return False
    ours = Member.objects.filter(pk=member_id, tell_stripe_at=claimed_until)
    errors = _tell_all(Member.objects.get(pk=member_id))
    if not errors:
        ours.update(tell_stripe_at=None, tell_stripe_error="")
        return True
    refused = [error for error in errors if isinstance(error, stripe_api.StripeRefused)]
    pause = _AGAIN_IF_REFUSED if len(refused) == len(errors) else _AGAIN
    # The words of an error may hold the address; its kind is enough to look closer at Stripe.
    worst = errors[0]
    code = f" ({worst.code})" if isinstance(worst, stripe_api.StripeRefused) and worst.code else ""
    ours.update(
        tell_stripe_at=timezone.now() + pause, tell_stripe_error=f"{type(worst).__name__}{code}"
    )
    return False


def _tell_all(member: Member) -> list[stripe_api.StripeError]:
    """One customer that Stripe refuses holds up no other."""
    customer_ids = (
        Checkout.objects.filter(member=member)
        .exclude(customer_id="")
        .order_by("customer_id")
        .values_list("customer_id", flat=True)
        .distinct()
    )
    errors: list[stripe_api.StripeError] = []
    for customer_id in customer_ids:
        try:
            stripe_api.update_customer(customer_id, email=member.email, name=member.name)
        except stripe_api.StripeRefused as error:
            if error.status != 404:  # deleted there: nobody to be told of
                errors.append(error)
        except stripe_api.StripeError as error:
            errors.append(error)
    return errors
