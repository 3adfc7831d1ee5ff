"""Outgoing webhooks: they notify the newspaper's other systems of changes.

event_types   what they can be told
outbox        an event is written in the transaction of its change
rows          due deliveries and their attempts, many at a time
background    reads and writes beside the posts
sending       the job that delivers: in order for each person, repeated for three days
signatures    as https://www.standardwebhooks.com describes
subscribers   events about newsletter subscribers who are no members
endpoints     secrets, pauses, repetitions, tests
"""

from campaigns.deliveries.endpoints import (
    resend_deliveries,
    resume_endpoints,
    rotate_secret,
    send_test,
)
from campaigns.deliveries.event_types import EVENT_TYPES, EventType
from campaigns.deliveries.outbox import (
    announce_erasure,
    describe_member,
    drop_waiting,
    find_endpoints,
    forget_person,
    is_erasure_announced,
    write_event,
)
from campaigns.deliveries.sending import (
    deliver_events,
    find_busy_endpoints,
    find_next_delivery,
    select_old_outgoing,
)
from campaigns.deliveries.subscribers import forget_subscriber, hash_subscriber, strip_farewells

__all__ = [
    "EVENT_TYPES",
    "EventType",
    "announce_erasure",
    "deliver_events",
    "describe_member",
    "drop_waiting",
    "find_busy_endpoints",
    "find_endpoints",
    "find_next_delivery",
    "forget_person",
    "forget_subscriber",
    "hash_subscriber",
    "is_erasure_announced",
    "resend_deliveries",
    "resume_endpoints",
    "rotate_secret",
    "select_old_outgoing",
    "send_test",
    "strip_farewells",
    "write_event",
]
