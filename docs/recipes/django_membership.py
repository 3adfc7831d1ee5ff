"""Pages for members only in a Django site. MIT license. Needs `pip install "pyjwt[crypto]"`.

Add to your URLs: path("members/in", django_membership.come_back). List
https://www.example.org/members/in in ACCESS_RETURN_URLS of the membership application.
"""

from functools import wraps
from urllib.parse import urlencode

import jwt
from django.conf import settings
from django.http import HttpResponseRedirect
from django.shortcuts import redirect
from django.utils.http import url_has_allowed_host_and_scheme

MEMBERS = getattr(settings, "MEMBERS_URL", "https://members.example.org")
SITE = getattr(settings, "OWN_URL", "https://www.example.org")
COOKIE = "membership"
# Fetched once an hour, and when a token names a key that is new.
keys = jwt.PyJWKClient(f"{MEMBERS}/.well-known/jwks.json", lifespan=3600)


def read_membership(request):
    """Return what the visitor's token says, or None without a valid one."""
    token = request.COOKIES.get(COOKIE, "")
    try:
        return jwt.decode(
            token,
            keys.get_signing_key_from_jwt(token),
            algorithms=["EdDSA"],
            audience=SITE,
            issuer=MEMBERS,
            leeway=60,
        )
    except jwt.PyJWTError:
        return None


def members_only(view):
    """Show a page to members; send others to sign in or to join."""

    @wraps(view)
    def check(request, *args, **kwargs):
        membership = read_membership(request)
        if membership is None:
            to = f"{SITE}/members/in?{urlencode({'next': request.get_full_path()})}"
            return redirect(f"{MEMBERS}/membership/account/continue/?{urlencode({'to': to})}")
        if not membership["member"]:
            return redirect(f"{MEMBERS}/membership/join/")
        request.membership = membership
        return view(request, *args, **kwargs)

    return check


def come_back(request):
    """Keep the token in a cookie, and go on to an address without it."""
    story = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(story, allowed_hosts=None):
        story = "/"
    response = HttpResponseRedirect(story)
    response.set_cookie(
        COOKIE,
        request.GET.get("membership_token", ""),
        max_age=7 * 86400,
        secure=request.is_secure(),
        httponly=True,
        samesite="Lax",
    )
    response["Referrer-Policy"] = "no-referrer"
    return response
