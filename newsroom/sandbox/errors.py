"""Errors in the form of Stripe's API."""

from typing import Any


class ApiError(Exception):
    """An error with the status, type, code and parameter that Stripe would return."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        type: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        keeps_changes: bool = False,
        **details: Any,
    ) -> None:
        """`keeps_changes` commits the work done before the error, such as a failed charge."""
        super().__init__(message)
        self.status = status
        self.keeps_changes = keeps_changes
        error: dict[str, Any] = {"type": type, "message": message}
        if code is not None:
            error["code"] = code
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        if param is not None:
            error["param"] = param
        error.update(details)
        self.body: dict[str, Any] = {"error": error}


def make_missing_error(
    noun: str, stripe_id: str, *, param: str = "id", status: int = 404
) -> ApiError:
    """Return Stripe's error for an unknown id: 404 for an id in the path, 400 in a parameter."""
    return ApiError(
        f"No such {noun}: '{stripe_id}'", status=status, code="resource_missing", param=param
    )


# Quoted names and IP addresses are valid addresses, but not for Stripe.
_NOT_IN_ADDRESSES = frozenset('"[]')


def check_address(params: dict[str, Any], name: str) -> None:
    """Refuse an e-mail address that Stripe refuses."""
    given = str(params.get(name, ""))
    if not given.isascii() or not _NOT_IN_ADDRESSES.isdisjoint(given):
        raise ApiError(f"Invalid email address: {given}", code="email_invalid", param=name)
