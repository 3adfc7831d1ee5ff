"""Which function answers which method and path."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsroom.sandbox.documents import Document

Answer = Callable[..., Document]


@dataclass(frozen=True)
class Endpoint:
    """`spec` is what `parameters.check` allows; `expand` is always allowed."""

    method: str
    template: str
    spec: dict[str, Any]
    answer: Answer


_endpoints: list[tuple[Endpoint, re.Pattern[str]]] = []


def endpoint(
    method: str, template: str, spec: dict[str, Any] | None = None
) -> Callable[[Answer], Answer]:
    """Registers `answer(params, **path_parts)` for a path such as /v1/refunds/{refund}."""

    def register(answer: Answer) -> Answer:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + r"\Z")
        _endpoints.append((Endpoint(method, template, spec or {}, answer), pattern))
        return answer

    return register


def find_endpoint(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    for each, pattern in _endpoints:
        if each.method == method and (found := pattern.match(path)):
            return each, found.groupdict()
    return None


def list_endpoints() -> list[Endpoint]:
    return [each for each, _ in _endpoints]
