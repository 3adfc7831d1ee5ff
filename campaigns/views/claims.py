"""The claim of a gift, by link or by typed code."""

from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import gifts, memberships, settlement, tasks
from campaigns.forms import ClaimCodeForm, ClaimForm
from campaigns.models import Gift, Member
from campaigns.models.codes import CodeKeyLost
from campaigns.views.limits import WrongGuesses, limited
from campaigns.views.pages import language, show_page
from campaigns.views.private import private

log = structlog.get_logger(__name__)

WRONG_CODES = WrongGuesses("claim", times=20, overall=1000, seconds=600)
# What is no fault of whoever claims: 410 for what is over, 404 for what never was.
STATUS_OF = {"unknown": 404, "key_lost": 503}
_CLAMPED = 28  # from this day of the month on, a later month may have no such day


def _of_code(
    view: Callable[[HttpRequest, Gift, str], HttpResponseBase],
) -> Callable[[HttpRequest, str], HttpResponseBase]:
    """Hand the view the gift of the code in the address. What is none is answered here.

    Unknown and malformed codes are counted and answer alike.
    """

    @wraps(view)
    def find(request: HttpRequest, code: str) -> HttpResponseBase:
        if WRONG_CODES.refuse_guesses(request):
            return _ask_to_wait(request)
        gift = gifts.find_gift(code)
        if gift is not None:
            return view(request, gift, code)
        if gifts.is_replaced(code):
            return _refuse(request, "replaced")
        if WRONG_CODES.note(request):
            return _ask_to_wait(request)
        return _refuse(request, "unknown")

    return find


@private
@require_http_methods(["GET", "HEAD", "POST"])
def enter_code(request: HttpRequest) -> HttpResponseBase:
    """The typed code leads to the same page as the link."""
    form = ClaimCodeForm(request.POST or None)
    typed = request.POST.get("code", "").strip()
    if request.method == "POST" and typed:
        if WRONG_CODES.refuse_guesses(request):
            return _ask_to_wait(request)
        if form.is_valid():
            code = form.cleaned_data["code"]
            if gifts.find_gift(code) is not None or gifts.is_replaced(code):
                return redirect("campaigns:claim", code=code)
            form.add_error("code", form.fields["code"].error_messages["unknown"])
        if WRONG_CODES.note(request):
            return _ask_to_wait(request)
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/claim/code.html", {"form": form}, status=status)


@private
@limited("claim", times=300, seconds=600)  # an office is one address; guesses are counted apart
@require_http_methods(["GET", "HEAD", "POST"])
@_of_code
def claim_gift(request: HttpRequest, gift: Gift, code: str) -> HttpResponseBase:
    form = ClaimForm(request.POST or None)
    try:
        if request.method == "POST" and form.is_valid():
            settlement.claim_gift(code, **form.cleaned_data, language=language())
            tasks.run_soon(tasks.do_what_followed)
            return redirect("campaigns:claimed", code=code)
        gifts.refuse_unless_claimable(gift, at=timezone.now())
    except gifts.ConfirmationRequired as owed:
        tasks.run_soon(tasks.do_what_followed)
        # Typed by one that was left, the address of now is not told: anybody may type it.
        typed, address = form.cleaned_data["email"], owed.member.email
        context = _about_gift(gift) | {"address": address if typed == address else ""}
        return show_page(request, "campaigns/readers/claim/confirmation_sent.html", context)
    except gifts.GiftNotClaimable as error:
        gift.refresh_from_db()  # somebody else may have been quicker
        return _refuse(request, error.reason, gift=gift)
    context = _about_gift(gift) | {"form": form}
    return show_page(
        request, "campaigns/readers/claim/page.html", context, status=422 if form.errors else 200
    )


@private
@require_safe
@_of_code
def show_claimed(request: HttpRequest, gift: Gift, code: str) -> HttpResponseBase:
    """What whoever has the code may know: the buyer has it too, so no other membership's dates."""
    if gift.status != Gift.Status.CLAIMED:
        return redirect("campaigns:claim", code=code)
    return _show_claimed(request, gift, is_claimant=False)


