"""Finds the endpoint for a method and a path."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from newsroom.sandbox.documents import Document

Answer = Callable[..., Document]


@dataclass(frozen=True)
class Endpoint:
    """`spec` lists the parameters for `parameters.check`; `expand` is always allowed."""

    method: str
    template: str
    spec: dict[str, Any]
    answer: Answer


_endpoints: list[tuple[Endpoint, re.Pattern[str]]] = []


def endpoint(
    method: str, template: str, spec: dict[str, Any] | None = None
) -> Callable[[Answer], Answer]:
    """Register `answer(params, **path_parts)` for a path such as /v1/refunds/{refund}."""

    def register(answer: Answer) -> Answer:
        pattern = re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + r"\Z")
        _endpoints.append((Endpoint(method, template, spec or {}, answer), pattern))
        return answer

    return register


def find_endpoint(method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    for candidate, pattern in _endpoints:
        if candidate.method == method and (found := pattern.match(path)):
            return candidate, found.groupdict()
    return None
