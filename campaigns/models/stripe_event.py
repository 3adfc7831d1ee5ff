from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.due import DueModel


class StripeEvent(DueModel):
    """A webhook as it arrived: stored first, processed later, and replayable."""

    class Status(models.TextChoices):
        NEW = "new", _("new")
        DONE = "done", _("done")
        IGNORED = "ignored", _("ignored")  # not ours; `reason` says why
        FAILED = "failed", _("failed")  # tried again at due_at

    class Reason(models.TextChoices):
        """Why an event is not ours."""

        NOT_AT_STRIPE = "unknown there", _("not ours: Stripe doesn’t have the object")
        NO_CHECKOUT = "names none", _("not ours: it belongs to no Checkout")
        OUR_PRICE = "sold at Stripe", _("sold at Stripe at one of our prices")
        LOST_CHECKOUT = "names a lost one", _("it belongs to a Checkout that is missing here")
        UNUSED_TYPE = "nothing kept", _("not ours: this type of object isn’t used")

    MOVES = {
        Status.NEW: {Status.DONE, Status.IGNORED, Status.FAILED},
        Status.FAILED: {Status.DONE, Status.IGNORED, Status.FAILED},
        Status.DONE: {Status.NEW},  # replayed by staff
        Status.IGNORED: {Status.NEW},
    }

    event_id = models.CharField(_("event ID"), max_length=255, unique=True)
    type = models.CharField(_("event type"), max_length=120)
    object_type = models.CharField(_("object type"), max_length=60, blank=True)
    object_id = models.CharField(_("object ID"), max_length=255, blank=True)
    is_live = models.BooleanField(_("live mode"), default=False)
    # Text, not JSON: unchanged, and jsonb refuses NUL escapes.
    payload = models.TextField(_("payload"))
    created_at = models.DateTimeField(_("created at"), help_text=_("Stripe’s time."))
    received_at = models.DateTimeField(_("received at"), default=timezone.now)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.NEW)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(
        _("next attempt at"),
        null=True,
        blank=True,
        default=timezone.now,
        db_column="next_attempt_at",
    )
    error = models.TextField(_("error"), blank=True)
    reason = models.CharField(
        _("reason"),
        max_length=200,
        choices=Reason,
        blank=True,
        default="",
        db_default="",
        help_text=_("Why the event is not ours."),
    )
    # Staff asked for it to be processed again: Stripe is asked, whatever we know.
    is_replayed = models.BooleanField(_("replayed"), default=False, db_default=False)
    # After the retention time only the ids of the payload are left.
    stripped_at = models.DateTimeField(_("stripped at"), null=True, blank=True)

    class Meta:
        verbose_name = _("Stripe event")
        verbose_name_plural = _("Stripe events")
        indexes = [
            models.Index(
                fields=["due_at"],
                condition=Q(due_at__isnull=False),
                name="stripe_event_due",
            ),
            models.Index(
                fields=["received_at"],
                condition=Q(stripped_at__isnull=True),
                name="stripe_event_unstripped",
            ),
            models.Index(fields=["-received_at", "-id"], name="stripe_event_newest"),
            models.Index(
                fields=["type", "-received_at", "-id"], name="stripe_event_newest_of_type"
            ),
            models.Index(
                fields=["status", "-received_at", "-id"],
                condition=~Q(status="done"),
                name="stripe_event_newest_not_done",
            ),
            models.Index(
                fields=["reason", "-received_at", "-id"],
                condition=~Q(reason=""),
                name="stripe_event_newest_not_ours",
            ),
            models.Index(fields=["object_id"], name="stripe_event_object"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["new", "failed"], due_at__isnull=False)
                | Q(status__in=["done", "ignored"], due_at__isnull=True),
                name="stripe_event_due_until_worked_on",
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"
