"""The access question of other systems, and the tokens that the newspaper's own site checks."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import iri_to_uri
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import members
from campaigns.models import ApiClient
from campaigns.people import canonical_email
from campaigns.views.account_session import find_member
from campaigns.views.clients import for_clients, read_token, refuse
from campaigns.views.pages import show_page
from campaigns.views.private import private

# Where the sign-in began: the page of the newspaper's site to return to.
_COOKIE, _COOKIE_SECONDS = "return_to", 3600


@csrf_exempt
@never_cache
@require_http_methods(["GET", "POST"])
@for_clients
def answer_access(request: HttpRequest, client: ApiClient) -> HttpResponseBase:
    """Answer whether an address is a member's; a POST keeps it out of the logs in between."""
    given = request.POST if request.method == "POST" else request.GET
    address = canonical_email(given.get("email", ""))
    try:
        validate_email(address)
    except ValidationError:
        return refuse(400, "Send the parameter email with one e-mail address.")
    return JsonResponse(members.answer_access(address, at=timezone.now()))


@never_cache
@require_safe
def check_token(request: HttpRequest) -> HttpResponse:
    """Answer 204 if the visitor's token gives access, 403 if not, 401 if it isn't valid.

    A site that names itself as `audience` accepts only tokens that were made for it.
    """
    site = request.GET.get("audience")
    try:
        claims = members.read_token(read_token(request), at=timezone.now(), audience=site)
    except members.BadToken:
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    return HttpResponse(status=204 if claims["member"] else 403)


@require_safe
@cache_control(public=True, max_age=3600)
def show_keys(request: HttpRequest) -> HttpResponse:
    """Publish the key with which sites check tokens."""
    response = JsonResponse(members.describe_keys(), content_type="application/jwk-set+json")
    response["Access-Control-Allow-Origin"] = "*"
    return response


@private
@require_safe
def return_to_site(request: HttpRequest) -> HttpResponseBase:
    """Send a signed-in member back to the newspaper's site with a token; others sign in first."""
    wanted = _write_ascii(request.GET.get("to", "")) or read_return(request)
    if not members.is_allowed_return(wanted):
        return show_page(request, "campaigns/readers/account/no_return.html", status=400)
    member = find_member(request)
    if member is None:
        response: HttpResponseBase = _redirect(reverse("campaigns:account"))
        response.set_signed_cookie(
            _COOKIE,
            wanted,
            max_age=_COOKIE_SECONDS,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response
    response = _redirect(members.add_token(wanted, member, at=timezone.now()))
    response.delete_cookie(_COOKIE)
    return response


def _write_ascii(url: str) -> str:
    """Return an address as browsers write it: servers that can't encode a parameter pass it on."""
    return url if url.isascii() else iri_to_uri(url)


def _redirect(url: str) -> HttpResponse:
    return HttpResponse(status=303, headers={"Location": url})


def read_return(request: HttpRequest) -> str:
    """Return the page where the sign-in began, or ""."""
    kept: Any = request.get_signed_cookie(_COOKIE, default="", max_age=_COOKIE_SECONDS)
    return str(kept or "") if members.is_allowed_return(str(kept or "")) else ""


def describe_return() -> dict[str, str]:
    """Return the first page of the newspaper's site to which members can return, and its host."""
    url = next(iter(settings.ACCESS_RETURN_URLS), "")
    return {"site_to_return": url, "host_to_return": urlsplit(url).hostname or ""}


def find_site(request: HttpRequest) -> str:
    """Return the host of the site where the sign-in began, or ""."""
    return urlsplit(read_return(request)).hostname or ""