@private
@require_http_methods(["GET", "HEAD", "POST"])
def confirm_claim(request: HttpRequest, token: str) -> HttpResponseBase:
    """From the mail to a member: by one button the gift adds to what they have."""
    gift = None
    try:
        gift, member = gifts.read_confirmation(token)
        if request.method == "POST":
            settlement.confirm_claim(token, language=language())
            tasks.run_soon(tasks.do_what_followed)
            answer = redirect("campaigns:confirm_claim", token=token)
            answer.status_code = 303
            return answer
        if gift.status == Gift.Status.CLAIMED and gift.claimed_by_id == member.pk:
            return _show_claimed(request, gift, is_claimant=True)
        gifts.refuse_unless_claimable(gift, at=timezone.now())
    except gifts.GiftNotClaimable as error:
        if gift is None:
            reason = "stale" if error.reason == "unknown" else error.reason
            return _refuse(request, reason)
        gift.refresh_from_db()
        return _refuse(request, error.reason, gift=gift)
    except CodeKeyLost as error:  # a key that was taken away too early is no fault of the reader
        log.error("code_key_lost", gift=str(error))
        return _refuse(request, "key_lost")
    context = _about_gift(gift) | {"address": member.email} | _what_it_adds_to(gift, member)
    return show_page(request, "campaigns/readers/claim/confirm.html", context)


def _about_gift(gift: Gift) -> dict[str, Any]:
    return {
        "gift": gift,
        "plan": gift.price.plan.copy_for(language()),
        "campaign": gift.checkout.campaign,
    }


def _refuse(request: HttpRequest, reason: str, *, gift: Gift | None = None) -> HttpResponse:
    context = {"reason": reason} | (_about_gift(gift) if gift else {})
    return show_page(
        request,
        "campaigns/readers/claim/unavailable.html",
        context,
        status=STATUS_OF.get(reason, 410),
    )


def _ask_to_wait(request: HttpRequest) -> HttpResponse:
    answer = show_page(request, "campaigns/readers/claim/too_many.html", status=429)
    answer["Retry-After"] = str(WRONG_CODES.seconds)
    return answer


def _show_claimed(request: HttpRequest, gift: Gift, *, is_claimant: bool) -> HttpResponse:
    membership = gift.membership
    assert membership is not None, "a claimed gift has a membership"
    assert gift.claimed_at is not None, "and its time"
    base = membership.extends
    # Stripe may hear of it in a moment; what gifts stand in for is known here already.
    next_charge_at = (
        base.gifted_until if base is not None and memberships.is_renewing(base) else None
    )
    begins_later = base is None and membership.started_at > gift.claimed_at
    context = _about_gift(gift) | {
        "membership": membership,
        "is_claimant": is_claimant,
        # The buyer has the code as well: that the claimed_by was a member is not for them to know.
        "is_added": base is not None and is_claimant,
        "is_later": begins_later or (base is not None and not is_claimant),
        "next_charge_at": next_charge_at,
    }
    return show_page(request, "campaigns/readers/claim/claimed.html", context)


def _what_it_adds_to(gift: Gift, member: Member) -> dict[str, Any]:
    """Where the months of the gift would go now, as far as it is easily told."""
    now = timezone.now()
    place = memberships.find_place(memberships.current_memberships(member, at=now), at=now)
    if place.base is None:
        later = place.starts_at > now
        return {
            "adds_to": "paid" if later else "nothing",
            "old_end": place.starts_at if later else None,
        }
    renews = memberships.is_renewing(place.base)
    return {"adds_to": "subscription" if renews else "span"} | _move(gift, place.starts_at)


def _move(gift: Gift, old_end: datetime | None) -> dict[str, datetime | None]:
    """An end and where the gift moves it; not told near a month's end, where days are clamped."""
    campaign = gift.checkout.campaign
    zone = campaign.zone_info if campaign else timezone.get_default_timezone()
    if old_end is None or old_end.astimezone(zone).day >= _CLAMPED:
        return {"old_end": old_end, "new_end": None}
    return {
        "old_end": old_end,
        "new_end": memberships.add_months(old_end, gift.months, zone=zone),
    }
