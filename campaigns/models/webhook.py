"""Outgoing webhooks: endpoints of other systems, events for them, and deliveries."""

import json
import secrets
import uuid
from base64 import b64encode
from datetime import datetime
from typing import Any

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.due import DueModel
from campaigns.models.member import Member

_SECRET_BYTES = 32


def make_webhook_secret() -> str:
    """Return a new secret, written as https://www.standardwebhooks.com describes."""
    return "whsec_" + b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def _make_message_id() -> str:
    return f"msg_{uuid.uuid4().hex}"


def write_payload(type_: str, data: str, happened_at: datetime) -> str:
    """Return the body of an event, in JSON as its data."""
    return f'{{"type": "{type_}", "timestamp": "{happened_at.isoformat()}", "data": {data}}}'


class WebhookEndpoint(models.Model):
    """An address of another system that gets chosen events."""

    class PausedFor(models.TextChoices):
        FAILING = "failing", _("it failed for three days")
        GONE = "gone", _("it answered that it no longer exists (410)")

    name = models.CharField(_("name"), max_length=80, unique=True)
    url = models.CharField(_("address"), max_length=2000, help_text=_("It starts with https://."))
    events = models.JSONField(_("events"), default=list)
    is_active = models.BooleanField(
        _("on"),
        default=True,
        help_text=_("An endpoint that is off gets no events, and none are kept for it."),
    )
    secret = models.CharField(
        _("secret"), max_length=100, default=make_webhook_secret, editable=False
    )
    # Both secrets sign until then, so that the receiver can change over in between.
    old_secret = models.CharField(
        _("old secret"), max_length=100, blank=True, default="", editable=False
    )
    old_secret_until = models.DateTimeField(
        _("old secret signs until"), null=True, blank=True, editable=False
    )
    # When the first of a row of failures happened; null after a success.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0, editable=False)
    rests_until = models.DateTimeField(_("next attempt at"), null=True, blank=True, editable=False)
    paused_at = models.DateTimeField(_("paused at"), null=True, blank=True, editable=False)
    paused_for = models.CharField(
        _("reason for the pause"),
        max_length=7,
        choices=PausedFor,
        blank=True,
        default="",
        editable=False,
    )
    # A worker delivers to it until then: deliveries to one endpoint never overtake each other.
    busy_until = models.DateTimeField(_("busy until"), null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def list_secrets(self, *, at: datetime) -> list[str]:
        """Return the secrets that sign at `at`, the newest first."""
        is_rotating = self.old_secret_until is not None and self.old_secret_until > at
        return [self.secret, *([self.old_secret] if is_rotating and self.old_secret else [])]


class OutgoingEvent(models.Model):
    """Something that other systems want to know, written in the transaction of the change.

    An event names one person at most, so that an erasure finds it.
    """

    # Stays the same in every attempt and for every endpoint: receivers recognise repetitions by it.
    message_id = models.CharField(
        _("message ID"), max_length=40, unique=True, default=_make_message_id, editable=False
    )
    # What can happen once only has a key, for example a refund by its id.
    key = models.CharField(_("key"), max_length=300, null=True, blank=True, unique=True)
    type = models.CharField(_("event"), max_length=40)
    member = models.ForeignKey(
        Member,
        on_delete=models.CASCADE,
        verbose_name=_("member"),
        null=True,
        blank=True,
        related_name="outgoing_events",
    )
    # The person if they are no member: a hash of a newsletter subscriber's address.
    subscriber = models.CharField(
        _("subscriber"), max_length=64, blank=True, default="", db_default=""
    )
    # The last event of a person who is being erased: it has their address until it is delivered.
    is_farewell = models.BooleanField(_("tells of an erasure"), default=False, db_default=False)
    data = models.JSONField(_("data"), default=dict)
    happened_at = models.DateTimeField(_("happened at"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook event")
        verbose_name_plural = _("webhook events")
        indexes = [
            models.Index(fields=["happened_at"], name="outgoing_event_age"),
            models.Index(
                fields=["subscriber"],
                condition=~Q(subscriber=""),
                name="outgoing_event_of_subscriber",
            ),
            models.Index(
                fields=["happened_at"],
                condition=Q(is_farewell=True),
                name="outgoing_event_farewell",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.message_id}"

    @property
    def body(self) -> bytes:
        """The body that endpoints get."""
        return write_payload(self.type, json.dumps(self.data), self.happened_at).encode()

    @property
    def payload(self) -> dict[str, Any]:
        """The same, decoded."""
        payload: dict[str, Any] = json.loads(self.body)
        return payload


class WebhookDelivery(DueModel):
    """One event for one endpoint: due until it is delivered or given up, then the log of it."""

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        on_delete=models.CASCADE,
        verbose_name=_("endpoint"),
        related_name="deliveries",
        db_index=False,  # the constraint's index begins with it
    )
    event = models.ForeignKey(
        OutgoingEvent, on_delete=models.CASCADE, verbose_name=_("event"), related_name="deliveries"
    )
    # The event's member or subscriber: the events of one person are delivered in order.
    member = models.ForeignKey(
        Member,
        on_delete=models.CASCADE,
        verbose_name=_("member"),
        null=True,
        blank=True,
        related_name="webhook_deliveries",
    )
    subscriber = models.CharField(
        _("subscriber"), max_length=64, blank=True, default="", db_default=""
    )
    due_at = models.DateTimeField(_("next attempt at"), null=True, blank=True, default=timezone.now)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    attempted_at = models.DateTimeField(_("last attempt at"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered at"), null=True, blank=True)
    failed_at = models.DateTimeField(_("given up at"), null=True, blank=True)
    # The last answer: its status, the start of its text, and how long it took.
    status = models.PositiveSmallIntegerField(_("status of the answer"), null=True, blank=True)
    answer = models.TextField(_("answer"), blank=True, default="")
    error = models.CharField(_("error"), max_length=200, blank=True, default="")
    milliseconds = models.PositiveIntegerField(_("duration in ms"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        indexes = [
            models.Index(
                fields=["endpoint", "due_at"],
                condition=Q(due_at__isnull=False),
                name="webhook_delivery_due",
            ),
            models.Index(
                fields=["endpoint", "member", "id"],
                condition=Q(due_at__isnull=False),
                name="webhook_delivery_open",
            ),
            models.Index(
                fields=["endpoint", "subscriber", "id"],
                condition=Q(due_at__isnull=False) & ~Q(subscriber=""),
                name="webhook_delivery_subscriber",
            ),
            models.Index(
                fields=["failed_at"],
                condition=Q(failed_at__isnull=False),
                name="webhook_delivery_failed",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_delivered_once")
        ]

    def __str__(self) -> str:
        return f"{self.endpoint}: {self.event.type}"

    @property
    def person(self) -> int | str | None:
        """The person that the event names; None for events about nobody."""
        return self.member_id if self.member_id is not None else self.subscriber or None
