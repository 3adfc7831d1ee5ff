"""Our own OpenAPI description, to check answers against."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

FILE = Path(__file__).resolve().parents[2] / "docs" / "openapi.yaml"


@cache
def read_description() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(FILE.read_text("utf-8"))
    return found


def describe_answer(path: str, status: int = 200, *, method: str = "get") -> dict[str, Any]:
    """Return the description of an answer to a request; raises KeyError without one."""
    responses = read_description()["paths"][path][method]["responses"]
    described: dict[str, Any] = responses[str(status)]
    return described


def list_faults(answer: object, *, path: str, method: str = "get") -> list[str]:
    """Return how an answer to a request differs from its description."""
    schema = describe_answer(path, method=method)["content"]["application/json"]["schema"]
    validator = jsonschema_rs.validator_for(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **schema,
            "components": read_description()["components"],
        },
        validate_formats=True,
        retriever=_read_beside,
    )
    return [f"{error.instance_path}: {error.message}" for error in validator.iter_errors(answer)]


def _read_beside(uri: str) -> dict[str, Any]:
    """Return a schema in a file beside the description."""
    found: dict[str, Any] = json.loads(FILE.with_name(Path(uri).name).read_text("utf-8"))
    return found
