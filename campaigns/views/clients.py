"""The door for other systems that ask us: a token for each of them, and limits."""

import re
from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponseBase, JsonResponse

from campaigns import members
from campaigns.attempts import Allowance
from campaigns.models import ApiClient
from campaigns.views.limits import WrongGuesses

# Requests of one client a minute.
MOST_QUESTIONS, _MINUTE = 1200, 60
_QUESTIONS = Allowance(seconds=_MINUTE, batch=20)
_WRONG_TOKENS = WrongGuesses("api_token", times=30, overall=1000, seconds=600)
_TOKEN = re.compile(r"[Bb]earer +([!-~]{1,2000})")

ApiView = Callable[[HttpRequest, ApiClient], HttpResponseBase]


def refuse(status: int, words: str, **headers: str) -> JsonResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return JsonResponse({"error": words}, status=status, headers=named)


def for_clients(view: ApiView) -> Callable[[HttpRequest], HttpResponseBase]:
    """Let clients with a token in, so many times a minute."""

    @wraps(view)
    def check(request: HttpRequest) -> HttpResponseBase:
        client = members.find_client(read_token(request))
        if client is None:
            if _WRONG_TOKENS.must_wait(request):
                return refuse(429, "Too many wrong tokens.", Retry_After="600")
            _WRONG_TOKENS.count_guess(request)
            return refuse(401, "Send a valid token.", WWW_Authenticate="Bearer")
        if not _QUESTIONS.take(f"api:{client.token_hash}", most=MOST_QUESTIONS):
            return refuse(429, "Too many questions this minute.", Retry_After=str(_MINUTE))
        return view(request, client)

    return check


def read_token(request: HttpRequest) -> str:
    """Return the bearer token of a request, or ""."""
    found = _TOKEN.fullmatch(request.headers.get("Authorization", ""))
    return found[1] if found else ""
