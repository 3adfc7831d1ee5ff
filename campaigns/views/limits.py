"""Limits on requests and wrong guesses for each client."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

from campaigns.attempts import count_attempt, find_network, read_attempts

Params = ParamSpec("Params")
View = Callable[Concatenate[HttpRequest, Params], HttpResponseBase]


def limited(name: str, *, times: int, seconds: int) -> Callable[[View[Params]], View[Params]]:
    """Answer 429 to a client's POSTs beyond `times` within `seconds`."""

    def decorate(view: View[Params]) -> View[Params]:
        @wraps(view)
        def limit(
            request: HttpRequest, /, *args: Params.args, **kwargs: Params.kwargs
        ) -> HttpResponseBase:
            if request.method == "POST" and not _is_within_limit(request, name, times, seconds):
                response = render(request, "campaigns/readers/shared/too_many.html", status=429)
                response["Retry-After"] = str(seconds)
                return response
            return view(request, *args, **kwargs)

        return limit

    return decorate


@dataclass(frozen=True)
class WrongGuesses:
    """Counts wrong guesses by client and overall.

    A client has to wait after `times` wrong guesses. After `overall` wrong guesses by all clients
    together, each client has one guess: a right one still works, a wrong one has to wait. This
    is safe because claim codes have 100 bits; the overall limit protects the database.
    """

    name: str
    times: int
    overall: int
    seconds: int

    def must_wait(self, request: HttpRequest) -> bool:
        """Return whether the client has to wait before its next guess."""
        wrong = read_attempts(self._client_key(request))
        return wrong >= self.times or (wrong > 0 and read_attempts(self._key) > self.overall)

    def count_guess(self, request: HttpRequest) -> bool:
        """Count a wrong guess and return whether the client has to wait now."""
        count_attempt(self._client_key(request), seconds=self.seconds)
        return count_attempt(self._key, seconds=self.seconds) > self.overall

    @property
    def _key(self) -> str:
        return f"wrong:{self.name}"

    def _client_key(self, request: HttpRequest) -> str:
        return f"{self._key}:{find_network(request)}"


def _is_within_limit(request: HttpRequest, name: str, times: int, seconds: int) -> bool:
    counted = count_attempt(f"limit:{name}:{find_network(request)}", seconds=seconds)
    return counted <= times
