"""The account page: sign-in by e-mail, the overview, and changes to memberships."""

import hashlib
from datetime import timedelta
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import rotate_token
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import members, newsletters, stripe_api, tasks
from campaigns.attempts import is_first_within
from campaigns.emails import links
from campaigns.forms import write_consent
from campaigns.forms.account import CancelForm, SignInForm
from campaigns.members.receipts import render_receipt
from campaigns.models import Campaign, Member, Membership, Payment, Price, Subscription
from campaigns.views.access import describe_return, find_site, read_return
from campaigns.views.account_changes import (
    build_membership_context,
    change_at_stripe,
    find_row,
    settle_membership,
    show_unavailable,
)
from campaigns.views.account_session import (
    MEMBER_KEY,
    UNTIL_KEY,
    end_session,
    find_member,
    redirect_to_account,
    require_member,
)
from campaigns.views.limits import limited
from campaigns.views.newsletters import save_choices
from campaigns.views.pages import (
    REFUSED_PAGE,
    language,
    log_refusal,
    redirect_after_post,
    show_page,
)
from campaigns.views.private import private
from campaigns.views.walls import list_places

log = structlog.get_logger(__name__)

SESSION_LASTS = timedelta(hours=1)
RESEND_PAUSE = 60  # seconds
RESULTS = {
    *("amount_changed", "cancelled", "resumed", "switched"),
    *("unconfirmed", "price_refused", "signed_out", "newsletters"),
}


# Sign-in


