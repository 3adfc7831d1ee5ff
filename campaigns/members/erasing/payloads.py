"""What a stored event names: Stripe's ids and people's addresses, however its JSON is written."""

import json
import re
from collections.abc import Iterator
from typing import Any

from campaigns.models import ErasedAddress
from campaigns.models.erasure import hash_erased

# Stripe's ids, and the ids of our Checkouts in what we gave Stripe along.
_ID = re.compile(r"[A-Za-z0-9_-]{8,}")
_ADDRESS = re.compile(r"""[^\s"'<>(),:;]+@[^\s"'<>(),:;]+""")


def ids_in(payload: str) -> set[str]:
    return set(_ID.findall(payload))


def hashes_in(payload: str) -> set[str]:
    """By what the addresses in it are remembered, once they were erased."""
    if "@" not in payload and "\\u0040" not in payload:
        return set()
    return {
        hash_erased(address)
        for text in _texts_of(payload)
        if "@" in text
        for address in [text, *_ADDRESS.findall(text)]
    }


def names_erased(payload: str) -> bool:
    """Whether somebody who was erased is named in it by an address."""
    return ErasedAddress.objects.filter(address_hash__in=hashes_in(payload)).exists()


def _texts_of(payload: str) -> Iterator[str]:
    """Every text in it with its escapes read; as it stands where it is no JSON that we can read."""
    try:
        read = json.loads(payload)
    except (ValueError, RecursionError):
        yield payload
        return
    waiting: list[Any] = [read]
    while waiting:
        match waiting.pop():
            case str(text):
                yield text
            case dict(named):
                waiting += [*named.keys(), *named.values()]
            case list(several):
                waiting += several
