"""The claim of a gift, by link or by typed code."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import gifts, settlement, tasks
from campaigns.forms import ClaimCodeForm, ClaimForm
from campaigns.models import Gift
from campaigns.views.limits import limited
from campaigns.views.pages import language, show_page


@never_cache
@limited("claim", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def claim_by_code(request: HttpRequest) -> HttpResponseBase:
    """The typed code leads to the same page as the link; unknown and malformed answer alike."""
    form = ClaimCodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        gift = gifts.find_gift(form.cleaned_data["code"])
        if gift is not None:
            return redirect("campaigns:claim", code=gift.code)
        form.add_error("code", form.fields["code"].error_messages["unknown"])
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/claim_code.html", {"form": form}, status=status)


@never_cache
@limited("claim", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: HttpRequest, code: str) -> HttpResponseBase:
    gift = gifts.find_gift(code)
    form = ClaimForm(request.POST or None)
    try:
        if gift is None:
            raise gifts.GiftNotClaimable("unknown")
        if request.method == "POST" and form.is_valid():
            gift = settlement.claim_gift(code, **form.cleaned_data, language=language())
            tasks.hurry(tasks.do_what_followed)
            return redirect("campaigns:claimed", code=gift.code)
        gifts.refuse_unless_claimable(gift, at=timezone.now())
    except gifts.GiftNotClaimable as error:
        status = 404 if error.reason == "unknown" else 410
        context = {"reason": error.reason} | (_about_gift(gift) if gift else {})
        return show_page(request, "campaigns/readers/gift_unavailable.html", context, status=status)
    context = _about_gift(gift) | {"form": form}
    return show_page(
        request, "campaigns/readers/claim.html", context, status=422 if form.errors else 200
    )


@never_cache
@require_safe
def claimed(request: HttpRequest, code: str) -> HttpResponse:
    gift = gifts.find_gift(code)
    if gift is None or gift.claimed_at is None:
        return redirect("campaigns:claim", code=code)
    context = _about_gift(gift) | {"membership": gift.membership}
    return show_page(request, "campaigns/readers/claimed.html", context)


def _about_gift(gift: Gift) -> dict[str, Any]:
    return {
        "gift": gift,
        "plan": gift.price.plan.copy_for(language()),
        "campaign": gift.checkout.campaign,
    }


def confirm(request: HttpRequest, token: str) -> HttpResponse:
    return HttpResponse(status=404)
