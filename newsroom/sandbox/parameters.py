"""Form-encoded parameters with nested brackets: parses, checks and converts them.

A specification is a dict of names; a name that ends in `*` is required. Each value is one of the
markers below, a dict (a hash), a list of one element (a list of these), a set (one of these words)
or a tuple (the first that fits).
"""

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any
from urllib.parse import parse_qsl

from newsroom.sandbox.errors import ApiError


class Kind(Enum):
    STR = "string"
    UNSET = "string; an empty one unsets the field"
    INT = "integer"
    BOOL = "boolean"
    DECIMAL = "decimal"
    META = "metadata"


STR, UNSET, INT, BOOL, DECIMAL, META = Kind
CREATED = (INT, {"gt": INT, "gte": INT, "lt": INT, "lte": INT})
LIST_PARAMS = {"limit": INT, "starting_after": STR, "ending_before": STR, "created": CREATED}
Params = dict[str, Any]


def parse(encoded: str) -> Params:
    tree: Params = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        _set_nested(tree, name, value)
    parsed = _make_lists(tree)
    return parsed if isinstance(parsed, dict) else {}


def _set_nested(tree: Params, name: str, value: str) -> None:
    head, *rest = re.findall(r"[^\[\]]+|(?<=\[)(?=\])", name) or [name]
    keys = [head, *rest]
    node = tree
    for key in keys[:-1]:
        child = node.setdefault(key or str(len(node)), {})
        if not isinstance(child, dict):
            raise ApiError(f"Invalid parameter: {name}", param=name)
        node = child
    node[keys[-1] or str(len(node))] = value


def _make_lists(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if node and all(key.isdigit() for key in node):
        return [_make_lists(node[key]) for key in sorted(node, key=int)]
    return {key: _make_lists(value) for key, value in node.items()}


def check(spec: dict[str, Any], params: Params, *, path: str = "") -> Params:
    """Return the converted parameters. Raise ApiError for an unknown, missing or invalid one."""
    names = {name.rstrip("*"): kind for name, kind in spec.items()}
    for name in params:
        if name not in names:
            raise ApiError(
                f"Received unknown parameter: {_join(path, name)}",
                code="parameter_unknown",
                param=_join(path, name),
            )
    for name in spec:
        if name.endswith("*") and name[:-1] not in params:
            param = _join(path, name[:-1])
            raise ApiError(
                f"Missing required param: {param}.", code="parameter_missing", param=param
            )
    return {
        name: _read(names[name], value, path=_join(path, name)) for name, value in params.items()
    }


def _join(path: str, name: str) -> str:
    return f"{path}[{name}]" if path else name


def _read(kind: Any, value: Any, *, path: str) -> Any:  # noqa: PLR0911, PLR0912
    if isinstance(kind, tuple):
        return _read_any(kind, value, path=path)
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise ApiError("Invalid object", param=path)
        return check(kind, value, path=path)
    if isinstance(kind, list):
        if value == "":
            return []
        if not isinstance(value, list):
            raise ApiError("Invalid array", param=path)
        return [_read(kind[0], item, path=f"{path}[{i}]") for i, item in enumerate(value)]
    if kind is META:
        return _read_metadata(value, path=path)
    if not isinstance(value, str):
        raise ApiError(f"Invalid string: {value}", param=path)
    if isinstance(kind, set | frozenset):
        return _read_word(kind, value, path=path)
    if kind is INT:
        if not re.fullmatch(r"-?\d{1,18}", value):
            raise ApiError(
                f"Invalid integer: {value}", code="parameter_invalid_integer", param=path
            )
        return int(value)
    if kind is DECIMAL:
        if not re.fullmatch(r"-?\d{1,9}(\.\d{1,4})?", value):
            raise ApiError(f"Invalid decimal: {value}", param=path)
        return float(value)
    if kind is BOOL:
        if value not in ("true", "false"):
            raise ApiError(f"Invalid boolean: {value}", param=path)
        return value == "true"
    if value == "" and kind is STR:
        raise ApiError(
            f"You passed an empty string for '{path}', which cannot be unset.",
            code="parameter_invalid_empty",
            param=path,
        )
    return value


def _read_any(kinds: Iterable[Any], value: Any, *, path: str) -> Any:
    refusal: ApiError | None = None
    for kind in kinds:
        try:
            return _read(kind, value, path=path)
        except ApiError as error:
            refusal = refusal or error
    raise refusal or ApiError("Invalid value", param=path)


def _read_word(words: Iterable[str], value: str, *, path: str) -> str:
    if value in words:
        return value
    known = ", ".join(sorted(word for word in words if word))
    raise ApiError(f"Invalid {path}: must be one of {known}", param=path)


def _read_metadata(value: Any, *, path: str) -> dict[str, str] | str:
    if value == "":
        return ""
    if isinstance(value, list):
        # `parse` makes a list of a hash whose keys are all digits.
        value = {str(i): text for i, text in enumerate(value)}
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise ApiError("Metadata must be a hash of strings.", param=path)
    if len(value) > 50:
        raise ApiError("Metadata can have up to 50 keys.", param=path)
    for key, text in value.items():
        if len(key) > 40:
            raise ApiError("Metadata keys can be up to 40 characters long.", param=f"{path}[{key}]")
        if len(text) > 500:
            raise ApiError("Metadata values can have up to 500 characters.", param=f"{path}[{key}]")
    return dict(value)
