"""Addresses for monitoring: is this process alive and ready, and what is broken?

Details need the token, `Authorization: Bearer HEALTH_TOKEN`, or the permission to see problems.
"""

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from campaigns import health


@never_cache
@require_safe
def show_live(request: HttpRequest) -> HttpResponse:
    """Answer 200 while this process answers at all."""
    return HttpResponse("alive", content_type="text/plain")


@never_cache
@require_safe
def show_ready(request: HttpRequest) -> HttpResponse:
    """Answer 200 if this process reaches the database, otherwise 503."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return HttpResponse("no database", status=503, content_type="text/plain")
    return HttpResponse("ready", content_type="text/plain")


@never_cache
@require_safe
def show_health(request: HttpRequest) -> HttpResponse:
    """Answer 200, or 503 while something is broken; as JSON, with details for those who may."""
    try:
        health.watch_processes_soon()
        facts = health.describe_health(at=timezone.now())
        is_staff = _has_token(request) or _is_staff(request)
    except DatabaseError:
        facts, is_staff = {"status": "broken"}, False
    status = 200 if facts["status"] == "ok" else 503
    return JsonResponse(facts if is_staff else {"status": facts["status"]}, status=status)


@never_cache
@require_safe
def show_metrics(request: HttpRequest) -> HttpResponse:
    """Answer with the metrics for Prometheus."""
    if not _has_token(request):
        return HttpResponse(status=401, headers={"WWW-Authenticate": "Bearer"})
    health.watch_processes_soon()
    metrics = health.write_metrics(at=timezone.now())
    return HttpResponse(metrics, content_type="text/plain; version=0.0.4; charset=utf-8")


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return (
        bool(settings.HEALTH_TOKEN)
        and kind == "Bearer"
        and constant_time_compare(token.strip(), settings.HEALTH_TOKEN)
    )


def _is_staff(request: HttpRequest) -> bool:
    user = getattr(request, "user", None)  # monitoring is answered before the user is known
    return user is not None and user.is_staff and user.has_perm("campaigns.view_problem")
