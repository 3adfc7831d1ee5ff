"""The events that other systems can get. docs/webhooks/ has a JSON schema for each name."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class EventType:
    """One kind of event; `docs/webhooks/<name>.json` describes its body."""

    name: str
    label: Promise | str


EVENT_TYPES = (
    EventType("member.joined", _("A reader became a member")),
    EventType("member.renewed", _("A membership was renewed or extended")),
    EventType("member.updated", _("A member’s plan, source or end changed")),
    EventType("member.past_due", _("A renewal failed")),
    EventType("member.cancelled", _("A member cancelled and keeps access until the period ends")),
    EventType("member.lapsed", _("A member lost access")),
    EventType(
        "member.returned", _("A former member has access again, or resumed a cancelled membership")
    ),
    EventType(
        "member.address_changed", _("A member’s address changed, or two members were merged")
    ),
    EventType("member.erased", _("A member’s data is being erased")),
    EventType("gift.bought", _("A gift was bought")),
    EventType("gift.delivered", _("A gift was delivered")),
    EventType("gift.claimed", _("A gift was claimed")),
    EventType("payment.refunded", _("A payment was refunded")),
    EventType("payment.disputed", _("A payment was disputed")),
    EventType("newsletter.confirmed", _("An address subscribed to a newsletter")),
    EventType("newsletter.unsubscribed", _("A newsletter subscription ended")),
    EventType("campaign.milestone", _("A campaign passed a milestone")),
)
# Staff send it by hand, to any endpoint, so nobody subscribes to it.
TEST_EVENT = "webhook.test"
NAMES = tuple(each.name for each in EVENT_TYPES)
