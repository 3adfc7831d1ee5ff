"""Claiming a gift, by its link or by typing its code."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import actions, gifts, memberships, tasks
from campaigns.forms import ClaimCodeForm, ClaimForm
from campaigns.models import Gift, Member, find_zone
from campaigns.views.limits import WrongGuesses, limited
from campaigns.views.pages import language, redirect_after_post, show_page
from campaigns.views.private import private

WRONG_CODES = WrongGuesses("claim", times=20, overall=1000, seconds=600)
# HTTP status by reason; all others are 410.
STATUS_OF = {"unknown": 404}
_FIRST_CLAMPED_DAY = 28  # later months may not have this day of the month or those after it


def _with_gift(
    view: Callable[[HttpRequest, Gift, str], HttpResponseBase],
) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """Pass the gift with the claim code in the URL to the view.

    Unknown and malformed codes get the same answer, and each counts as a wrong guess.
    """

    @wraps(view)
    def find(request: HttpRequest, code: str) -> HttpResponseBase:
        if WRONG_CODES.must_wait(request):
            return _show_too_many(request)
        gift = gifts.find_gift(code)
        if gift is not None:
            return view(request, gift, code)
        if gifts.is_replaced(code):
            return _refuse(request, "replaced")
        if WRONG_CODES.count_guess(request):
            return _show_too_many(request)
        return _refuse(request, "unknown")

    return find


@private
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponseBase:
    """Find the gift of a typed code and redirect to its page."""
    form = ClaimCodeForm(request.POST or None)
    typed = request.POST.get("code", "").strip()
    if request.method == "POST" and typed:
        if WRONG_CODES.must_wait(request):
            return _show_too_many(request)
        if form.is_valid():
            code = form.cleaned_data["code"]
            if gifts.find_gift(code) is not None or gifts.is_replaced(code):
                return redirect("campaigns:claim", code=code)
            form.add_error("code", form.fields["code"].error_messages["unknown"])
        if WRONG_CODES.count_guess(request):
            return _show_too_many(request)
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/claim/code.html", {"form": form}, status=status)


@private
@limited("claim", times=300, seconds=600)  # an office is one address; guesses are counted apart
@require_http_methods(["GET", "HEAD", "POST"])
@_with_gift
def claim_gift(request: HttpRequest, gift: Gift, code: str) -> HttpResponseBase:
    """Show the gift; a POST claims it, or asks an existing member to confirm by e-mail."""
    form = ClaimForm(request.POST or None)
    try:
        if request.method == "POST" and form.is_valid():
            name, email = form.cleaned_data["name"], form.cleaned_data["email"]
            actions.claim_gift(code, name=name, email=email, language=language())
            tasks.hurry(*tasks.EFFECTS)
            return redirect("campaigns:claimed", code=code)
        gifts.refuse_unless_claimable(gift, at=timezone.now())
    except gifts.ConfirmationRequired as required:
        tasks.hurry(*tasks.EFFECTS)
        # Don't show the current address to someone who typed a former one: anyone may type that.
        typed, address = form.cleaned_data["email"], required.member.email
        context = _gift_context(gift) | {"address": address if typed == address else ""}
        return show_page(request, "campaigns/readers/claim/confirmation_sent.html", context)
    except gifts.GiftNotClaimable as error:
        gift.refresh_from_db()  # someone else may have been quicker
        return _refuse(request, error.reason, gift=gift)
    context = _gift_context(gift) | {"form": form}
    return show_page(
        request, "campaigns/readers/claim/page.html", context, status=422 if form.errors else 200
    )


@private
@require_safe
@_with_gift
def show_claimed(request: HttpRequest, gift: Gift, code: str) -> HttpResponseBase:
    """Show the claimed gift to anyone with its claim code.

    The buyer has it too, so the page shows no dates of other memberships.
    """
    if gift.status != Gift.Status.CLAIMED:
        return redirect("campaigns:claim", code=code)
    return _show_claimed(request, gift, is_claimant=False)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_claim(request: HttpRequest, token: str) -> HttpResponseBase:
    """Add the gift to an existing membership, from the link in the e-mail to its member."""
    gift = None
    try:
        gift, member = gifts.read_confirmation(token)
        if request.method == "POST":
            actions.confirm_claim(token, language=language())
            tasks.hurry(*tasks.EFFECTS)
            return redirect_after_post("campaigns:confirm_claim", token=token)
        if gift.status == Gift.Status.CLAIMED and gift.claimed_by_id == member.pk:
            return _show_claimed(request, gift, is_claimant=True)
        gifts.refuse_unless_claimable(gift, at=timezone.now())
    except gifts.GiftNotClaimable as error:
        if gift is None:
            reason = "stale" if error.reason == "unknown" else error.reason
            return _refuse(request, reason)
        gift.refresh_from_db()
        return _refuse(request, error.reason, gift=gift)
    context = _gift_context(gift) | {"address": member.email} | _preview_extension(gift, member)
    return show_page(request, "campaigns/readers/claim/confirm.html", context)


def _gift_context(gift: Gift) -> dict[str, Any]:
    return {
        "gift": gift,
        "plan": gift.price.plan.copy_for(language()),
        "campaign": gift.checkout.campaign,
    }


def _refuse(request: HttpRequest, reason: str, *, gift: Gift | None = None) -> HttpResponse:
    context = {"reason": reason} | (_gift_context(gift) if gift else {})
    return show_page(
        request,
        "campaigns/readers/claim/unavailable.html",
        context,
        status=STATUS_OF.get(reason, 410),
    )


def _show_too_many(request: HttpRequest) -> HttpResponse:
    answer = show_page(request, "campaigns/readers/claim/too_many.html", status=429)
    answer["Retry-After"] = str(WRONG_CODES.seconds)
    return answer


def _show_claimed(request: HttpRequest, gift: Gift, *, is_claimant: bool) -> HttpResponse:
    membership = gift.membership
    assert membership is not None, "a claimed gift has a membership"
    assert gift.claimed_at is not None, "and its time"
    base = membership.extends
    # Stripe may learn of it a moment later; the paid period of the gifts is already known here.
    next_charge_at = (
        base.gifted_until if base is not None and memberships.is_renewing(base) else None
    )
    begins_later = base is None and membership.started_at > gift.claimed_at
    context = _gift_context(gift) | {
        "membership": membership,
        "is_claimant": is_claimant,
        # The buyer has the claim code too and must not learn that the recipient was a member.
        "is_added": base is not None and is_claimant,
        "is_later": begins_later or (base is not None and not is_claimant),
        "next_charge_at": next_charge_at,
    }
    return show_page(request, "campaigns/readers/claim/claimed.html", context)


def _preview_extension(gift: Gift, member: Member) -> dict[str, Any]:
    """Return what the gift would extend if it was claimed now."""
    now = timezone.now()
    place = memberships.find_place(memberships.list_current_memberships(member, at=now), at=now)
    if place.base is None:
        is_later = place.starts_at > now
        return {
            "adds_to": "paid" if is_later else "nothing",
            "old_end": place.starts_at if is_later else None,
        }
    renews = memberships.is_renewing(place.base)
    return {"adds_to": "subscription" if renews else "span"} | _preview_end(gift, place.starts_at)


def _preview_end(gift: Gift, old_end: datetime | None) -> dict[str, datetime | None]:
    """Return the old and the new end; near the end of a month the new one is uncertain: None."""
    zone = find_zone(gift.checkout.campaign)
    if old_end is None or old_end.astimezone(zone).day >= _FIRST_CLAMPED_DAY:
        return {"old_end": old_end, "new_end": None}
    return {
        "old_end": old_end,
        "new_end": memberships.add_months(old_end, gift.months, zone=zone),
    }