@private
@limited("sign_in", times=10, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def show_account(request: HttpRequest) -> HttpResponseBase:
    """Show the signed-in member's overview, or the form that sends a sign-in link."""
    member = find_member(request)
    done = request.GET.get("done", "")
    if request.method != "POST" and member is not None:
        return _show_overview(request, member, done=done if done in RESULTS else "")
    form = SignInForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        _request_sign_in_link(form.cleaned_data["email"])
        context = {"address": form.cleaned_data["email"], "minutes": _link_minutes()}
        return show_page(request, "campaigns/readers/account/link_sent.html", context)
    context = {
        "form": form,
        "done": done if done in {"session_ended", "signed_out"} else "",
        "site": find_site(request),
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/account/sign_in.html", context, status=status)


def _request_sign_in_link(address: str) -> None:
    """Send a sign-in link; take the same steps whether or not we know the address."""
    # Hashed, so that the cache holds no addresses.
    hashed = hashlib.sha256(address.encode()).hexdigest()
    if is_first_within(RESEND_PAUSE, name=f"sign-in:{hashed}"):
        members.request_sign_in_link(address, language=language(), at=timezone.now())
        tasks.hurry(*tasks.EFFECTS)


def _link_minutes() -> int:
    return links.SIGN_IN_LASTS // timedelta(minutes=1)


@private
@limited("open_account", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def open_account(request: HttpRequest, token: str) -> HttpResponseBase:
    """Sign in from the link in the e-mail; only a POST does, since e-mail scanners open links."""
    now = timezone.now()
    if request.method != "POST":
        if not members.is_link_open(token, at=now):
            return _show_closed_link(request)
        return show_page(request, "campaigns/readers/account/open.html")
    try:
        member = members.open_link(token, at=now)
    except members.LinkClosed:
        return _show_closed_link(request)
    request.session.cycle_key()
    rotate_token(request)
    request.session[MEMBER_KEY] = member.pk
    request.session[UNTIL_KEY] = (now + SESSION_LASTS).isoformat()
    if read_return(request):
        return redirect_after_post("campaigns:return_to_site")
    return redirect_to_account()


def _show_closed_link(request: HttpRequest) -> HttpResponse:
    context = {"minutes": _link_minutes(), "form": SignInForm()}
    return show_page(request, "campaigns/readers/account/link_closed.html", context, status=410)


@private
@require_POST
def sign_out(request: HttpRequest) -> HttpResponseBase:
    end_session(request)
    return redirect_to_account("signed_out")


# The overview


def _show_overview(
    request: HttpRequest, member: Member, *, done: str = "", status: int = 200
) -> HttpResponse:
    refreshed = members.refresh_next_payments(member)
    overview = members.load_overview(member, at=timezone.now())
    choices = newsletters.list_choices(member.email)
    context: dict[str, Any] = {
        "member": member,
        "refreshed": refreshed,
        "campaign": overview.campaign,
        "memberships": overview.memberships,
        "duplicate_count": overview.duplicate_count,
        "payments": [
            (row, members.describe_purpose(row, language=language())) for row in overview.payments
        ],
        "purchases": [
            (purchase, reverse("campaigns:gifts", args=[links.make_gifts_token(purchase.checkout)]))
            for purchase in overview.purchases
        ],
        "gifts_claimed": overview.gifts_claimed,
        **_describe_running_campaigns(member),
        "wall_places": list_places(member),
        "choices": choices,
        "consent": write_consent() if choices else "",
        **describe_return(),
        "done": done,
    }
    return show_page(request, "campaigns/readers/account/page.html", context, status=status)


def _describe_running_campaigns(member: Member) -> dict[str, Any]:
    """Return the form for a contribution, the member's own link, and how many joined by it."""
    running = list(Campaign.objects.running(at=timezone.now()))
    if not running:
        return {}
    taking = next((campaign for campaign in running if campaign.takes_contributions), None)
    return {
        "contribution_url": reverse("campaigns:contribution", args=[taking.slug]) if taking else "",
        "share_url": links.make_share_url(member, running[0]),
        "joined": members.count_joined_by(member),
        "reward": members.describe_reward(member, running[0]),
        "shared_campaign": running[0].copy_for(language()),
    }


@private
@require_safe
@require_member
def show_receipt(request: HttpRequest, member: Member, payment_id: int) -> HttpResponseBase:
    payment = (
        Payment.objects.filter(pk=payment_id, member=member, status=Payment.Status.SUCCEEDED)
        .select_related("campaign", "member", "membership__plan", "checkout__price__plan")
        .first()
    )
    if payment is None:
        raise Http404
    return HttpResponse(
        render_receipt(payment, language=language()),
        content_type="application/pdf",
        headers={"Content-Disposition": f'inline; filename="receipt-{payment.pk}.pdf"'},
    )


@private
@require_safe
@require_member
def download_data(request: HttpRequest, member: Member) -> HttpResponseBase:
    return JsonResponse(
        members.gather_data(member),
        json_dumps_params={"indent": 2, "ensure_ascii": False},
        headers={"Content-Disposition": 'attachment; filename="my-data.json"'},
    )


@private
@limited("account_newsletters", times=30, seconds=600)
@require_POST
@require_member
def change_newsletters(request: HttpRequest, member: Member) -> HttpResponseBase:
    """Subscribe the member's address to what is ticked; signing in has proven it."""
    save_choices(request, member.email, proof=Subscription.Proof.ACCOUNT)
    return redirect_to_account("newsletters")


# Changes


@private
@limited("account_cancel", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def cancel_membership(request: HttpRequest, member: Member, membership_id: int) -> HttpResponseBase:
    """Explain what cancelling does and cancel on POST; the reason is optional."""
    membership, row = find_row(member, membership_id)
    if not row.can_cancel:
        return redirect_to_account("cancelled" if row.can_resume else "")
    form = CancelForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        change = partial(members.cancel_subscription, membership, **form.cleaned_data)
        return change_at_stripe(request, membership, change, "cancelled")
    context = build_membership_context(membership) | {"form": form, "row": row}
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/account/cancel.html", context, status=status)


@private
@limited("account_resume", times=30, seconds=600)
@require_POST
@require_member
def resume_membership(request: HttpRequest, member: Member, membership_id: int) -> HttpResponseBase:
    membership, row = find_row(member, membership_id)
    if not row.can_resume:
        return redirect_to_account("resumed" if row.can_cancel else "")
    return change_at_stripe(
        request, membership, partial(members.resume_subscription, membership), "resumed"
    )


@private
@limited("account_switch", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
@require_member
def switch_price(request: HttpRequest, member: Member, membership_id: int) -> HttpResponseBase:
    """Switch to another price: choose it, see what Stripe charges or credits, confirm."""
    membership, row = find_row(member, membership_id)
    prices = members.prices_to_switch_to(membership)
    if not row.can_switch or not prices:
        return redirect_to_account()
    given = request.POST if request.method == "POST" else request.GET
    price = _choose_price(prices, given.get("price", ""))
    context = build_membership_context(membership) | {"row": row, "prices": prices}
    if price is None:
        return show_page(request, "campaigns/readers/account/switch_choice.html", context)
    try:
        planned = members.plan_switch(membership, price)
    except (members.SwitchClosed, members.PriceRefused, stripe_api.StripeRefused) as error:
        return _explain_refusal(membership, price, error)
    except stripe_api.StripeError as error:
        log.warning("switch_unplanned", membership=membership.pk, error=type(error).__name__)
        return show_unavailable(request, membership, fields={"price": str(price.pk)})
    context["switch"] = planned
    if request.method == "POST":
        if request.POST.get("seen") == planned.figures:
            change = partial(members.make_switch, membership, planned)
            refused = partial(_show_switch, request, context | {"is_refused": True})
            return change_at_stripe(request, membership, change, "switched", refused=refused)
        context["has_new_amounts"] = bool(request.POST.get("seen"))
    return _show_switch(request, context)


def _explain_refusal(membership: Membership, price: Price, error: Exception) -> HttpResponse:
    """Say on the account page why the switch can't be made, or that it was made before."""
    if isinstance(error, members.PriceRefused):
        return redirect_to_account("price_refused")
    if isinstance(error, stripe_api.StripeRefused):
        log_refusal("switch_unplanned", error, membership=membership.pk)
    is_settled = settle_membership(membership)
    membership.refresh_from_db()  # an earlier click may have switched it
    is_switched = is_settled and membership.price_id == price.pk
    return redirect_to_account("switched" if is_switched else "unconfirmed")


def _choose_price(prices: QuerySet[Price], wanted: str) -> Price | None:
    """Return the price that was asked for, or the only one."""
    found = list(prices)
    matches = [price for price in found if str(price.pk) == wanted]
    return matches[0] if matches else found[0] if len(found) == 1 else None


def _show_switch(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    status = 422 if context.get("is_refused") or context.get("has_new_amounts") else 200
    return show_page(request, "campaigns/readers/account/switch.html", context, status=status)


@private
@limited("account_card", times=20, seconds=600)
@require_POST
@require_member
def change_card(request: HttpRequest, member: Member, membership_id: int) -> HttpResponseBase:
    """Redirect to Stripe's page with the card and the invoices."""
    membership, row = find_row(member, membership_id)
    if not row.has_card or membership.checkout is None:
        raise Http404
    try:
        portal_url = stripe_api.create_portal_session(
            membership.checkout.customer_id,
            return_url=settings.SITE_URL + reverse("campaigns:account"),
            language="auto",
        )
    except stripe_api.StripeRefused as error:
        log_refusal("portal_refused", error)
        return show_page(request, REFUSED_PAGE, build_membership_context(membership), status=409)
    except stripe_api.StripeError as error:
        log.warning("portal_unavailable", error=type(error).__name__)
        return show_unavailable(request, membership)
    return redirect_after_post(portal_url)
