"""The sandbox's tables: one of JSON documents, and a few small ones."""

from typing import Any, ClassVar

from django.db import models


class StripeObject(models.Model):
    """One Stripe object: `body` is what the API shows, `notes` are the sandbox's own.

    The link columns repeat ids of the body, so that lists can be filtered by an index. `due_at` is
    the time, by the sandbox's clock, when `schedule` works on the object.
    """

    objects: ClassVar[models.Manager["StripeObject"]] = models.Manager()

    seq = models.BigAutoField(primary_key=True)
    stripe_id = models.CharField(max_length=255, unique=True)
    object = models.CharField(max_length=64)
    created = models.BigIntegerField()
    due_at = models.BigIntegerField(null=True)
    customer = models.CharField(max_length=255, default="")
    subscription = models.CharField(max_length=255, default="")
    invoice = models.CharField(max_length=255, default="")
    payment_intent = models.CharField(max_length=255, default="")
    charge = models.CharField(max_length=255, default="")
    source = models.CharField(max_length=255, default="")
    body: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()
    notes: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField(default=dict)

    class Meta:
        app_label = "sandbox"
        indexes = [
            models.Index(fields=["object", "seq"], name="by_object"),
            models.Index(fields=["customer"], name="by_customer", condition=~models.Q(customer="")),
            models.Index(
                fields=["subscription"],
                name="by_subscription",
                condition=~models.Q(subscription=""),
            ),
            models.Index(fields=["invoice"], name="by_invoice", condition=~models.Q(invoice="")),
            models.Index(
                fields=["payment_intent"], name="by_intent", condition=~models.Q(payment_intent="")
            ),
            models.Index(fields=["charge"], name="by_charge", condition=~models.Q(charge="")),
            models.Index(fields=["source"], name="by_source", condition=~models.Q(source="")),
            models.Index(
                fields=["due_at"], name="by_due", condition=models.Q(due_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        return self.stripe_id


class Event(models.Model):
    """An event, with the object as it was at that moment."""

    objects: ClassVar[models.Manager["Event"]] = models.Manager()

    seq = models.BigAutoField(primary_key=True)
    stripe_id = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=100, db_index=True)
    created = models.BigIntegerField()
    body: "models.JSONField[dict[str, Any], dict[str, Any]]" = models.JSONField()

    class Meta:
        app_label = "sandbox"

    def __str__(self) -> str:
        return self.stripe_id


class Delivery(models.Model):
    """One event for one receiver. Times are wall clock times, because receivers use those."""

    objects: ClassVar[models.Manager["Delivery"]] = models.Manager()

    class State(models.TextChoices):
        PENDING = "pending"
        DELIVERED = "delivered"
        FAILED = "failed"
        HELD = "held"
        DROPPED = "dropped"

    event = models.ForeignKey(Event, on_delete=models.CASCADE, related_name="deliveries")
    url = models.TextField()
    secret = models.TextField()
    state = models.CharField(max_length=10, choices=State.choices, default=State.PENDING)
    position = models.FloatField()
    next_attempt_at = models.FloatField()
    attempts = models.IntegerField(default=0)
    planned_failures = models.IntegerField(default=0)
    waits_for_next = models.BooleanField(default=False)
    answers: "models.JSONField[list[Any], list[Any]]" = models.JSONField(default=list)

    class Meta:
        app_label = "sandbox"
        indexes = [models.Index(fields=["state", "next_attempt_at"], name="by_state")]

    def __str__(self) -> str:
        return self.url


class IdempotentRequest(models.Model):
    """The stored answer for an Idempotency-Key: errors with status 5xx included, 429 not."""

    objects: ClassVar[models.Manager["IdempotentRequest"]] = models.Manager()

    key = models.CharField(max_length=255, primary_key=True)
    fingerprint = models.CharField(max_length=64)
    request_id = models.CharField(max_length=64)
    status = models.IntegerField()
    answer = models.TextField()
    created = models.BigIntegerField()

    class Meta:
        app_label = "sandbox"

    def __str__(self) -> str:
        return self.key


class BookEntry(models.Model):
    """One movement of money, never changed: tests compare the application's reports with these."""

    objects: ClassVar[models.Manager["BookEntry"]] = models.Manager()

    class Kind(models.TextChoices):
        CHARGE = "charge"
        REFUND = "refund"
        REFUND_FAILURE = "refund_failure"
        DISPUTE = "dispute"
        DISPUTE_REVERSAL = "dispute_reversal"

    kind = models.CharField(max_length=20, choices=Kind.choices)
    at = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    amount_minor = models.BigIntegerField()
    fee_minor = models.BigIntegerField()
    source = models.CharField(max_length=255)
    balance_transaction = models.CharField(max_length=255)

    class Meta:
        app_label = "sandbox"
        indexes = [models.Index(fields=["currency", "kind"], name="by_currency")]

    def __str__(self) -> str:
        return self.source


class Fault(models.Model):
    """A failure for the next `times` matching requests or webhooks (-1: until it is removed)."""

    objects: ClassVar[models.Manager["Fault"]] = models.Manager()

    target = models.CharField(max_length=10)
    match = models.CharField(max_length=255)
    kind = models.CharField(max_length=20)
    seconds = models.FloatField(default=0)
    status = models.IntegerField(default=500)
    times = models.IntegerField(default=1)

    class Meta:
        app_label = "sandbox"

    def __str__(self) -> str:
        return self.match


class SandboxState(models.Model):
    """The one row of settings that survive a restart.

    Clock, webhook receiver, exchange rates, and the outcome for subscriptions after the last retry.
    """

    objects: ClassVar[models.Manager["SandboxState"]] = models.Manager()

    frozen_at = models.BigIntegerField(null=True)
    offset = models.BigIntegerField(default=0)
    webhook_url = models.TextField(default="")
    webhook_secret = models.TextField(default="")
    outcome_after_retries = models.TextField(default="cancel")
    rates: "models.JSONField[dict[str, str], dict[str, str]]" = models.JSONField(default=dict)

    class Meta:
        app_label = "sandbox"

    def __str__(self) -> str:
        return self.webhook_url
