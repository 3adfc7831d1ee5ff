"""/v1/webhook_endpoints"""

from newsroom.sandbox import documents, endpoints
from newsroom.sandbox.documents import Document
from newsroom.sandbox.errors import ApiError
from newsroom.sandbox.parameters import BOOL, LIST_PARAMS, META, STR, UNSET

from .routing import endpoint


@endpoint(
    "POST",
    "/v1/webhook_endpoints",
    {
        "api_version": STR,
        "description": UNSET,
        "enabled_events*": [STR],
        "metadata": META,
        "url*": STR,
    },
)
def create_webhook_endpoint(params: Document) -> Document:
    """Create an endpoint. Only this answer contains its secret."""
    _check_url(params["url"])
    secret = endpoints.make_secret()
    row = endpoints.create_endpoint(params, notes={"secret": secret})
    return {**row.body, "secret": secret}


def _check_url(url: str) -> None:
    if not url.startswith(("http://", "https://")):
        raise ApiError(
            "Invalid URL: must begin with http:// or https://.", code="url_invalid", param="url"
        )


@endpoint("GET", "/v1/webhook_endpoints", LIST_PARAMS)
def list_webhook_endpoints(params: Document) -> Document:
    rows = documents.select("webhook_endpoint")
    return documents.make_page(rows, params, url="/v1/webhook_endpoints")


@endpoint("GET", "/v1/webhook_endpoints/{endpoint_id}")
def retrieve_webhook_endpoint(params: Document, *, endpoint_id: str) -> Document:
    return documents.get("webhook_endpoint", endpoint_id).body


@endpoint(
    "POST",
    "/v1/webhook_endpoints/{endpoint_id}",
    {
        "description": UNSET,
        "disabled": BOOL,
        "enabled_events": [STR],
        "metadata": META,
        "url": STR,
    },
)
def update_webhook_endpoint(params: Document, *, endpoint_id: str) -> Document:
    row = documents.get("webhook_endpoint", endpoint_id)
    params = dict(params)
    if "url" in params:
        _check_url(params["url"])
    if "disabled" in params:
        row.body["status"] = "disabled" if params.pop("disabled") else "enabled"
    if "metadata" in params:
        change = params.pop("metadata")
        row.body["metadata"] = documents.merge_metadata(row.body["metadata"], change)
    if "description" in params:
        row.body["description"] = params.pop("description") or None
    row.body.update(params)
    return documents.save(row).body


@endpoint("DELETE", "/v1/webhook_endpoints/{endpoint_id}")
def delete_webhook_endpoint(params: Document, *, endpoint_id: str) -> Document:
    documents.get("webhook_endpoint", endpoint_id).delete()
    return {"id": endpoint_id, "object": "webhook_endpoint", "deleted": True}
