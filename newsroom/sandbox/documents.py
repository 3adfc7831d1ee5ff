"""Stripe's objects as JSON documents: create, find, save and list them."""

import json
import secrets
import string
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from newsroom.sandbox import clock
from newsroom.sandbox.errors import ApiError, make_missing_error
from newsroom.sandbox.models import StripeObject

Document = dict[str, Any]

PREFIXES = {
    "balance_transaction": "txn_3",
    "billing_portal.configuration": "bpc_1",
    "billing_portal.session": "bps_1",
    "charge": "ch_3",
    "checkout.session": "cs_test_a1",
    "coupon": "",
    "credit_note": "cn_1",
    "credit_note_line_item": "cnli_1",
    "customer": "cus_",
    "discount": "di_1",
    "dispute": "du_1",
    "event": "evt_1",
    "invoice": "in_1",
    "invoice_payment": "inpay_1",
    "item": "li_1",
    "line_item": "il_1",
    "payment_intent": "pi_3",
    "payment_method": "pm_1",
    "price": "price_1",
    "product": "prod_",
    "promotion_code": "promo_1",
    "refund": "re_3",
    "subscription": "sub_1",
    "subscription_item": "si_",
    "webhook_endpoint": "we_1",
}
NOUNS = {
    "checkout.session": "checkout.session",
    "payment_intent": "payment_intent",
    "billing_portal.configuration": "billing portal configuration",
    "credit_note": "credit note",
    "promotion_code": "promotion code",
}
LINKS = ("customer", "subscription", "invoice", "payment_intent", "charge", "source")
_LETTERS = string.ascii_letters + string.digits
_writers = threading.RLock()


def make_id(object_name: str) -> str:
    prefix = PREFIXES[object_name]
    length = 58 if object_name == "checkout.session" else 22 if prefix[-1:].isdigit() else 14
    return prefix + "".join(_LETTERS[byte % len(_LETTERS)] for byte in secrets.token_bytes(length))


@contextmanager
def write_transaction() -> Iterator[None]:
    """Run one write at a time. Readers see the last commit meanwhile."""
    with _writers, transaction.atomic():
        yield


def create(
    body: Document, *, notes: Document | None = None, due_at: int | None = None
) -> StripeObject:
    row = StripeObject(
        stripe_id=body["id"],
        object=body["object"],
        created=body.get("created", clock.now()),
        due_at=due_at,
        body=body,
        notes=notes or {},
    )
    _set_links(row)
    row.save(force_insert=True)
    return row


def copy(body: Document) -> Document:
    """Return a deep copy, much faster than Python's own."""
    found: Document = json.loads(json.dumps(body))
    return found


def save(row: StripeObject) -> StripeObject:
    _set_links(row)
    row.save()
    return row


def _set_links(row: StripeObject) -> None:
    body = row.body
    for link in LINKS:
        value = body.get(link)
        setattr(row, link, value if isinstance(value, str) else "")
    if row.object == "invoice":
        row.subscription = find_subscription_id(body) or ""
    elif row.object == "invoice_payment":
        row.payment_intent = body["payment"].get("payment_intent", "")


def find_subscription_id(invoice: Document) -> str | None:
    details = (invoice.get("parent") or {}).get("subscription_details") or {}
    found: str | None = details.get("subscription")
    return found


def find(stripe_id: str | None) -> StripeObject | None:
    return StripeObject.objects.filter(stripe_id=stripe_id).first() if stripe_id else None


def find_bodies(stripe_ids: Collection[str]) -> dict[str, Document]:
    rows = StripeObject.objects.filter(stripe_id__in=stripe_ids)
    return dict(rows.values_list("stripe_id", "body")) if stripe_ids else {}


def get(object_name: str, stripe_id: str, *, param: str = "id", status: int = 404) -> StripeObject:
    """Return the object with this id. Raise the API's resource_missing error if there is none.

    As at Stripe, a deleted customer can still be retrieved by its path.
    """
    row = StripeObject.objects.filter(stripe_id=stripe_id, object=object_name).first()
    if row is None or row.body.get("deleted"):
        if row is not None and object_name == "customer" and status == 404:
            return row
        raise make_missing_error(
            NOUNS.get(object_name, object_name), stripe_id, param=param, status=status
        )
    return row


def fetch(stripe_id: str) -> StripeObject:
    """Return the object with an id that the sandbox itself stored, so that it must exist."""
    return StripeObject.objects.get(stripe_id=stripe_id)


def select(object_name: str, **links: str) -> QuerySet[StripeObject]:
    """Return the objects with these links, newest first, as the API lists them."""
    return StripeObject.objects.filter(object=object_name, **links).order_by("-seq")


def make_page(rows: QuerySet[StripeObject], params: Mapping[str, Any], *, url: str) -> Document:
    """Return one page of a list, by Stripe's `limit` and cursor parameters."""
    limit = params.get("limit", 10)
    if not 1 <= limit <= 100:
        raise ApiError("This value must be between 1 and 100.", param="limit")
    rows = filter_created(rows, params)
    after, before = params.get("starting_after"), params.get("ending_before")
    if after is not None and before is not None:
        raise ApiError("You may use only one of these parameters: ending_before, starting_after.")
    if before is not None:
        rows = rows.filter(seq__gt=_cursor(rows, before)).order_by("seq")
        found = list(rows.values_list("body", flat=True)[: limit + 1])
        chosen = list(reversed(found[:limit]))
    else:
        if after is not None:
            rows = rows.filter(seq__lt=_cursor(rows, after))
        found = list(rows.values_list("body", flat=True)[: limit + 1])
        chosen = found[:limit]
    return make_list(chosen, url=url, has_more=len(found) > limit)


def _cursor(rows: QuerySet[Any], stripe_id: str) -> int:
    cursor = rows.model.objects.filter(stripe_id=stripe_id).values_list("seq", flat=True).first()
    if cursor is None:
        raise make_missing_error("object", stripe_id, param="starting_after", status=400)
    return int(cursor)


def filter_created(rows: QuerySet[Any], params: Mapping[str, Any]) -> QuerySet[Any]:
    created = params.get("created")
    if isinstance(created, dict):
        return rows.filter(**{f"created__{bound}": value for bound, value in created.items()})
    if created is not None:
        return rows.filter(created=created)
    return rows


def make_list(data: list[Document], *, url: str, has_more: bool = False) -> Document:
    return {"object": "list", "data": data, "has_more": has_more, "url": url}


def merge_metadata(
    old: Mapping[str, str] | None, change: Mapping[str, str] | str
) -> dict[str, str]:
    """Return the merged metadata. An empty value removes its key, an empty `change` removes all."""
    if isinstance(change, str):
        return {}
    merged = {**(old or {}), **change}
    return {key: value for key, value in merged.items() if value != ""}
