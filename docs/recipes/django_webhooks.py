"""A Django site that copies who is a member. MIT license. Needs `pip install standardwebhooks`.

Add to your URLs: path("hooks/members", django_webhooks.receive), and replace `People` by your own
model. Put the endpoint's secret into the setting MEMBERS_WEBHOOK_SECRET.
"""

import json

from django.conf import settings
from django.core.cache import cache
from django.http import HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class People:
    """Replace this by your database. The key is the member's number, never the address."""

    rows = {}

    @classmethod
    def save(cls, number, **values):
        cls.rows.setdefault(number, {}).update(values)

    @classmethod
    def delete(cls, number):
        cls.rows.pop(number, None)


@csrf_exempt
@require_POST
def receive(request):
    """Check one webhook, take it once, and answer quickly."""
    try:
        Webhook(settings.MEMBERS_WEBHOOK_SECRET).verify(request.body, dict(request.headers.items()))
    except WebhookVerificationError:
        return HttpResponse("wrong signature", status=400, content_type="text/plain")
    seen = f"webhook:{request.headers['webhook-id']}"
    if cache.get(seen):
        return HttpResponse("known", content_type="text/plain")
    take(json.loads(request.body))
    cache.set(seen, True, timeout=7 * 86400)  # after it was taken, so that nothing is lost
    return HttpResponse("taken", content_type="text/plain")


def take(event):
    """Apply an event. Doing it twice makes no difference."""
    data = event["data"]
    member = data.get("member")
    if member is None:  # a test, or an event about no member
        return
    if event["type"] == "member.erased":
        People.delete(member["id"])
        return
    if event["type"] == "member.address_changed" and data["previous"]["id"] != member["id"]:
        People.delete(data["previous"]["id"])  # two records of one person were merged
    if "access" in data or event["type"] == "member.address_changed":
        People.save(member["id"], email=member["email"], name=member["name"])
    if "access" in data:
        access = data["access"]
        People.save(member["id"], is_member=access["has_access"], until=access["until"])
