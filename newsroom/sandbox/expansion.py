"""`expand[]`: ids turned into the objects that they name, at any depth, in lists and hashes."""

import copy
from collections.abc import Iterator
from typing import Any

from newsroom.sandbox import clock, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

# https://docs.stripe.com/api/expanding_objects; a list's `data` is a level, too.
DEEPEST = 4
# Fields that the API leaves out until they are asked for.
_INCLUDED = {
    ("checkout.session", "line_items"),
    ("charge", "refunds"),
    ("customer", "subscriptions"),
    ("invoice", "payments"),
}
# Fields that an object may lack, and that can be asked for all the same.
_OPTIONAL = {("refund", "failure_balance_transaction")}


def expand_body(body: Document, expand: list[str]) -> Document:
    """A copy for the answer; the stored document keeps its ids."""
    answer = _set_balance_status(copy.deepcopy(body))
    for path in expand:
        if path.count(".") >= DEEPEST:
            raise ApiError(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}",
                param="expand",
            )
        _expand([answer], path.split("."), path=path)
    return answer


def _expand(nodes: list[Any], keys: list[str], *, path: str) -> None:
    """All nodes of a level at once: a page of a hundred objects is one query, not a hundred."""
    if not keys:
        return
    key, rest = keys[0], keys[1:]
    named: list[tuple[Any, Any, str]] = []
    holders = [node for node in _flatten(nodes) if node is not None]
    for node in holders:
        if not isinstance(node, dict):
            raise _make_error(path)
        if (node.get("object"), key) in _INCLUDED and key not in node:
            node[key] = load_included_list(node, key)
        if key not in node and (node.get("object"), key) not in _OPTIONAL:
            raise _make_error(path)
        value = node.get(key)
        if isinstance(value, str):
            named.append((node, key, value))
        elif isinstance(value, list):
            named += [(value, i, each) for i, each in enumerate(value) if isinstance(each, str)]
    found = documents.find_bodies({stripe_id for _, _, stripe_id in named})
    for holder, place, stripe_id in named:
        if stripe_id not in found:
            raise _make_error(path)
        holder[place] = _set_balance_status(found[stripe_id])  # read for this answer alone
    _expand([node.get(key) for node in holders], rest, path=path)


def _flatten(nodes: list[Any]) -> Iterator[Any]:
    for node in nodes:
        if isinstance(node, list):
            yield from _flatten(node)
        else:
            yield node


def _make_error(path: str) -> ApiError:
    return ApiError(f"This property cannot be expanded ({path}).", param="expand")


def load_included_list(node: Document, key: str) -> Document:
    match key:
        case "line_items":
            row = documents.fetch(node["id"])
            return documents.make_list(
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
    return documents.make_list(
        [copy.deepcopy(row.body) for row in found[:10]], url=url, has_more=len(found) > 10
    )


def _set_balance_status(body: Document) -> Document:
    """Money is pending until `available_on`: worked out when looked at, for it is not an event."""
    if body.get("object") == "balance_transaction":
        body["status"] = "available" if body["available_on"] <= clock.now() else "pending"
    elif body.get("object") == "list":
        for each in body["data"]:
            _set_balance_status(each)
    return body
