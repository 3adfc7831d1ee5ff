"""History: who changed a row in the admin, when, from what to what, and why.

django-auditlog writes and keeps the entries. Jobs and readers change rows as well, and much more
often: their changes are not noted, and cost nothing.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from auditlog.context import auditlog_value, set_actor
from auditlog.models import LogEntry
from auditlog.registry import auditlog
from django.contrib.auth.models import User
from django.db.models import Model

from campaigns.models import (
    ApiClient,
    Banner,
    Campaign,
    CampaignCopy,
    ChatWebhook,
    Erasure,
    Gift,
    Goal,
    Look,
    Member,
    Membership,
    Newsletter,
    Payment,
    Plan,
    PlanCopy,
    Price,
    RefundOrder,
    ReportMail,
    ReportToken,
    StripeSale,
    WallEntry,
    WebhookEndpoint,
)

_staff_at_work: ContextVar[bool] = ContextVar("staff_at_work", default=False)

# The fields that staff change, of every model that staff change. Without a list: all fields.
# Never the hash of a claim code or of a password.
NOTED: dict[type[Model], list[str]] = {
    Campaign: [
        *("slug", "zone", "starts_at", "ends_at", "currency", "priority", "supporters_before"),
        *("closed_at", "closed_by", "hides_banners", "emblem", "takes_contributions"),
        *("reminds_unfinished", "shows_wall", "friends_for_reward", "reward_months"),
        *("most_reward_months", "hide_banners_on", "nearly_percent"),
    ],
    CampaignCopy: [],
    Goal: [],
    Look: [],
    Banner: [],
    Newsletter: [],
    Plan: ["slug", "position", "is_active", "gift_claimable_days"],
    PlanCopy: [],
    Price: [
        *("plan", "kind", "months", "currency", "amount_minor", "is_active", "is_open"),
        *("suggested_minor", "minimum_minor", "maximum_minor", "shows_average"),
    ],
    Member: ["email", "name", "language"],
    Membership: [
        *("member", "plan", "source", "status", "started_at", "ends_at", "ended_at", "months"),
        *("access_until", "is_cancelling", "note"),
    ],
    Payment: [
        *("member", "campaign", "status", "hold", "amount_minor", "currency", "paid_at", "note"),
        "dealt_with_at",
    ],
    Gift: [
        *("status", "recipient_name", "recipient_email", "message", "deliver_at", "expires_at"),
        *("claimed_by", "revoked_for", "is_pardoned", "generation"),
    ],
    RefundOrder: ["payment", "amount_minor", "reason", "why", "ends_membership", "dealt_with_at"],
    ReportToken: ["user", "name"],
    Erasure: ["member", "why"],
    ReportMail: ["daily", "weekly", "milestones", "hour", "language"],
    # Without its address, which is a secret.
    ChatWebhook: ["name", "kind", "daily", "weekly", "milestones", "hour", "language", "is_active"],
    StripeSale: ["adopted_by", "left_out_at"],
    ApiClient: ["name", "may_unsubscribe", "revoked_at"],  # never the hash of its token
    WallEntry: ["status"],  # never the member's words, which they can take back
    WebhookEndpoint: ["name", "url", "events", "is_active"],  # never its secrets
    User: [
        *("username", "first_name", "last_name", "email"),
        *("is_active", "is_staff", "is_superuser"),
    ],
}


def register_history() -> None:
    """Have the changes of these models noted, but only while staff are at work."""
    # Without this, auditlog would read every row again before jobs save it.
    auditlog._signals = {
        signal: _while_staff_work(receiver) for signal, receiver in auditlog._signals.items()
    }
    for model, fields in NOTED.items():
        auditlog.register(model, include_fields=fields, m2m_fields=_groups_of(model))


def _groups_of(model: type[Model]) -> set[str]:
    return {"groups"} if model is User else set()


def _while_staff_work(receiver: Callable[..., None]) -> Callable[..., None]:
    def receive(*args: Any, **kwargs: Any) -> None:
        if _staff_at_work.get():
            receiver(*args, **kwargs)

    return receive


@contextmanager
def changes_by(user: User) -> Iterator[None]:
    """Note the changes made here as this user's. No IP address is stored."""
    token = _staff_at_work.set(True)
    try:
        with set_actor(user):
            yield
    finally:
        _staff_at_work.reset(token)


def give_reason(reason: str) -> None:
    """Note this reason with all further changes in this request."""
    if reason and _staff_at_work.get():
        with suppress(LookupError):
            auditlog_value.get()["additional_data"] = {"reason": reason}


def note_change(row: Model, words: str, *, by: User | None) -> None:
    """Note in words what was done about a row, for example that a file was downloaded."""
    LogEntry.objects.log_create(
        row,
        force_log=True,
        action=LogEntry.Action.UPDATE,
        changes={},
        changes_text=words,
        actor=by,
    )


def move_entries(gone: Model, kept: Model) -> None:
    """Move the history of a row to the one that replaces it."""
    LogEntry.objects.get_for_object(gone).update(object_id=kept.pk, object_pk=str(kept.pk))
