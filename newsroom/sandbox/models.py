"""What the pretend Stripe remembers: one table of JSON documents and a few small ones around it."""

from typing import Any, ClassVar

from django.db import models


class StripeObject(models.Model):
    """One Stripe object as the API shows it (`body`), with what only the sandbox knows beside it
    (`notes`).

    The link columns repeat ids that stand in the body, so that lists can be filtered by an index.
    `due_at` is when, by the sandbox's clock, something happens to the object by itself.
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
    """Something that happened, with the object as it was at that moment."""

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
    """One event on its way to one receiver. Times are of the wall clock, for receivers live in
    real time.
    """

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
    """The answer that a repeat with the same Idempotency-Key gets, whatever it was, 5xx too."""

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
    """Money that moved, written when it moved and never changed: the figures that reports are
    held against.
    """

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
    """Something that is to go wrong, the next `times` that it matches (-1: until it is taken
    away).
    """

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
    """The one row of what a restart must not forget: the clock, where webhooks go, what is
    converted, what becomes of a subscription that nobody pays.
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
