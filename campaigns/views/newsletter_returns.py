"""Reports of the mailing tool: who unsubscribed there, bounced or complained."""

import json
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from campaigns import newsletters, tasks
from campaigns.models import ApiClient, Newsletter
from campaigns.people import canonical_email
from campaigns.views.clients import for_clients, refuse


@csrf_exempt
@never_cache
@require_POST
@for_clients
def end_subscriptions(request: HttpRequest, client: ApiClient) -> HttpResponseBase:
    """End the newsletter subscriptions of an address, or one of them. Safe to repeat."""
    if not client.may_unsubscribe:
        return refuse(403, "This token may not end newsletter subscriptions.")
    given = _read_fields(request)
    address = canonical_email(given.get("email", ""))
    try:
        validate_email(address)
    except ValidationError:
        return refuse(400, "Send the parameter email with one e-mail address.")
    try:
        outcome = newsletters.end_reported(
            address,
            newsletter=given.get("newsletter", ""),
            reason=given.get("reason", ""),
            at=timezone.now(),
        )
    except Newsletter.DoesNotExist:
        return refuse(400, "There is no newsletter with this short name.")
    tasks.hurry(*tasks.EFFECTS)
    return JsonResponse({"ended": outcome.ended, "unchanged": outcome.unchanged})


def _read_fields(request: HttpRequest) -> dict[str, str]:
    """Return the texts of a form or of a JSON object."""
    if request.content_type != "application/json":
        return {name: str(value) for name, value in request.POST.items()}
    try:
        fields: Any = json.loads(request.body)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(fields, dict):
        return {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}
