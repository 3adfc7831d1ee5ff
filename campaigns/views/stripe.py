"""The webhook endpoint: store the event, answer, and let a worker process it."""

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from campaigns import health, tasks, webhooks
from campaigns.models import Sign

log = structlog.get_logger(__name__)


@csrf_exempt
@require_POST
def receive_event(request: HttpRequest) -> HttpResponse:
    """Answer 200 once the event is stored (new or known), 400 or 413 if it is refused."""
    try:
        body = request.body
    except RequestDataTooBig:
        return HttpResponse("larger than 1 MB", status=413, content_type="text/plain")
    try:
        webhooks.store_event(body, signature=request.headers.get("Stripe-Signature", ""))
    except webhooks.WebhookRefused as error:
        log.warning("webhook_refused", reason=str(error))
        health.record_sign(Sign.Of.REFUSED_WEBHOOK)
        return HttpResponse(str(error), status=400, content_type="text/plain")
    tasks.hurry("events")
    health.record_sign(Sign.Of.WEBHOOK)
    return HttpResponse("stored", content_type="text/plain")
