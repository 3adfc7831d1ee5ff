"""`expand[]`: ids turned into the objects that they name, at any depth, in lists and hashes."""

import copy
from typing import Any

from newsroom.sandbox import clock, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

# Fields that the API leaves out until they are asked for.
_INCLUDED = {
    ("checkout.session", "line_items"),
    ("charge", "refunds"),
    ("customer", "subscriptions"),
    ("invoice", "payments"),
}


def present(body: Document, expand: list[str]) -> Document:
    """A copy for the answer; the stored document keeps its ids."""
    answer = _settle_balance(copy.deepcopy(body))
    for path in expand:
        _expand(answer, path.split("."), path=path)
    return answer


def _expand(node: Any, keys: list[str], *, path: str) -> None:
    if isinstance(node, list):
        for each in node:
            _expand(each, keys, path=path)
        return
    if node is None or not keys:
        return
    if not isinstance(node, dict):
        raise _refuse(path)
    key, rest = keys[0], keys[1:]
    if (node.get("object"), key) in _INCLUDED and key not in node:
        node[key] = include(node, key)
    if key not in node:
        raise _refuse(path)
    value = node[key]
    if isinstance(value, str):
        node[key] = _load(value, path=path)
    elif isinstance(value, list) and value and all(isinstance(each, str) for each in value):
        node[key] = [_load(each, path=path) for each in value]
    _expand(node[key], rest, path=path)


def _load(stripe_id: str, *, path: str) -> Document:
    row = documents.find(stripe_id)
    if row is None:
        raise _refuse(path)
    return _settle_balance(copy.deepcopy(row.body))


def _refuse(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")


def include(node: Document, key: str) -> Document:
    match key:
        case "line_items":
            row = documents.fetch(node["id"])
            return documents.envelope(
                row.notes["line_items"][:10],
                url=f"/v1/checkout/sessions/{node['id']}/line_items",
                has_more=len(row.notes["line_items"]) > 10,
            )
        case "refunds":
            rows = documents.select("refund", charge=node["id"])
            url = f"/v1/charges/{node['id']}/refunds"
        case "subscriptions":
            rows = documents.select("subscription", customer=node["id"])
            url = f"/v1/customers/{node['id']}/subscriptions"
        case _:
            rows = documents.select("invoice_payment", invoice=node["id"])
            url = "/v1/invoice_payments"
    found: list[StripeObject] = list(rows[:11])
    return documents.envelope(
        [copy.deepcopy(row.body) for row in found[:10]], url=url, has_more=len(found) > 10
    )


def _settle_balance(body: Document) -> Document:
    """Money is pending until `available_on`: worked out when looked at, for it is not an event."""
    if body.get("object") == "balance_transaction":
        body["status"] = "available" if body["available_on"] <= clock.now() else "pending"
    elif body.get("object") == "list":
        for each in body["data"]:
            _settle_balance(each)
    return body
