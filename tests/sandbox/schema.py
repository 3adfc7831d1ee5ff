"""Stripe's own description of its API, held against what the sandbox answers and is asked.

The schema is 2026-08-26.dahlia, one version older than the pin 2026-10-28.endive. What differs is
listed by name below, and nothing else may.
"""

import json
import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import stripe

from newsroom.sandbox import parameters

Json = dict[str, Any]
_FILE = Path(__file__).parents[1] / "data" / "stripe-openapi.json"

# Endive took `payment_method_types` from the creation of sessions and gave these in its place.
NEW_FIELDS: dict[str, Json] = {
    "checkout.session": {
        "allowed_payment_method_types": {
            "anyOf": [{"type": "array", "items": {"type": "string"}}, {"type": "null"}]
        }
    }
}
NEW_PARAMETERS = {("POST", "/v1/checkout/sessions"): {"allowed_payment_method_types"}}
_FORM = "application/x-www-form-urlencoded"


@cache
def _load() -> Json:
    document: Json = json.loads(_FILE.read_text())
    for name, fields in NEW_FIELDS.items():
        document["components"]["schemas"][name]["properties"].update(fields)
    return document


def _convert(node: Any) -> Any:
    """OpenAPI 3.0 to JSON Schema: `nullable`, and objects closed to names that nobody described."""
    if isinstance(node, list):
        return [_convert(each) for each in node]
    if not isinstance(node, dict):
        return node
    plain = {
        key: _convert(value)
        for key, value in node.items()
        if key not in ("nullable", "example", "title") and not key.startswith("x-")
    }
    if "properties" in node and isinstance(node["properties"], dict) and node["properties"]:
        plain["properties"] = {name: _convert(value) for name, value in node["properties"].items()}
        plain.setdefault("additionalProperties", False)
    if node.get("nullable") is True:
        return {"anyOf": [plain, {"type": "null"}]}
    return plain


@cache
def _components() -> Json:
    schemas = _load()["components"]["schemas"]
    return {"schemas": {name: _convert(value) for name, value in schemas.items()}}


@cache
def _make_validator(pointer: str) -> Any:
    """`pointer` is an object's name, or METHOD /path/template for its answer."""
    if " " in pointer:
        method, template = pointer.split(" ", 1)
        operation = _load()["paths"][template][method.lower()]
        answer = operation["responses"]["200"]["content"]["application/json"]["schema"]
        schema = _convert(answer)
    else:
        schema = {"$ref": f"#/components/schemas/{pointer}"}
    return jsonschema_rs.validator_for({**schema, "components": _components()})


def _check(pointer: str, body: Json) -> None:
    problems = [
        f"{'/'.join(str(part) for part in error.instance_path)}: {error.message[:300]}"
        for error in _make_validator(pointer).iter_errors(body)
    ]
    assert not problems, f"{pointer}: {problems[:5]}"


def check_object(body: Json) -> None:
    """Any object by its own name, as it stands in an event."""
    name = body["object"]
    if body.get("deleted"):
        name = f"deleted_{name}"
    _check(name, body)


@cache
def _list_templates() -> list[tuple[str, re.Pattern[str]]]:
    return [
        (template, re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + r"\Z"))
        for template in sorted(_load()["paths"], key=lambda each: each.count("{"))
    ]


def find_template(path: str) -> str:
    found = [template for template, pattern in _list_templates() if pattern.match(path)]
    assert found, f"the schema knows no path {path}"
    return found[0]


def check_answer(method: str, path: str, body: Json) -> None:
    _check(f"{method} {find_template(path)}", body)


def check_request(method: str, path: str, encoded: str) -> None:
    """Every parameter is one that the schema knows, with a word that it allows."""
    template = find_template(path)
    operation = _load()["paths"][template][method.lower()]
    params = parameters.parse(encoded)
    for name in NEW_PARAMETERS.get((method, template), ()):
        params.pop(name, None)
    if method == "POST":
        schema = operation["requestBody"]["content"][_FORM]["schema"]
    else:
        queries = [each for each in operation.get("parameters", []) if each["in"] == "query"]
        schema = {"properties": {each["name"]: each["schema"] for each in queries}}
        form = operation.get("requestBody", {}).get("content", {}).get(_FORM)
        if method == "DELETE" and form:
            schema["properties"].update(form["schema"].get("properties", {}))
    problem = _find_problem(schema, params, path="")
    assert problem is None, f"{method} {template}: {problem}"


def _find_problem(  # noqa: PLR0911
    schema: Json, value: Any, *, path: str
) -> str | None:
    if "anyOf" in schema:
        problems = [_find_problem(each, value, path=path) for each in schema["anyOf"]]
        return None if None in problems else problems[0]
    if schema.get("type") == "array":
        if not isinstance(value, list):
            return None if value == "" else f"{path}: not a list"
        found = [_find_problem(schema["items"], each, path=f"{path}[]") for each in value]
        return next((each for each in found if each), None)
    if "properties" in schema:
        return _find_problem_in_hash(schema, value, path=path)
    if "enum" in schema and value not in [str(each) for each in schema["enum"]]:
        return f"{path}: {value!r} is not one of {schema['enum'][:8]}"
    if schema.get("type") == "integer" and not re.fullmatch(r"-?\d+", str(value)):
        return f"{path}: {value!r} is no integer"
    if schema.get("type") == "string" and not isinstance(value, str):
        return f"{path}: {value!r} is no string"
    return None


def _find_problem_in_hash(schema: Json, value: Any, *, path: str) -> str | None:
    if not isinstance(value, dict):
        return f"{path}: not a hash"
    missing = [name for name in schema.get("required", []) if name not in value]
    if missing:
        return f"{path}: {missing} missing"
    for name, each in value.items():
        if name not in schema["properties"]:
            return f"{path}: unknown parameter {name}"
        problem = _find_problem(schema["properties"][name], each, path=f"{path}[{name}]")
        if problem:
            return problem
    return None


class CheckingClient(stripe.RequestsClient):
    """The SDK's own HTTP client, with both sides of each conversation held against the schema."""

    def __init__(self) -> None:
        super().__init__(timeout=30)
        self.headers: Json = {}
        self.checks_requests = True

    def close(self) -> None:
        super().close()  # type: ignore[no-untyped-call]

    def request(  # type: ignore[override]
        self, method: str, url: str, headers: Any, post_data: Any = None
    ) -> Any:
        parts = urlsplit(url)
        if self.checks_requests:
            check_request(method.upper(), parts.path, post_data or parts.query)
        content, status, answered = super().request(method, url, headers, post_data)
        self.headers = dict(answered)
        body = json.loads(content)
        if status == 200:
            if not _is_expanded(post_data or parts.query):
                check_answer(method.upper(), parts.path, body)
            _check_objects_within(body)
        else:
            _check("error", body)
        return content, status, answered


def _is_expanded(encoded: str) -> bool:
    return "expand" in encoded


def _check_objects_within(body: Json) -> None:
    if body.get("object") == "list":
        for each in body["data"]:
            check_object(each)
    else:
        check_object(body)
