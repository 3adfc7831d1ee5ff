"""Checks the sandbox's requests and answers against Stripe's own API schema.

The schema is 2026-08-26.dahlia, one version older than the pinned 2026-10-28.endive. The
differences are listed below by name; no others are allowed.
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

# Endive replaced the parameter `payment_method_types` of new sessions with these.
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
    """Convert OpenAPI 3.0 to JSON Schema: handle `nullable`, and forbid undescribed properties."""
    if isinstance(node, list):
        return [_convert(item) for item in node]
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
    """Return the validator for an object's name, or for "METHOD /path/template"."""
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
    """Check any API object, by the schema of its own name."""
    name = body["object"]
    if body.get("deleted"):
        name = f"deleted_{name}"
    _check(name, body)


@cache
def _list_templates() -> list[tuple[str, re.Pattern[str]]]:
    return [
        (template, re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + r"\Z"))
        for template in sorted(_load()["paths"], key=lambda item: item.count("{"))
    ]


def find_template(path: str) -> str:
    found = [template for template, pattern in _list_templates() if pattern.match(path)]
    assert found, f"The schema has no path {path}."
    return found[0]


def check_answer(method: str, path: str, body: Json) -> None:
    _check(f"{method} {find_template(path)}", body)


def check_request(method: str, path: str, encoded: str) -> None:
    """Check that the schema knows each parameter and allows its value."""
    template = find_template(path)
    operation = _load()["paths"][template][method.lower()]
    params = parameters.parse(encoded)
    for name in NEW_PARAMETERS.get((method, template), ()):
        params.pop(name, None)
    if method == "POST":
        schema = operation["requestBody"]["content"][_FORM]["schema"]
    else:
        queries = [item for item in operation.get("parameters", []) if item["in"] == "query"]
        schema = {"properties": {item["name"]: item["schema"] for item in queries}}
        form = operation.get("requestBody", {}).get("content", {}).get(_FORM)
        if method == "DELETE" and form:
            schema["properties"].update(form["schema"].get("properties", {}))
    problem = _find_problem(schema, params, path="")
    assert problem is None, f"{method} {template}: {problem}"


def _find_problem(  # noqa: PLR0911
    schema: Json, value: Any, *, path: str
) -> str | None:
    if "anyOf" in schema:
        problems = [_find_problem(item, value, path=path) for item in schema["anyOf"]]
        return None if None in problems else problems[0]
    if schema.get("type") == "array":
        if not isinstance(value, list):
            return None if value == "" else f"{path}: not a list"
        found = [_find_problem(schema["items"], item, path=f"{path}[]") for item in value]
        return next((item for item in found if item), None)
    if "properties" in schema:
        return _find_problem_in_hash(schema, value, path=path)
    if "enum" in schema and value not in [str(item) for item in schema["enum"]]:
        return f"{path}: {value!r} is not one of {schema['enum'][:8]}"
    if schema.get("type") == "integer" and not re.fullmatch(r"-?\d+", str(value)):
        return f"{path}: {value!r} is not an integer"
    if schema.get("type") == "string" and not isinstance(value, str):
        return f"{path}: {value!r} is not a string"
    return None


def _find_problem_in_hash(schema: Json, value: Any, *, path: str) -> str | None:
    if not isinstance(value, dict):
        return f"{path}: not a hash"
    missing = [name for name in schema.get("required", []) if name not in value]
    if missing:
        return f"{path}: {missing} missing"
    for name, item in value.items():
        if name not in schema["properties"]:
            return f"{path}: unknown parameter {name}"
        problem = _find_problem(schema["properties"][name], item, path=f"{path}[{name}]")
        if problem:
            return problem
    return None


class CheckingClient(stripe.RequestsClient):
    """The SDK's own HTTP client, which checks each request and answer against the schema."""

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
        for item in body["data"]:
            check_object(item)
    else:
        check_object(body)
