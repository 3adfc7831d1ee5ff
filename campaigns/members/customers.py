"""Name and address of a member's customers at Stripe, updated by a job."""

from datetime import timedelta

from django.utils import timezone

from campaigns import stripe_api
from campaigns.models import Checkout, Member

_RETRY = timedelta(minutes=10)
_RETRY_IF_REFUSED = timedelta(days=1)  # the answer stays the same until staff change something


def sync_customer(member_id: int) -> bool:
    """Send the current name and address to all customers of a member; return whether all have it.

    The caller has claimed the member.

    Safe to repeat after a lost answer. If the member changed again meanwhile, the job stays due.
    """
    member = Member.objects.get(pk=member_id)
    claimed = Member.objects.filter(pk=member_id, due_at=member.due_at)
    errors = _update_all(member)
    if not errors:
        claimed.update(due_at=None, tell_stripe_error="")
        return True
    refused = [error for error in errors if isinstance(error, stripe_api.StripeRefused)]
    pause = _RETRY_IF_REFUSED if len(refused) == len(errors) else _RETRY
    # Only the kind and code of an error are kept: its message may hold the address.
    worst = errors[0]
    code = f" ({worst.code})" if isinstance(worst, stripe_api.StripeRefused) and worst.code else ""
    claimed.update(due_at=timezone.now() + pause, tell_stripe_error=f"{type(worst).__name__}{code}")
    return False


def _update_all(member: Member) -> list[stripe_api.StripeError]:
    """Update each customer, whether or not Stripe refuses another one; return the errors."""
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
            if error.status != 404:  # deleted at Stripe: nothing to update
                errors.append(error)
        except stripe_api.StripeError as error:
            errors.append(error)
    return errors
