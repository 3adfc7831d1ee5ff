"""The newspaper's other systems: one that takes webhooks, and a page that greets members."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from campaigns import deliveries, members
from campaigns.members.access_tokens import PARAMETER
from campaigns.models import WebhookEndpoint

NAME = "The newspaper’s website"


def connect_newspaper() -> None:
    """Send every event to the demo's own newspaper, at the address that it has now."""
    WebhookEndpoint.objects.update_or_create(
        name=NAME,
        defaults={
            "url": settings.SITE_URL + reverse("demo:webhook"),
            "events": [each.name for each in deliveries.EVENT_TYPES],
        },
    )


@csrf_exempt
@require_POST
def receive_webhook(request: HttpRequest) -> HttpResponse:
    """Take a webhook; docs/recipes has what a real site does with it."""
    return HttpResponse("stored", content_type="text/plain")


@never_cache
@require_safe
def greet_member(request: HttpRequest) -> HttpResponse:
    """Greet the member whose token the account page handed over."""
    try:
        claims = members.read_token(
            request.GET.get(PARAMETER, ""), at=timezone.now(), audience=settings.SITE_URL
        )
    except members.BadToken:
        claims = {"member": False, "until": None}
    until = parse_datetime(claims["until"]) if claims["until"] else None
    response = render(request, "demo/hello.html", {"claims": claims, "until": until})
    response["Referrer-Policy"] = "no-referrer"
    return response
