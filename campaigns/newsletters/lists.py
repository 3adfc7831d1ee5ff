"""Subscribers as rows of a file, for the mailing tool that sends the newsletters."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import QuerySet

from campaigns.emails import links
from campaigns.models import Subscription
from campaigns.spreadsheets import Cell

SUBSCRIBER_COLUMNS = (
    *("email", "newsletter", "status", "language", "requested_at", "confirmed_at"),
    *("confirmed_by", "consent", "form", "unsubscribed_at", "reason", "campaign", "placement"),
    *("page_url", "page_title", "utm_source", "utm_medium", "utm_campaign", "utm_content"),
    *("unsubscribe_url", "preferences_url"),
)
_CHUNK = 500


def list_subscribers(subscriptions: QuerySet[Subscription]) -> Iterator[list[Cell]]:
    """Yield the headings and one row for each subscription; times are in the newspaper's zone.

    `unsubscribe_url` is for the header List-Unsubscribe (RFC 8058) of what the tool sends.
    """
    yield list(SUBSCRIBER_COLUMNS)
    zone = ZoneInfo(settings.NEWSROOM_TIME_ZONE)
    related = subscriptions.select_related("newsletter", "campaign").order_by("pk")
    for each in related.iterator(chunk_size=_CHUNK):
        token = links.make_newsletter_token(each)
        yield [
            each.email,
            each.newsletter.slug,
            each.status,
            each.language,
            each.requested_at.astimezone(zone),
            each.confirmed_at.astimezone(zone) if each.confirmed_at else None,
            each.proof,
            each.consent_wording,
            each.form_url,
            each.ended_at.astimezone(zone) if each.ended_at else None,
            each.cause,
            each.campaign.slug if each.campaign else "",
            each.placement,
            each.page_url,
            each.page_title,
            each.utm_source,
            each.utm_medium,
            each.utm_campaign,
            each.utm_content,
            links.build_url("newsletters_unsubscribe", token=token),
            links.build_url("newsletters_preferences", token=token),
        ]
