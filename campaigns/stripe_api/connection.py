"""The client, how its answers and errors look to us, and what time it is at Stripe."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

import stripe
from django.conf import settings

Json = dict[str, Any]
Params = ParamSpec("Params")
Answer = TypeVar("Answer")

API_VERSION = "2026-10-28.endive"
_TIMEOUT = (3, 10)  # seconds to connect, to answer: a reader waits for this


class StripeError(Exception):
    """Something between us and Stripe did not go well."""


class StripeUnavailable(StripeError):
    """The outcome is unknown: the same request, with the same key, may be sent again."""


class StripeFailed(StripeError):
    """Stripe said 5xx and will say it again for this key: the next attempt needs a new one."""


class StripeRefused(StripeError):
    """Stripe understood and said no; `code` is its reason, `param` what it did not like."""

    def __init__(self, message: str, *, code: str = "", param: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.param = param
        self.status = status


def translated(call: Callable[Params, Answer]) -> Callable[Params, Answer]:
    @wraps(call)
    def translate(*args: Params.args, **kwargs: Params.kwargs) -> Answer:
        try:
            return call(*args, **kwargs)
        except (stripe.APIConnectionError, stripe.RateLimitError) as error:
            raise StripeUnavailable(str(error)) from error
        except stripe.StripeError as error:
            status = error.http_status or 0
            if status == 409:  # our own earlier try is still under way
                raise StripeUnavailable(str(error)) from error
            if status >= 500 or not status:
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
        http_client=stripe.RequestsClient(timeout=_TIMEOUT),
    )


def client() -> stripe.StripeClient:
    return _client(settings.STRIPE_SECRET_KEY, settings.STRIPE_API_BASE)


def is_live() -> bool:
    """Whether our key moves real money, so that test-mode events are none of ours."""
    return "_live_" in settings.STRIPE_SECRET_KEY


def moment(timestamp: int) -> datetime:
    """Stripe's seconds since the epoch as an aware time."""
    return datetime.fromtimestamp(timestamp, tz=UTC)


def plain(answer: stripe.StripeObject) -> Json:
    return answer.to_dict()


def every(page: Any) -> Iterator[Json]:
    return (plain(item) for item in page.auto_paging_iter())
