"""Newsletters: sign up on our page or in a frame, confirm, change and unsubscribe by e-mail."""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import activate, gettext, override
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from campaigns import banners, newsletters, origins, tasks
from campaigns.attempts import count_attempt, find_network
from campaigns.emails import links
from campaigns.emails.account import mask_address
from campaigns.forms import NewsletterForm, write_consent, write_wordings
from campaigns.models import Campaign, Checkout, Newsletter, Subscription
from campaigns.origins import Origin, read_query
from campaigns.views.limits import limited
from campaigns.views.origins import describe_reader, read_origin
from campaigns.views.pages import (
    campaign_context,
    kept_for_back_button,
    language,
    redirect_after_post,
    show_page,
)
from campaigns.views.private import private, show_bad_link

MOST_A_DAY = 200  # sign-ups from one network, all of which send an e-mail
_DAY = 24 * 3600
# Where the buttons of the page that thanks for a confirmation lead from.
CONFIRMED = "confirmed"
# Where the form on the page that thanks a buyer is.
THANKS = "thanks"


# Sign-up. The forms are on pages of other sites and in files for all readers, so they have no CSRF
# token. None is needed: a sign-up acts for nobody who is signed in.


@csrf_exempt
@kept_for_back_button
@limited("newsletters", times=30, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Show all newsletters; a POST from this page or any article asks for the ticked ones."""
    _use_language_of_form(request)
    if request.method != "POST":
        initial = {
            "origin": read_origin(request).query,
            "campaign": request.GET.get("campaign", ""),
        }
        return _show_form(request, NewsletterForm(initial=initial))
    form = _read_form(request)
    if not form.is_valid() or _is_network_over_limit(request, form):
        return _show_form(request, form, status=422)
    back_url = _find_way_back(_request(request, form))
    query = urlencode({"language": language()} | ({"page": back_url} if back_url else {}))
    return redirect_after_post(f"{reverse('campaigns:newsletters_sent')}?{query}")


def _framed(view: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Let any site frame the answers, and its script read them: they are about nobody.

    A page in a frame has its own further policy.
    """

    @wraps(view)
    def respond(request: HttpRequest) -> HttpResponseBase:
        response = view(request)
        response["Content-Security-Policy"] = banners.ANY_FRAME
        response["Access-Control-Allow-Origin"] = "*"
        response.xframe_options_exempt = True  # type: ignore[attr-defined]  # read by Django
        return response

    return kept_for_back_button(respond)


@csrf_exempt
@_framed
@limited("newsletters", times=30, seconds=600)
@require_POST
def sign_up_in_frame(request: HttpRequest) -> HttpResponseBase:
    """Sign up inside a frame of another page; the answers stay in the frame."""
    _use_language_of_form(request)
    form = _read_form(request)
    campaign, placement = request.POST.get("campaign", ""), request.GET.get("from", "")
    if not form.is_valid() or _is_network_over_limit(request, form):
        typed = banners.TypedSignUp(
            email=str(form["email"].value() or ""),
            slugs=request.POST.getlist("newsletters"),
            query=replace(read_query(str(form["origin"].value())), placement="").query,
            asked=str(form["asked"].value() or ""),
            errors={
                name if name in {"email", "newsletters"} else "form": str(texts[0])
                for name, texts in form.errors.items()
            },
        )
        page = banners.render_frame(campaign, placement, language=language(), typed=typed)
        return HttpResponse(page, status=422)
    _request(request, form)
    query = urlencode({"language": language(), "from": placement})
    return redirect_after_post(f"{reverse('campaigns:newsletters_frame_sent')}?{query}")


@_framed
@require_safe
def show_sent_in_frame(request: HttpRequest) -> HttpResponseBase:
    placement = request.GET.get("from", "")
    return HttpResponse(banners.render_frame("", placement, language=language()))


def _read_form(request: HttpRequest) -> NewsletterForm:
    """Return the form that was sent. One from an article has its origin in its address."""
    data = request.POST.copy()
    if "origin" not in data:
        data["origin"] = read_origin(request).query
    return NewsletterForm(data)


def _request(request: HttpRequest, form: NewsletterForm) -> Origin:
    """Ask for what a valid form ticks; return where its reader came from."""
    cleaned = form.cleaned_data
    origin: Origin = cleaned["origin"]
    wanted = list(cleaned["newsletters"])
    ask_for_newsletters(
        request, cleaned["email"], wanted, origin=origin, campaign=cleaned["campaign"]
    )
    return origin


def _use_language_of_form(request: HttpRequest) -> None:
    """Answer in the language of the form: browsers keep our cookies from frames."""
    chosen = request.POST.get("language", "")
    if chosen in dict(settings.LANGUAGES):
        activate(chosen)
        request.LANGUAGE_CODE = chosen


def _show_form(request: HttpRequest, form: NewsletterForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "consent": write_consent(), "language": language()}
    return show_page(request, "campaigns/readers/newsletters/page.html", context, status=status)


def _is_network_over_limit(request: HttpRequest, form: NewsletterForm) -> bool:
    """Add an error if so many sign-ups came from one network today that it may be an attack."""
    name = f"newsletters-of-day:{find_network(request)}"
    if count_attempt(name, seconds=_DAY) <= MOST_A_DAY:
        return False
    form.add_error(
        None,
        gettext(
            "We received too many sign-ups from your network today. Please try again tomorrow, or "
            "from another network."
        ),
    )
    return True


def ask_for_newsletters(
    request: HttpRequest,
    address: str,
    wanted: list[Newsletter],
    *,
    origin: Origin,
    campaign: Campaign | None,
) -> None:
    """Ask the address to confirm what was ticked in a form, with the form as its proof."""
    now = timezone.now()
    page = origins.clean_page(request.headers.get("Referer", ""))
    newsletters.request_newsletters(
        newsletters.SignUp(
            email=address,
            newsletters=wanted,
            language=language(),
            wordings=write_wordings(wanted),
            form_url=page or request.build_absolute_uri(request.path),
            campaign=campaign or Campaign.objects.running(at=now).first(),
            origin=describe_reader(request, origin),
        ),
        at=now,
    )
    tasks.hurry(*tasks.EFFECTS)


def offer_newsletters(checkout: Checkout) -> dict[str, Any]:
    """Return the form for the page that thanks a buyer, without what they asked for meanwhile."""
    asked = Subscription.objects.of(checkout.email).filter(requested_at__gte=checkout.created_at)
    form = NewsletterForm(
        without=[each.newsletter_id for each in asked],
        initial={
            "email": checkout.email,
            "origin": Origin(placement=THANKS).query,
            "campaign": checkout.campaign.slug if checkout.campaign else "",
        },
    )
    return {"newsletter_form": form, "consent": write_consent(), "language": language()}


def _find_way_back(origin: Origin) -> str:
    """Return the article that the reader came from, if it is the newspaper's own."""
    host = origins.find_host(origin.page_url)
    ours = {origins.find_host(url) for url in (links.find_newspaper_url(), settings.SITE_URL)}
    return origin.page_url if host and host in ours else ""


@never_cache
@require_safe
def show_sent(request: HttpRequest) -> HttpResponse:
    """Say that an e-mail follows: the same for known and unknown addresses."""
    page = Origin(page_url=origins.clean_page(request.GET.get("page", "")))
    context = {"back_url": _find_way_back(page), "days": links.NEWSLETTER_LASTS.days}
    return show_page(request, "campaigns/readers/newsletters/sent.html", context)


# Links in e-mails. Only a POST changes anything, since e-mail scanners open every link.


@private
@limited("newsletters_confirm", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """Ask for a click on a button; then subscribe the address to what is ticked."""
    try:
        asked = newsletters.find_subscription(token, lasts=links.NEWSLETTER_LASTS)
    except newsletters.LinkClosed:
        template = "campaigns/readers/newsletters/link_closed.html"
        return show_page(request, template, {"days": links.NEWSLETTER_LASTS.days}, status=410)
    pending = list(Subscription.objects.of(asked.email).pending())
    ticked = request.POST.getlist("newsletters")
    if request.method == "POST" and (ticked or not pending):
        newsletters.confirm_pending(asked.email, newsletters=ticked, at=timezone.now())
        tasks.hurry(*tasks.EFFECTS)
        return redirect_after_post("campaigns:newsletters_confirmed", token=token)
    if not pending and Subscription.objects.of(asked.email).confirmed().exists():
        return redirect_after_post("campaigns:newsletters_confirmed", token=token)
    is_empty = request.method == "POST"
    context = {
        "pending": [(each, not is_empty) for each in pending],
        "address": mask_address(asked.email),
        "is_empty": is_empty,
    }
    template = "campaigns/readers/newsletters/confirm.html"
    return show_page(request, template, context, status=422 if is_empty else 200)


@private
@require_safe
def show_confirmed(request: HttpRequest, token: str) -> HttpResponse:
    """Thank the reader, and show the campaign with both ways to support it."""
    try:
        asked = newsletters.find_subscription(token)
    except newsletters.LinkClosed:
        return show_bad_link(request, about="newsletters")
    now = timezone.now()
    campaign = Campaign.objects.running(at=now).first() or asked.campaign
    context: dict[str, Any] = campaign_context(campaign) if campaign else {}
    own = Subscription.objects.of(asked.email)
    context |= {
        "subscriptions": list(own.confirmed()),
        "address": mask_address(asked.email),
        "preferences_url": reverse("campaigns:newsletters_preferences", args=[token]),
        "placement": CONFIRMED,
    }
    return show_page(request, "campaigns/readers/newsletters/confirmed.html", context)


@private
@limited("newsletters_preferences", times=60, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def change_preferences(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show what an address gets; a POST subscribes it to what is ticked and ends the rest."""
    try:
        asked = newsletters.find_subscription(token)
    except newsletters.LinkClosed:
        return show_bad_link(request, about="newsletters")
    if request.method == "POST":
        save_choices(request, asked.email, proof=Subscription.Proof.LINK)
        url = reverse("campaigns:newsletters_preferences", args=[token])
        return redirect_after_post(f"{url}?done=saved")
    context = {
        "choices": newsletters.list_choices(asked.email),
        "consent": write_consent(),
        "address": mask_address(asked.email),
        "is_saved": request.GET.get("done") == "saved",
        "erase_url": reverse("campaigns:newsletters_erase", args=[token]),
    }
    return show_page(request, "campaigns/readers/newsletters/preferences.html", context)


def save_choices(request: HttpRequest, address: str, *, proof: Subscription.Proof) -> None:
    """Save the ticked boxes of a form about an address whose owner we know."""
    chosen = [] if "none" in request.POST else request.POST.getlist("newsletters")
    newsletters.set_choices(
        address,
        chosen=chosen,
        wordings=write_wordings(Newsletter.objects.offered()),
        proof=proof,
        language=language(),
        form_url=request.build_absolute_uri(_hide_token(request)),
        at=timezone.now(),
    )
    tasks.hurry(*tasks.EFFECTS)


def _hide_token(request: HttpRequest) -> str:
    """Return the request's path without the secret part of a link."""
    token = (request.resolver_match.kwargs if request.resolver_match else {}).get("token", "")
    return request.path.replace(f"{token}/", "") if token else request.path


# One-click unsubscribe in e-mail programs (RFC 8058) has no cookie and no CSRF token, and many
# readers share the IP address of their provider. The signed link is proof enough.
@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    """Ask for a click on a button; then end the subscription that the link names."""
    try:
        subscription = newsletters.find_subscription(token, from_any_mailbox=True)
    except newsletters.LinkClosed:
        return show_bad_link(request, about="newsletters")
    if request.method == "POST":
        newsletters.unsubscribe(subscription, at=timezone.now())
        tasks.hurry(*tasks.EFFECTS)
        if "List-Unsubscribe" in request.POST:  # e-mail programs don't follow redirects
            with override(subscription.language):
                return HttpResponse(gettext("Unsubscribed."), content_type="text/plain")
        return redirect_after_post("campaigns:newsletters_unsubscribe", token=token)
    context = {
        "subscription": subscription,
        "address": mask_address(subscription.email),
        "preferences_url": reverse("campaigns:newsletters_preferences", args=[token]),
    }
    return show_page(request, "campaigns/readers/newsletters/unsubscribe.html", context)
