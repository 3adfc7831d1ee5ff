"""The steps that all changes to a membership on the account page share."""

from collections.abc import Callable
from typing import Any

import structlog
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

from campaigns import members, settlement, stripe_api, tasks
from campaigns.forms.account import CancelForm
from campaigns.models import Member, Membership
from campaigns.views.account_session import redirect_to_account
from campaigns.views.pages import log_refusal, show_page

log = structlog.get_logger(__name__)


def find_row(member: Member, membership_id: int) -> tuple[Membership, members.MembershipRow]:
    """Return a member's own subscription with its state; raises Http404."""
    membership = members.find_membership(member, membership_id)
    if membership is None:
        raise Http404
    return membership, members.describe_membership(membership, at=timezone.now())


def change_at_stripe(
    request: HttpRequest,
    membership: Membership,
    change: Callable[[], None],
    done: str,
    *,
    refused: Callable[[], HttpResponse] | None = None,
) -> HttpResponse:
    """Make a change at Stripe, then settle it in our rows; an unconfirmed change settles later.

    If the bank declines (402), return the response of `refused`.
    """
    try:
        change()
    except members.PriceRefused:
        return redirect_to_account("price_refused")
    except members.SwitchClosed:  # it was changed at Stripe meanwhile
        done = "unconfirmed"
    except stripe_api.StripeRefused as error:  # it has ended or changed meanwhile
        if error.status == 402 and refused is not None:
            return refused()
        log_refusal("membership_unchanged", error, membership=membership.pk)
        done = "unconfirmed"
    except stripe_api.StripeError as error:
        log.warning("membership_unchanged", membership=membership.pk, error=type(error).__name__)
        return show_unavailable(request, membership, fields=request.POST.dict())
    return redirect_to_account(done if settle_membership(membership) else "unconfirmed")


def settle_membership(membership: Membership) -> bool:
    """Settle the membership's checkout and return whether that worked."""
    assert membership.checkout_id is not None
    try:
        settlement.settle_checkout(membership.checkout_id)
    except (stripe_api.StripeError, settlement.SettlementBusy) as error:
        log.warning("membership_unsettled", membership=membership.pk, error=type(error).__name__)
        return False
    tasks.hurry(*tasks.EFFECTS)
    return True


def build_membership_context(membership: Membership) -> dict[str, Any]:
    checkout = membership.checkout
    return {"membership": membership, "campaign": checkout.campaign if checkout else None}


def show_unavailable(
    request: HttpRequest, membership: Membership, *, fields: dict[str, str] | None = None
) -> HttpResponse:
    allowed = {*CancelForm.base_fields, "price", "seen"}
    kept = {
        name: text
        for name, text in (fields or {}).items()
        if name in allowed or name.startswith("amount_")
    }
    context = build_membership_context(membership) | {"action": request.path, "kept": kept}
    return show_page(request, "campaigns/readers/account/unavailable.html", context, status=503)
