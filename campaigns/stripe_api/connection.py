"""The client, its raw answers, its errors in our terms, and Stripe's times."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import stripe
from django.conf import settings

from campaigns.stripe_api.budget import BudgetedClient

Json = dict[str, Any]
Params = ParamSpec("Params")
Answer = TypeVar("Answer")

API_VERSION = "2026-10-28.endive"
_TIMEOUT = (3, 10)  # seconds to connect and to answer; a reader is waiting


class StripeError(Exception):
    """A call to Stripe failed."""


class StripeUnavailable(StripeError):
    """The outcome is unknown: send the same request with the same key again."""


class StripeFailed(StripeError):
    """Stripe answered 5xx and repeats that for this key: the next attempt needs a new key."""


class StripeRefused(StripeError):
    """Stripe refused the request; `code` is its reason, `param` the parameter that it names."""

    def __init__(self, message: str, *, code: str = "", param: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.status = status

    @property
    def reason(self) -> str:
        """The code and Stripe's words, as `explain_reason` reads them."""
        return f"{self.code}: {self}" if self.code else str(self)


def translated(call: Callable[Params, Answer]) -> Callable[Params, Answer]:
    """Make a call raise our errors instead of the library's."""

    @wraps(call)
    def translate(*args: Params.args, **kwargs: Params.kwargs) -> Answer:
        try:
            return call(*args, **kwargs)
        except (stripe.APIConnectionError, stripe.RateLimitError) as error:
            raise StripeUnavailable(str(error)) from error
        except stripe.StripeError as error:
            status = error.http_status or 0
            if status == 409:  # our own earlier attempt is still running
                raise StripeUnavailable(str(error)) from error
            # Stripe has the key with other parameters: the next attempt needs a new one.
            if status >= 500 or not status or isinstance(error, stripe.IdempotencyError):
                raise StripeFailed(str(error)) from error
            raise StripeRefused(
                str(error),
                code=error.code or "",
                param=str(getattr(error, "param", "") or ""),
                status=status,
            ) from error

    return translate


@lru_cache(maxsize=4)
def _client(secret_key: str, base: str) -> stripe.StripeClient:
    return stripe.StripeClient(
        secret_key,
        base_addresses={"api": base} if base else None,
        stripe_version=API_VERSION,
        max_network_retries=1,
        http_client=BudgetedClient(timeout=_TIMEOUT),
    )


def client() -> stripe.StripeClient:
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


@translated
def try_key() -> None:
    """Make one small request. Raises StripeRefused if Stripe doesn't accept our key."""
    client().v1.events.list({"limit": 1})


def is_live() -> bool:
    """Return whether our key moves real money; events of the other mode are refused."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def moment(timestamp: int) -> datetime:
    """Return Stripe's seconds since the epoch as an aware time."""
    return datetime.fromtimestamp(timestamp, tz=UTC)


def read_answer_time(answer: stripe.StripeObject) -> datetime | None:
    """Return the time of an answer by Stripe's clock, in whole seconds; None if it names none."""
    headers = answer.last_response.headers if answer.last_response else {}
    try:
        return parsedate_to_datetime(headers.get("Date", ""))
    except ValueError:
        return None


def plain(answer: stripe.StripeObject) -> Json:
    """Return a raw object as a dict; only this package's `read_*` functions take it."""
    return answer.to_dict()


def every(page: Any) -> Iterator[Json]:
    """Yield the raw objects of a list, fetching its further pages as needed."""
    return (plain(item) for item in page.auto_paging_iter())
