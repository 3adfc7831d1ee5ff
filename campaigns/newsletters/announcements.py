"""Events about subscriptions for other systems: the mailing tool sends the newsletters.

An event is about one newsletter. It has the proof of the consent, and names its member if the
address is a member's.
"""

from datetime import datetime
from typing import Any

from django.db.models import Q

from campaigns import deliveries
from campaigns.emails import links
from campaigns.models import Member, Subscription

CONFIRMED, UNSUBSCRIBED = "newsletter.confirmed", "newsletter.unsubscribed"
_ERASED = "erased"


def announce_confirmation(subscription: Subscription, *, at: datetime) -> None:
    """Tell that an address subscribed. Call it in the transaction of the change."""
    token = links.make_newsletter_token(subscription)
    urls = {
        "unsubscribe_url": links.build_url("newsletters_unsubscribe", token=token),
        "preferences_url": links.build_url("newsletters_preferences", token=token),
    }
    _write(CONFIRMED, subscription, _describe_consent(subscription) | {"links": urls}, at=at)


def announce_end(subscription: Subscription, *, at: datetime) -> None:
    """Tell that a confirmed subscription ended. Call it in the transaction of the change."""
    facts = {"ended_at": at.isoformat(), "reason": str(subscription.cause)}
    _write(UNSUBSCRIBED, subscription, facts | _describe_consent(subscription), at=at)


def announce_erasure(subscription: Subscription, *, at: datetime) -> None:
    """Tell that a confirmed subscription ends because its person is being erased."""
    facts = {"ended_at": at.isoformat(), "reason": _ERASED, "consent": None, "origin": None}
    _write(UNSUBSCRIBED, subscription, facts, at=at, is_farewell=True)


def _write(
    type_: str,
    subscription: Subscription,
    facts: dict[str, Any],
    *,
    at: datetime,
    is_farewell: bool = False,
) -> None:
    if not (endpoints := deliveries.find_endpoints(type_)):
        return
    address, newsletter = subscription.email, subscription.newsletter
    data = {
        "subscriber": {"email": address, "language": subscription.language},
        "newsletter": {
            "slug": newsletter.slug,
            "name": newsletter.name,
            "language": newsletter.language,
        },
    }
    owned = Q(email=address) | Q(former_addresses__email=address)
    member = Member.objects.filter(owned).first()
    deliveries.write_event(
        type_,
        data | facts,
        member=member,
        subscriber=address if member is None else None,
        is_farewell=is_farewell,
        happened_at=at,
        endpoints=endpoints,
    )


def _describe_consent(subscription: Subscription) -> dict[str, Any]:
    confirmed_at = subscription.confirmed_at
    return {
        "consent": {
            "wording": subscription.consent_wording,
            "form_url": subscription.form_url,
            "requested_at": subscription.requested_at.isoformat(),
            "confirmed_at": confirmed_at and confirmed_at.isoformat(),
            "confirmed_by": str(subscription.proof),
        },
        "origin": {
            "campaign": subscription.campaign.slug if subscription.campaign else None,
            "placement": subscription.placement,
            "page_url": subscription.page_url,
            "page_title": subscription.page_title,
        },
    }
