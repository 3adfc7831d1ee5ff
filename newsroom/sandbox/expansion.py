"""`expand[]`: replaces ids with the objects that they name."""

from collections.abc import Iterator
from typing import Any

from newsroom.sandbox import clock, documents
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.models import StripeObject

# https://docs.stripe.com/api/expanding_objects; a list's `data` counts as a level.
DEEPEST = 4
# Fields that the API omits unless they are expanded.
_INCLUDED = {
    ("checkout.session", "line_items"),
    ("charge", "refunds"),
    ("customer", "subscriptions"),
    ("invoice", "payments"),
}
# Fields that may be expanded although an object doesn't have them.
_OPTIONAL = {("refund", "failure_balance_transaction")}


def expand_body(body: Document, expand: list[str]) -> Document:
    """Return an expanded copy; the stored document keeps its ids."""
    answer = _set_balance_status(documents.copy(body))
    for path in expand:
        if path.count(".") >= DEEPEST:
            raise ApiError(
                f"You cannot expand more than {DEEPEST} levels of a property. Property: {path}",
                param="expand",
            )
        _expand([answer], path.split("."), path=path)
    return answer


def _expand(nodes: list[Any], keys: list[str], *, path: str) -> None:
    """Expand all nodes of one level together, so that a page of objects needs one query."""
    if not keys:
        return
    key, rest = keys[0], keys[1:]
    references: list[tuple[Any, Any, str]] = []
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
            references.append((node, key, value))
        elif isinstance(value, list):
            references += [
                (value, i, item) for i, item in enumerate(value) if isinstance(item, str)
            ]
    found = documents.find_bodies({stripe_id for _, _, stripe_id in references})
    for holder, place, stripe_id in references:
        if stripe_id not in found:
            raise _make_error(path)
        holder[place] = _set_balance_status(found[stripe_id])
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
        [documents.copy(row.body) for row in found[:10]], url=url, has_more=len(found) > 10
    )


def _set_balance_status(body: Document) -> Document:
    """Set the status by `available_on`. It is computed on reading, as no event announces it."""
    if body.get("object") == "balance_transaction":
        body["status"] = "available" if body["available_on"] <= clock.now() else "pending"
    elif body.get("object") == "list":
        for item in body["data"]:
            _set_balance_status(item)
    return body
